/* See old.h. The old database is made beside the new one, by a plain SQLite. */
#include "old.h"

#include "sqlite/index_row.h"
#include "sqlite/inside.h"
#include "sqlite/log_row.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern const char schema_0001[];
extern const char schema_0002[];
extern const char schema_0003[];
extern const char schema_0004[];
extern const char schema_0005[];
extern const char schema_0006[];

static void execute(sqlite3 *db, const char *sql) {
    char *error = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s: %s", sql, error);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql) {
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    return statement;
}

static void make_tables(sqlite3 *db) {
    static const char *const schemas[] = {schema_0001, schema_0002, schema_0003,
                                          schema_0004, schema_0005, schema_0006};
    assert_true(title_functions(db));
    for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++)
        execute(db, schemas[i]);
    execute(db, "PRAGMA application_id = 2053335156; PRAGMA user_version = 6");
}

static void copy_tables(sqlite3 *db) {
    sqlite3_stmt *names = prepare(
        db, "SELECT printf('DELETE FROM main.%s; INSERT INTO main.%s (%s) SELECT %s FROM now.%s',"
            " name, name, columns, columns, name) FROM (SELECT name, (SELECT group_concat(name, "
            "', ') FROM pragma_table_info(t.name, 'main')) AS columns FROM main.sqlite_schema t"
            " WHERE type = 'table' AND name <> 'log')");
    char copies[32][1024];
    size_t count = 0;
    while (sqlite3_step(names) == SQLITE_ROW) {
        assert_true(count < 32);
        (void)snprintf(copies[count++], sizeof copies[0], "%s", sqlite3_column_text(names, 0));
    }
    assert_int_equal(sqlite3_finalize(names), SQLITE_OK);
    for (size_t i = 0; i < count; i++)
        execute(db, copies[i]);
    execute(db, "DELETE FROM meta WHERE name IN ('ids', 'posted')");
}

static void add_entry(sqlite3_stmt *add, int64_t position, const struct log_entry *entry) {
    int64_t numbers[] = {position, entry->kind, entry->time_us, entry->author, entry->stream};
    for (int i = 0; i < 5; i++)
        (void)sqlite3_bind_int64(add, 1 + i, numbers[i]);
    (void)sqlite3_bind_int64(add, 6, (int64_t)entry->seq);
    (void)sqlite3_bind_int64(add, 7, entry->author);
    (void)sqlite3_bind_int64(add, 8, (int64_t)entry->second);
    if (entry->kind != LOG_MESSAGE)
        (void)sqlite3_bind_null(add, 7);
    if (entry->kind == LOG_POSTED)
        (void)sqlite3_bind_null(add, 8);
    (void)sqlite3_bind_int(add, 9, entry->delivered);
    (void)sqlite3_bind_blob(add, 10, entry->id, ID_BYTES, SQLITE_STATIC);
    (void)sqlite3_bind_text(add, 11, entry->text, (int)entry->text_bytes, SQLITE_STATIC);
    assert_int_equal(sqlite3_step(add), SQLITE_DONE);
    (void)sqlite3_reset(add);
}

static void copy_row(sqlite3_stmt *row, sqlite3_stmt *add) {
    int64_t count = sqlite3_column_int64(row, 1);
    struct log_row packed = {.first = sqlite3_column_int64(row, 0) - count + 1,
                             .count = (size_t)count,
                             .bytes = sqlite3_column_blob(row, 2),
                             .length = (size_t)sqlite3_column_bytes(row, 2)};
    for (int64_t i = 0; i < count; i++) {
        struct log_entry entry;
        log_row_read(&packed, packed.first + i, &entry);
        assert_int_not_equal(entry.kind, LOG_LOST);
        if (entry.id)
            add_entry(add, packed.first + i, &entry);
    }
}

