/* The part of store_check about what removals left (schema/0013.sql): it is no damage if it is
 * noted as such; but nothing may be left of a thread or file that neither exists nor is noted as
 * removed. */
#include "check.h"

/* The numbers in a table's column, each once: found by steps in the index that begins with that
 * column. */
#define EACH(column, table)                                                                        \
    "WITH RECURSIVE each(x) AS (SELECT min(" column ") FROM " table " UNION ALL SELECT (SELECT "   \
    "min(" column ") FROM " table " WHERE " column                                                 \
    " > x) FROM each WHERE x IS NOT NULL) SELECT x FROM each WHERE x IS NOT NULL AND "
#define EACH_FILE(table)                                                                           \
    "WITH RECURSIVE each(x) AS (SELECT min(place) >> 20 FROM " table                               \
    " UNION ALL SELECT (SELECT min(place) >> 20 FROM " table                                       \
    " WHERE place >= (x + 1) << 20) FROM each WHERE x IS NOT NULL) SELECT x FROM each WHERE x IS " \
    "NOT NULL AND x NOT IN (SELECT file FROM file) AND x NOT IN (SELECT file FROM rubbish_file)"
#define IS_NO_THREAD(stream)                                                                       \
    stream " NOT IN (SELECT stream FROM thread) AND " stream                                       \
           " NOT IN (SELECT stream FROM rubbish_thread)"

/* In a store that is whole the query finds nothing. */
struct remains {
    const char *what;
    const char *of;
    const char *sql; /* the numbers of the latter */
};

static const struct remains all_remains[] = {
    {"a stream", "thread", "SELECT id FROM stream WHERE kind = 2 AND " IS_NO_THREAD("id")},
    {"posts", "thread", EACH("stream", "post") IS_NO_THREAD("x")},
    {"counts of posts", "thread", EACH("stream", "post_block") IS_NO_THREAD("x")},
    {"followers", "thread", EACH("stream", "follow") IS_NO_THREAD("x")},
    {"files", "thread", EACH("stream", "file") IS_NO_THREAD("x")},
    {"entries", "stream", EACH("stream", "entry") "x NOT IN (SELECT id FROM stream)"},
    {"pieces", "file", EACH_FILE("piece")},
    {"pieces in slots", "file", EACH_FILE("piece_slot")},
};

static void check_remains(struct checking *checking, const struct remains *remains) {
    sqlite3_stmt *find = check_prepare(checking, remains->sql);
    int code = find ? SQLITE_DONE : SQLITE_CORRUPT;
    while (find && (code = sqlite3_step(find)) == SQLITE_ROW) {
        check_tell(checking, &checking->rubbish_damages,
                   "there are %s of %s %lld, which is neither there nor noted as removed",
                   remains->what, remains->of, (long long)sqlite3_column_int64(find, 0));
    }
    (void)check_end(checking, "what removals left", find, code);
}

/* Nothing else has a removed thread's stream or a removed file's number. */
static void check_noted(struct checking *checking, const char *what, const char *sql) {
    int64_t number = check_number(checking, sql);
    if (number > 0) {
        check_tell(checking, &checking->rubbish_damages, "%s %lld is there, and noted as removed",
                   what, (long long)number);
    }
}

void sqlite_check_rubbish(struct checking *checking) {
    if (!checking->knows_rubbish)
        return;
    checking->check->removed_threads =
        (uint64_t)check_number(checking, "SELECT count(*) FROM rubbish_thread");
    checking->check->removed_files =
        (uint64_t)check_number(checking, "SELECT count(*) FROM rubbish_file");
    for (size_t i = 0; i < sizeof all_remains / sizeof all_remains[0]; i++)
        check_remains(checking, &all_remains[i]);
    check_noted(checking, "thread",
                "SELECT min(stream) FROM rubbish_thread WHERE stream IN (SELECT stream FROM "
                "thread)");
    check_noted(checking, "file",
                "SELECT min(file) FROM rubbish_file WHERE file IN (SELECT file FROM file)");
}
