/* Invitations to private chats and open private chats: who is told of them, and what ends them. */
#ifndef PRIVATE_H
#define PRIVATE_H

#include "private_index.h"
#include "state.h"

/* Whether a session of the member takes invitations; NULL: no member, no. */
bool private_reaches(const struct member *member);
/* The account's session of that number; NULL: it is no more. */
struct session *private_session(const struct core *core, int64_t account, uint64_t number);

/* Whether that session of the invitee is asked. */
bool private_asks(const struct invitation *invitation, const struct session *session);
/* Tells those of the invitee's sessions that were asked, but for one, that the invitation is over.
 */
void private_tell_invitee(struct core *core, const struct invitation *invitation,
                          const struct session *but, Zchat__V1__PrivateEnd reason);
/* The beginning of an answer to the inviter; and telling it. */
void private_answered(Zchat__V1__PrivateAnswered *answered, const struct invitation *invitation,
                      Zchat__V1__PrivateAnswer answer);
void private_tell_answered(struct core *core, const struct invitation *invitation,
                           Zchat__V1__PrivateAnswered *answered);
void private_tell_refused(struct core *core, const struct invitation *invitation,
                          Zchat__V1__PrivateAnswer answer);

/* A session of the account is no more: its invitations end with it, and the far ends of its chats
 * are told: that it is gone, and of one that was revoked that the chat is over, since whoever has
 * the device might go on with it. Not of one that was replaced: it goes on as another one. */
void private_session_ended(struct core *core, uint64_t session, int64_t account,
                           Zchat__V1__EndReason reason);
/* A device of the account, or all of them, are no longer it: whoever is at the other end of a chat
 * whose end no session of the account has, told or any more, is told that it is over. Walks all
 * chats: it happens rarely. */
void private_revoked(struct core *core, int64_t account);
/* A block came between the two: what is open between them ends. */
void private_blocked(struct core *core, int64_t a, int64_t b);

int64_t private_deadline(const struct core *core);
void private_tick(struct core *core, int64_t now_us);

#endif
