/* All SQL statements of the store except pragmas and migrations, prepared once. The text of each is
 * in the file that binds it. */
#ifndef SQLITE_STATEMENT_H
#define SQLITE_STATEMENT_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum statement {
    STATEMENT_BEGIN,
    STATEMENT_BEGIN_READ,
    STATEMENT_COMMIT,
    STATEMENT_SAVEPOINT,
    STATEMENT_ROLL_BACK_TO,
    STATEMENT_RELEASE,

    STATEMENT_META_GET,
    STATEMENT_META_SET,
    STATEMENT_META_NEXT,
    STATEMENT_META_PUT,

    STATEMENT_STREAM_ADD,
    STATEMENT_STREAM_GET,
    STATEMENT_STREAM_ALL,
    STATEMENT_STREAM_CURSOR,
    STATEMENT_STREAM_REMOVE,

    STATEMENT_LOG_APPEND,
    STATEMENT_LOG_ROW,
    STATEMENT_LOG_CHANGE,
    STATEMENT_LOG_LAST,
    STATEMENT_ID_RUN,
    STATEMENT_ID_RUN_ADD,
    STATEMENT_ID_RUN_REMOVE,
    STATEMENT_ID_RUN_LAST,
    STATEMENT_AMENDED_FIND,
    STATEMENT_AMENDED_NOTE,
    STATEMENT_ENTRY_ADD,
    STATEMENT_ENTRY_RUNS,
    STATEMENT_ENTRY_REMOVE_UP_TO,
    STATEMENT_BAND_ALL,
    STATEMENT_BAND_PUT,
    STATEMENT_BAND_ROW,
    STATEMENT_BAND_ROW_PUT,

    STATEMENT_POST_BYTES,
    STATEMENT_USE_POSTS,
    STATEMENT_USE_THREADS,
    STATEMENT_USE_FILES,

    STATEMENT_ACCOUNT_ADD,
    STATEMENT_ACCOUNT_COUNTED,
    STATEMENT_ACCOUNT_ID,
    STATEMENT_ACCOUNT_NAME,
    STATEMENT_ACCOUNT_NAMES,
    STATEMENT_ACCOUNT_BY_NAME,
    STATEMENT_ACCOUNT_BY_ID,
    STATEMENT_ACCOUNT_LIST,
    STATEMENT_ACCOUNT_PASSWORD,
    STATEMENT_ACCOUNT_LOCKED,
    STATEMENT_ACCOUNT_RECEIPTS,
    STATEMENT_ACCOUNT_ADMIN,
    STATEMENT_ACCOUNT_DEVICE_NUMBER,

    STATEMENT_DEVICE_ADD,
    STATEMENT_DEVICE_BY_KEY,
    STATEMENT_DEVICE_COUNT,
    STATEMENT_DEVICE_USED,
    STATEMENT_DEVICE_LIST,
    STATEMENT_DEVICE_KEY,
    STATEMENT_DEVICE_REMOVE,

    STATEMENT_FAILURE_GET,
    STATEMENT_FAILURE_SET,
    STATEMENT_FAILURE_REMOVE,
    STATEMENT_FAILURE_FORGET,
    STATEMENT_FAILURE_CLAMP,
    STATEMENT_FAILURE_SHIFT,
    STATEMENT_UPLOAD_SHIFT,
    STATEMENT_UPLOAD_CLAMP,
    STATEMENT_PRESENCE_CLAMP,
    STATEMENT_FAILURE_COUNT,
    STATEMENT_FAILURE_REMOVE_OLDEST,

    STATEMENT_BLOCK_ALL,
    STATEMENT_BLOCK_ADD,
    STATEMENT_BLOCK_REMOVE,
    STATEMENT_BLOCK_LIST,

    STATEMENT_PRESENCE_BEGIN,
    STATEMENT_PRESENCE_END,
    STATEMENT_PRESENCE_CLOSE,
    STATEMENT_PRESENCE_SINCE,

    STATEMENT_ID_TAKEN,
    STATEMENT_ID_OTHERS_LAST,
    STATEMENT_THREAD_ADD,
    STATEMENT_THREAD_ALIKE,
    STATEMENT_THREAD_BY_TITLE,
    STATEMENT_THREAD_BY_ID,
    STATEMENT_THREAD_BY_STREAM,
    STATEMENT_THREAD_LIST,
    STATEMENT_THREAD_CHANGED,
    STATEMENT_THREAD_KEEP_ID,
    STATEMENT_THREAD_REMOVE,

    STATEMENT_POST_ADD,
    STATEMENT_POST_AT,
    STATEMENT_POST_TEXT,
    STATEMENT_POST_EDITED,
    STATEMENT_POST_REMOVE,
    STATEMENT_POST_REMOVE_UP_TO,
    STATEMENT_POST_READ,
    STATEMENT_POST_NUMBER,
    STATEMENT_POST_NTH,
    STATEMENT_POST_BLOCK_ADD,
    STATEMENT_POST_BLOCK_LIST,
    STATEMENT_POST_BLOCK_REMOVE_BEFORE,

    STATEMENT_FILE_ADD,
    STATEMENT_FILE_ALIKE,
    STATEMENT_FILE_BY_ID,
    STATEMENT_FILE_BY_NAME,
    STATEMENT_FILE_BY_NUMBER,
    STATEMENT_FILE_STATE,
    STATEMENT_FILE_HASH,
    STATEMENT_FILE_TAKEN_OVER,
    STATEMENT_FILE_RECEIVED,
    STATEMENT_FILE_COMPLETE,
    STATEMENT_FILE_READ,
    STATEMENT_FILE_OF_STREAM,
    STATEMENT_FILE_EXPIRED,
    STATEMENT_FILE_REMOVE,
    STATEMENT_FILE_NUMBER,
    STATEMENT_FILE_BYTES,
    STATEMENT_FILE_AWAITED,

    STATEMENT_PIECE_ADD,
    STATEMENT_PIECE_ADD_ZEROS,
    STATEMENT_PIECE_REMOVE_SOME,
    STATEMENT_PIECE_SLOT_ADD,
    STATEMENT_PIECE_SLOT_GET,
    STATEMENT_PIECE_SLOT_ALL,
    STATEMENT_PIECE_SLOT_REMOVE_SOME,

    STATEMENT_FOLLOW_ADD,
    STATEMENT_FOLLOW_GET,
    STATEMENT_FOLLOW_COUNT,
    STATEMENT_FOLLOW_MOVE,
    STATEMENT_FOLLOW_LIST,
    STATEMENT_FOLLOW_REMOVE,
    STATEMENT_FOLLOW_REMOVE_SOME,

    STATEMENT_RUBBISH_THREAD_ADD,
    STATEMENT_RUBBISH_THREAD_ALL,
    STATEMENT_RUBBISH_THREAD_FIRST,
    STATEMENT_RUBBISH_THREAD_GONE,
    STATEMENT_RUBBISH_THREAD_REMOVE,
    STATEMENT_RUBBISH_FILE_ADD,
    STATEMENT_RUBBISH_FILE_FIRST,
    STATEMENT_RUBBISH_FILE_REMOVE,

    STATEMENT_COUNT
};

