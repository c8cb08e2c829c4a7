/* What removals leave. Once its row is removed, a thread or file is gone for everybody, however
 * much it has. The rest is rubbish from then on (schema/0013.sql), and store_maintain removes it
 * slice by slice. Nobody reads the rest, and the ids in it are free. Quotas are given back with the
 * rows that count in them.
 *
 * A slice is part of a transaction, so a crash loses it as a whole, and the next slice looks for
 * what is left: rows and, in the log, where entries stay as places, those after gone_seq of
 * rubbish_thread. Files come first, because their room goes back to the disk.
 *
 * A slice's steps change memory only after all their statements were run. A step that meets a
 * damaged page is undone, and all the rubbish stays until the next start: otherwise the broker
 * would end there, and again after each start. */
#include "thread.h"
#include "walk.h"

#include "limits.h"

const struct statement_text rubbish_statements[] = {
    {STATEMENT_SAVEPOINT, "SAVEPOINT step"},
    {STATEMENT_ROLL_BACK_TO, "ROLLBACK TO step"},
    {STATEMENT_RELEASE, "RELEASE step"},
    {STATEMENT_RUBBISH_THREAD_ADD, "INSERT INTO rubbish_thread (stream) VALUES (?1)"},
    {STATEMENT_RUBBISH_THREAD_ALL, "SELECT stream, gone_seq FROM rubbish_thread"},
    {STATEMENT_RUBBISH_THREAD_FIRST,
     "SELECT stream, gone_seq FROM rubbish_thread ORDER BY stream LIMIT 1"},
    {STATEMENT_RUBBISH_THREAD_GONE, "UPDATE rubbish_thread SET gone_seq = ?2 WHERE stream = ?1"},
    {STATEMENT_RUBBISH_THREAD_REMOVE, "DELETE FROM rubbish_thread WHERE stream = ?1"},
    {STATEMENT_RUBBISH_FILE_ADD, "INSERT INTO rubbish_file (file) VALUES (?1)"},
    {STATEMENT_RUBBISH_FILE_FIRST, "SELECT file FROM rubbish_file ORDER BY file LIMIT 1"},
    {STATEMENT_RUBBISH_FILE_REMOVE, "DELETE FROM rubbish_file WHERE file = ?1"},
    {STATEMENT_THREAD_REMOVE, "DELETE FROM thread WHERE stream = ?1"},
    {STATEMENT_STREAM_REMOVE, "DELETE FROM stream WHERE id = ?1"},
    {STATEMENT_ENTRY_REMOVE_UP_TO, "DELETE FROM entry WHERE stream = ?1 AND last_seq <= ?2"},
    {STATEMENT_POST_REMOVE_UP_TO, "DELETE FROM post WHERE stream = ?1 AND seq <= ?2"},
    {STATEMENT_FILE_OF_STREAM, FILE_COLUMNS " WHERE stream = ?1 LIMIT 1"},
    {STATEMENT_FOLLOW_REMOVE_SOME, "DELETE FROM follow WHERE stream = ?1 AND account IN (SELECT "
                                   "account FROM follow WHERE stream = ?1 LIMIT ?2)"},
    {0},
};

/* A slice removes at least so many rows, which takes half a millisecond, so that there is progress
 * even if the clock says that it is late. On a full disk it removes no more than that. */
#define ROWS_MIN 64
/* Removing so many rows changes at most so many pages, including those of the indexes. */
#define PAGES (2 * ROWS_MIN + 32)
/* One statement removes at most so many rows, so that the clock is read often enough. */
#define ROWS_AT_ONCE 32
/* A piece in the database has 64 pages, whose removal takes as long as that of so many rows. */
#define PIECE_ROWS 16
/* The clock is read once for so many rows. */
#define CLOCK_EVERY 16
#define PAGE_BYTES  4096

struct slice {
    size_t rows; /* removed so far; other work counts as the rows that take as long */
    size_t most;
    int64_t begin_us; /* 0 without a clock */
    size_t looked;    /* `rows` when the clock was last read */
    bool is_late;     /* then the time was over */
};

