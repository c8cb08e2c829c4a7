/* The client core: everything between the calls and events of a program and the frames of its
 * connection, without sockets, clock or files. Whoever drives it (handle.c) sets the time, feeds
 * what came and what became of the connection, and sends what outgoing.h yields. What the core
 * itself wants at once it asks of client_host.
 *
 * A turn: client.now_us; core_frame and core_publication for what came; session_connected or
 * session_lost; core_tick; then outgoing_next until nothing is left. */
#ifndef CORE_H
#define CORE_H

#include "state.h"

/* The rest of client is the owner's to set. */
void core_init(struct core *core, const struct settings *settings);
void core_release(struct core *core);
/* The end: private chats and their calls, so that what is to be sent last can go out; then what
 * waits is answered, as cancelled. No event is told any more. */
void core_leave(struct core *core);
void core_close(struct core *core);

/* A frame of the command connection; a published one. */
void core_frame(struct core *core, const void *frame, size_t frame_bytes);
void core_publication(struct core *core, const void *frame, size_t frame_bytes);
/* The host listens now: subscribes to all that is wanted. */
void core_subscribe(struct core *core);

/* Does what the time has come for, and what waits for nothing else. */
void core_tick(struct core *core);
/* When the next tick is due; NEVER_US: not by itself. */
int64_t core_deadline_us(const struct core *core);
/* Whether a tick would do more at once. */
bool core_has_more(const struct core *core);
/* Calls that wait for their answers. */
size_t core_pending(const struct core *core);

#endif
