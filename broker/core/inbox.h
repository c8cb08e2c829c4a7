/* Where a session's streams stand. */
#ifndef INBOX_H
#define INBOX_H

#include "state.h"

/* Tells the session the head of its inbox; if `topics`, also the heads of the public topics. */
void inbox_tell_heads(struct core *core, struct session *session, bool topics, int64_t now_us);

#endif