static struct slice begin_slice(const struct store *store) {
    return (struct slice){.most = store_is_full(store) ? ROWS_MIN : store->slice_entries,
                          .begin_us = store->clock_us ? store->clock_us() : 0};
}

static bool is_over(const struct store *store, struct slice *slice) {
    if (slice->rows >= slice->most)
        return true;
    if (store->clock_us && slice->rows >= ROWS_MIN && slice->rows - slice->looked >= CLOCK_EVERY) {
        slice->looked = slice->rows;
        slice->is_late = store->clock_us() - slice->begin_us >= store->slice_us;
    }
    return slice->is_late;
}

/* How many rows one statement may remove if each counts as `rows`. */
static int64_t some(const struct slice *slice, size_t rows) {
    size_t left = slice->rows < slice->most ? slice->most - slice->rows : 1;
    size_t most = left < ROWS_AT_ONCE ? left : ROWS_AT_ONCE;
    return most > rows ? (int64_t)(most / rows) : 1;
}

/* ---- noting it ---- */

bool sqlite_rubbish_is(const struct store *store, int64_t stream) {
    const struct stream *found = view_find(store->view, stream);
    return found && found->is_removed;
}

static void take_thread(struct store *store, int64_t id, uint64_t gone) {
    struct stream *stream = view_find(store->view, id);
    store->rubbish_waits = true;
    if (stream) {
        stream->is_removed = true;
        view_forget(store->view, stream, gone);
    }
}

enum store_status sqlite_rubbish_load(struct store *store) {
    sqlite3_stmt *all = store->statements[STATEMENT_RUBBISH_THREAD_ALL];
    enum step step;
    int64_t file;
    store->rubbish_waits = store->rubbish_refused = store->rubbish_damaged = false;
    while ((step = sqlite_step(store, all)) == STEP_ROW)
        take_thread(store, sqlite3_column_int64(all, 0), column_count(all, 1));
    (void)sqlite3_reset(all);
    if (step == STEP_FAILED)
        return STORE_FAILED;
    enum store_status status =
        sqlite_number(store, store->statements[STATEMENT_RUBBISH_FILE_FIRST], &file);
    store->rubbish_waits = store->rubbish_waits || status == STORE_OK;
    return status == STORE_FAILED ? status : STORE_OK;
}

static enum store_status note(struct store *store, enum statement statement, int64_t number) {
    sqlite3_stmt *add = store->statements[statement];
    bind_number(add, 1, number);
    store->rubbish_waits = true;
    return sqlite_run(store, add);
}

enum store_status sqlite_rubbish_thread(struct store *store, struct stream *stream) {
    sqlite3_stmt *remove = store->statements[STATEMENT_THREAD_REMOVE];
    bind_number(remove, 1, stream->id);
    stream->is_removed = true;
    return sqlite_run(store, remove) == STORE_OK
               ? note(store, STATEMENT_RUBBISH_THREAD_ADD, stream->id)
               : STORE_FAILED;
}

enum store_status sqlite_rubbish_file(struct store *store, int64_t file) {
    return note(store, STATEMENT_RUBBISH_FILE_ADD, file);
}

/* ---- files ---- */

static enum store_status run_with(struct store *store, enum statement statement, int64_t number) {
    sqlite3_stmt *run = store->statements[statement];
    bind_number(run, 1, number);
    return sqlite_run(store, run);
}

static enum store_status sweep_file(struct store *store, int64_t file, struct slice *slice) {
    size_t slots = 0, pieces = 0;
    if (sqlite_piece_leave_slots(store, file, some(slice, 1), &slots) != STORE_OK)
        return STORE_FAILED;
    if (slots == 0 &&
        sqlite_piece_remove(store, file, some(slice, PIECE_ROWS), &pieces) != STORE_OK)
        return STORE_FAILED;
    slice->rows += slots + PIECE_ROWS * pieces;
    if (slots > 0 || pieces > 0)
        return STORE_OK;
    slice->rows++;
    return run_with(store, STATEMENT_RUBBISH_FILE_REMOVE, file);
}

