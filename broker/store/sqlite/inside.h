/* What the files of this folder share: the store's inside, and the steps of which every operation
 * is made. Each operation first asks sqlite_failed; one that writes then calls sqlite_write.
 */
#ifndef STORE_INSIDE_H
#define STORE_INSIDE_H

#include "disk/hasher.h"
#include "disk/head.h"
#include "disk/page_check.h"
#include "disk/reserve.h"
#include "disk/slots.h"
#include "disk/syncer.h"
#include "disk/wal_scan.h"
#include "memory/blocks.h"
#include "memory/directory.h"
#include "memory/fresh.h"
#include "memory/view.h"
#include "statement.h"
#include "store.h"

struct checkpoint;
struct log;
struct log_entry;
struct words;

#define STORE_ERROR_BYTES 512

/* stream.kind */
#define STREAM_INBOX  1
#define STREAM_THREAD 2

/* A run of the table id_run: 40 ids with their positions, so that four rows fit into a page. */
#define ID_RUN_BYTES 960

struct store {
    struct page_check *pages;                  /* owned: the VFS of all connections */
    sqlite3 *db;                               /* owned */
    char *path;                                /* owned */
    sqlite3_stmt *statements[STATEMENT_COUNT]; /* owned */
    struct view *view;                         /* owned */
    struct log *log;                           /* owned */
    struct fresh *fresh;                       /* owned */
    struct directory *directory;               /* owned */
    struct blocks *blocks;                     /* owned */
    struct checkpoint *checkpoint;             /* owned; NULL: exclusive */
    struct hasher *hasher;                     /* owned */
    struct slots *slots;                       /* owned */
    struct syncer *syncer;                     /* owned; NULL: each commit syncs by itself */
    struct reserve *reserve;   /* owned; NULL: none is kept (not the system's VFS) */
    struct failures *failures; /* owned; NULL: none had to be kept in memory */
    struct notes *notes;       /* owned; NULL: there are none */
    struct words *words;       /* owned; NULL: nothing can be searched */

    int64_t last_position;  /* of the log */
    int64_t committed;      /* position in the log: the last commit goes up to it */
    int64_t posted;         /* position in the log: posts up to it have their rows */
    uint64_t messages;      /* in the log */
    uint64_t pass_messages; /* how many of them there were when the merge's pass began */
    uint64_t accounts;      /* as last read from the store */
    uint64_t files_bytes;   /* the sizes of all files, complete or not */
    uint64_t files_awaited; /* how many of these bytes have not come yet */
    size_t view_entries;    /* if more entries are in memory a merge begins */
    size_t slice_entries;   /* as in the options, like the next two */
    int64_t slice_us;
    int64_t (*clock_us)(void);
    size_t view_appended; /* entries since the last store_maintain */
    bool rubbish_waits;   /* some is there, or was when the last slice ended */
    bool rubbish_refused; /* the disk had no room for a slice */
    bool rubbish_damaged; /* and some of it can't be read */
    bool forgives_damage; /* if a statement meets damage, only met_damage tells */
    bool met_damage;
    struct store_quotas quotas;
    uint64_t unread_max;
    uint64_t unread_per_sender_max;
    uint64_t unread_bytes_max;
    uint64_t unread_bytes_per_sender_max;

    int wal_pages;         /* in the write-ahead log after the last commit */
    int wal_pages_step;    /* a checkpoint of a new log begins at so many pages */
    int wal_pages_trigger; /* the next checkpoint begins at so many */
    int wal_copied;        /* pages that the checkpoint has copied so far */
    bool wal_begins;       /* all are copied: the next transaction begins the log anew */

    bool in_turn;         /* between store_begin and store_commit */
    bool in_transaction;  /* and something was written in it */
    bool syncing;         /* the last commit is on its way to the disk */
    bool presence_closed; /* what the last process left open */
    bool beside;          /* as in the options */
    bool reads;           /* it is only read, as it is at one moment: reader.c */
    bool failed;
    char error[STORE_ERROR_BYTES];
    char remark[STORE_ERROR_BYTES]; /* "": none */

