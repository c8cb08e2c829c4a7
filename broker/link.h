/* The TCP connections of the command and the event socket, by descriptor, as the monitors tell of
 * them: where each comes from, whether it has a session, and how much it sent without finishing a
 * message. Cuts those that are too many, too late or endless.
 *
 * A descriptor is a name that libzmq may have given to somebody else by the time it is used. So
 * each link remembers its socket's cookie, and nothing is cut without holding the socket and
 * comparing that. Times are on the monotonic clock. */
#ifndef LINK_H
#define LINK_H

#include "core/stats.h"
#include "pace.h"
#include "tcp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum link_socket { LINK_COMMANDS, LINK_EVENTS };

enum link_rank {
    LINK_SILENT,   /* no whole frame came yet */
    LINK_STRANGER, /* it proved a key, and had no session when that was looked at last */
    LINK_MEMBER,   /* it had a session then */
    LINK_CUT,      /* cut by us; libzmq has not said so yet */
    LINK_RANKS,
};

struct source_count;
struct unfinished_sum;

struct link {
    int fd;
    enum link_socket socket;
    enum link_rank rank;
    uint64_t cookie; /* the socket's, unique in this kernel */
    char source[SOURCE_BYTES];
    struct source_count *count; /* borrowed: the table's; NULL: it is no stranger */
    int64_t since_us;           /* when it got its rank */
    void *owner;                /* borrowed: the connection or the subscriber; NULL: none yet */
    uint32_t frames;            /* since it was looked at last */
    uint64_t progress;          /* bytes that came in all, when that was looked at last */
    uint64_t received;          /* bytes in all, when a frame had come since the look before */
    uint64_t allowance;         /* of the event socket: what it sent of late */
    int64_t allowance_us;
    bool is_over;         /* it has sent too much for one message, which may only wait to be read */
    uint64_t over_drains; /* when that began: how often all was read, */
    uint64_t over_taken;  /* and how many frames had been */
    uint64_t over_ahead;  /* and what libzmq had of it beyond the last frame that was read */
    uint64_t unfinished;  /* bytes of a message that is known not to be complete */
    struct unfinished_sum *unfinished_sum; /* borrowed: its account's; NULL: it holds none */
    struct progress unread;   /* whether it takes what it is sent, where that is looked at */
    struct link *prev, *next; /* in its rank's list, the oldest first */
    struct link *over_prev, *over_next; /* in the list of those that are over */
    struct link *unfinished_prev, *unfinished_next;
    int64_t probe_us;  /* since when what comes is looked at; 0: it is not */
    uint64_t probe_at; /* where its unfinished message is to be looked at next */
    uint64_t part_at;  /* read so far, libzmq knows what began in it: a part, or the next message */
    bool is_small;     /* it was a part, unless a message was complete then */
    struct link *probe_prev, *probe_next;
};

struct links;

struct links_options {
    struct stats *stats; /* borrowed */
    struct pace *pace;   /* borrowed */
    size_t descriptors_max;
    /* The account whose session stands behind the link now; 0: there is none. */
    int64_t (*account)(void *arg, const struct link *link);
    /* The link has ended, or its descriptor has a new owner. */
    void (*closed)(void *arg, struct link *link);
    void *arg;
};

/* NULL: errno says why. */
struct links *links_new(const struct links_options *options);
void links_free(struct links *links);

/* What the monitors say. The two sockets' news may come in another order than it happened, so one
 * of a descriptor that is the other socket's by now says nothing. */
void links_accepted(struct links *links, int fd, enum link_socket socket);
void links_closed(struct links *links, int fd, enum link_socket socket);
/* NULL: there is none. */
struct link *links_find(const struct links *links, int fd);

void link_set_rank(struct links *links, struct link *link, enum link_rank rank);
/* Ends the link's connection, if the link still is the one that it was, and throws away what the
 * kernel holds for and from it. Safe at any time; libzmq says a moment later that it is closed.
 * `kind` is a word for the log, `counter` (may be NULL) counts it. */
void link_cut(struct links *links, struct link *link, const char *kind, uint64_t *counter);

/* Cuts the links of that socket for which the kernel has had bytes for so long, and got rid of none
 * of them. To be called now and then while too much is held for them. */
void links_cut_unread(struct links *links, enum link_socket socket, int64_t after_us,
                      uint64_t *counter);

/* A whole frame of it was read. */
void links_took(struct links *links, struct link *link);
/* Whether links wait for links_drained, to be known as endless or not. */
bool links_doubt(const struct links *links);
/* All that had been sent to that socket was read. */
void links_drained(struct links *links, enum link_socket socket);
/* Readable when connections became active; to be polled only while links_watches says so. */
int links_watch_fd(const struct links *links);
bool links_watches(const struct links *links);
/* Looks at those that became active, and cuts those that are endless. */
void links_look(struct links *links);

/* `others`: descriptors in use that are no links. Cuts who is late and who is too many. */
void links_tick(struct links *links, size_t others);
/* Says in the log, at its pace, that something was refused: what (a word), from where (NULL: that
 * is not known), at which socket. */
void links_tell_refused(struct links *links, const char *what, const char *address,
                        enum link_socket socket);
/* How many were cut so far. */
uint64_t links_cut_total(const struct links *links);
/* In how many microseconds links_look or links_tick want to be called; INT64_MAX: not at all. */
int64_t links_wait_us(const struct links *links);

#endif
