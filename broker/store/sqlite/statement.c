/* The table of statements. Positional parameters mean the same as in the code that binds them. */
#include "statement.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

/* When an account was last seen, over presence p: an open session counts to the last sign of life.
 */
#define LAST_SEEN                                                                                  \
    "CASE p.online WHEN 1 THEN max(p.last_seen_us, (SELECT value FROM meta WHERE name = "          \
    "'alive_us')) ELSE coalesce(p.last_seen_us, 0) END"
#define ACCOUNT_COLUMNS                                                                            \
    "SELECT a.id, a.name, a.password_hash, a.admin, a.locked, a.created_us, " LAST_SEEN            \
    " FROM account a LEFT JOIN presence p ON p.account = a.id"

#define THREAD_COLUMNS                                                                             \
    "SELECT stream, id, title, creator, created_us, last_us, posts, uploads FROM thread"
#define FILE_COLUMNS                                                                               \
    "SELECT file, id, stream, name, uploader, size, hash, received, seq, time_us FROM file"

#define USE(column)                                                                                \
    "UPDATE account SET " column " = max(" column " + ?2, 0) WHERE id = ?1 AND (?3 = 0 OR " column \
    " + ?2 <= ?3)"

static const char *const sql[STATEMENT_COUNT] = {
    [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
    [STATEMENT_BEGIN_READ] = "BEGIN",
    [STATEMENT_COMMIT] = "COMMIT",

    [STATEMENT_META_GET] = "SELECT value FROM meta WHERE name = ?1",
    [STATEMENT_META_SET] = "UPDATE meta SET value = ?2 WHERE name = ?1",
    [STATEMENT_META_NEXT] = "UPDATE meta SET value = value + 1 WHERE name = ?1 RETURNING value",

    [STATEMENT_META_PUT] = "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)",

    [STATEMENT_STREAM_ADD] = "INSERT INTO stream (id, kind) VALUES (?1, ?2)",
    [STATEMENT_STREAM_GET] = "SELECT merged_seq, read_seq, read_all FROM stream WHERE id = ?1",
    [STATEMENT_STREAM_ALL] = "SELECT id, merged_seq, read_seq, read_all FROM stream",
    [STATEMENT_STREAM_CURSOR] = "UPDATE stream SET read_seq = ?2, read_all = ?3 WHERE id = ?1",

    [STATEMENT_STREAM_REMOVE] = "DELETE FROM stream WHERE id = ?1",

    [STATEMENT_LOG_APPEND] = "INSERT INTO log (last, count, entries) VALUES (?1, ?2, ?3)",
    [STATEMENT_LOG_ROW] =
        "SELECT last, count, entries FROM log WHERE last >= ?1 ORDER BY last LIMIT 1",
    [STATEMENT_LOG_CHANGE] = "UPDATE log SET entries = ?2 WHERE last = ?1",
    [STATEMENT_LOG_LAST] = "SELECT coalesce(max(last), 0) FROM log",
    [STATEMENT_ID_RUN] =
        "SELECT last_id, places FROM id_run WHERE last_id >= ?1 ORDER BY last_id LIMIT 1",
    [STATEMENT_ID_RUN_ADD] = "INSERT INTO id_run (last_id, places) VALUES (?1, ?2)",
    [STATEMENT_ID_RUN_REMOVE] = "DELETE FROM id_run WHERE last_id = ?1",
    [STATEMENT_ID_RUN_LAST] = "SELECT max(last_id) FROM id_run",
    [STATEMENT_ENTRY_ADD] = "INSERT INTO entry (stream, last_seq, positions) VALUES (?1, ?2, ?3)",
    [STATEMENT_ENTRY_RUNS] = "SELECT last_seq, positions FROM entry WHERE stream = ?1 AND last_seq "
                             "> ?2 ORDER BY last_seq",
    [STATEMENT_ENTRY_REMOVE] = "DELETE FROM entry WHERE stream = ?1",
    [STATEMENT_BAND_ALL] = "SELECT band, rows, last_bytes, streams FROM band",
    [STATEMENT_BAND_PUT] =
        "INSERT OR REPLACE INTO band (band, rows, last_bytes, streams) VALUES (?1, ?2, ?3, ?4)",
    [STATEMENT_BAND_ROW] = "SELECT groups FROM band_row WHERE place = ?1",
    [STATEMENT_BAND_ROW_PUT] = "INSERT OR REPLACE INTO band_row (place, groups) VALUES (?1, ?2)",

    [STATEMENT_POST_BYTES] = "SELECT post_bytes FROM account WHERE id = ?1",
    [STATEMENT_USE_POSTS] = USE("post_bytes"),
    [STATEMENT_USE_THREADS] = USE("threads"),
    [STATEMENT_USE_FILES] = USE("file_bytes"),

    [STATEMENT_ACCOUNT_ADD] = "INSERT INTO account (id, name, password_hash, admin, created_us) "
                              "VALUES (?1, ?2, ?3, ?4, ?5)",
    [STATEMENT_ACCOUNT_COUNTED] = "UPDATE meta SET value = value + 1 WHERE name = 'accounts'",
    [STATEMENT_ACCOUNT_ID] = "SELECT id FROM account WHERE name = ?1",
    [STATEMENT_ACCOUNT_NAME] = "SELECT name FROM account WHERE id = ?1",
    [STATEMENT_ACCOUNT_NAMES] = "SELECT id, name FROM account",
    [STATEMENT_ACCOUNT_BY_NAME] = ACCOUNT_COLUMNS " WHERE a.name = ?1",
    [STATEMENT_ACCOUNT_BY_ID] = ACCOUNT_COLUMNS " WHERE a.id = ?1",
    [STATEMENT_ACCOUNT_LIST] = ACCOUNT_COLUMNS " ORDER BY a.name",
    [STATEMENT_ACCOUNT_PASSWORD] = "UPDATE account SET password_hash = ?2 WHERE id = ?1 AND "
                                   "(?3 IS NULL OR password_hash = ?3)",
    [STATEMENT_ACCOUNT_ADMIN] = "UPDATE account SET admin = ?2 WHERE name = ?1",
    [STATEMENT_ACCOUNT_LOCKED] = "UPDATE account SET locked = ?2 WHERE name = ?1",
    [STATEMENT_ACCOUNT_DEVICE_NUMBER] =
        "UPDATE account SET devices = devices + 1 WHERE id = ?1 RETURNING devices",

    [STATEMENT_DEVICE_ADD] = "INSERT INTO device (account, device, key, label, trusted_us, "
                             "used_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [STATEMENT_DEVICE_BY_KEY] = "SELECT device FROM device WHERE account = ?1 AND key = ?2",
    [STATEMENT_DEVICE_COUNT] = "SELECT count(*) FROM device WHERE account = ?1",
    [STATEMENT_DEVICE_USED] = "UPDATE device SET used_us = ?3 WHERE account = ?1 AND device = ?2",
    [STATEMENT_DEVICE_LIST] = "SELECT device, label, key, trusted_us, used_us FROM device "
                              "WHERE account = ?1 ORDER BY device",
    [STATEMENT_DEVICE_KEY] = "SELECT key FROM device WHERE account = ?1 AND device = ?2",
    [STATEMENT_DEVICE_REMOVE] = "DELETE FROM device WHERE account = ?1 AND device = ?2",

    [STATEMENT_FAILURE_GET] = "SELECT failures, locked_until_us FROM login_failure WHERE name = ?1",
    [STATEMENT_FAILURE_SET] =
        "INSERT INTO login_failure (name, failures, locked_until_us, changed_us) VALUES (?1, ?2, "
        "?3, ?4) ON CONFLICT (name) DO UPDATE SET failures = excluded.failures, locked_until_us = "
        "excluded.locked_until_us, changed_us = excluded.changed_us",
    [STATEMENT_FAILURE_REMOVE] =
        "DELETE FROM login_failure WHERE name = (SELECT name FROM account WHERE id = ?1)",
    [STATEMENT_FAILURE_FORGET] = "DELETE FROM login_failure WHERE name = ?1",
    [STATEMENT_FAILURE_SHIFT] = "UPDATE login_failure SET locked_until_us = locked_until_us + ?2 "
                                "WHERE locked_until_us > ?1 - ?2",
    [STATEMENT_UPLOAD_SHIFT] = "UPDATE file SET chunk_us = chunk_us + ?1 WHERE seq = 0",
    [STATEMENT_UPLOAD_CLAMP] = "UPDATE file SET chunk_us = ?1 WHERE seq = 0 AND chunk_us > ?1",
    [STATEMENT_PRESENCE_CLAMP] = "UPDATE presence SET last_seen_us = ?1 WHERE last_seen_us > ?1",
    [STATEMENT_FAILURE_CLAMP] = "UPDATE login_failure SET changed_us = ?1 WHERE changed_us > ?1",
    [STATEMENT_FAILURE_COUNT] = "SELECT count(*) FROM login_failure",
    [STATEMENT_FAILURE_REMOVE_OLDEST] =
        "DELETE FROM login_failure WHERE name IN (SELECT name FROM login_failure WHERE name <> ?1 "
        "ORDER BY changed_us, name LIMIT ?2)",

    [STATEMENT_BLOCK_ALL] = "SELECT account, blocked FROM block",
    [STATEMENT_BLOCK_ADD] = "INSERT INTO block (account, blocked, since_us) VALUES (?1, ?2, ?3)",
    [STATEMENT_BLOCK_REMOVE] = "DELETE FROM block WHERE account = ?1 AND blocked = ?2",
    [STATEMENT_BLOCK_LIST] = "SELECT a.name FROM block b JOIN account a ON a.id = b.blocked "
                             "WHERE b.account = ?1 ORDER BY a.name",

    [STATEMENT_PRESENCE_BEGIN] =
        "INSERT INTO presence (account, online, last_seen_us) VALUES (?1, 1, ?2) ON CONFLICT "
        "(account) DO UPDATE SET online = 1, last_seen_us = excluded.last_seen_us",
    [STATEMENT_PRESENCE_END] =
        "INSERT INTO presence (account, online, last_seen_us) VALUES (?1, 0, ?2) ON CONFLICT "
        "(account) DO UPDATE SET online = 0, last_seen_us = excluded.last_seen_us",
    [STATEMENT_PRESENCE_CLOSE] =
        "UPDATE presence SET online = 0, last_seen_us = max(last_seen_us, (SELECT value FROM meta "
        "WHERE name = 'alive_us')) WHERE online = 1",
    [STATEMENT_PRESENCE_SINCE] =
        "SELECT p.account, a.name, p.last_seen_us FROM presence p JOIN account a ON a.id = "
        "p.account WHERE p.last_seen_us BETWEEN ?1 AND ?2 AND (p.last_seen_us < ?2 OR a.name > "
        "?3) AND p.online = 0 ORDER BY p.last_seen_us DESC, "
        "a.name",

    [STATEMENT_ID_TAKEN] =
        "SELECT EXISTS (SELECT 1 FROM thread WHERE id = ?1) OR EXISTS (SELECT 1 "
        "FROM file WHERE id = ?1) OR EXISTS (SELECT 1 FROM removed_thread WHERE id = ?1)",
    [STATEMENT_ID_OTHERS_LAST] = "SELECT max(coalesce((SELECT max(id) FROM thread), x''), "
                                 "coalesce((SELECT max(id) FROM file), x''), "
                                 "coalesce((SELECT max(id) FROM removed_thread), x''))",
    [STATEMENT_THREAD_ADD] = "INSERT INTO thread (stream, id, title, creator, created_us, last_us, "
                             "look, folded) VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7)",
    [STATEMENT_THREAD_ALIKE] = "SELECT title FROM thread WHERE look = ?1 AND folded < ?2 UNION ALL "
                               "SELECT title FROM thread WHERE look = ?1 AND folded > ?2 LIMIT 1",
    [STATEMENT_THREAD_BY_TITLE] = THREAD_COLUMNS " WHERE title = ?1",
    [STATEMENT_THREAD_BY_ID] = THREAD_COLUMNS " WHERE id = ?1",
    [STATEMENT_THREAD_BY_STREAM] = THREAD_COLUMNS " WHERE stream = ?1",
    [STATEMENT_THREAD_LIST] = THREAD_COLUMNS " WHERE title > ?1 ORDER BY title",
    [STATEMENT_THREAD_CHANGED] =
        "UPDATE thread SET posts = ?2, uploads = ?3, last_us = ?4 WHERE stream = ?1",
    [STATEMENT_THREAD_KEEP_ID] =
        "INSERT INTO removed_thread (id) SELECT id FROM thread WHERE stream = ?1",
    [STATEMENT_THREAD_REMOVE] = "DELETE FROM thread WHERE stream = ?1",

    [STATEMENT_POST_ADD] = "INSERT INTO post (stream, seq, pos, text_pos) VALUES (?1, ?2, ?3, ?3)",
    [STATEMENT_POST_AT] = "SELECT edited_us FROM post WHERE stream = ?1 AND seq = ?2",
    [STATEMENT_POST_EDITED] =
        "UPDATE post SET text_pos = ?3, edited_us = ?4 WHERE stream = ?1 AND seq = ?2",
    [STATEMENT_POST_REMOVE] = "DELETE FROM post WHERE stream = ?1 AND seq = ?2",
    [STATEMENT_POST_REMOVE_ALL] = "DELETE FROM post WHERE stream = ?1",
    [STATEMENT_POST_READ] = "SELECT seq, edited_us, pos, text_pos FROM post WHERE stream = ?1 AND "
                            "seq > ?2 ORDER BY seq",
    [STATEMENT_POST_NUMBER] =
        "SELECT (SELECT coalesce(sum(posts), 0) FROM post_block WHERE stream = ?1 AND block < ?2) "
        "+ "
        "(SELECT count(*) FROM post WHERE stream = ?1 AND seq BETWEEN ?3 AND ?4)",
    [STATEMENT_POST_NTH] =
        "SELECT pos FROM post WHERE stream = ?1 AND seq >= ?2 ORDER BY seq LIMIT "
        "1 OFFSET ?3",
    [STATEMENT_POST_BLOCK_ADD] =
        "INSERT INTO post_block (stream, block, posts) VALUES (?1, ?2, ?3) ON CONFLICT (stream, "
        "block) DO UPDATE SET posts = posts + excluded.posts",
    [STATEMENT_POST_BLOCK_LIST] =
        "SELECT block, posts FROM post_block WHERE stream = ?1 ORDER BY block",
    [STATEMENT_POST_BLOCK_REMOVE_ALL] = "DELETE FROM post_block WHERE stream = ?1",

    [STATEMENT_FILE_ADD] =
        "INSERT INTO file (file, id, stream, name, uploader, size, hash, received, hash_state, "
        "time_us, chunk_us, look, folded) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, ?9, ?9, ?10, ?11)",
    [STATEMENT_FILE_ALIKE] =
        "SELECT name FROM file WHERE stream = ?3 AND look = ?1 AND folded < ?2 UNION ALL "
        "SELECT name FROM file WHERE stream = ?3 AND look = ?1 AND folded > ?2 LIMIT 1",
    [STATEMENT_FILE_BY_ID] = FILE_COLUMNS " WHERE id = ?1",
    [STATEMENT_FILE_BY_NAME] = FILE_COLUMNS " WHERE stream = ?1 AND name = ?2",
    [STATEMENT_FILE_BY_NUMBER] = FILE_COLUMNS " WHERE file = ?1",
    [STATEMENT_FILE_STATE] = "SELECT hash_state, hashed FROM file WHERE file = ?1",
    [STATEMENT_FILE_TAKEN_OVER] = "UPDATE file SET id = ?2, size = ?3, hash = ?4, time_us = ?5, "
                                  "chunk_us = ?5 WHERE file = ?1",
    [STATEMENT_FILE_HASH] = "UPDATE file SET hash = ?2 WHERE file = ?1",
    [STATEMENT_FILE_RECEIVED] = "UPDATE file SET received = ?2, hash_state = ?3, hashed = ?4, "
                                "chunk_us = ?5 WHERE file = ?1",
    [STATEMENT_FILE_COMPLETE] = "UPDATE file SET received = size, hash_state = NULL, seq = ?2, "
                                "time_us = ?3, hash = ?4 WHERE file = ?1",
    [STATEMENT_FILE_READ] = FILE_COLUMNS " WHERE stream = ?1 AND seq > 0 AND seq > ?2 ORDER BY seq",
    [STATEMENT_FILE_OF_STREAM] = FILE_COLUMNS " WHERE stream = ?1 LIMIT 1",
    [STATEMENT_FILE_EXPIRED] = FILE_COLUMNS
    " WHERE seq = 0 AND chunk_us < ?2 AND (received = 0 OR chunk_us < ?1) ORDER BY "
    "chunk_us LIMIT 1",
    [STATEMENT_FILE_REMOVE] = "DELETE FROM file WHERE file = ?1",
    [STATEMENT_FILE_AWAITED] = "SELECT coalesce(sum(size - received), 0) FROM file WHERE seq = 0",
    [STATEMENT_FILE_BYTES] = "SELECT coalesce(sum(size), 0) FROM file",

    [STATEMENT_PIECE_ADD] = "INSERT INTO piece (place, bytes) VALUES (?1, ?2)",
    [STATEMENT_PIECE_ADD_ZEROS] = "INSERT INTO piece (place, bytes) VALUES (?1, zeroblob(?2))",
    [STATEMENT_PIECE_REMOVE_ALL] = "DELETE FROM piece WHERE place BETWEEN ?1 AND ?2",
    [STATEMENT_PIECE_SLOT_ADD] = "INSERT INTO piece_slot (place, slot, sums) VALUES (?1, ?2, ?3)",
    [STATEMENT_PIECE_SLOT_GET] = "SELECT slot, sums FROM piece_slot WHERE place = ?1",
    [STATEMENT_PIECE_SLOT_ALL] = "SELECT slot FROM piece_slot",
    [STATEMENT_PIECE_SLOT_REMOVE_ALL] =
        "DELETE FROM piece_slot WHERE place BETWEEN ?1 AND ?2 RETURNING slot",

    [STATEMENT_FOLLOW_ADD] = "INSERT INTO follow (account, stream, cursor) VALUES (?1, ?2, ?3)",
    [STATEMENT_FOLLOW_GET] = "SELECT cursor FROM follow WHERE account = ?1 AND stream = ?2",
    [STATEMENT_FOLLOW_COUNT] = "SELECT count(*) FROM follow WHERE account = ?1",
    [STATEMENT_FOLLOW_MOVE] = "UPDATE follow SET cursor = ?3 WHERE account = ?1 AND stream = ?2",
    [STATEMENT_FOLLOW_LIST] =
        "SELECT t.stream, t.id, t.title, f.cursor FROM follow f CROSS JOIN "
        "thread t ON t.stream = f.stream WHERE f.account = ?1 ORDER BY t.title",
    [STATEMENT_FOLLOW_REMOVE] = "DELETE FROM follow WHERE account = ?1 AND stream = ?2",
    [STATEMENT_FOLLOW_REMOVE_ALL] = "DELETE FROM follow WHERE stream = ?1",
};

int statement_prepare_all(sqlite3 *db, sqlite3_stmt *statements[STATEMENT_COUNT]) {
    for (int i = 0; i < STATEMENT_COUNT; i++) {
        assert(sql[i]);
        int code =
            sqlite3_prepare_v3(db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &statements[i], NULL);
        if (code != SQLITE_OK)
            return code;
    }
    return SQLITE_OK;
}

void statement_finalize_all(sqlite3_stmt *statements[STATEMENT_COUNT]) {
    for (int i = 0; i < STATEMENT_COUNT; i++) {
        /* What it returns is the error of its last step, which was handled then. */
        (void)sqlite3_finalize(statements[i]);
        statements[i] = NULL;
    }
}

void bind_null(sqlite3_stmt *statement, int parameter) {
    int code = sqlite3_bind_null(statement, parameter);
    assert(code == SQLITE_OK);
    (void)code;
}

void bind_number(sqlite3_stmt *statement, int parameter, int64_t value) {
    int code = sqlite3_bind_int64(statement, parameter, value);
    assert(code == SQLITE_OK);
    (void)code;
}

void bind_text(sqlite3_stmt *statement, int parameter, const char *text) {
    bind_text_bytes(statement, parameter, text, strlen(text));
}

void bind_text_bytes(sqlite3_stmt *statement, int parameter, const char *text, size_t text_bytes) {
    assert(text_bytes <= INT32_MAX);
    int code = sqlite3_bind_text(statement, parameter, text, (int)text_bytes, SQLITE_STATIC);
    assert(code == SQLITE_OK);
    (void)code;
}

void bind_blob(sqlite3_stmt *statement, int parameter, const void *blob, size_t blob_bytes) {
    assert(blob_bytes <= INT32_MAX);
    int code = sqlite3_bind_blob(statement, parameter, blob, (int)blob_bytes, SQLITE_STATIC);
    assert(code == SQLITE_OK);
    (void)code;
}

uint64_t column_count(sqlite3_stmt *statement, int column) {
    int64_t value = sqlite3_column_int64(statement, column);
    return value < 0 ? 0 : (uint64_t)value;
}

void column_text(sqlite3_stmt *statement, int column, char *out, size_t out_bytes) {
    const unsigned char *text = sqlite3_column_text(statement, column);
    size_t bytes = !text ? 0 : (size_t)sqlite3_column_bytes(statement, column);
    if (bytes >= out_bytes)
        bytes = out_bytes - 1;
    if (bytes > 0)
        memcpy(out, text, bytes);
    out[bytes] = '\0';
}

bool column_blob(sqlite3_stmt *statement, int column, void *out, size_t out_bytes) {
    const void *blob = sqlite3_column_blob(statement, column);
    if (!blob || (size_t)sqlite3_column_bytes(statement, column) != out_bytes)
        return false;
    memcpy(out, blob, out_bytes);
    return true;
}
