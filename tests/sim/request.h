/* One command of a simulated client: what it asks, and what the model expects for an answer.
 * Belongs to the link that it travels on. */
#ifndef REQUEST_H
#define REQUEST_H

#include "wire.h"

/* A number for each kind is its number in the schema. */
#define KIND(name) ((int)ZCHAT__V1__COMMAND__BODY_##name)

#define NAME_TEXT     8
#define PASSWORD_TEXT 64

struct town;

struct request {
    struct request *next; /* borrowed: the link's list */
    uint64_t number;      /* on its link, growing */
    bool silent;          /* it travels as number 0 */
    int kind;

    int user; /* an account: whom it is about */
    int password;
    int new_password;
    bool no_trust, online, inbox, public_events;
    uint64_t instance;
    uint32_t item; /* of the town's messages or broadcasts */
    bool other_text;
    bool require_online;
    int stream; /* STREAM_INBOX or 1 + a topic */
    uint64_t after_seq;
    uint32_t limit;
    uint64_t received, read;
    uint64_t device;
    bool aside; /* the answer is not for the client's mailbox */

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
    int64_t time_us;
};

#define STREAM_INBOX 0

/* The frame of a batch of these, in memory from malloc. */
uint8_t *request_pack(const struct town *town, uint64_t link, struct request *const *requests,
                      size_t count, size_t *bytes);

void account_name(int account, char name[NAME_TEXT]);
/* -1: no account's name. */
int account_of_name(const char *name);

/* "p7#3.12": password 7, as request 12 of link 3 sends it. The tag behind # is no part of it. */
void password_text(int password, uint64_t link, uint64_t number, char text[PASSWORD_TEXT]);
/* The hash of a password by its number. */
void password_hash(int password, char *hash, size_t bytes);
/* Reads a text; false: it has no tag. */
bool password_read(const char *text, int *password, uint64_t *link, uint64_t *number);

extern const char *const stream_names[4];

#endif
