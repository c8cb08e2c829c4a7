/* One command as the broker took it in: what it asks, read from the frame, and what the model
 * expects for an answer. Belongs to the link that it came over. */
#ifndef ASKED_H
#define ASKED_H

#include "wire.h"

/* A number for each kind is its number in the schema. */
#define KIND(name) ((int)ZCHAT__V1__COMMAND__BODY_##name)
#define CODE(name) ((int)ZCHAT__V1__CODE__CODE_##name)

#define NAME_TEXT     8
#define PASSWORD_TEXT 64

#define STREAM_INBOX     0
#define STREAM_PRESENCE  1
#define STREAM_BROADCAST 2
#define STREAM_NOTICE    3
#define STREAMS          4 /* those of threads follow */

#define THREADS_MAX 4

struct town;

struct asked {
    struct asked *next; /* borrowed: the link's list */
    uint64_t number;    /* as the sender counts; 0: it wants no reply */
    uint64_t order;     /* on its link, growing */
    int kind;

    int user; /* an account: whom it is about; -1: no account's name */
    int password;
    int new_password;
    bool no_trust, online, inbox, public_events;
    uint64_t instance;
    uint32_t item; /* of the town's messages or broadcasts */
    bool other_text;
    bool require_online;
    int stream;                 /* STREAM_INBOX, 1 + a topic, or STREAMS + a thread */
    int thread;                 /* -1: none of the forum's */
    unsigned char id[ID_BYTES]; /* of a thread that it makes */
    uint64_t after_seq;
    uint64_t received, read;
    uint64_t device;

    bool waits;         /* for its password */
    bool carried_out;   /* the model knows the answer */
    bool answered;      /* the core's answer was seen */
    bool again;         /* of a message: it was stored before */
    bool other_session; /* the one that asked is over */
    int code;           /* 0: done */
    int account;        /* who asked */
    uint64_t session;   /* the model's number for the seat that asked; 0: none */
    uint64_t value[2];
    uint32_t accounts; /* a set of accounts, bit by bit */
    uint32_t open;     /* those that may be in it or not, after a crash */
    uint32_t threads;  /* likewise of threads */
    uint64_t heads[THREADS_MAX];
    int64_t time_us;
};

/* Whether the answer waits for a password, which takes its time. */
bool asked_is_slow(const struct asked *asked);

/* What the command asks. NULL: fine; else why nobody can have meant it. */
const char *asked_read(struct asked *asked, const struct town *town,
                       const Zchat__V1__Command *command);

void account_name(int account, char name[NAME_TEXT]);
/* -1: no account's name. */
int account_of_name(const char *name);
/* STREAM_INBOX where it is no topic's. */
int stream_of_name(const char *name);
bool is_thread_name(const char *stream);

/* Password 7 is "p7", password 0 is none. On its way in the broker it is "p7#3.12": as command 12
 * of link 3 sends it, so that the work of hashing it tells whose it is. */
void password_text(int password, char text[PASSWORD_TEXT]);
int password_of_text(const char *text);
void password_tag(const char *text, uint64_t link, uint64_t number, char tagged[PASSWORD_TEXT]);
/* Reads a tagged one; false: it has no tag. */
bool password_read(const char *text, int *password, uint64_t *link, uint64_t *number);
/* The hash of a password by its number. */
void password_hash(int password, char *hash, size_t bytes);

extern const char *const stream_names[STREAMS];

#endif
