/* Invitations to private chats, and which private chats are open. Nothing of it is stored: after a
 * restart of the broker the clients tell again what is open. */
#ifndef PRIVATE_H
#define PRIVATE_H

#include "state.h"

struct private_holder;
struct private_party;
struct private_pair;

struct invitation {
    unsigned char id[ID_BYTES];
    unsigned char again[ID_BYTES];
    bool is_again;
    bool answered;
    uint64_t session; /* the inviter's */
    uint64_t holder;  /* the invitee's session that has the chat, the only one asked; 0: all are */
    uint64_t told;    /* sessions with a higher number were opened later, and not told */
    struct {          /* once it is answered: by which session, and what */
        uint64_t session;
        bool accept;
        bool unable;
        uint32_t port;
        unsigned char nonce[NONCE_BYTES]; /* as the port, where accepted */
    } answer;
    int64_t inviter;
    int64_t invitee;
    unsigned char key[KEY_BYTES]; /* the inviter's */
    char inviter_name[NAME_BYTES];
    char invitee_name[NAME_BYTES];
    int64_t expires_us;
    struct private_holder *maker; /* borrowed, as the next three: the index's */
    struct private_party *from;
    struct private_party *to;
    struct private_pair *pair;
    struct invitation *prev, *next;           /* the first to expire is first */
    struct invitation *made_prev, *made_next; /* of the inviter's session */
    struct invitation *got_prev, *got_next;   /* open ones of the invitee */
    struct invitation *pair_prev, *pair_next; /* of the two */
    UT_hash_handle hh;                        /* by id */
};

struct chat_end {
    struct chat *chat; /* borrowed: whose it is */
    uint64_t session;  /* 0: not there (any more) */
    int64_t account;
    char other[NAME_BYTES];        /* the name of the one at the other end */
    struct private_holder *holder; /* borrowed: the index's; NULL: no session */
    struct chat_end *prev, *next;  /* of the session */
};

struct chat {
    unsigned char id[ID_BYTES];
    struct chat_end ends[2];
    struct private_pair *pair;          /* borrowed: the index's; NULL: not known yet */
    struct chat *pair_prev, *pair_next; /* of the two */
    UT_hash_handle hh;                  /* by id */
};

/* What a session made and has open. */
struct private_holder {
    uint64_t session;
    struct invitation *made; /* borrowed, answered ones too */
    struct chat_end *ends;   /* borrowed */
    size_t chats;
    UT_hash_handle hh; /* by session */
};

/* What is open of an account's. */
struct private_party {
    int64_t account;
    size_t made;            /* open invitations of theirs */
    size_t got;             /* open invitations to them, renewals left out */
    struct invitation *ask; /* borrowed: open invitations to them */
    UT_hash_handle hh;      /* by account */
};

/* What is between two accounts, whichever way. */
struct private_pair {
    int64_t accounts[2];      /* the smaller one first */
    struct invitation *open;  /* borrowed: the one that is no renewal; NULL: none */
    struct invitation *among; /* borrowed, answered ones too */
    struct chat *chats;       /* borrowed */
    size_t live;              /* of them, with a session at each end */
    UT_hash_handle hh;        /* by accounts */
};

/* Every list in here is of one session, account or pair: nothing walks what is others'. */
struct privates {
    struct invitation *by_id;       /* owned */
    struct invitation *in_time;     /* borrowed: the same */
    struct chat *chats;             /* owned, by id */
    struct private_holder *holders; /* owned, each as long as it has something; as the next two */
    struct private_party *parties;
    struct private_pair *pairs;
};

struct privates *privates_new(void);
void privates_free(struct privates *privates);

/* NULL: there is none of that id. */
struct invitation *private_invitation(const struct privates *privates,
                                      const ProtobufCBinaryData *id);
struct chat *private_chat(const struct privates *privates, const ProtobufCBinaryData *id);
void private_drop_invitation(struct privates *privates, struct invitation *invitation);
/* Takes a new one in; id, again, session, accounts and time are set. */
void private_add_invitation(struct privates *privates, struct invitation *invitation);
/* It is open no more, and known until it expires, so that a second answer is told so. */
void private_answer_invitation(struct privates *privates, struct invitation *invitation);

/* What there is of them; NULL: nothing. */
struct private_holder *private_holder(const struct privates *privates, uint64_t session);
struct private_party *private_party(const struct privates *privates, int64_t account);
struct private_pair *private_pair(const struct privates *privates, int64_t a, int64_t b);
/* The session is at that end from now on; `other` is whom it is with. */
void private_enter(struct privates *privates, struct chat_end *end, uint64_t session);
/* A new one, without ends. */
struct chat *private_add_chat(struct privates *privates, const unsigned char *id);
void private_drop_chat(struct privates *privates, struct chat *chat);
/* Takes the session out of the chat, which is forgotten with its second end. */
void private_leave(struct privates *privates, struct chat *chat, uint64_t session);

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
