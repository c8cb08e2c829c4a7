/* The threads that an account follows. */
#ifndef FOLLOW_H
#define FOLLOW_H

#include "state.h"

/* Loads the threads that the account follows into the member, for those of its sessions that want
 * events on their command connection. */
void follow_load(struct core *core, struct member *member);

#endif
