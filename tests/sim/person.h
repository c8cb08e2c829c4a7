/* Somebody with a device, whose program holds libzchat's client core itself. person.c is the host
 * around that core: connections, time, the program's runs; errand.c what is asked of it and what
 * comes of that, seen.c what it hands out and must be right, act.c what people take into their
 * heads. */
#ifndef PERSON_H
#define PERSON_H

#include "client_core.h"
#include "link.h"

struct asked;
struct world;

/* A place in the inbox of one account. */
struct box {
    bool begun;
    uint64_t have;        /* handed out up to here */
    uint64_t read_wanted; /* the farthest that the cursor was wanted at */
};

/* What was asked of the core and is not answered yet, or, of messages, broadcasts and posts, was
 * not carried out since the session was over: those are asked again in the next one, under their
 * ids.
 */
struct errand {
    struct errand *next;   /* owned: the person's, in order */
    struct person *person; /* borrowed */
    int kind;
    int account; /* as whom */
    bool is_under_way;
    int user; /* whom it is about */
    uint32_t item;
    bool require_online, other_text;
    int password, new_password;
    bool no_trust;
    uint64_t device;
    uint64_t read;
    int stream;
    uint64_t after_seq;
    uint32_t limit;
    int thread;
    unsigned char id[ID_BYTES]; /* of a thread that is made */
    bool goes_on;               /* of a page: what it holds is taken as handed out */
    bool from_set;              /* of a login: it said where the inbox begins */
};

struct person {
    int number;
    int key;
    struct world *world; /* borrowed */
    bool online, inbox;
    zchat_public_events events;
    int account[2];   /* whom they may be; the second one may be the first */
    int is;           /* which of them they are, or want to be */
    uint64_t program; /* the run of the program */

    struct client_core core;
    struct link *link;    /* borrowed: the world's; NULL: not connected */
    int64_t connect_us;   /* the next attempt; INT64_MAX: connected */
    int64_t backoff_us;   /* 0: all went well */
    int64_t wake_us;      /* they do something */
    int64_t login_us;     /* they log in; INT64_MAX: they are, or wait for something else */
    int64_t send_us;      /* the connection takes nothing until then */
    int64_t subscribe_us; /* the subscription stands; INT64_MAX: none is being made */
    bool by_password;     /* the key was refused */
    bool gave_up;         /* the core did: a new one is needed */
    int session_as;       /* the account of the open session */
    uint64_t session;     /* sessions so far */
    unsigned run;         /* of the broker that has it */
    uint64_t missed;      /* the head of its inbox when it began */
    bool last_done;       /* of WORLD_LAST: all was asked */
    uint32_t last_item;

    struct box box[2];
    uint64_t told[STREAMS];         /* the last numbered event of each topic */
    uint64_t followed[THREADS_MAX]; /* the last event of each thread; 0: none yet */
    uint32_t blocked;               /* whom this session blocked: a set of accounts, bit by bit */
    struct errand *errands;         /* owned */
    uint64_t *heard;                /* owned: of each broadcast, the session that heard it */
    uint32_t heard_max;

    bool is_subscribed;
    struct queue published;
};

struct person *person_new(struct world *world, int number, int key, const int account[2]);
void person_free(struct person *person);
int64_t person_due(const struct person *person);
void person_run(struct person *person);
/* Whether they are up to date and wait for nothing; if not, why. */
bool person_is_settled(const struct person *person, char *why, size_t why_bytes);
int person_account(const struct person *person);
/* Where the inbox of that account was left. */
struct box *person_box(struct person *person, int account);
/* Leaves the connection, without a word to the broker. */
void person_leave(struct person *person);
/* The program ends, orderly or not, and begins anew. */
void person_restart(struct person *person, bool orderly);

/* errand.c */
struct errand *errand_new(struct person *person, int kind);
void errand_ask(struct errand *errand);
void errands_drop(struct person *person);
unsigned errands_under_way(const struct person *person, int kind); /* 0: of any kind */
void errand_login(struct person *person);
void errand_logout(struct person *person);
void errand_read_on(struct person *person);

/* seen.c */
void seen_event(void *arg, const zchat_event *event);
void seen_entry(struct person *person, int account, const zchat_message *message);
bool seen_broadcast(const struct person *person, uint32_t item);
/* An acknowledgement arrived at the broker: nothing may be told that was not handed out. */
void person_check_ack(struct person *person, const struct link *link, const struct asked *asked);

/* act.c */
void act(struct person *person);
void act_last(struct person *person);
/* Devices were listed: one of them may be trusted no more, maybe this one. */
void act_revoke(struct person *person, const zchat_reply *devices);

#endif
