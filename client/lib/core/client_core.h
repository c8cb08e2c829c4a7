/* The client core: everything between the calls and events of a program and the frames of its
 * connection, without sockets, clock or files. The driver (handle.c) sets the time, feeds in what
 * came and what happened to the connection, and sends what outgoing.h yields. If the core itself
 * wants something at once, it asks client_host.
 *
 * A turn: client.now_us; client_core_frame and client_core_publication for what came;
 * session_connected or session_lost; client_core_tick; then outgoing_next until nothing is left. */
#ifndef CLIENT_CORE_H
#define CLIENT_CORE_H

#include "client_state.h"

/* The core must be all zeros before. The owner sets the fields of which client.h says so. `chats`
 * is borrowed. */
void client_core_init(struct client_core *core, struct chats *chats);
void client_core_release(struct client_core *core);
/* The end, in two steps. client_core_leave ends private chats and their calls, so that the last
 * frames can go out; client_core_close answers what waits as cancelled. No event is told any
 * more. */
void client_core_leave(struct client_core *core);
void client_core_close(struct client_core *core);

/* Takes a frame from the command connection; and a published one. */
void client_core_frame(struct client_core *core, const void *frame, size_t frame_bytes);
void client_core_publication(struct client_core *core, const void *frame, size_t frame_bytes);
/* The host listens now: subscribes to all topics that are wanted. */
void client_core_subscribe(struct client_core *core);

/* Does what is due by now, and what waits for nothing else. */
void client_core_tick(struct client_core *core);
/* When the next tick is due; NEVER_US: not by itself. */
int64_t client_core_deadline_us(const struct client_core *core);
/* Whether a tick would do more at once. */
bool client_core_has_more(const struct client_core *core);
/* Calls that wait for their answers. */
size_t client_core_pending(const struct client_core *core);

#endif
