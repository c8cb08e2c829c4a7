/* Public events on their way to everybody: who came and went, and broadcasts. Their topic numbers
 * and keeps them when they happen. They are told together, in one frame for each session that hears
 * them: the first after some silence at once, those that follow after a wait. Presence waits
 * GATHER_US (longer if many are told); a broadcast waits far less, and takes along what came before
 * it. Before anything else goes to a session, the session is told what it was not told yet, so
 * nothing overtakes these events. An event that a block hides from somebody waits here as well, and
 * each of the others is told it. */
#ifndef GATHERED_H
#define GATHERED_H

#include "state.h"

struct gathered *gathered_new(void);
void gathered_free(struct gathered *gathered);

/* Numbers the event, and keeps it until it is told; `about` is the account that caused it, 0: none.
 * Returns the number of its bytes. */
size_t gathered_add(struct core *core, enum topic_name topic, Zchat__V1__ServerEvent *event,
                    int64_t about);
/* From now on, and until it ends, the session is told what comes. */
void gathered_join(struct core *core, struct session *session);
/* Tells the member's sessions what they were not told yet. NULL: nobody. */
void gathered_catch_up(struct core *core, struct member *member);
/* The outbox's `catch_up`: `arg` is the core. */
void gathered_catch_up_line(void *arg, struct outbox_line *line);
/* Publishes what was not published yet. */
void gathered_publish(struct core *core);
/* Tells everybody at once what waits; from then on no session is told anything: all are about to
 * end. */
void gathered_end(struct core *core);

int64_t gathered_deadline(const struct core *core);
void gathered_tick(struct core *core, int64_t now_us);

#endif