    struct head *head;          /* owned; the other fields are for head.c alone */
    enum head_state head_found; /* at the opening, as the next three */
    bool head_new;              /* there was no store yet, or one of an earlier version */
    struct wal_scan log_found;
    char log_lacks[128];        /* "": the write-ahead log has what it must have */
    struct head_mark mark;      /* as the head's file has it; at first, as it was found */
    struct head_mark mark_next; /* the mark of the commit whose sync is under way */
    bool mark_waits;            /* there is one */
    bool head_begun;            /* commits are noted */
    bool head_due;              /* the next write syncs the head, too */
};

/* ---- fail.c ---- */

/* Records what SQLite says about the last call as the store's error. Returns STORE_FAILED. */
enum store_status sqlite_fail(struct store *store, const char *doing);
/* The same, with a reason of our own. */
enum store_status sqlite_fail_because(struct store *store, const char *doing, const char *reason);
enum store_status sqlite_no_memory(struct store *store);
/* The same, with a code of SQLite and its text. */
enum store_status sqlite_fail_code(struct store *store, const char *doing, int code,
                                   const char *message);

/* ---- transaction.c ---- */

/* Begins the transaction of the turn, if that was not done yet, for a change that takes no more
 * room than the reserve has. OK, FULL. */
enum store_status sqlite_write(struct store *store);
/* The same for a change of at most so many pages, or of all pages if there are fewer. */
enum store_status sqlite_write_pages(struct store *store, uint64_t pages);
/* The same for a change that adds to the store. OK, FULL (the disk has no room). */
enum store_status sqlite_add(struct store *store);
/* The same for what is rather left unwritten than refused. False: it can't be written now, or the
 * store failed. */
bool sqlite_may_note(struct store *store);

/* Takes the reserve, or finds out that there is no room for it. */
bool sqlite_hold_reserve(struct store *store, bool anew);
/* Called at the opening: syncs what was committed before. */
enum store_status sqlite_sync_log(struct store *store);

enum step { STEP_DONE, STEP_ROW, STEP_FAILED };

/* Takes one step. If it fails, the store has the error and the statement is reset. */
enum step sqlite_step(struct store *store, sqlite3_stmt *statement);
/* The same for reading something whose damage does not fail the store: if it is damaged there is no
 * row. */
enum step sqlite_step_damaged(struct store *store, sqlite3_stmt *statement, bool *is_damaged);
/* Runs a statement that returns nothing of interest, and resets it. */
enum store_status sqlite_run(struct store *store, sqlite3_stmt *statement);
/* Runs a statement that returns one number in one row. OK, NOT_FOUND (no row). */
enum store_status sqlite_number(struct store *store, sqlite3_stmt *statement, int64_t *out);
enum store_status sqlite_meta(struct store *store, const char *name, int64_t *out);
enum store_status sqlite_meta_set(struct store *store, const char *name, int64_t value);
/* Gives the next number from the counter `name` in meta. */
enum store_status sqlite_meta_next(struct store *store, const char *name, int64_t *out);
/* Makes everything anew that memory holds of the store's content, and fills it. */
enum store_status sqlite_load(struct store *store);
void sqlite_unload(struct store *store);

/* ---- migrate.c ---- */

/* The schema's version; 0 for an empty file. Refuses a newer version, and a file that is no store.
 */
enum store_status sqlite_version(struct store *store, int *version);
int sqlite_newest_version(void);
/* Brings the schema to this program's version, or to `last` if it is at an earlier one. */
enum store_status sqlite_migrate(struct store *store);
enum store_status sqlite_migrate_to(struct store *store, int last);
/* Gives a connection the functions that migrations call; false: no memory. */
bool title_functions(sqlite3 *db);

/* ---- head.c ---- */

/* The first version of the schema whose stores have heads. */
#define SQLITE_VERSION_WITH_HEAD 7

/* Called before SQLite opens: reads the head, and looks at the write-ahead log. */
enum store_status sqlite_head_look(struct store *store);
/* Called when SQLite has opened, before anything is written: refuses a store that has lost
 * something. */
enum store_status sqlite_head_check(struct store *store, bool accept_loss);
/* Whether something is lost; `out` says what, as a part of a sentence. False if the log can't be
 * read. */