/* ---- the log ---- */

/* What an author gets back for entries that follow each other. */
struct given {
    int64_t author;
    int64_t bytes;
};

static enum store_status give_back(struct store *store, struct given *given) {
    int64_t bytes = given->bytes;
    given->bytes = 0;
    return bytes > 0 ? sqlite_give_log(store, given->author, bytes) : STORE_OK;
}

static enum store_status remove_entry(struct store *store, int64_t position, struct given *given,
                                      struct slice *slice) {
    struct log_entry entry;
    if (sqlite_log_read(store, position, &entry) != STORE_OK)
        return STORE_FAILED;
    enum store_status status = entry.author != given->author ? give_back(store, given) : STORE_OK;
    given->author = entry.author;
    if (entry.kind == LOG_POSTED || entry.kind == LOG_EDITED || entry.kind == LOG_DELETED)
        given->bytes += (int64_t)entry.text_bytes + LOG_ROW_BYTES;
    else if (entry.kind == LOG_FILE_DELETED)
        given->bytes += LOG_ROW_BYTES;
    slice->rows += 1 + entry.text_bytes / PAGE_BYTES;
    return status == STORE_OK ? sqlite_log_remove(store, position) : status;
}

static enum store_status remove_up_to(struct store *store, enum statement statement, int64_t stream,
                                      uint64_t seq) {
    sqlite3_stmt *remove = store->statements[statement];
    bind_number(remove, 1, stream);
    bind_number(remove, 2, (int64_t)seq);
    return sqlite_run(store, remove);
}

/* Removes what finds the stream's entries up to `seq`, which are gone. */
static enum store_status forget(struct store *store, struct stream *stream, uint64_t seq) {
    if (remove_up_to(store, STATEMENT_POST_REMOVE_UP_TO, stream->id, seq) != STORE_OK ||
        remove_up_to(store, STATEMENT_ENTRY_REMOVE_UP_TO, stream->id, seq) != STORE_OK ||
        sqlite_number_forget(store, stream->id, seq) != STORE_OK ||
        remove_up_to(store, STATEMENT_RUBBISH_THREAD_GONE, stream->id, seq) != STORE_OK)
        return STORE_FAILED;
    view_forget(store->view, stream, seq);
    return STORE_OK;
}

static enum store_status sweep_log(struct store *store, struct stream *stream, uint64_t gone,
                                   struct slice *slice) {
    struct given given = {0};
    struct walk walk;
    int64_t position = 0;
    enum store_status status = walk_begin(store, &walk, stream, gone, stream->head);
    while (status == STORE_OK && !is_over(store, slice) &&
           (status = walk_next(store, &walk, &position)) == STORE_OK)
        status = remove_entry(store, position, &given, slice);
    status = walk_end(store, &walk, status);
    if (status == STORE_OK)
        status = give_back(store, &given);
    return status == STORE_OK ? forget(store, stream, walk.seq) : status;
}

/* ---- threads ---- */

/* Follows of a removed thread no longer count: only those of existing threads do. */
static enum store_status remove_follows(struct store *store, int64_t stream, struct slice *slice) {
    sqlite3_stmt *remove = store->statements[STATEMENT_FOLLOW_REMOVE_SOME];
    bind_number(remove, 1, stream);
    bind_number(remove, 2, some(slice, 1));
    if (sqlite_run(store, remove) != STORE_OK)
        return STORE_FAILED;
    slice->rows += (size_t)sqlite3_changes(store->db);
    return STORE_OK;
}

static enum store_status remove_file(struct store *store, int64_t stream, struct slice *slice) {
    sqlite3_stmt *find = store->statements[STATEMENT_FILE_OF_STREAM];
    struct file file;
    bind_number(find, 1, stream);
    enum store_status status = sqlite_file_one(store, find, &file);
    if (status != STORE_OK)
        return status == STORE_NOT_FOUND ? STORE_OK : status;
    slice->rows += 4; /* with its two indexes, and the account */
    return sqlite_file_remove(store, &file);
}

