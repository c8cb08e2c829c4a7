/* The threads that an account follows. */
#ifndef FOLLOW_H
#define FOLLOW_H

#include "state.h"

/* Takes what the account follows into the member, for those sessions that want it inline. */
void follow_load(struct core *core, struct member *member);

#endif
