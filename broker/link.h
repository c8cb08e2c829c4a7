/* The TCP connections ("links") of the command and the event socket, by descriptor, as the monitors
 * report them: where each comes from, whether it has a session, and how much it sent without
 * finishing a message. Cuts those that are too many, too late or endless.
 *
 * By the time a descriptor is used, libzmq may have given its number to another connection. So each
 * link remembers its socket's cookie, and nothing is cut without holding the socket and comparing
 * the cookie. Times are on the monotonic clock. */
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
    LINK_STRANGER, /* it proved a key, but had no session when last looked at */
    LINK_MEMBER,   /* it had a session then */
    LINK_CUT,      /* cut by us; libzmq has not reported that yet */
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
    struct source_count *count; /* borrowed from the table; NULL: it is no stranger */
    int64_t since_us;           /* when it got its rank */
    void *owner;                /* borrowed: the connection or the subscriber; NULL: none yet */
    uint32_t frames;            /* whole ones, since it was last looked at */
    uint64_t progress;          /* bytes that had come in all when it was last looked at */
    uint64_t received;          /* the same at the last look that found a new frame */
    uint64_t allowance;         /* only on the event socket: what it sent of late */
    int64_t allowance_us;
    bool is_over;         /* it sent more than one message may have, if none of it is complete */
    uint64_t over_drains; /* when is_over began: how often all had been read, */
    uint64_t over_taken;  /* how many frames had been read, */
    uint64_t over_ahead;  /* and how many of its bytes libzmq had beyond the last frame read */
    uint64_t unfinished;  /* bytes of a message that is known not to be complete */
    struct unfinished_sum *unfinished_sum; /* borrowed: its account's; NULL: it holds nothing */
    struct progress unread;             /* whether it takes what it is sent, if that is looked at */
    struct link *prev, *next;           /* in its rank's list, the oldest first */
    struct link *over_prev, *over_next; /* in the list of those that are over */
    struct link *unfinished_prev, *unfinished_next;
    int64_t probe_us;  /* since when a probe looks at what comes; 0: none does */
    uint64_t probe_at; /* how long its unfinished message is when a probe looks next */
    uint64_t part_at;  /* bytes after which libzmq has read what a probe saw begin */
    bool is_small;     /* libzmq read that far: it was a part, if no message is complete */
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

/* Called for what the monitors report. The two sockets' reports may come in another order than
 * things happened, so a report about a descriptor that is the other socket's by now is ignored. */
void links_accepted(struct links *links, int fd, enum link_socket socket);
void links_closed(struct links *links, int fd, enum link_socket socket);
/* NULL: there is none. */
struct link *links_find(const struct links *links, int fd);

void link_set_rank(struct links *links, struct link *link, enum link_rank rank);
/* Ends the link's connection, if its descriptor still is the same connection, and throws away what
 * the kernel holds for and from it. Safe at any time; libzmq reports a moment later that it is
 * closed. `kind` is a word for the log, `counter` (may be NULL) counts it. */
void link_cut(struct links *links, struct link *link, const char *kind, uint64_t *counter);

/* Cuts the links of that socket to which the kernel has had bytes to send for that long without any
 * being acknowledged. Call it now and then while too much is held for them. */
void links_cut_unread(struct links *links, enum link_socket socket, int64_t after_us,
                      uint64_t *counter);

/* Notes that a whole frame of the link was read. */
void links_took(struct links *links, struct link *link);
/* Whether links wait for links_drained, which shows if they are endless. */
bool links_doubt(const struct links *links);
/* Notes that all that had been sent to that socket was read. */
void links_drained(struct links *links, enum link_socket socket);
/* Readable when connections became active; poll it only while links_watches says so. */
int links_watch_fd(const struct links *links);
bool links_watches(const struct links *links);
/* Looks at those that became active, and cuts those that are endless. */
void links_look(struct links *links);

/* Cuts links that are late or too many. `others`: descriptors in use that are no links. */
void links_tick(struct links *links, size_t others);
/* Logs, no more often than the pace allows, that something was refused: what (a word), from where
 * (NULL: not known), and at which socket. */
void links_tell_refused(struct links *links, const char *what, const char *address,
                        enum link_socket socket);
/* How many links were cut so far. */
uint64_t links_cut_total(const struct links *links);
/* In how many microseconds links_look or links_tick want to be called; INT64_MAX: not at all. */
int64_t links_wait_us(const struct links *links);

#endif
