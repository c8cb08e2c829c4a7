/* See statement.h. */
#include "statement.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

static const struct statement_text *const tables[] = {
    account_statements, amended_statements,     band_statements,        block_statements,
    device_statements,  file_statements,        follow_statements,      fresh_statements,
    id_statements,      inbox_statements,       log_statements,         login_statements,
    merge_statements,   number_statements,      open_statements,        piece_statements,
    post_statements,    presence_statements,    rubbish_statements,     search_statements,
    thread_statements,  thread_read_statements, transaction_statements, upload_statements,
    usage_statements,   walk_statements};

static int prepare_table(sqlite3 *db, const struct statement_text *text,
                         sqlite3_stmt *statements[STATEMENT_COUNT]) {
    int code = SQLITE_OK;
    for (; code == SQLITE_OK && text->sql; text++) {
        sqlite3_stmt **statement = &statements[text->statement];
        assert(!*statement);
        code = sqlite3_prepare_v3(db, text->sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
    }
    return code;
}

int statement_prepare_all(sqlite3 *db, sqlite3_stmt *statements[STATEMENT_COUNT]) {
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        int code = prepare_table(db, tables[i], statements);
        if (code != SQLITE_OK)
            return code;
    }
    for (int i = 0; i < STATEMENT_COUNT; i++)
        assert(statements[i]);
    return SQLITE_OK;
}

void statement_finalize_all(sqlite3_stmt *statements[STATEMENT_COUNT]) {
    for (int i = 0; i < STATEMENT_COUNT; i++) {
        /* It returns the error of the last step, which was handled then. */
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
