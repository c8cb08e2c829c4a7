/* Invitations to private chats and open private chats: who is told of them, and what ends them. */
#ifndef PRIVATE_H
#define PRIVATE_H

#include "private_index.h"
#include "state.h"

/* Whether a session of the member takes invitations; NULL, for no member, takes none. */
bool private_reaches(const struct member *member);
/* The account's session of that number; NULL: it has ended. */
struct session *private_session(const struct core *core, int64_t account, uint64_t number);

/* Whether the invitation is put to that session of the invitee. */
bool private_asks(const struct invitation *invitation, const struct session *session);
/* Tells those of the invitee's sessions that were asked, except `but`, that the invitation is over.
 */
void private_tell_invitee(struct core *core, const struct invitation *invitation,
                          const struct session *but, Zchat__V1__PrivateEnd reason);
/* Fills in what begins each answer to the inviter; and sends the answer. */
void private_answered(Zchat__V1__PrivateAnswered *answered, const struct invitation *invitation,
                      Zchat__V1__PrivateAnswer answer);
void private_tell_answered(struct core *core, const struct invitation *invitation,
                           Zchat__V1__PrivateAnswered *answered);
void private_tell_refused(struct core *core, const struct invitation *invitation,
                          Zchat__V1__PrivateAnswer answer);

/* A session of the account has ended. Its invitations end with it, and the other ends of its chats
 * are told that it is gone. If its device was revoked they are told that the chat is over, since
 * whoever has the device might go on with the chat. If it was replaced they are told nothing: it
 * goes on as another session. */
void private_session_ended(struct core *core, uint64_t session, int64_t account,
                           Zchat__V1__EndReason reason);
/* A device of the account, or all of them, no longer speak for it. If the account has its end of a
 * chat in no session, because the session never told of the chat or has ended, the other end is
 * told that the chat is over. Walks all chats, which is fine because this is rare. */
void private_revoked(struct core *core, int64_t account);
/* A block came between the two: what is open between them ends. */
void private_blocked(struct core *core, int64_t a, int64_t b);

int64_t private_deadline(const struct core *core);
void private_tick(struct core *core, int64_t now_us);

#endif
