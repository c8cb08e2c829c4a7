/* Everything durable as records, each of which is one line of an export: store_export hands them
 * out in an order in which store_import takes them again. Accounts, threads and posts are known by
 * their names and ids, so the numbers that the store gives them need not be the same.
 *
 * The order: accounts, devices, threads, ids of removed threads; then what the log has, in its
 * order, each complete file with its pieces where it became complete; then unfinished uploads,
 * followers, blocks, wrong passwords, cursors. */
#ifndef RECORDS_H
#define RECORDS_H

#include "crypto.h"
#include "store.h"

enum record_kind {
    RECORD_HEADER = 1, /* this and END are not the store's: whoever writes the lines adds them */
    RECORD_ACCOUNT,
    RECORD_DEVICE,
    RECORD_THREAD,
    RECORD_REMOVED, /* the id of a removed thread: it is never given again */
    RECORD_MESSAGE,
    RECORD_CORRECTION,
    RECORD_RETRACTION,
    RECORD_POST,
    RECORD_EDIT,
    RECORD_DELETION,
    RECORD_FILE_DELETION,
    RECORD_FILE_GONE, /* a file that was deleted, where it was uploaded */
    RECORD_FILE,      /* a complete file; as many RECORD_PIECE follow as its bytes need */
    RECORD_UPLOAD,    /* an unfinished one; the same for the bytes that came */
    RECORD_PIECE,
    RECORD_LOST, /* the place of an entry that can't be read, in an inbox or a thread */
    RECORD_FOLLOW,
    RECORD_BLOCK,
    RECORD_FAILURE,
    RECORD_CURSOR,
    RECORD_TOPICS,
    RECORD_END,
};

#define RECORD_NAME_BYTES  TITLE_BYTES /* the longest of titles, labels and other names */
#define RECORD_PIECE_BYTES ((size_t)256 * 1024)

/* What each kind uses is in the table of transfer/record_line.c; the rest is zero. */
struct record {
    enum record_kind kind;
    char user[NAME_BYTES];
    char other[NAME_BYTES];       /* the recipient; who is blocked */
    char name[RECORD_NAME_BYTES]; /* a title, a file's name, a label, a name with failures */
    char password_hash[STORE_HASH_BYTES];
    unsigned char id[ID_BYTES];
    unsigned char thread[ID_BYTES];
    unsigned char post[ID_BYTES]; /* or the message that this one is about */
    unsigned char key[KEY_BYTES];
    unsigned char hash[HASH_BYTES];
    uint64_t seq;     /* in the thread's stream, or the recipient's inbox */
    uint64_t own_seq; /* in the author's inbox */
    uint64_t number;  /* of devices; of failures; a cursor; a piece's offset */
    uint64_t size;
    uint64_t received;
    int64_t time_us;
    int64_t later_us; /* last seen; last used; locked until; of the last chunk */
    bool admin;
    bool locked;
    bool no_receipts; /* nobody learns what the account has read */
    bool delivered;
    bool damaged;     /* the file's bytes are not those of its hash, or can't be read */
    bool is_post;     /* what is lost is a post that stands */
    const char *text; /* borrowed; a text, or a piece's bytes */
    size_t text_bytes;
};

/* ---- out ---- */

struct store_export {
    const char *path;
    /* Called for each record; false ends the export. What it points to is valid until it returns.
     */
    bool (*each)(void *arg, const struct record *record);
    /* Called for what can't be read, with a sentence; at most EXPORT_TOLD_MAX times. */
    void (*damage)(void *arg, const char *sentence);
    /* Called often: how far the work on `what` is. */
    void (*progress)(void *arg, const char *what, uint64_t done, uint64_t all);
    void *arg; /* of all three */

    uint64_t damages;
    char error[512]; /* FAILED: one sentence */
};

#define EXPORT_TOLD_MAX 100

/* Reads the store as it is at one moment, with or without a broker at work, and changes nothing. As
 * long as that takes, a broker's write-ahead log can't begin anew and grows. OK, DAMAGED
 * (everything else was handed out), NOT_FOUND (there is no store), CHANGED (`each` ended it),
 * FAILED. */
enum store_status store_export(struct store_export *export);

/* ---- in ---- */

struct store_import;

#define IMPORT_FAULT_BYTES 512

/* Makes a new store at the path. On FAILED, store_import_error tells why; store_import_close must
 * follow in any case. */
enum store_status store_import_open(struct store_import **out, const char *path);
/* Takes the next record. OK; MISMATCH: it can't be there, or not at this place, and `fault` says
 * why in one sentence; FULL: the disk has no room; FAILED. After anything but OK the store is of no
 * use. */
enum store_status store_import_take(struct store_import *import, const struct record *record,
                                    char fault[IMPORT_FAULT_BYTES]);
/* All records came: makes the store whole. As store_import_take. */
enum store_status store_import_end(struct store_import *import, char fault[IMPORT_FAULT_BYTES]);
const char *store_import_error(const struct store_import *import);
void store_import_close(struct store_import *import);

#endif
