/* Public events on their way to everybody: who came and went, and broadcasts. They are numbered and
 * kept by their topic when they happen; told they are together, in one frame for each who hears:
 * the first after some silence at once, what follows after that time. Presence waits GATHER_US
 * (more where many are told), a broadcast far less, and takes along what came before it. Whatever
 * else goes to a session takes along, in front of it, what the session was not told yet, so nothing
 * overtakes them. What a block forbids somebody to see waits here as well, and is told to each of
 * the others. */
#ifndef GATHERED_H
#define GATHERED_H

#include "state.h"

struct gathered *gathered_new(void);
void gathered_free(struct gathered *gathered);

/* Numbers the event, and keeps it until it is told; `about`: the account that caused it, 0: none.
 * Returns its bytes. */
size_t gathered_add(struct core *core, enum topic_name topic, Zchat__V1__ServerEvent *event,
                    int64_t about);
/* The session is told what comes from now on, until it ends. */
void gathered_join(struct core *core, struct session *session);
/* Tells the member's sessions what they were not told yet. NULL: nobody. */
void gathered_catch_up(struct core *core, struct member *member);
/* The outbox's: `arg` is the core. */
void gathered_catch_up_line(void *arg, struct outbox_line *line);
/* Publishes what was not published yet. */
void gathered_publish(struct core *core);
/* Tells everybody at once, and no session anything from then on: all are about to end. */
void gathered_end(struct core *core);

int64_t gathered_deadline(const struct core *core);
void gathered_tick(struct core *core, int64_t now_us);

#endif
