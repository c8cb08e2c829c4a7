/* What the core and the process around it hand each other, besides calls: the options go in, frames
 * to send and password work come out. */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "crypto.h"
#include "limits.h"
#include "store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct peer;

/* Budgets in commands per second; 0: no limit. Each allows a burst as large as ten seconds'
 * worth. */
struct core_rates {
    uint32_t account;
    uint32_t key;
    uint32_t address;
    uint32_t passwords;     /* password checks for each address */
    uint32_t registrations; /* new accounts for each address in an hour, which is also the burst */
};

struct core_options {
    int64_t idle_timeout_us; /* 0: none */
    int64_t block_duration_us;
    bool registration_open;
    uint32_t sessions_per_user;
    uint32_t password_workers; /* how much work core_next_work hands out at a time */
    struct core_rates rates;
    uint64_t file_bytes_max;      /* of one file */
    uint64_t files_bytes_max;     /* of all files; 0: no limit */
    struct store_quotas quotas;   /* of one account */
    const char *admin_password;   /* borrowed until the next core_reconfigure; "": none */
    const char *software;         /* borrowed until the end: the broker's name and version */
    unsigned char run[RUN_BYTES]; /* random: tells one run of the broker from the next */
    /* For the log: `event` is a word, `details` are "key=value key=value". NULL: nothing is
     * logged. */
    void (*note)(void *arg, const char *event, const char *details);
    /* The same for what an administrator should look at. */
    void (*warn)(void *arg, const char *event, const char *details);
    /* A session ended that `owner` (from core_peer_open) had with `key`; `lost`: its connection is
     * gone, so the device may be back in a moment. Called in the turn in which it happens. NULL:
     * nobody is told. */
    void (*session_ended)(void *arg, void *owner, const unsigned char key[KEY_BYTES], bool lost);
    /* A reply to `owner` (from core_peer_open) was dropped. The peer would wait for it in vain, so
     * its connection is to be cut. Called once, at once. NULL: nobody is told. */
    void (*gave_up)(void *arg, void *owner);
    /* Begins to make a backup of the store, which bears this time, or an export; core_backup_made
     * tells when that has ended. False: it can't be begun. NULL: this process makes none, and the
     * next two are not called. */
    bool (*make_backup)(void *arg, bool as_export, int64_t time_us);
    /* Reads of the one that was made; *count is less than `length` only at its end. False: it can't
     * be read. */
    bool (*read_backup)(void *arg, uint64_t offset, unsigned char *bytes, size_t length,
                        size_t *count);
    /* It is of no use any more. One that is being made should end soon. */
    void (*drop_backup)(void *arg);
    void *note_arg; /* for all of these */
    /* A steady clock, which bounds the time of a turn. NULL: only rows and bytes bound it. */
    int64_t (*clock_us)(void);
    /* Bytes of yielded frames that a peer's pipe still holds. NULL: none. */
    size_t (*in_pipe)(const void *owner);
    /* The same for all peers together. NULL: none. */
    size_t (*in_all_pipes)(const void *arg);
    const void *pipes_arg; /* borrowed */
};

/* How a backup ended. */
struct core_backup {
    enum store_status status; /* OK, FULL, DAMAGED, FAILED */
    uint64_t bytes;
    unsigned char hash[HASH_BYTES];
    int64_t time_us;
    uint64_t damaged; /* pieces; of an export, places */
    char error[200];  /* why it failed: one sentence */
};

/* One frame to send to a peer or, if peer is NULL, to the event socket. The bytes are the caller's,
 * who frees them with free(). */
struct core_frame {
    struct peer *peer; /* borrowed */
    uint8_t *bytes;    /* owned */
    size_t length;
};

/* A password to check, to hash, or both: `verify` is checked against `hash` ("": against a dummy,
 * which takes as long and never fits); then, if it fitted or none was to be checked, `new_password`
 * is hashed into `new_hash`. */
struct core_work {
    struct core_work *next; /* borrowed: the core's queue */
    uint64_t number;
    bool verify;
    char hash[128];
    char *password;     /* owned, wiped */
    char *new_password; /* owned, wiped; NULL: none */
    bool verified;      /* result */
    bool failed;        /* result: no memory for the hash */
    char new_hash[128]; /* result */
};

#endif
