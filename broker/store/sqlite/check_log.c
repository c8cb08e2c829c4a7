/* The log's part of store_check (check.h): each entry has its own check, and the tables that
 * find entries by stream and number, or by id, must lead to an entry that itself has that stream
 * and number, or id. What corrects a message or takes it back must be noted, and nothing else. */
#include "check.h"

#include "band.h"
#include "log.h"

#include <stdlib.h>
#include <string.h>

#define PLACE_BYTES (ID_BYTES + 8)

struct log_check {
    struct checking *checking; /* borrowed */
    sqlite3_stmt *find_row;    /* owned: finds by position; the next two by id and by number */
    sqlite3_stmt *find_run;
    sqlite3_stmt *find_stream;  /* NULL: the store has entries of streams that are no more */
    sqlite3_stmt *find_amended; /* NULL: the store is older than such entries */
    sqlite3_stmt *find_file;    /* of an upload whose thread was not removed */
    int64_t *fileless;          /* owned: uploads without a file, as far as no deletion was met */
    size_t fileless_count, fileless_max;
    unsigned char *bytes; /* owned: of the row that was last read */
    size_t bytes_max;
    struct log_row row;
    unsigned char run[ID_RUN_BYTES]; /* of ids, the last one read */
    size_t run_places;
    int64_t stream;     /* the stream that was last found */
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
        log->bytes_max = !log->bytes ? 0 : row.length;
    }
    if (row.length > log->bytes_max || !row.bytes || row.first < 1)
        return false;
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
        if (!found || !is_within(log, position))
            return false;
    }
    log_row_read(&log->row, position, out);
    return true;
}

/* ---- ids ---- */