bool sqlite_head_lost(const struct store *store, char *out, size_t out_bytes);
/* What is there is durable: notes commits from now on. */
enum store_status sqlite_head_begin(struct store *store);
/* Called after each commit, and again when it is on the disk. */
enum store_status sqlite_head_committed(struct store *store);
enum store_status sqlite_head_synced(struct store *store);
/* Called when the whole write-ahead log is in the database. */
enum store_status sqlite_head_copied(struct store *store);
/* Before all goes. */
enum store_status sqlite_head_wipe(struct store *store);
/* Called before SQLite closes, which may remove the write-ahead log. */
void sqlite_head_end(struct store *store);

/* ---- reader.c ---- */

/* Opens the database for reading alone, in a read transaction, with its head looked at. */
enum store_status sqlite_reader_begin(struct store *store);
/* Closes what sqlite_reader_begin opened, whatever that returned. */
void sqlite_reader_end(struct store *store);
/* Whether the file with pieces is there. Opening it would make it. */
bool sqlite_reader_has_pieces(const struct store *store);

/* ---- account.c ---- */

/* The person of that name or account, from memory or the store. OK, NOT_FOUND. */
enum store_status sqlite_person_named(struct store *store, const char *name,
                                      const struct person **out);
enum store_status sqlite_person(struct store *store, int64_t account, const struct person **out);
/* Called at the opening: reads all people into memory, so that nobody is looked up one by one. */
enum store_status sqlite_people_load(struct store *store);

/* ---- device.c ---- */

/* Whether the account may trust one more device: OK, TOO_MANY. */
enum store_status sqlite_device_room(struct store *store, int64_t account);
enum store_status sqlite_device_add(struct store *store, int64_t account, const unsigned char *key,
                                    const char *label, int64_t now_us, int64_t used_us);
/* OK with the number of the device with that key, NOT_FOUND. */
enum store_status sqlite_device_find(struct store *store, int64_t account, const unsigned char *key,
                                     int64_t *device);

/* ---- presence.c ---- */

/* Once, ends the sessions that the last process left open. */
enum store_status sqlite_presence_close(struct store *store);

/* Notes: what waits to be written with something else. */
enum store_status sqlite_note_presence(struct store *store, int64_t account, bool online,
                                       int64_t time_us);
enum store_status sqlite_note_used(struct store *store, int64_t account, int64_t device,
                                   int64_t time_us);
/* When the device was used, if that is not written yet; 0: nothing waits. */
int64_t sqlite_note_used_us(const struct store *store, int64_t account, int64_t device);
/* Makes sure that no time in the notes is after `now_us`. */
void sqlite_notes_clamp(struct store *store, int64_t now_us);
void sqlite_notes_forget(struct store *store);

/* ---- inbox.c ---- */

/* The stream, from memory or the store. OK, NOT_FOUND. */
enum store_status sqlite_stream(struct store *store, int64_t id, struct stream **out);
/* Makes a stream of that kind, with a number that was never given before. */
enum store_status sqlite_stream_add(struct store *store, int kind, int64_t *id);
/* Calls `each` with author and bytes of text of the entries after `after_seq` up to `last_seq`, in
 * order. If `each` returns false it has no memory. */
enum store_status sqlite_authors(struct store *store, const struct stream *stream,
                                 uint64_t after_seq, uint64_t last_seq,
                                 bool (*each)(void *arg, int64_t author, size_t text_bytes),
                                 void *arg);

/* ---- quota.c ---- */

/* Whether the inbox may take one more from that sender: OK, QUOTA_INBOX, QUOTA_SENDER. */
enum store_status sqlite_quota_check(struct store *store, struct stream *stream, int64_t sender);
/* It took one. */
enum store_status sqlite_quota_received(struct store *store, struct stream *stream, int64_t sender,
                                        size_t text_bytes);
/* The stream's cursor was at `from` and has moved. */
enum store_status sqlite_quota_read(struct store *store, struct stream *stream, uint64_t from);

/* ---- usage.c: what accounts have of what has a quota ---- */

/* Counts a row in a thread's log (after sqlite_fresh_write), a thread, a file: OK,
 * QUOTA_ACCOUNT. */
