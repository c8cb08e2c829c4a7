/* What a clock that was set does to the times in the store. Times that people are told stay as they
 * are, but for those of the future; what ends some time after another follows the clock. */
#include "inside.h"

#define TOPICS_META "topics_head"

static enum store_status run_with(struct store *store, enum statement statement, int64_t first,
                                  int64_t second) {
    sqlite3_stmt *run = store->statements[statement];
    bind_number(run, 1, first);
    if (sqlite3_bind_parameter_count(run) > 1)
        bind_number(run, 2, second);
    return sqlite_run(store, run);
}

/* When the last broker said that it lives: what its open sessions end at. */
static enum store_status clamp_alive(struct store *store, int64_t now_us) {
    int64_t alive_us = 0;
    enum store_status status = sqlite_meta(store, "alive_us", &alive_us);
    return status == STORE_OK && alive_us > now_us ? sqlite_meta_set(store, "alive_us", now_us)
                                                   : status;
}

enum store_status store_clock_set(struct store *store, int64_t now_us, int64_t by_us) {
    sqlite_notes_clamp(store, now_us);
    enum store_status status = store->failed ? STORE_FAILED : sqlite_write(store);
    if (status == STORE_OK && by_us != 0)
        status = run_with(store, STATEMENT_FAILURE_SHIFT, now_us, by_us);
    if (status == STORE_OK && by_us != 0)
        status = run_with(store, STATEMENT_UPLOAD_SHIFT, by_us, 0);
    if (status == STORE_OK)
        status = run_with(store, STATEMENT_UPLOAD_CLAMP, now_us, 0);
    if (status == STORE_OK)
        status = run_with(store, STATEMENT_FAILURE_CLAMP, now_us, 0);
    if (status == STORE_OK)
        status = clamp_alive(store, now_us);
    return status == STORE_OK ? run_with(store, STATEMENT_PRESENCE_CLAMP, now_us, 0) : status;
}

enum store_status store_topics_state(struct store *store, uint64_t *head) {
    sqlite3_stmt *get = store->statements[STATEMENT_META_GET];
    int64_t value = 0;
    bind_text(get, 1, TOPICS_META);
    enum store_status status = store->failed ? STORE_FAILED : sqlite_number(store, get, &value);
    *head = (uint64_t)value;
    return status == STORE_NOT_FOUND ? STORE_OK : status;
}

enum store_status store_topics_note(struct store *store, uint64_t head) {
    sqlite3_stmt *put = store->statements[STATEMENT_META_PUT];
    enum store_status status = store->failed ? STORE_FAILED : sqlite_write(store);
    if (status != STORE_OK)
        return status;
    bind_text(put, 1, TOPICS_META);
    bind_number(put, 2, (int64_t)head);
    return sqlite_run(store, put);
}
