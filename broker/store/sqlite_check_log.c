/* The log's part of store_check (sqlite_check.h): each entry has its own check; what finds entries
 * by stream and number, or by id, must lead to the entry that says so itself. */
#include "sqlite_check.h"

#include "run.h"
#include "sqlite_log.h"

#include <stdlib.h>
#include <string.h>

#define PLACE_BYTES (ID_BYTES + 8)

struct log_check {
    struct checking *checking; /* borrowed */
    sqlite3_stmt *find_row;    /* owned, as the next: by a position, and by an id */
    sqlite3_stmt *find_run;
    unsigned char *bytes; /* owned: of the row that was read last */
    size_t bytes_max;
    struct log_row row;
    unsigned char run[ID_RUN_BYTES]; /* of ids, that was read last */
    size_t run_places;
    int64_t last;       /* of the log */
    int64_t ids_merged; /* the ids up to this position are in the table */
};

static void tell(struct log_check *log, int64_t position, const char *what) {
    check_tell(log->checking, &log->checking->log_damages, "entry %lld of the log %s",
               (long long)position, what);
}

/* ---- rows ---- */

static bool keep_row(struct log_check *log, sqlite3_stmt *statement) {
    struct log_row row = sqlite_log_row(statement);
    log->row.count = 0;
    if (row.length > log->bytes_max) {
        free(log->bytes);
        log->bytes = malloc(row.length);
        log->bytes_max = log->bytes == NULL ? 0 : row.length;
    }
    if (row.length > log->bytes_max || row.bytes == NULL || row.first < 1) {
        return false;
    }
    memcpy(log->bytes, row.bytes, row.length);
    log->row = row;
    log->row.bytes = log->bytes;
    return true;
}

static bool is_within(const struct log_check *log, int64_t position) {
    return log->row.count > 0 && position >= log->row.first &&
           position - log->row.first < (int64_t)log->row.count;
}

/* false: no row has the position. */
static bool find_entry(struct log_check *log, int64_t position, struct log_entry *out) {
    if (!is_within(log, position)) {
        (void)sqlite3_bind_int64(log->find_row, 1, position);
        bool found = sqlite3_step(log->find_row) == SQLITE_ROW && keep_row(log, log->find_row);
        (void)sqlite3_reset(log->find_row);
        if (!found || !is_within(log, position)) {
            return false;
        }
    }
    log_row_read(&log->row, position, out);
    return true;
}

/* ---- ids ---- */

static int64_t position_of(const unsigned char *place) {
    uint64_t position = 0;
    for (size_t i = ID_BYTES; i < PLACE_BYTES; i++) {
        position = position << 8 | place[i];
    }
    return (int64_t)position;
}

static bool has_run(const struct log_check *log, const unsigned char *id) {
    return log->run_places > 0 && memcmp(id, log->run, ID_BYTES) >= 0 &&
           memcmp(id, log->run + (log->run_places - 1) * PLACE_BYTES, ID_BYTES) <= 0;
}

static void load_run(struct log_check *log, const unsigned char *id) {
    log->run_places = 0;
    (void)sqlite3_bind_blob(log->find_run, 1, id, ID_BYTES, SQLITE_STATIC);
    if (sqlite3_step(log->find_run) == SQLITE_ROW) {
        size_t length = (size_t)sqlite3_column_bytes(log->find_run, 0);
        if (length > 0 && length <= ID_RUN_BYTES && length % PLACE_BYTES == 0) {
            memcpy(log->run, sqlite3_column_blob(log->find_run, 0), length);
            log->run_places = length / PLACE_BYTES;
        }
    }
    (void)sqlite3_reset(log->find_run);
}

static int by_id(const void *id, const void *place) {
    return memcmp(id, place, ID_BYTES);
}

/* Of an id that was used again after a removal the index has the later place. */
static bool is_indexed(struct log_check *log, const unsigned char *id, int64_t position) {
    if (!has_run(log, id)) {
        load_run(log, id);
    }
    const unsigned char *place = bsearch(id, log->run, log->run_places, PLACE_BYTES, by_id);
    return place != NULL && position_of(place) >= position;
}

/* ---- entries ---- */

static void check_entry(struct log_check *log, int64_t position) {
    struct log_entry entry;
    log_row_read(&log->row, position, &entry);
    log->checking->check->entries++;
    if (entry.kind == LOG_LOST) {
        tell(log, position, "is damaged");
    } else if (entry.text_damaged) {
        tell(log, position, "has a damaged text");
    } else if (entry.id != NULL && position <= log->ids_merged &&
               !is_indexed(log, entry.id, position)) {
        tell(log, position, "is not in the index of ids");
    }
}

static void check_row(struct log_check *log, int64_t behind) {
    if (log->row.first <= behind) {
        tell(log, log->row.first, "is there twice");
    }
    for (size_t i = 0; i < log->row.count; i++) {
        check_entry(log, log->row.first + (int64_t)i);
    }
    check_progress(log->checking, "entries of the log", (uint64_t)log->row.first,
                   (uint64_t)log->last);
}

/* The first row behind a position that can be read, looked for in growing steps: rows in damaged
 * pages are passed over. */
static int next_row(struct log_check *log, sqlite3_stmt *next, int64_t behind, bool *passed) {
    int code = SQLITE_DONE;
    int64_t step = 1;
    *passed = false;
    for (int64_t from = behind; from < log->last; from += step, step *= 2) {
        (void)sqlite3_bind_int64(next, 1, from);
        code = sqlite3_step(next);
        if (code == SQLITE_ROW && !keep_row(log, next)) {
            code = SQLITE_CORRUPT;
        }
        (void)sqlite3_reset(next);
        if (code == SQLITE_ROW || code == SQLITE_DONE) {
            return code;
        }
        *passed = true;
    }
    return code;
}

