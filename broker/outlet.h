/* What goes out: the core's frames to peers and to the event socket. Counts what libzmq holds of
 * them, in bytes: a peer that does not read is refused more than a bound, and cut after a time; so
 * are the largest holders where all of them together hold too much. */
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
    int64_t look_us; /* when those that do not read are looked for */
};

void outlet_init(struct outlet *outlet, void *commands, void *events,
                 struct connections *connections, struct door *door, struct core *core);
void outlet_release(struct outlet *outlet);

/* Sends all that the core yields. */
void outlet_send(struct outlet *outlet, int64_t now_us);
/* A reply to it was dropped: it is cut now, or as soon as it can be. */
void outlet_gave_up(struct outlet *outlet, struct connection *connection, int64_t now_us);
/* Cuts who holds too much or for too long. */
void outlet_tick(struct outlet *outlet, int64_t now_us);
int64_t outlet_deadline(const struct outlet *outlet);

/* core_options.in_pipe, of a connection. */
size_t outlet_in_pipe(const void *connection);
/* core_options.in_all_pipes, of the connections. */
size_t outlet_in_all_pipes(const void *connections);

#endif