static void copy_log(sqlite3 *db) {
    sqlite3_stmt *rows = prepare(db, "SELECT last, count, entries FROM now.log ORDER BY last");
    sqlite3_stmt *add = prepare(db, "INSERT INTO main.log (pos, kind, time_us, author, stream_a,"
                                    " seq_a, stream_b, seq_b, delivered, id, body)"
                                    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
    while (sqlite3_step(rows) == SQLITE_ROW)
        copy_row(rows, add);
    assert_int_equal(sqlite3_finalize(rows), SQLITE_OK);
    assert_int_equal(sqlite3_finalize(add), SQLITE_OK);
}

/* ---- bands: what they have was in the streams' own rows ---- */

static struct view *read_streams(sqlite3 *db) {
    struct view *view = view_new();
    assert_non_null(view);
    sqlite3_stmt *rows = prepare(db, "SELECT id, merged_seq, read_seq, read_all FROM main.stream");
    while (sqlite3_step(rows) == SQLITE_ROW) {
        assert_non_null(
            view_add(view, sqlite3_column_int64(rows, 0), (uint64_t)sqlite3_column_int64(rows, 1),
                     (uint64_t)sqlite3_column_int64(rows, 2), sqlite3_column_int(rows, 3) != 0));
    }
    assert_int_equal(sqlite3_finalize(rows), SQLITE_OK);
    return view;
}

static void write_stream(sqlite3_stmt *set, const struct stream *stream) {
    (void)sqlite3_bind_int64(set, 1, stream->id);
    (void)sqlite3_bind_int64(set, 2, (int64_t)stream->merged);
    (void)sqlite3_bind_int64(set, 3, (int64_t)stream->cursor);
    (void)sqlite3_bind_int(set, 4, stream->cursor_follows);
    assert_int_equal(sqlite3_step(set), SQLITE_DONE);
    (void)sqlite3_reset(set);
}

static void copy_streams(sqlite3 *db, const struct view *view) {
    sqlite3_stmt *bands = prepare(db, "SELECT band, streams FROM now.band");
    sqlite3_stmt *set = prepare(db, "UPDATE main.stream SET merged_seq = ?2, read_seq = ?3, "
                                    "read_all = ?4 WHERE id = ?1");
    while (sqlite3_step(bands) == SQLITE_ROW) {
        struct band *band = view_band(view, (size_t)sqlite3_column_int64(bands, 0));
        if (band) {
            assert_true(band_read(sqlite3_column_blob(bands, 1),
                                  (size_t)sqlite3_column_bytes(bands, 1), band));
        }
        for (size_t i = 0; band && i < BAND_STREAMS; i++)
            if (band->streams[i].is_known)
                write_stream(set, &band->streams[i]);
    }
    assert_int_equal(sqlite3_finalize(bands), SQLITE_OK);
    assert_int_equal(sqlite3_finalize(set), SQLITE_OK);
}

static void write_group(sqlite3_stmt *add, int64_t stream, const struct group *group) {
    unsigned char run[GROUP_ENTRIES_MAX * RUN_ENTRY_BYTES];
    for (size_t i = 0; i < group->count; i++)
        run_put(run, i, group->positions[i]);
    (void)sqlite3_bind_int64(add, 1, stream);
    (void)sqlite3_bind_int64(add, 2, (int64_t)(group->first + group->count - 1));
    (void)sqlite3_bind_blob(add, 3, run, (int)(group->count * RUN_ENTRY_BYTES), SQLITE_STATIC);
    assert_int_equal(sqlite3_step(add), SQLITE_DONE);
    (void)sqlite3_reset(add);
}

static void copy_groups(sqlite3 *db, const struct view *view) {
    sqlite3_stmt *rows = prepare(db, "SELECT place >> 24, groups FROM now.band_row");
    sqlite3_stmt *add = prepare(db, "INSERT INTO main.entry VALUES (?1, ?2, ?3)");
    while (sqlite3_step(rows) == SQLITE_ROW) {
        int64_t first = sqlite3_column_int64(rows, 0) * BAND_STREAMS + 1;
        size_t at = 0;
        struct group group;
        while (group_read(sqlite3_column_blob(rows, 1), (size_t)sqlite3_column_bytes(rows, 1), &at,
                          &group))
            if (view_find(view, first + (int64_t)group.place))
                write_group(add, first + (int64_t)group.place, &group);
    }
    assert_int_equal(sqlite3_finalize(rows), SQLITE_OK);
    assert_int_equal(sqlite3_finalize(add), SQLITE_OK);
}

static void copy_bands(sqlite3 *db) {
    struct view *view = read_streams(db);
    copy_streams(db, view);
    copy_groups(db, view);
    view_free(view);
}

void old_make(struct fixture *fixture) {
    char path[FIXTURE_PATH_BYTES + 8];
    char attach[2 * FIXTURE_PATH_BYTES];
    sqlite3 *db = NULL;
    fixture_open(fixture);
    forum_write_rows(fixture);
    fixture_close(fixture);
    (void)snprintf(path, sizeof path, "%s-old", fixture->path);
    (void)snprintf(attach, sizeof attach, "ATTACH '%s' AS now; BEGIN", fixture->path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    make_tables(db);
    execute(db, attach);
    copy_tables(db);
    copy_log(db);
    copy_bands(db);
    execute(db, "COMMIT");
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(rename(path, fixture->path), 0);
    (void)snprintf(path, sizeof path, "%s-head", fixture->path);
    assert_int_equal(unlink(path), 0); /* there was none */
}
