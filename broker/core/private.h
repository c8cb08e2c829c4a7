/* Invitations to private chats, and which private chats are open. Nothing of it is stored: after a
 * restart of the broker the clients tell again what is open. */
#ifndef PRIVATE_H
#define PRIVATE_H

#include "state.h"

struct privates *privates_new(void);
void privates_free(struct privates *privates);

/* A session of the account is no more: its invitations and chats end with it. */
void private_session_ended(struct core *core, uint64_t session, int64_t account);
/* A block came between the two: what is open between them ends. */
void private_blocked(struct core *core, int64_t a, int64_t b);

int64_t private_deadline(const struct core *core);
void private_tick(struct core *core, int64_t now_us);

#endif
