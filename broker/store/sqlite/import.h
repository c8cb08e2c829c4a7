/* What the parts of store_import share. */
#ifndef SQLITE_IMPORT_H
#define SQLITE_IMPORT_H

#include "records.h"
#include "thread.h"

/* A file whose pieces are coming. */
struct importing_file {
    bool open;
    bool complete; /* its last byte completes it; otherwise `received` of its `size` bytes come */
    bool damaged;
    bool has_hash;
    unsigned char id[ID_BYTES];
    unsigned char told[HASH_BYTES];
    struct hash hash; /* of the bytes that came */
    int64_t file;     /* the store's number */
    int64_t account;
    int64_t time_us; /* of the last byte */
    uint64_t wanted;
    uint64_t came;
    uint64_t seq;
};

struct store_import {
    struct store *store; /* owned */
    struct importing_file file;
    struct store_thread thread; /* the last one that a record named; stream 0: none */
    sqlite3_stmt *set_devices;  /* owned, as the next ones */
    sqlite3_stmt *get_devices;
    sqlite3_stmt *add_removed;
    sqlite3_stmt *set_chunk;
    size_t rows; /* in the open transaction */
    size_t bytes;
    uint64_t failures; /* names with wrong passwords */
    bool has_topics;
    char *fault; /* borrowed: from the caller, during a call */
};

/* Says what is wrong with the record. Returns MISMATCH. */
enum store_status import_refuse(struct store_import *import, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same for what an operation of the store refused. */
enum store_status import_refuse_status(struct store_import *import, enum store_status status);
/* The account of that name. OK, MISMATCH. */
enum store_status import_account(struct store_import *import, const char *name, int64_t *account);
/* Finds the record's thread, and checks that `seq` is its next number (0: not asked). */
enum store_status import_thread(struct store_import *import, const unsigned char id[ID_BYTES],
                                uint64_t seq);

/* ---- import_file.c ---- */

enum store_status import_file(struct store_import *import, const struct record *record);
enum store_status import_piece(struct store_import *import, const struct record *record);
/* Refuses if bytes of a file are missing. */
enum store_status import_file_end(struct store_import *import);

#endif
