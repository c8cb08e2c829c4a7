/* What the operations on threads share: rows of thread, post and file, and steps that several of
 * them take. As in inside.h, none of these functions asks sqlite_failed, and before those
 * that write sqlite_write must be called. */
#ifndef SQLITE_THREAD_H
#define SQLITE_THREAD_H

#include "log.h"
#include "threads.h"
#include "unicode.h"

/* ---- thread.c ---- */

/* The thread with that stream. OK, NOT_FOUND. */
enum store_status sqlite_thread_get(struct store *store, int64_t stream, struct store_thread *out);
/* Whether an id is free, so that it names no message, post, change of a post, thread or file: OK,
 * ID_REUSED. */
enum store_status sqlite_id_free(struct store *store, const unsigned char id[ID_BYTES]);
/* The same for an id that is known to name no message, post or change of a post. */
enum store_status sqlite_id_free_beside_log(struct store *store, const unsigned char id[ID_BYTES]);

/* Appends an entry, whose stream and number are set here, to the log and to the thread, whose head
 * and last_us move on. For a post, everything else waits in memory. For any other entry, what waits
 * there is written, and then the thread's row, in which the caller has already counted the
 * entry. */
enum store_status sqlite_thread_append(struct store *store, struct store_thread *thread,
                                       struct log_entry *entry);

enum store_status sqlite_thread_write(struct store *store, const struct store_thread *thread);

/* ---- fresh.c: posts that have no rows yet ---- */

/* Counts a post in a thread's log, as sqlite_use_log does: OK, QUOTA_ACCOUNT. */
enum store_status sqlite_fresh_use(struct store *store, int64_t account, size_t text_bytes);
/* Takes the thread's last entry, a post at that position of the log, into memory. */
enum store_status sqlite_fresh_push(struct store *store, const struct store_thread *thread,
                                    int64_t position);
/* About how many pages sqlite_fresh_write changes at most. */
uint64_t sqlite_fresh_pages(const struct store *store);

/* ---- number.c ---- */

/* How many posts of the stream that are not deleted are at `seq` or before: the number of the post
 * at `seq`. */
enum store_status sqlite_number_of(struct store *store, int64_t stream, uint64_t seq,
                                   uint64_t *number);
/* The position in the log of the post with that number. OK, NOT_FOUND. */
enum store_status sqlite_number_find(struct store *store, int64_t stream, uint64_t number,
                                     int64_t *position);
/* Counts posts that came: all entries with those numbers are posts. */
enum store_status sqlite_number_came(struct store *store, int64_t stream, uint64_t first_seq,
                                     uint64_t last_seq);
/* Counts the post at `seq` as deleted. */
enum store_status sqlite_number_went(struct store *store, int64_t stream, uint64_t seq);
/* Called after the thread was removed, when nobody asks for its numbers up to `seq` any more. */
enum store_status sqlite_number_forget(struct store *store, int64_t stream, uint64_t seq);

/* ---- post.c ---- */

struct post {
    int64_t author;
    bool stands;
    struct store_post post; /* without its text and number */
};
/* Reads what the log has of a post, except its text. */
enum store_status sqlite_post_entry(struct store *store, const struct log_entry *entry,
                                    struct store_post *out);
/* The post whose entry in the log is at `position`. A damaged post counts as deleted. */
enum store_status sqlite_post_at(struct store *store, int64_t position, struct post *out);

/* ---- file.c ---- */

#define FILE_COLUMNS                                                                               \
    "SELECT file, id, stream, name, uploader, size, hash, received, seq, time_us FROM file"
#define FILE_SEQ_COLUMN 8 /* of FILE_COLUMNS */

struct file {
    int64_t stream;
    int64_t uploader;
    bool announced; /* its hash is known */
    struct store_file file;
};
/* Steps a statement with a row of FILE_COLUMNS, which has its parameters, and resets it. OK,
 * NOT_FOUND. */
enum store_status sqlite_file_one(struct store *store, sqlite3_stmt *find, struct file *out);
/* Reads such a row. */
enum store_status sqlite_file_row(struct store *store, sqlite3_stmt *row, struct file *out);
/* OK, NOT_FOUND: there is none, or it is a removed thread's. */
enum store_status sqlite_file_numbered(struct store *store, int64_t file, struct file *out);
enum store_status sqlite_file_identified(struct store *store, const unsigned char id[ID_BYTES],
                                         struct file *out);
enum store_status sqlite_file_named(struct store *store, int64_t stream, const char *name,
                                    struct file *out);
/* Removes a file, and gives back its quotas. Its bytes become rubbish. */
enum store_status sqlite_file_remove(struct store *store, const struct file *file);
/* Called before a file gets an id that is free: takes the id from a removed thread's file that
 * still has it. */
enum store_status sqlite_file_free_id(struct store *store, const unsigned char id[ID_BYTES]);

/* ---- piece.c ---- */

/* The numbers of pieces go no further: see schema/0002.sql. */
#define PIECES_BYTES_MAX (UINT64_C(1) << 38)

/* Stores bytes behind the `received` bytes that are there. OK, NO_ROOM (the disk has no room;
 * nothing was stored). */
enum store_status sqlite_piece_write(struct store *store, const struct file *file,
                                     const unsigned char *bytes, size_t length);
/* Reads bytes that are there. OK, DAMAGED: the piece that follows the first *right bytes is
 * damaged. */
enum store_status sqlite_piece_read(struct store *store, int64_t file, uint64_t offset,
                                    unsigned char *bytes, size_t length, size_t *right);
/* Removes at most so many of a file's pieces that are in slots, or in the database; *count: how
 * many were removed. */
enum store_status sqlite_piece_leave_slots(struct store *store, int64_t file, int64_t most,
                                           size_t *count);
enum store_status sqlite_piece_remove(struct store *store, int64_t file, int64_t most,
                                      size_t *count);

/* What the store keeps beside a title or file name, to find names that look alike. */
struct title {
    char look[LOOK_BYTES];
    char folded[LOOK_BYTES];
};
void title_look(const char *text, struct title *out);
/* Binds a title's look and its folded form to two parameters; they are borrowed until the statement
 * has run. */
void sqlite_bind_look(sqlite3_stmt *statement, int parameter, const struct title *title);
/* Reads the one row of a statement that looks for a title that looks alike: OK, NOT_FOUND. */
enum store_status sqlite_alike(struct store *store, sqlite3_stmt *find, char other[TITLE_BYTES]);

#endif
