/* Invitations to private chats, and which private chats are open. Nothing of it is stored: after a
 * restart of the broker the clients tell again what is open. */
#ifndef PRIVATE_H
#define PRIVATE_H

#include "state.h"

struct invitation {
    unsigned char id[ID_BYTES];
    unsigned char again[ID_BYTES];
    bool is_again;
    bool answered;
    uint64_t session; /* the inviter's */
    int64_t inviter;
    int64_t invitee;
    char inviter_name[NAME_BYTES];
    char invitee_name[NAME_BYTES];
    int64_t expires_us;
    struct invitation *prev, *next; /* the first to expire is first */
    UT_hash_handle hh;              /* by id */
};

struct chat_end {
    uint64_t session; /* 0: not there (any more) */
    int64_t account;
    char other[NAME_BYTES]; /* the name of the one at the other end */
};

struct chat {
    unsigned char id[ID_BYTES];
    struct chat_end ends[2];
    UT_hash_handle hh; /* by id */
};

struct privates {
    struct invitation *by_id;   /* owned */
    struct invitation *in_time; /* borrowed: the same */
    struct chat *chats;         /* owned, by id */
};

struct privates *privates_new(void);
void privates_free(struct privates *privates);

/* NULL: there is none of that id. */
struct invitation *private_invitation(const struct privates *privates,
                                      const ProtobufCBinaryData *id);
struct chat *private_chat(const struct privates *privates, const ProtobufCBinaryData *id);
void private_drop_invitation(struct privates *privates, struct invitation *invitation);
/* Takes the session out of the chat, which is forgotten with its second end. */
void private_leave(struct privates *privates, struct chat *chat, uint64_t session);

/* Whether a session of the member takes invitations; NULL: no member, no. */
bool private_reaches(const struct member *member);
/* Whether {a, b} are {x, y}. */
bool private_is_between(int64_t a, int64_t b, int64_t x, int64_t y);

/* Tells the invitee's sessions, but for one, that the invitation is over. */
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
 * are told; `replaced`: not, since it goes on as another one. */
void private_session_ended(struct core *core, uint64_t session, int64_t account, bool replaced);
/* A block came between the two: what is open between them ends. */
void private_blocked(struct core *core, int64_t a, int64_t b);

int64_t private_deadline(const struct core *core);
void private_tick(struct core *core, int64_t now_us);

#endif
