/* What goes out: the core's frames to peers and to the event socket. Counts how many bytes of them
 * libzmq holds. A peer that does not read gets no more than a bound, and is cut after a time; if
 * all peers together hold too much, the largest holders are cut, too. */
#ifndef OUTLET_H
#define OUTLET_H

#include "connection.h"
#include "core/core.h"
#include "door.h"
#include "pipe.h"

#include <stdint.h>

struct outlet {
    void *commands; /* borrowed: the server's sockets */
    void *events;
    struct connections *connections; /* borrowed: the server's */
    struct door *door;               /* borrowed: the server's */
    struct core *core;               /* borrowed: the server's */
    struct pipe *published;          /* owned: what the event socket holds */
    struct pipe_total published_total;
    int64_t look_us; /* when to look next for peers that do not read */
};

void outlet_init(struct outlet *outlet, void *commands, void *events,
                 struct connections *connections, struct door *door, struct core *core);
void outlet_release(struct outlet *outlet);

/* Sends all frames that the core yields. */
void outlet_send(struct outlet *outlet, int64_t now_us);
/* A reply to the connection was dropped: cuts it now, or as soon as that can be done. */
void outlet_gave_up(struct outlet *outlet, struct connection *connection, int64_t now_us);
/* Cuts peers that hold too much, or hold something for too long. */
void outlet_tick(struct outlet *outlet, int64_t now_us);
int64_t outlet_deadline(const struct outlet *outlet);

/* core_options.in_pipe, for a connection. */
size_t outlet_in_pipe(const void *connection);
/* core_options.in_all_pipes, for all connections. */
size_t outlet_in_all_pipes(const void *connections);

#endif
