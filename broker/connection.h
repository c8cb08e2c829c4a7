/* The command socket's connections: which routing id is which peer of the core, proved by the key
 * on every frame, and which of them may be gone. A closed file descriptor only makes a connection
 * suspect; a probe that ZeroMQ can't route proves it. */
#ifndef CONNECTION_H
#define CONNECTION_H

#include "core/core.h"
#include "key.h"

#include <uthash.h>
#include <zmq.h>

struct connection {
    unsigned char *id; /* owned: the routing id */
    size_t id_bytes;
    char key[KEY_TEXT]; /* the User-Id of its frames */
    int fd;             /* a hint: ZMQ_SRCFD of its last frame */
    unsigned probes;    /* while suspect: how many found it there */
    int64_t probe_us;   /* when the next one is due */
    bool suspect;
    bool gone;
    struct peer *peer;              /* borrowed: the core's */
    struct connection *prev, *next; /* in the list of suspects or of those that are gone */
    UT_hash_handle hh;              /* by routing id */
};

struct connections {
    struct connection *by_id;  /* owned */
    struct connection **by_fd; /* owned array, borrowed entries: fd's last connection, or NULL */
    size_t fds;
    struct connection *suspects; /* borrowed */
    struct connection *gone;     /* borrowed: proved, to be closed in the next turn */
    struct core *core;           /* borrowed */
    void *socket;                /* borrowed: the ROUTER */
};

void connections_init(struct connections *connections, struct core *core, void *socket);
void connections_release(struct connections *connections);

/* The connection that a frame came from, opened where it is new. NULL: the frame proves no key, or
 * comes from a peer that chose its routing id itself. A known routing id with another key is
 * another connection: the former one is closed. */
struct connection *connection_of(struct connections *connections, zmq_msg_t *id, zmq_msg_t *payload,
                                 int64_t now_us);

/* The file descriptor was closed. */
void connection_hint(struct connections *connections, int fd, int64_t now_us);
/* Ends a connection by its descriptor: libzmq finds it closed. */
void connection_cut(int fd);
/* It can't be routed to. */
void connection_is_gone(struct connections *connections, struct connection *connection);
/* Probes the suspects that are due and closes what is gone. */
void connections_tick(struct connections *connections, int64_t now_us);
/* When connections_tick wants to be called; INT64_MAX: not at all. */
int64_t connections_deadline(const struct connections *connections);

#endif
