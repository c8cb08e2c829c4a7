/* Commands that wait for a password to be checked or hashed: see password_queue.c. */
#ifndef PASSWORD_QUEUE_H
#define PASSWORD_QUEUE_H

#include "call.h"

struct passwords *passwords_new(void);
void passwords_free(struct passwords *passwords);
/* Queues work for the call, which goes on when the work is done. Failures count for `name`; NULL:
 * they are not counted. If no place is left that the peer has a claim to, the call fails. */
void passwords_queue(struct call *call, const char *name, const char *hash, const char *password,
                     const char *new_password);
/* Whether the call's finished work has the new password's hash; if not, the call fails. */
bool passwords_hashed(struct call *call);
struct core_work *passwords_next(struct core *core, int64_t now_us);
void passwords_done(struct core *core, struct core_work *work, int64_t now_us);
/* A login to the name succeeded: the name and the peer's address have a better claim from now
 * on. */
void passwords_good(struct call *call, const char *name);
/* Until when the name is locked after wrong passwords; 0, or a time in the past: it is not locked.
 * A lock that would last longer than any lock may dates from before the clock was set back, or from
 * before locks were made shorter: it begins anew, so that it will end. false: the store failed. */
bool passwords_locked_until(struct call *call, const char *name, int64_t *locked_until_us);
/* Seconds from now, rounded up. */
uint32_t passwords_locked_s(const struct call *call, int64_t locked_until_us);
/* The peer leaves. */
void passwords_forget(struct core *core, const struct peer *peer);
int64_t passwords_deadline(const struct core *core);
void passwords_tick(struct core *core, int64_t now_us);
size_t passwords_waiting(const struct passwords *passwords);

#endif
