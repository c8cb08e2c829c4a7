/* Where in the log a stream's entries are is found first by the table entry, then in memory; the
 * stream's `merged` divides them. Rows of entry beyond it can't be, as both change together. */
#include "sqlite_walk.h"

#include "run.h"

static void read_runs(struct store *store, const struct walk *walk, uint64_t after_seq) {
    sqlite3_stmt *runs = store->statements[STATEMENT_ENTRY_RUNS];
    (void)sqlite3_reset(runs);
    bind_number(runs, 1, walk->stream->id);
    bind_number(runs, 2, (int64_t)after_seq);
}

enum store_status walk_begin(struct store *store, struct walk *walk, const struct stream *stream,
                             uint64_t after_seq, uint64_t last_seq) {
    *walk = (struct walk){.stream = stream, .seq = after_seq, .last_seq = last_seq};
    if (after_seq < stream->merged) {
        read_runs(store, walk, after_seq);
    }
    if (!store->in_transaction && after_seq < last_seq) {
        walk->in_transaction = true;
        return sqlite_run(store, store->statements[STATEMENT_BEGIN_READ]);
    }
    return STORE_OK;
}

enum store_status walk_end(struct store *store, struct walk *walk, enum store_status status) {
    (void)sqlite3_reset(store->statements[STATEMENT_ENTRY_RUNS]);
    if (walk->in_transaction && !store->failed &&
        sqlite_run(store, store->statements[STATEMENT_COMMIT]) != STORE_OK) {
        return STORE_FAILED;
    }
    return status == STORE_NOT_FOUND ? STORE_OK : status;
}

/* Reads the next row of entry, which should hold the entry `seq`. Where that is damaged, `seq` is
 * passed over, and the next one is looked for anew. */
static enum store_status next_run(struct store *store, struct walk *walk, uint64_t seq) {
    sqlite3_stmt *runs = store->statements[STATEMENT_ENTRY_RUNS];
    bool is_damaged;
    uint64_t count = 0;
    enum step step = sqlite_step_damaged(store, runs, &is_damaged);
    if (step == STEP_FAILED) {
        return STORE_FAILED;
    }
    if (step == STEP_ROW) {
        walk->positions = sqlite3_column_blob(runs, 1);
        walk->run_last_seq = column_count(runs, 0);
        count = (uint64_t)sqlite3_column_bytes(runs, 1) / RUN_ENTRY_BYTES;
    }
    if (count == 0 || walk->run_last_seq < seq || walk->run_last_seq < count) {
        read_runs(store, walk, seq);
        walk->run_last_seq = seq;
        count = 0;
    }
    walk->run_first_seq = walk->run_last_seq - count + 1;
    return STORE_OK;
}

enum store_status walk_next(struct store *store, struct walk *walk, int64_t *position) {
    if (walk->seq >= walk->last_seq) {
        return STORE_NOT_FOUND;
    }
    uint64_t seq = walk->seq + 1;
    if (seq > walk->stream->merged) {
        *position = view_position(walk->stream, seq);
    } else {
        if (seq > walk->run_last_seq && next_run(store, walk, seq) != STORE_OK) {
            return STORE_FAILED;
        }
        *position = seq < walk->run_first_seq
                        ? 0
                        : run_get(walk->positions, (size_t)(seq - walk->run_first_seq));
    }
    walk->seq = seq;
    return STORE_OK;
}