static int64_t position_of(const unsigned char *place) {
    uint64_t position = 0;
    for (size_t i = ID_BYTES; i < PLACE_BYTES; i++)
        position = position << 8 | place[i];
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

/* If an id was used again after a removal, the index has the later place. */
static bool is_indexed(struct log_check *log, const unsigned char *id, int64_t position) {
    if (!has_run(log, id))
        load_run(log, id);
    const unsigned char *place = bsearch(id, log->run, log->run_places, PLACE_BYTES, by_id);
    return place && position_of(place) >= position;
}

/* ---- entries ---- */

static bool has_stream(struct log_check *log, int64_t stream) {
    if (!log->find_stream || stream == log->stream)
        return true;
    (void)sqlite3_bind_int64(log->find_stream, 1, stream);
    bool found = sqlite3_step(log->find_stream) == SQLITE_ROW;
    (void)sqlite3_reset(log->find_stream);
    log->stream = found ? stream : log->stream;
    return found;
}

/* Whether this entry, or a later one, is noted as what was said last of its original. */
static bool is_noted(struct log_check *log, const struct log_entry *entry, int64_t position) {
    if (!log->find_amended)
        return true;
    (void)sqlite3_bind_int64(log->find_amended, 1, entry->original);
    bool noted = sqlite3_step(log->find_amended) == SQLITE_ROW &&
                 sqlite3_column_int64(log->find_amended, 0) >= position;
    (void)sqlite3_reset(log->find_amended);
    return noted;
}

/* ---- uploads ---- */

static bool has_file(struct log_check *log, const struct log_entry *entry) {
    (void)sqlite3_bind_int64(log->find_file, 1, (int64_t)entry->second);
    (void)sqlite3_bind_int64(log->find_file, 2, entry->stream);
    bool found = sqlite3_step(log->find_file) == SQLITE_ROW;
    (void)sqlite3_reset(log->find_file);
    return found;
}

static void note_fileless(struct log_check *log, int64_t position) {
    if (log->fileless_count == log->fileless_max) {
        size_t max = log->fileless_max == 0 ? 64 : 2 * log->fileless_max;
        int64_t *grown = realloc(log->fileless, max * sizeof *grown);
        if (!grown) {
            tell(log, position, "is of a file that can't be looked for: out of memory");
            return;
        }
        log->fileless = grown;
        log->fileless_max = max;
    }
    log->fileless[log->fileless_count++] = position;
}

static int by_position(const void *a, const void *b) {
    int64_t x = llabs(*(const int64_t *)a), y = llabs(*(const int64_t *)b);
    return (x > y) - (x < y);
}

/* Positions are noted in their order, so that they can be found; a negative one is explained. */
static void note_deletion(struct log_check *log, int64_t uploaded) {
    int64_t *noted = log->fileless_count == 0
                         ? NULL
                         : bsearch(&uploaded, log->fileless, log->fileless_count,
                                   sizeof *log->fileless, by_position);
    if (noted)
        *noted = -uploaded;
}

static void tell_fileless(struct log_check *log) {
    for (size_t i = 0; i < log->fileless_count; i++)
        if (log->fileless[i] > 0)
            tell(log, log->fileless[i], "is of a file that is missing, and was not deleted");
}

static void check_entry(struct log_check *log, int64_t position) {
    struct log_entry entry;
    log_row_read(&log->row, position, &entry);
    log->checking->check->entries++;
    if (entry.kind == LOG_LOST)
        tell(log, position, "is damaged");
    else if (entry.text_damaged)
        tell(log, position, "has a damaged text");
    else if (entry.id && position <= log->ids_merged && !is_indexed(log, entry.id, position))
        tell(log, position, "is not in the index of ids");
    else if (entry.id && !has_stream(log, entry.stream))
        tell(log, position, "is of no inbox and no thread, and of none that was removed");
    else if (entry.original_id && !is_noted(log, &entry, position))
        tell(log, position, "is about an earlier message, where it is not noted");
    else if (entry.kind == LOG_UPLOADED && !has_file(log, &entry))
        note_fileless(log, position);
    else if (entry.kind == LOG_FILE_DELETED)
        note_deletion(log, (int64_t)entry.second);
}

static void check_row(struct log_check *log, int64_t behind) {
    if (log->row.first <= behind)
        tell(log, log->row.first, "is there twice");
    for (size_t i = 0; i < log->row.count; i++)
        check_entry(log, log->row.first + (int64_t)i);
    check_progress(log->checking, "entries of the log", (uint64_t)log->row.first,
                   (uint64_t)log->last);
}

/* Finds the first readable row behind a position, in growing steps, so that rows in damaged pages
 * are passed over. */
static int next_row(struct log_check *log, sqlite3_stmt *next, int64_t behind, bool *passed) {
    int code = SQLITE_DONE;
    int64_t step = 1;
    *passed = false;
    for (int64_t from = behind; from < log->last; from += step, step *= 2) {
        (void)sqlite3_bind_int64(next, 1, from);
        code = sqlite3_step(next);
        if (code == SQLITE_ROW && !keep_row(log, next))
            code = SQLITE_CORRUPT;
        (void)sqlite3_reset(next);
        if (code == SQLITE_ROW || code == SQLITE_DONE)
            return code;
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
    while (next && next_row(log, next, behind, &passed) == SQLITE_ROW) {
        if (passed && log->row.first > behind + 1) {
            check_tell(log->checking, &log->checking->log_damages,
                       "entries %lld to %lld of the log are in damaged pages",
                       (long long)behind + 1, (long long)log->row.first - 1);
        }
        check_row(log, behind);
        behind = log->row.first + (int64_t)log->row.count - 1;
    }
    if (!next || (passed && behind < log->last)) {
        check_tell(log->checking, &log->checking->log_damages,
                   "entries %lld to %lld of the log can't be read", (long long)behind + 1,
                   (long long)log->last);
    }
    tell_fileless(log);
    (void)sqlite3_finalize(next);
}

/* ---- messages that were corrected or taken back ---- */

/* What has to be the same in an original and in what is said of it. */
struct message_key {
    bool there; /* false: the entry is damaged, which was reported */
    int kind;
    int64_t author;
    int64_t stream;
    int64_t original;
    unsigned char id[ID_BYTES]; /* the original's */
};

static struct message_key message_key(struct log_check *log, int64_t position) {
    struct log_entry entry;
    struct message_key key = {.there = true};
    if (!find_entry(log, position, &entry))
        return key;
    key = (struct message_key){.there = entry.kind != LOG_LOST,
                               .kind = entry.kind,
                               .author = entry.author,
                               .stream = entry.stream,
                               .original = entry.original};
    if (entry.original_id || entry.id)
        memcpy(key.id, entry.original_id ? entry.original_id : entry.id, ID_BYTES);
    return key;
}

static void check_note(struct log_check *log, int64_t original, int64_t last, bool gone) {
    struct message_key first = message_key(log, original), then = message_key(log, last);
    if (!first.there || !then.there)
        return;
    if (first.kind != LOG_MESSAGE || then.kind != (gone ? LOG_RETRACTED : LOG_CORRECTED) ||
        then.original != original || first.author != then.author || first.stream != then.stream ||
        memcmp(first.id, then.id, ID_BYTES) != 0) {
        check_tell(log->checking, &log->checking->log_damages,
                   "entry %lld of the log is noted as what was said last of entry %lld, and is not",
                   (long long)last, (long long)original);
    }
}

static void check_amended(struct log_check *log) {
    sqlite3_stmt *all =
        check_prepare(log->checking, "SELECT original, last, gone FROM amended ORDER BY original");
    int code = SQLITE_DONE;
    while (all && (code = sqlite3_step(all)) == SQLITE_ROW) {
        check_note(log, sqlite3_column_int64(all, 0), sqlite3_column_int64(all, 1),
                   sqlite3_column_int(all, 2) != 0);
    }
    (void)check_end(log->checking, "the table of corrected messages", all,
                    all ? code : SQLITE_CORRUPT);
}

/* ---- streams ---- */

static bool names(const struct log_entry *entry, int64_t stream, uint64_t seq) {
    return (entry->stream == stream && entry->seq == seq) ||
           (log_is_message(entry->kind) && entry->author == stream && entry->second == seq);
}

/* A damaged entry was reported already, and an entry that is gone has no id, stream or number. */
static void check_place(struct log_check *log, int64_t stream, uint64_t seq, int64_t position) {
    struct log_entry entry;
    bool there = find_entry(log, position, &entry);
    if (there && (entry.kind == LOG_LOST || entry.kind == LOG_GONE))
        return;
    if (!there || !names(&entry, stream, seq)) {
        check_tell(log->checking, &log->checking->log_damages,
                   "entry %llu of stream %lld leads to entry %lld of the log, which %s",
                   (unsigned long long)seq, (long long)stream, (long long)position,
                   there ? "is another's" : "can't be found");
    }
}

/* Entries of one stream that follow each other, as they were found. */
struct found {
    size_t place; /* the stream's in its band */
    uint64_t first;
    uint64_t last;
};

/* A band, and where its entries were found. */
struct band_check {
    struct log_check *log; /* borrowed */
    size_t number;
    struct band *band;   /* owned: what is known of its streams */
    struct found *found; /* owned */
    size_t count;
    size_t max;
    uint32_t rows; /* of band_row */
    size_t last_bytes;
};

static int64_t first_of(const struct band_check *band) {
    return (int64_t)(band->number * BAND_STREAMS) + 1;
}

static void tell_band(const struct band_check *band, const char *what) {
    check_tell(band->log->checking, &band->log->checking->log_damages,
               "the band of streams %lld to %lld %s", (long long)first_of(band),
               (long long)first_of(band) + BAND_STREAMS - 1, what);
}

static void add_found(struct band_check *band, size_t place, uint64_t first, uint64_t last) {
    if (band->count == band->max) {
        size_t max = band->max == 0 ? 1024 : 2 * band->max;
        struct found *found = realloc(band->found, max * sizeof *found);
        if (!found) {
            tell_band(band, "can't be looked at: out of memory");
            return;
        }
        band->found = found;
        band->max = max;
    }
    band->found[band->count++] = (struct found){place, first, last};
}

/* A row of entry. */
static void check_run(struct band_check *band, sqlite3_stmt *runs) {
    int64_t stream = sqlite3_column_int64(runs, 0);
    uint64_t last = (uint64_t)sqlite3_column_int64(runs, 1);
    uint64_t count = (uint64_t)sqlite3_column_bytes(runs, 2) / RUN_ENTRY_BYTES;
    if (count == 0 || count > last) {
        tell_band(band, "has a row that can't be");
        return;
    }
    for (uint64_t i = 0; i < count; i++) {
        check_place(band->log, stream, last - count + 1 + i,
                    run_get(sqlite3_column_blob(runs, 2), (size_t)i));
    }
    add_found(band, (size_t)(stream - first_of(band)), last - count + 1, last);
}

/* A row of band_row. */
static void check_groups(struct band_check *band, sqlite3_stmt *rows) {
    const unsigned char *bytes = sqlite3_column_blob(rows, 1);
    size_t length = (size_t)sqlite3_column_bytes(rows, 1), at = 0;
    struct group group;
    while (group_read(bytes, length, &at, &group)) {
        int64_t stream = first_of(band) + (int64_t)group.place;
        for (size_t i = 0; i < group.count; i++)
            check_place(band->log, stream, group.first + i, group.positions[i]);
        add_found(band, group.place, group.first, group.first + group.count - 1);
    }
    if (at != length)
        tell_band(band, "has a damaged row");
    band->rows++;
    band->last_bytes = length;
    if (sqlite3_column_int64(rows, 0) != BAND_PLACE(band->number, band->rows))
        tell_band(band, "lacks a row");
}

/* Calls `each` for each row that the query finds between two numbers. */
static void for_each(struct band_check *band, const char *sql, int64_t from, int64_t to,
                     void (*each)(struct band_check *, sqlite3_stmt *)) {
    sqlite3_stmt *rows = check_prepare(band->log->checking, sql);
    int code = !rows ? SQLITE_CORRUPT : SQLITE_DONE;
    if (rows) {
        (void)sqlite3_bind_int64(rows, 1, from);
        (void)sqlite3_bind_int64(rows, 2, to);
    }
    while (rows && (code = sqlite3_step(rows)) == SQLITE_ROW)
        each(band, rows);
    (void)check_end(band->log->checking, "the table of streams' entries", rows, code);
}

static void take_stream(struct band_check *band, sqlite3_stmt *row) {
    struct stream *stream = &band->band->streams[sqlite3_column_int64(row, 0) - first_of(band)];
    stream->is_known = true;
    stream->merged = (uint64_t)sqlite3_column_int64(row, 1);
}

static void take_band(struct band_check *band, sqlite3_stmt *row) {
    band->band->rows = (uint32_t)sqlite3_column_int64(row, 0);
    band->band->last_row_bytes = (uint32_t)sqlite3_column_int64(row, 1);
    if (!band_read(sqlite3_column_blob(row, 2), (size_t)sqlite3_column_bytes(row, 2), band->band))
        tell_band(band, "is damaged");
}

static int by_place(const void *a, const void *b) {
    const struct found *x = a, *y = b;
    return x->place != y->place ? (x->place > y->place) - (x->place < y->place)
                                : (x->first > y->first) - (x->first < y->first);
}

/* Entries of a removed stream may be left. */
static void check_numbers(const struct band_check *band) {
    size_t at = 0;
    for (size_t place = 0; place < BAND_STREAMS; place++) {
        const struct stream *stream = &band->band->streams[place];
        uint64_t last = 0;
        bool is_whole = true;
        for (; at < band->count && band->found[at].place == place; at++) {
            is_whole = is_whole && band->found[at].first == last + 1;
            last = band->found[at].last;
        }
        if (stream->is_known && (!is_whole || last != stream->merged)) {
            check_tell(band->log->checking, &band->log->checking->log_damages,
                       "stream %lld has a hole, or does not end with its entry %llu",
                       (long long)first_of(band) + (long long)place,
                       (unsigned long long)stream->merged);
        }
    }
}

static void check_band(struct band_check *band) {
    int64_t first = first_of(band), last = first + BAND_STREAMS - 1;
    int64_t number = (int64_t)band->number;
    for_each(band,
             band->log->checking->knows_rubbish
                 ? "SELECT id, merged_seq FROM stream WHERE id BETWEEN ?1 AND ?2 AND id NOT IN "
                   "(SELECT stream FROM rubbish_thread)"
                 : "SELECT id, merged_seq FROM stream WHERE id BETWEEN ?1 AND ?2",
             first, last, take_stream);
    for_each(band, "SELECT rows, last_bytes, streams FROM band WHERE band BETWEEN ?1 AND ?2",
             number, number, take_band);
    for_each(band, "SELECT stream, last_seq, positions FROM entry WHERE stream BETWEEN ?1 AND ?2",
             first, last, check_run);
    for_each(band, "SELECT place, groups FROM band_row WHERE place BETWEEN ?1 AND ?2",
             BAND_PLACE(number, 0), BAND_PLACE(number + 1, 0) - 1, check_groups);
    if (band->rows != band->band->rows || band->last_bytes != band->band->last_row_bytes)
        tell_band(band, "has other rows than it says");
    if (band->count > 0)
        qsort(band->found, band->count, sizeof *band->found, by_place);
    check_numbers(band);
}

static void check_streams(struct log_check *log) {
    struct band_check band = {.log = log, .band = malloc(sizeof *band.band)};
    int64_t last = check_number(log->checking, "SELECT max(id) FROM stream");
    size_t bands = last > 0 ? view_band_of(last) + 1 : 0;
    for (; band.band && band.number < bands; band.number++) {
        memset(band.band, 0, sizeof *band.band);
        band.count = band.rows = 0;
        band.last_bytes = 0;
        check_band(&band);
        check_progress(log->checking, "bands of streams", band.number + 1, bands);
    }
    free(band.found);
    free(band.band);
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
    log.find_file = check_prepare(checking, "SELECT 1 FROM file WHERE file = ?1 UNION ALL SELECT 1 "
                                            "WHERE NOT EXISTS (SELECT 1 FROM thread WHERE stream = "
                                            "?2)");
    if (log.find_row && log.find_run && log.find_file) {
        if (checking->knows_rubbish)
            log.find_stream = check_prepare(checking, "SELECT 1 FROM stream WHERE id = ?1");
        log.find_amended = check_prepare(checking, "SELECT last FROM amended WHERE original = ?1");
        check_rows(&log);
        check_streams(&log);
        if (check_number(checking, "SELECT count(*) FROM sqlite_schema WHERE name = 'amended'") > 0)
            check_amended(&log);
    }
    (void)sqlite3_finalize(log.find_file);
    (void)sqlite3_finalize(log.find_amended);
    (void)sqlite3_finalize(log.find_stream);
    (void)sqlite3_finalize(log.find_row);
    (void)sqlite3_finalize(log.find_run);
    free(log.fileless);
    free(log.bytes);
}