/* Its text. Each file has a table of those that it binds, which a row without a text ends. */
struct statement_text {
    enum statement statement;
    const char *sql;
};

extern const struct statement_text account_statements[], amended_statements[], band_statements[],
    block_statements[], device_statements[], file_statements[], follow_statements[],
    fresh_statements[], id_statements[], inbox_statements[], log_statements[], login_statements[],
    merge_statements[], number_statements[], open_statements[], piece_statements[],
    post_statements[], presence_statements[], rubbish_statements[], search_statements[],
    thread_statements[], thread_read_statements[], transaction_statements[], upload_statements[],
    usage_statements[], walk_statements[];

/* SQLITE_OK, or the error of the first one that can't be prepared; even then statement_finalize_all
 * must follow. */
int statement_prepare_all(sqlite3 *db, sqlite3_stmt *statements[STATEMENT_COUNT]);
void statement_finalize_all(sqlite3_stmt *statements[STATEMENT_COUNT]);

/* Parameters, numbered from 1. Text and blobs are not copied: they must live until the statement is
 * reset. So nothing can fail except by our own mistake. */
void bind_null(sqlite3_stmt *statement, int parameter);
void bind_number(sqlite3_stmt *statement, int parameter, int64_t value);
void bind_text(sqlite3_stmt *statement, int parameter, const char *text);
void bind_text_bytes(sqlite3_stmt *statement, int parameter, const char *text, size_t text_bytes);
void bind_blob(sqlite3_stmt *statement, int parameter, const void *blob, size_t blob_bytes);

/* Columns, numbered from 0. Text is cut to fit. */
uint64_t column_count(sqlite3_stmt *statement, int column);
void column_text(sqlite3_stmt *statement, int column, char *out, size_t out_bytes);
/* false: the column is not a blob of exactly that many bytes. */
bool column_blob(sqlite3_stmt *statement, int column, void *out, size_t out_bytes);

#endif
