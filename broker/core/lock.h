/* How long a name is locked after wrong passwords. A lock that lasts longer than one can is from
 * before the clock was set back, or before locks were made shorter: it begins anew, so that it also
 * ends. */
#ifndef LOCK_H
#define LOCK_H

#include "call.h"

/* Until when passwords of the name are locked; 0, or a time that is over: they are not. false: the
 * store failed. */
bool lock_state(struct call *call, const char *name, int64_t *locked_until_us);
/* Seconds from now, rounded up. */
uint32_t lock_left_s(const struct call *call, int64_t locked_until_us);

#endif
