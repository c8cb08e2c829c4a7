/* A real zchatd and clients of it in one thread, each with a record of what it was told. The broker
 * keeps its ports and its data over a kill and a restart. Every wait is bounded; what goes wrong
 * ends the test. */
#ifndef LIVE_H
#define LIVE_H

#include "zchat.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct heard { /* an event */
    zchat_event_kind kind;
    uint64_t seq;
    zchat_id thread;
    zchat_id id;
    bool online;
    char user[64];
    char title[64];
    char text[64];
};

struct answer { /* of a call */
    bool done;
    zchat_code code;
    char text[512];
    uint64_t number;
    uint64_t seq;
    uint64_t cursor;
    size_t count;
    zchat_id id;
    zchat_id thread;
    char file[128];
    uint64_t size;
    uint64_t progress_first; /* what the first call of progress said */
    uint64_t progress_last;
    unsigned progress_calls;
};

struct client {
    struct live *live; /* borrowed */
    zchat *z;          /* owned; NULL: it was freed */
    char folder[256];
    struct heard heard[16384];
    size_t heard_count;
    struct client *next; /* borrowed */
};

struct live {
    char folder[64]; /* everything is in here */
    int port;
    char address[32];
    pid_t pid;                   /* 0: it does not run */
    int ready;                   /* owned: its stderr */
    const char *private_address; /* borrowed; of the clients that are made from now on; or NULL */
    struct client *clients;
};

/* Starts the program that the environment's ZCHATD names. */
struct live *live_new(void);
void live_free(struct live *live);
void live_kill(struct live *live);
void live_start(struct live *live);
/* folder/name */
void live_path(const struct live *live, const char *name, char path[256]);

/* A client with a device of its own, logged in as that new user. */
struct client *live_client(struct live *live, const char *user, zchat_public_events events);
/* The same device and user again, after client_drop. */
void client_login(struct client *client, const char *user, zchat_public_events events);
void client_drop(struct client *client);

/* Everybody does their part for a moment; fails when a test takes too long. */
void live_step(struct live *live);
#define LIVE_UNTIL(live, condition)                                                                \
    do {                                                                                           \
        while (!(condition))                                                                       \
            live_step(live);                                                                       \
    } while (0)

/* For calls: `arg` is a struct answer, zeroed by the caller. */
void live_answer(void *arg, const zchat_reply *reply);
void live_progress(void *arg, uint64_t bytes, uint64_t total);
/* Waits for the answer, which has to have that code. */
void live_expect(struct live *live, const struct answer *answer, zchat_code code);

size_t client_count(const struct client *client, zchat_event_kind kind);

#endif
