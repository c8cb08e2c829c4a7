/* A run of `send`: its clients, what they sent, and what was read of that. */
#ifndef RUN_H
#define RUN_H

#include "client.h"
#include "figures.h"
#include "ledger.h"
#include "limits.h"

struct sender;

/* A message that waits for its acknowledgement. */
struct slot {
    struct sender *sender; /* borrowed: whose slot it is */
    uint32_t account;
    int64_t due_us;
    struct slot *next;
};

struct sender {
    struct client client;
    struct run *run; /* borrowed: from the verb */
    uint32_t number;
    struct slot *slots; /* owned */
    struct slot *free;
    uint64_t sent;
    uint64_t acknowledged;
    uint64_t random;
    char *text; /* owned */
};

struct receiver {
    struct client client;
    struct run *run; /* borrowed: from the verb */
    uint32_t account;
};

struct reader; /* check.c's */

/* The broker's own counters at one time. */
struct counters {
    struct run *run; /* borrowed: whose they are */
    bool known;
    uint64_t commits;
    uint64_t commit_us;
};

struct run {
    struct bench bench;
    const struct settings *settings; /* borrowed: from main */
    uint32_t tag;
    struct sender *senders;      /* owned */
    struct receiver *receivers;  /* owned */
    struct reader *readers;      /* owned */
    uint32_t *sent;              /* owned: by pair; numbers begin with 1 */
    uint32_t *acknowledged;      /* owned: by pair */
    struct reading inboxes;      /* what the accounts read */
    struct reading own;          /* what the senders read in their own inboxes */
    struct counters counters[2]; /* before and after */
    struct limits limits;
    struct histogram acknowledgement;
    struct histogram delivery;
    int64_t begin_us;
    int64_t end_us;  /* when the senders stop; INT64_MIN: they have stopped */
    int64_t last_us; /* of the last acknowledgement */
    uint64_t acknowledged_total;
    uint64_t delivered_total;
    uint64_t deliveries_due; /* acknowledged messages to accounts with a receiver */
};

static inline size_t run_pair(const struct run *run, uint32_t sender, uint32_t account) {
    return (size_t)sender * run->settings->accounts + account;
}

/* traffic.c */
bool senders_open(struct run *run);
/* Sends from now on for that time; the caller runs the loop. */
void senders_begin(struct run *run, int64_t duration_us);
bool senders_are_idle(void *run); /* stopped, and everything is answered */
void senders_pump(void *run);     /* sends what is due */
void senders_close(struct run *run);

bool receivers_open(struct run *run);
bool receivers_have_all(void *run);
void receivers_close(struct run *run);

/* check.c: reads inboxes at the end, with the senders' connections. */
bool check_inboxes(struct run *run, uint64_t *accounts_checked);

#endif
