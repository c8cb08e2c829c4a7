/* Who comes and goes, and what the others are told of it. What a block hides from somebody is never
 * published: then each of the others is told on their own connection. */
#ifndef PRESENCE_H
#define PRESENCE_H

#include "state.h"

/* Ends the session. If `reason` is not 0, tells the session why. If it was its user's last session
 * that counts as online, tells the others that the user left. */
void presence_end_session(struct core *core, struct session *session, Zchat__V1__EndReason reason,
                          const char *text, int64_t now_us);
/* Tells all who may know that the member came or went. */
void presence_announce(struct core *core, int64_t account, const char *name, bool online,
                       int64_t now_us);
/* Publishes an event of a topic that the account `about` caused or, if a block forbids that, sends
 * it to each who may see it. Returns how many users online may see it. */
uint32_t presence_tell(struct core *core, enum topic_name topic, Zchat__V1__ServerEvent *event,
                       int64_t about);

#endif
