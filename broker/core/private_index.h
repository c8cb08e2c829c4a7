/* Invitations to private chats, and which private chats are open, and where they are found. Nothing
 * of it is stored: after a restart of the broker the clients tell it again what is open. */
#ifndef PRIVATE_INDEX_H
#define PRIVATE_INDEX_H

#include "limits.h"
#include "text.h"
#include "wire.h"

#include <uthash.h>

struct private_holder;
struct private_party;
struct private_pair;

struct invitation {
    unsigned char id[ID_BYTES];
    unsigned char again[ID_BYTES];
    bool is_again;
    bool answered;
    uint64_t session; /* the inviter's */
    uint64_t holder;  /* the invitee's session that has the chat: only it is asked; 0: all are */
    uint64_t told;    /* sessions with a higher number were opened later, and not told */
    struct {          /* once answered: by which session, and how */
        uint64_t session;
        bool accept;
        bool unable;
        uint32_t port;
        unsigned char nonce[NONCE_BYTES]; /* if accepted, as is the port */
    } answer;
    int64_t inviter;
    int64_t invitee;
    unsigned char key[KEY_BYTES]; /* the inviter's */
    char inviter_name[NAME_BYTES];
    char invitee_name[NAME_BYTES];
    int64_t expires_us;
    struct private_holder *maker; /* borrowed from the index, as the next three */
    struct private_party *from;
    struct private_party *to;
    struct private_pair *pair;
    struct invitation *prev, *next;           /* the first to expire is first */
    struct invitation *made_prev, *made_next; /* of the inviter's session */
    struct invitation *got_prev, *got_next;   /* open ones to the invitee */
    struct invitation *pair_prev, *pair_next; /* of the two */
    UT_hash_handle hh;                        /* by id */
};

struct chat_end {
    struct chat *chat; /* borrowed: whose it is */
    uint64_t session;  /* 0: not there, or no longer */
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

/* The open invitations of an account. */
struct private_party {
    int64_t account;
    size_t made;            /* open invitations of theirs */
    size_t got;             /* open invitations to them, without renewals */
    struct invitation *ask; /* borrowed: open invitations to them */
    UT_hash_handle hh;      /* by account */
};

/* The invitations and chats between two accounts, in both directions. */
struct private_pair {
    int64_t accounts[2];      /* the smaller one first */
    struct invitation *open;  /* borrowed: the one that is no renewal; NULL: none */
    struct invitation *among; /* borrowed, answered ones too */
    struct chat *chats;       /* borrowed */
    size_t live;              /* of these, how many have a session at each end */
    UT_hash_handle hh;        /* by accounts */
};

/* Every list in here belongs to one session, account or pair, so nothing walks over what others
 * have. */
struct privates {
    struct invitation *by_id;       /* owned */
    struct invitation *in_time;     /* borrowed: the same */
    struct chat *chats;             /* owned, by id */
    struct private_holder *holders; /* owned, as the next two; each lives while it has something */
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
/* Adds a new one, whose id, again, session, accounts and time are set. */
void private_add_invitation(struct privates *privates, struct invitation *invitation);
/* The invitation is no longer open, but known until it expires, so that a second answer can be
 * refused as such. */
void private_answer_invitation(struct privates *privates, struct invitation *invitation);

/* What the session, the account or the two accounts have; NULL: nothing. */
struct private_holder *private_holder(const struct privates *privates, uint64_t session);
struct private_party *private_party(const struct privates *privates, int64_t account);
struct private_pair *private_pair(const struct privates *privates, int64_t a, int64_t b);
/* Puts the session at that end of the chat; the end's `other` names whom it is with. */
void private_enter(struct privates *privates, struct chat_end *end, uint64_t session);
/* Adds a chat without ends. */
struct chat *private_add_chat(struct privates *privates, const unsigned char *id);
void private_drop_chat(struct privates *privates, struct chat *chat);
/* Takes the session out of the chat, which is forgotten when both ends have left. */
void private_leave(struct privates *privates, struct chat *chat, uint64_t session);

#endif
