/* What every verb begins with: the settings, the loop, a broker with its accounts, and the device
 * keys that these trust: one for all, or one for each group. A fault of the run is reported once on
 * stderr and stops the loop. */
#ifndef BENCH_H
#define BENCH_H

#include "child.h"
#include "cores.h"
#include "curve.h"
#include "loop.h"
#include "option.h"

/* How long connecting, logging in and outstanding answers may take. */
#define BENCH_PATIENCE_US (60 * INT64_C(1000000))
/* ... and how much longer for each of many clients that log in. */
#define BENCH_LOGIN_US 20000

#define BENCH_NAME_BYTES 33
#define BENCH_PATH_BYTES 512

struct bench {
    const struct settings *settings; /* borrowed: from main */
    struct loop *loop;               /* owned */
    struct cores cores;
    struct child *broker; /* owned; NULL: --server */
    struct loop_source broker_source;
    char folder[BENCH_PATH_BYTES]; /* owned: temporary; "" if none is needed */
    char data[BENCH_PATH_BYTES];
    char config_dir[BENCH_PATH_BYTES];
    char address[256];  /* the broker's */
    const char *server; /* borrowed: from the settings, or address */
    bool failed;
};

/* Writes an account's name. Accounts are u0 u1 ..., senders s0 s1 .... */
void bench_account_name(uint64_t number, char name[BENCH_NAME_BYTES]);
void bench_sender_name(uint64_t number, char name[BENCH_NAME_BYTES]);
/* Writes the names of the senders, and of the accounts from `first` up to but without `end`. */
void bench_write_names(FILE *file, uint64_t senders, uint64_t first, uint64_t end);

/* The accounts with which the broker begins. So many accounts in a row trust the same device key;
 * senders trust the first one. */
struct bench_accounts {
    uint64_t senders;
    uint64_t accounts;
    uint64_t accounts_per_key;     /* 0: one key for all */
    const struct curve_keys *keys; /* borrowed: for bench_init. NULL: those in the config folder */
};

/* false: it said why; bench_release() must follow anyway. */
bool bench_init(struct bench *bench, const struct settings *settings,
                const struct bench_accounts *accounts);
void bench_release(struct bench *bench);

/* Ends the broker when it has finished what is under way; and starts it again on its store, and
 * tells how long it took until it served. false: bench_fail() was called. */
void bench_stop_broker(struct bench *bench);
bool bench_restart_broker(struct bench *bench, int64_t *took_us);

__attribute__((format(printf, 2, 3))) void bench_fail(struct bench *bench, const char *format, ...);

/* Waits until done(arg). false: it took too long, or the run is over; it said why. */
bool bench_wait(struct bench *bench, int64_t patience_us, bool (*done)(void *arg), void *arg,
                const char *what);

/* Calls `fn` at intervals until loop_unset(bench->loop, &ticking->timer); timer.fd must be -1
 * before. false: bench_fail() was called. */
struct ticking {
    struct loop_timer timer;
    void (*fn)(void *arg);
    void *arg; /* borrowed: from the caller */
};
bool bench_tick(struct bench *bench, struct ticking *ticking, int64_t interval_us,
                void (*fn)(void *arg), void *arg);

/* How many clients are logging in at a time. */
#define BENCH_AT_A_TIME 32

/* The path of a file beside the broker's store, on the same disk, for what the store is compared
 * with. */
void bench_beside_data(const struct bench *bench, const char *name, char path[BENCH_PATH_BYTES]);

/* The config folder with the device key that the accounts of a group trust. */
void bench_config_dir(const struct bench *bench, uint64_t group, char path[BENCH_PATH_BYTES]);

/* The public part of the device key in that folder, which is made if it is missing. "": it said
 * why. */
void bench_device_key(const char *config_dir, char key[64]);

#endif