/* NULL: the stream is missing, which is damage, and nothing of it can be found. */
static enum store_status end_thread(struct store *store, int64_t id, struct stream *stream,
                                    struct slice *slice) {
    slice->rows += 4;
    if (sqlite_number_forget(store, id, INT64_MAX) != STORE_OK ||
        run_with(store, STATEMENT_STREAM_REMOVE, id) != STORE_OK ||
        run_with(store, STATEMENT_RUBBISH_THREAD_REMOVE, id) != STORE_OK)
        return STORE_FAILED;
    if (stream)
        view_remove(store->view, stream);
    return STORE_OK;
}

static enum store_status sweep_thread(struct store *store, int64_t id, uint64_t gone,
                                      struct slice *slice) {
    struct stream *stream = NULL;
    size_t before = slice->rows;
    if (remove_follows(store, id, slice) != STORE_OK ||
        (slice->rows == before && remove_file(store, id, slice) != STORE_OK))
        return STORE_FAILED;
    if (slice->rows > before)
        return STORE_OK;
    if (sqlite_stream(store, id, &stream) == STORE_FAILED)
        return STORE_FAILED;
    return stream && gone < stream->head ? sweep_log(store, stream, gone, slice)
                                         : end_thread(store, id, stream, slice);
}

/* ---- slices ---- */

static enum store_status sweep_a_thread(struct store *store, struct slice *slice) {
    sqlite3_stmt *first = store->statements[STATEMENT_RUBBISH_THREAD_FIRST];
    enum step step = sqlite_step(store, first);
    int64_t stream = sqlite3_column_int64(first, 0);
    uint64_t gone = column_count(first, 1);
    (void)sqlite3_reset(first);
    store->rubbish_waits = step == STEP_ROW;
    return step == STEP_ROW    ? sweep_thread(store, stream, gone, slice)
           : step == STEP_DONE ? STORE_OK
                               : STORE_FAILED;
}

static enum store_status sweep(struct store *store, struct slice *slice) {
    int64_t file = 0;
    enum store_status status =
        sqlite_number(store, store->statements[STATEMENT_RUBBISH_FILE_FIRST], &file);
    return status == STORE_OK          ? sweep_file(store, file, slice)
           : status == STORE_NOT_FOUND ? sweep_a_thread(store, slice)
                                       : status;
}

static enum store_status undo(struct store *store) {
    store->rubbish_damaged = true;
    sqlite_log_forget(store);
    return sqlite_run(store, store->statements[STATEMENT_ROLL_BACK_TO]);
}

static enum store_status take_step(struct store *store, struct slice *slice) {
    if (sqlite_run(store, store->statements[STATEMENT_SAVEPOINT]) != STORE_OK)
        return STORE_FAILED;
    store->met_damage = false;
    store->forgives_damage = true;
    enum store_status status = sweep(store, slice);
    store->forgives_damage = false;
    if (store->met_damage && !store->failed)
        status = undo(store);
    return status == STORE_OK ? sqlite_run(store, store->statements[STATEMENT_RELEASE]) : status;
}

/* Whatever waits in memory is written first, so that a step can be undone. */
static enum store_status begin(struct store *store) {
    enum store_status status = sqlite_write_pages(store, PAGES + sqlite_fresh_pages(store));
    store->rubbish_refused = status == STORE_FULL;
    if (status == STORE_OK)
        status = sqlite_log_flush(store);
    return status == STORE_OK ? sqlite_fresh_write(store) : status;
}

bool sqlite_rubbish_waits(const struct store *store) {
    return store->rubbish_waits && !store->rubbish_refused && !store->rubbish_damaged;
}

enum store_status sqlite_rubbish_slice(struct store *store) {
    if (!sqlite_rubbish_waits(store))
        return STORE_OK;
    enum store_status status = begin(store);
    struct slice slice = begin_slice(store);
    while (status == STORE_OK && sqlite_rubbish_waits(store) && !is_over(store, &slice))
        status = take_step(store, &slice);
    return status == STORE_FULL ? STORE_OK : status;
}