static void check_rows(struct log_check *log) {
    sqlite3_stmt *next =
        check_prepare(log->checking,
                      "SELECT last, count, entries FROM log WHERE last > ?1 ORDER BY last LIMIT 1");
    int64_t behind = 0;
    bool passed = false;
    while (next != NULL && next_row(log, next, behind, &passed) == SQLITE_ROW) {
        if (passed && log->row.first > behind + 1) {
            check_tell(log->checking, &log->checking->log_damages,
                       "entries %lld to %lld of the log are in damaged pages",
                       (long long)behind + 1, (long long)log->row.first - 1);
        }
        check_row(log, behind);
        behind = log->row.first + (int64_t)log->row.count - 1;
    }
    if (next == NULL || (passed && behind < log->last)) {
        check_tell(log->checking, &log->checking->log_damages,
                   "entries %lld to %lld of the log can't be read", (long long)behind + 1,
                   (long long)log->last);
    }
    (void)sqlite3_finalize(next);
}

/* ---- streams ---- */

static bool names(const struct log_entry *entry, int64_t stream, uint64_t seq) {
    return (entry->stream == stream && entry->seq == seq) ||
           (entry->kind == LOG_MESSAGE && entry->author == stream && entry->second == seq);
}

/* What is damaged itself was told; what is gone has no names. */
static void check_place(struct log_check *log, int64_t stream, uint64_t seq, int64_t position) {
    struct log_entry entry;
    bool there = find_entry(log, position, &entry);
    if (there && (entry.kind == LOG_LOST || entry.kind == LOG_GONE)) {
        return;
    }
    if (!there || !names(&entry, stream, seq)) {
        check_tell(log->checking, &log->checking->log_damages,
                   "entry %llu of stream %lld leads to entry %lld of the log, which %s",
                   (unsigned long long)seq, (long long)stream, (long long)position,
                   there ? "is another's" : "can't be found");
    }
}

/* A run of a stream that ended with `behind` before. Returns with what it ends. */
static uint64_t check_run(struct log_check *log, sqlite3_stmt *runs, int64_t stream,
                          uint64_t behind) {
    uint64_t last = (uint64_t)sqlite3_column_int64(runs, 1);
    uint64_t count = (uint64_t)sqlite3_column_bytes(runs, 2) / RUN_ENTRY_BYTES;
    if (count == 0 || count > last || last - count != behind) {
        check_tell(log->checking, &log->checking->log_damages,
                   "stream %lld has a hole behind its entry %llu", (long long)stream,
                   (unsigned long long)behind);
        return last;
    }
    for (uint64_t i = 0; i < count; i++) {
        check_place(log, stream, behind + 1 + i, run_get(sqlite3_column_blob(runs, 2), (size_t)i));
    }
    return last;
}

static void check_merged(struct log_check *log, int64_t stream, uint64_t last) {
    sqlite3_stmt *get = check_prepare(log->checking, "SELECT merged_seq FROM stream WHERE id = ?1");
    bool fits = false;
    if (get != NULL) {
        (void)sqlite3_bind_int64(get, 1, stream);
        fits = sqlite3_step(get) == SQLITE_ROW && (uint64_t)sqlite3_column_int64(get, 0) == last;
    }
    (void)sqlite3_finalize(get);
    if (!fits) {
        check_tell(log->checking, &log->checking->log_damages,
                   "stream %lld does not end with its last entry, %llu", (long long)stream,
                   (unsigned long long)last);
    }
}

static void check_streams(struct log_check *log) {
    sqlite3_stmt *runs = check_prepare(
        log->checking, "SELECT stream, last_seq, positions FROM entry ORDER BY stream, last_seq");
    int code = runs == NULL ? SQLITE_CORRUPT : SQLITE_DONE;
    int64_t stream = 0;
    uint64_t last = 0, done = 0;
    while (runs != NULL && (code = sqlite3_step(runs)) == SQLITE_ROW) {
        if (sqlite3_column_int64(runs, 0) != stream) {
            if (last > 0) {
                check_merged(log, stream, last);
            }
            stream = sqlite3_column_int64(runs, 0);
            last = 0;
        }
        last = check_run(log, runs, stream, last);
        check_progress(log->checking, "runs of streams", ++done, 0);
    }
    if (last > 0 && code == SQLITE_DONE) {
        check_merged(log, stream, last);
    }
    (void)check_end(log->checking, "the table of streams' entries", runs, code);
}

/* ---- the whole ---- */

void sqlite_check_log(struct checking *checking) {
    struct log_check log = {
        .checking = checking,
        .last = check_number(checking, "SELECT max(last) FROM log"),
        .ids_merged = check_number(checking, "SELECT value FROM meta WHERE name = 'ids'")};
    log.find_row = check_prepare(
        checking, "SELECT last, count, entries FROM log WHERE last >= ?1 ORDER BY last LIMIT 1");
    log.find_run = check_prepare(
        checking, "SELECT places FROM id_run WHERE last_id >= ?1 ORDER BY last_id LIMIT 1");
    if (log.find_row != NULL && log.find_run != NULL) {
        check_rows(&log);
        check_streams(&log);
    }
    (void)sqlite3_finalize(log.find_row);
    (void)sqlite3_finalize(log.find_run);
    free(log.bytes);
}
