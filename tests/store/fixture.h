/* A store for one test: in a temporary folder, or on a disk in memory that can lose power. Every
 * helper fails the test where the store answers what it must not. */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "crashvfs.h"
#include "store.h"

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define FIXTURE_PATH_BYTES 512

struct page_check;
struct sqlite3;

struct fixture {
    char folder[FIXTURE_PATH_BYTES]; /* "": in memory */
    char path[FIXTURE_PATH_BYTES];
    char vfs[32];
    struct crashvfs *disk; /* owned; NULL: in a folder */
    struct store_options options;
    struct store *store; /* owned; NULL: closed */
    uint64_t ids;
    int64_t now_us; /* grows with each message */
};

/* Both leave the store closed, so that a test may change its options. */
struct fixture *fixture_in_folder(void);
struct fixture *fixture_in_memory(uint64_t seed);
void fixture_free(struct fixture *fixture);

void fixture_open(struct fixture *fixture);
void fixture_close(struct fixture *fixture);
void fixture_reopen(struct fixture *fixture);
/* Power fails while the store is open; it is closed after. */
void fixture_crash(struct fixture *fixture, enum crashvfs_keep keep);

void fixture_begin(struct fixture *fixture);
void fixture_commit(struct fixture *fixture);
/* store_maintain until nothing waits, in transactions of their own. */
void fixture_merge_all(struct fixture *fixture);

/* How many steps SQLite's machine took for the store's statements since the last call: what was
 * read and what was written, and not how long it took. */
int64_t fixture_steps(struct fixture *fixture);

/* Runs SQL on the closed or open store's database, beside it; its pages get their checksums. */
void fixture_execute(const struct fixture *fixture, const char *sql);
/* Flips a bit where these bytes are in the database's file. */
void fixture_flip(const struct fixture *fixture, const void *bytes, size_t length);
/* A connection of that kind. Both: for a store in a folder. */
struct sqlite3 *fixture_connect(const struct fixture *fixture, struct page_check **pages);
void fixture_disconnect(struct sqlite3 *db, struct page_check *pages);

/* In a transaction of its own. */
int64_t fixture_account(struct fixture *fixture, const char *name);
void fixture_id(struct fixture *fixture, unsigned char id[ID_BYTES]);
/* Sends under that id; NULL: a new one. In the open transaction. */
enum store_status fixture_send(struct fixture *fixture, const unsigned char *id, int64_t author,
                               const char *to, const char *text, struct store_message_stored *out);
/* The same in a transaction of its own; it must be OK. */
void fixture_sent(struct fixture *fixture, int64_t author, const char *to, const char *text);
/* The inbox's head and cursor must be these. */
void fixture_expect_state(struct fixture *fixture, int64_t account, uint64_t head, uint64_t cursor);

#define assert_ok(status) assert_int_equal((status), STORE_OK)

#endif
