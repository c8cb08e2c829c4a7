/* The client core: everything between the calls and events of a program and the frames of its
 * connection, without sockets, clock or files. Whoever drives it (handle.c) sets the time, feeds
 * what came and what became of the connection, and sends what outgoing.h yields. What the core
 * itself wants at once it asks of client_host.
 *
 * A turn: client.now_us; client_core_frame and client_core_publication for what came;
 * session_connected or session_lost; client_core_tick; then outgoing_next until nothing is left. */
#ifndef CLIENT_CORE_H
#define CLIENT_CORE_H

#include "client_state.h"

/* Of a core that is all zeros. What client.h says is the owner's to set. `chats` is borrowed. */
void client_core_init(struct client_core *core, struct chats *chats);
void client_core_release(struct client_core *core);
/* The end: private chats and their calls, so that what is to be sent last can go out; then what
 * waits is answered, as cancelled. No event is told any more. */
void client_core_leave(struct client_core *core);
void client_core_close(struct client_core *core);

/* A frame of the command connection; a published one. */
void client_core_frame(struct client_core *core, const void *frame, size_t frame_bytes);
void client_core_publication(struct client_core *core, const void *frame, size_t frame_bytes);
/* The host listens now: subscribes to all that is wanted. */
void client_core_subscribe(struct client_core *core);

/* Does what the time has come for, and what waits for nothing else. */
void client_core_tick(struct client_core *core);
/* When the next tick is due; NEVER_US: not by itself. */
int64_t client_core_deadline_us(const struct client_core *core);
/* Whether a tick would do more at once. */
bool client_core_has_more(const struct client_core *core);
/* Calls that wait for their answers. */
size_t client_core_pending(const struct client_core *core);

#endif
