/* Who comes and goes, and what the others are told of it. What a block forbids somebody to see is
 * never published: then each of the others is told on their own connection. */
#ifndef PRESENCE_H
#define PRESENCE_H

#include "state.h"

/* Ends the session: tells it why where `reason` is not 0, and tells the others that its user left
 * where it was their last one that counts as online. */
void presence_end_session(struct core *core, struct session *session, Zchat__V1__EndReason reason,
                          const char *text, int64_t now_us);
/* Tells all who may know that the member came or went. */
void presence_announce(struct core *core, int64_t account, const char *name, bool online,
                       int64_t now_us);
/* Has an event of a topic that `about` caused published, or, where a block forbids that, sent to
 * each who may see it. Returns how many users online that are. */
uint32_t presence_tell(struct core *core, enum topic_name topic, Zchat__V1__ServerEvent *event,
                       int64_t about);

#endif
