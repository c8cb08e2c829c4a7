/* The command socket's connections: which routing id is which peer of the core, proved by the key
 * on every frame, and which of them may be gone. A closed file descriptor only makes a connection
 * suspect; a probe that ZeroMQ can't route proves that it is gone. */
#ifndef CONNECTION_H
#define CONNECTION_H

#include "core/core.h"
#include "crypto.h"
#include "link.h"
#include "pipe.h"
#include "tcp.h"

#include <uthash.h>
#include <zmq.h>

struct connection {
    unsigned char *id; /* owned: the routing id */
    size_t id_bytes;
    char key[KEY_TEXT]; /* the User-Id of its frames */
    int fd;             /* ZMQ_SRCFD of its last frame; -1: none */
    struct link *link;  /* borrowed: the link that the fd seems to be; NULL: it is closed */
    unsigned probes;    /* how many probes found it there while suspect */
    int64_t probe_us;   /* when the next one is due */
    bool suspect;
    bool gone;
    struct pipe *pipe;              /* owned: what libzmq holds for it */
    struct progress progress;       /* whether the peer takes what is sent */
    struct peer *peer;              /* borrowed: the core's */
    struct connection *prev, *next; /* in the list of suspects or of those that are gone */
    UT_hash_handle hh;              /* by routing id */
};

struct connections {
    struct connection *by_id;    /* owned */
    struct connection *suspects; /* borrowed */
    struct connection *gone;     /* borrowed: proved to be gone, closed in the next turn */
    struct core *core;           /* borrowed */
    void *socket;                /* borrowed: the ROUTER */
    struct links *links;         /* borrowed */
    struct pipe_total pipes;     /* what libzmq holds for all of them */
};

void connections_init(struct connections *connections, struct core *core, void *socket,
                      struct links *links);
void connections_release(struct connections *connections);

/* The connection that a frame came from, opened if it is new. NULL: the frame proves no key, or
 * comes from a peer that chose its routing id itself. A known routing id with another key is a new
 * connection: the former one is closed. */
struct connection *connection_of(struct connections *connections, zmq_msg_t *id, zmq_msg_t *payload,
                                 int64_t now_us);

/* The core has taken the frame: if it was a login, the connection is no stranger from now on, even
 * if no other frame follows. */
void connection_served(struct connections *connections, struct connection *connection);

/* The link was closed: suspects the connection that it seemed to belong to. */
void connection_hint(struct connections *connections, struct link *link, int64_t now_us);
/* Ends a connection; nothing more is sent to its peer. May be called at any time. Does nothing
 * while it is not certain which TCP connection this is (the connection is suspect then); who still
 * has a reason calls again. `kind` is a word for the log; `counter` (may be NULL) counts the
 * cut. */
void connection_cut(struct connections *connections, struct connection *connection,
                    const char *kind, uint64_t *counter);
/* ZeroMQ can't route to the connection any more. */
void connection_is_gone(struct connections *connections, struct connection *connection);
/* Probes the suspects that are due and closes connections that are gone. */
void connections_tick(struct connections *connections, int64_t now_us);
/* When connections_tick wants to be called; INT64_MAX: not at all. */
int64_t connections_deadline(const struct connections *connections);

#endif