enum store_status sqlite_use_log(struct store *store, int64_t account, size_t text_bytes);
enum store_status sqlite_use_thread(struct store *store, int64_t account);
enum store_status sqlite_use_file(struct store *store, int64_t account, uint64_t bytes);
/* Counts a row that no quota refuses, because it only takes something away. */
enum store_status sqlite_use_log_always(struct store *store, int64_t account);
/* Counts that a file's size changed by so much: OK, QUOTA_ACCOUNT. */
enum store_status sqlite_change_file(struct store *store, int64_t account, int64_t bytes);
/* Counts them as removed. `bytes` of the log include what each row counts for. */
enum store_status sqlite_give_log(struct store *store, int64_t account, int64_t bytes);
enum store_status sqlite_give_thread(struct store *store, int64_t account);
enum store_status sqlite_give_file(struct store *store, int64_t account, uint64_t bytes);

/* ---- merge.c ---- */

/* Reads the log's rows behind the watermark into the view. */
enum store_status sqlite_replay(struct store *store);
/* Whether a pass of the merge runs, or should run. */
bool sqlite_merge_waits(const struct store *store);
enum store_status sqlite_merge_slice(struct store *store);

/* ---- rubbish.c: what removals leave and slices remove ---- */

/* Called at the opening, when the streams are known: finds what earlier runs left. */
enum store_status sqlite_rubbish_load(struct store *store);
/* Whether the stream is that of a removed thread. */
bool sqlite_rubbish_is(const struct store *store, int64_t stream);
/* Called when the thread's row is removed: everything else that has its stream becomes rubbish. Its
 * posts must have their rows. */
enum store_status sqlite_rubbish_thread(struct store *store, struct stream *stream);
/* Called when no row of file has that number any more: its pieces become rubbish. */
enum store_status sqlite_rubbish_file(struct store *store, int64_t file);
/* Whether there is rubbish that a slice would remove. */
bool sqlite_rubbish_waits(const struct store *store);
/* Removes rubbish for as long as a slice may take; on a full disk, as much as the reserve has room
 * for. */
enum store_status sqlite_rubbish_slice(struct store *store);

/* ---- fresh.c ---- */

/* Takes an entry of the log into memory if it is a post that has no rows yet. */
enum store_status sqlite_fresh_replay(struct store *store, int64_t position,
                                      const struct log_entry *entry);
/* Writes the rows of all posts in memory. Called before anything else changes such rows, before the
 * watermark passes the posts, and when there are enough of them. Needs sqlite_write. */
enum store_status sqlite_fresh_write(struct store *store);
/* Whether there are enough posts for that. */
bool sqlite_fresh_waits(const struct store *store);

/* ---- piece.c ---- */

/* Opens the file with the slots, which hold pieces. */
enum store_status sqlite_piece_load(struct store *store);
/* Syncs what the transaction wrote there. */
enum store_status sqlite_piece_sync(struct store *store);
/* The transaction is on the disk: room that it freed may be used. */
enum store_status sqlite_piece_stored(struct store *store);
/* Cuts the file behind the last piece. */
enum store_status sqlite_piece_trim(struct store *store);

/* ---- checkpoint.c ---- */

/* Opens a connection of its own, and configures it like the store's. */
int sqlite_connect(const char *path, const char *vfs, sqlite3 **db);
/* The same through the store's VFS; a database that is made this way has checksums. */
int sqlite_connect_checked(struct store *store, const char *path, sqlite3 **db);

/* The thread that copies the write-ahead log into the database. NULL: see *reason. */
struct checkpoint *checkpoint_new(const char *path, const char *vfs, const char **reason);
/* Ends its thread; a checkpoint that is running is finished first. */
void checkpoint_free(struct checkpoint *checkpoint);
/* Begins a checkpoint if the log is long enough. */
void sqlite_checkpoint_begin(struct store *store);
/* If the thread has left only a short rest, copies it, so that the log begins anew with the next
 * transaction. Not called inside a transaction. */
enum store_status sqlite_checkpoint_finish(struct store *store);
/* Whether the thread copies, or is about to. */
bool sqlite_checkpoint_runs(struct store *store);
/* Whether the code that a checkpoint returned is a fault of the disk. */
bool sqlite_checkpoint_is_fault(sqlite3 *db, int code);
/* Makes the next sqlite_checkpoint_begin begin a checkpoint, however short the log is. */
void sqlite_checkpoint_want(struct store *store);

#endif
