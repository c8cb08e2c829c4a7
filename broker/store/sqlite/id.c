/* Which ids the log has: the newest are in memory, the others in the table id_run, in runs of ids
 * that follow each other, each with its last id as the key. Ids grow with time, so what is merged
 * goes behind the last run, except for a few that came late. */
#include "index_row.h"
#include "log.h"

#include <stdlib.h>
#include <string.h>

const struct statement_text id_statements[] = {
    {STATEMENT_ID_RUN,
     "SELECT last_id, places FROM id_run WHERE last_id >= ?1 ORDER BY last_id LIMIT 1"},
    {STATEMENT_ID_RUN_ADD, "INSERT INTO id_run (last_id, places) VALUES (?1, ?2)"},
    {STATEMENT_ID_RUN_REMOVE, "DELETE FROM id_run WHERE last_id = ?1"},
    {STATEMENT_ID_RUN_LAST, "SELECT max(last_id) FROM id_run"},
    {0},
};

#define IDS_KEPT    16384 /* retries come soon, or after a restart */
#define SLICE       4096  /* more than one turn can bring */
#define PLACE_BYTES (ID_BYTES + RUN_ENTRY_BYTES)

_Static_assert(ID_RUN_BYTES % PLACE_BYTES == 0, "a run has whole places");
#define RUN_PLACES (ID_RUN_BYTES / PLACE_BYTES)

static void place_put(unsigned char *place, const struct id_place *from) {
    memcpy(place, from->id, ID_BYTES);
    run_put(place + ID_BYTES, 0, from->position);
}

/* ---- finding ---- */

/* Reads the run that would have the id, unless it is the one that was last read. */
static enum store_status load_run(struct store *store, const unsigned char *id) {
    struct log *log = store->log;
    if (log->run_count > 0 && memcmp(id, log->run_from, ID_BYTES) >= 0 &&
        memcmp(id, log->run_last, ID_BYTES) <= 0)
        return STORE_OK;
    log->run_count = 0;
    sqlite3_stmt *find = store->statements[STATEMENT_ID_RUN];
    bind_blob(find, 1, id, ID_BYTES);
    enum step step = sqlite_step(store, find);
    size_t length = step == STEP_ROW ? (size_t)sqlite3_column_bytes(find, 1) : 0;
    if (step == STEP_ROW && (length == 0 || length > ID_RUN_BYTES || length % PLACE_BYTES != 0 ||
                             !column_blob(find, 0, log->run_last, ID_BYTES))) {
        (void)sqlite3_reset(find);
        return sqlite_fail_because(store, "read", "the index of ids is damaged");
    }
    if (step == STEP_ROW) {
        memcpy(log->run, sqlite3_column_blob(find, 1), length);
        memcpy(log->run_from, memcmp(log->run, id, ID_BYTES) < 0 ? log->run : id, ID_BYTES);
        log->run_count = length / PLACE_BYTES;
    }
    (void)sqlite3_reset(find);
    return step == STEP_FAILED ? STORE_FAILED : STORE_OK;
}

static int by_id(const void *id, const void *place) {
    return memcmp(id, place, ID_BYTES);
}

static enum store_status find_merged(struct store *store, const unsigned char *id,
                                     int64_t *position) {
    struct log *log = store->log;
    *position = 0;
    if (!log->ids_any || memcmp(id, log->ids_last, ID_BYTES) > 0)
        return STORE_OK;
    if (load_run(store, id) != STORE_OK)
        return STORE_FAILED;
    const unsigned char *place = bsearch(id, log->run, log->run_count, PLACE_BYTES, by_id);
    *position = place ? run_get(place + ID_BYTES, 0) : 0;
    return STORE_OK;
}

enum store_status sqlite_log_find(struct store *store, const unsigned char id[ID_BYTES],
                                  int64_t *position, struct log_entry *out) {
    *position = ids_find(store->log->ids, id);
    if (*position == 0 && find_merged(store, id, position) != STORE_OK)
        return STORE_FAILED;
    if (*position == 0)
        return STORE_NOT_FOUND;
    if (sqlite_log_read(store, *position, out) != STORE_OK)
        return STORE_FAILED;
    bool is_gone = out->kind == LOG_GONE || sqlite_rubbish_is(store, out->stream);
    return is_gone ? STORE_NOT_FOUND : STORE_OK;
}

enum store_status sqlite_id_load(struct store *store) {
    struct log *log = store->log;
    sqlite3_stmt *last = store->statements[STATEMENT_ID_RUN_LAST];
    enum step step = sqlite_step(store, last);
    log->ids_any = step == STEP_ROW && column_blob(last, 0, log->ids_last, ID_BYTES);
    (void)sqlite3_reset(last);
    return step == STEP_FAILED ? STORE_FAILED : sqlite_meta(store, "ids", &log->ids_merged);
}

/* ---- merging ---- */

bool sqlite_id_merge_waits(const struct store *store) {
    return ids_count(store->log->ids) > IDS_KEPT + SLICE;
}

/* Places on their way into runs: sorted, with only the last one of each id. */
struct merging {
    struct id_place *places;
    size_t count;
    size_t at; /* those before it are in runs */
};

static int by_id_and_position(const void *a, const void *b) {
    const struct id_place *x = a, *y = b;
    int order = memcmp(x->id, y->id, ID_BYTES);
    return order != 0 ? order : (x->position > y->position) - (x->position < y->position);
}

static void sort(struct merging *merging) {
    size_t kept = 0;
    qsort(merging->places, merging->count, sizeof *merging->places, by_id_and_position);
    for (size_t i = 0; i < merging->count; i++) {
        bool again =
            kept > 0 && memcmp(merging->places[kept - 1].id, merging->places[i].id, ID_BYTES) == 0;
        merging->places[again ? kept - 1 : kept] = merging->places[i];
        kept += !again;
    }
    merging->count = kept;
}

static enum store_status write_run(struct store *store, const unsigned char *places, size_t count) {
    sqlite3_stmt *add = store->statements[STATEMENT_ID_RUN_ADD];
    const unsigned char *last = places + (count - 1) * PLACE_BYTES;
    bind_blob(add, 1, last, ID_BYTES);
    bind_blob(add, 2, places, count * PLACE_BYTES);
    return sqlite_run(store, add);
}

/* Writes all that is left, in runs of RUN_PLACES. */
static enum store_status write_behind(struct store *store, struct merging *merging) {
    unsigned char run[ID_RUN_BYTES];
    while (merging->at < merging->count) {
        size_t left = merging->count - merging->at;
        size_t count = left < RUN_PLACES ? left : RUN_PLACES;
        for (size_t i = 0; i < count; i++)
            place_put(run + i * PLACE_BYTES, &merging->places[merging->at + i]);
        if (write_run(store, run, count) != STORE_OK)
            return STORE_FAILED;
        merging->at += count;
    }
    struct log *log = store->log;
    log->ids_any = true;
    memcpy(log->ids_last, merging->places[merging->count - 1].id, ID_BYTES);
    return STORE_OK;
}

static enum store_status remove_run(struct store *store, const unsigned char *last) {
    sqlite3_stmt *remove = store->statements[STATEMENT_ID_RUN_REMOVE];
    bind_blob(remove, 1, last, ID_BYTES);
    return sqlite_run(store, remove);
}

/* Adds to the run that was last read the places that come before its last id, at most as many as
 * make two runs of it. */
static enum store_status write_into(struct store *store, struct merging *merging) {
    struct log *log = store->log;
    unsigned char both[2 * ID_RUN_BYTES];
    size_t count = 0, old = 0;
    while (count < 2 * RUN_PLACES && old < log->run_count) {
        const unsigned char *place = log->run + old * PLACE_BYTES;
        int order = merging->at < merging->count
                        ? memcmp(merging->places[merging->at].id, place, ID_BYTES)
                        : 1;
        if (order < 0 && count + (log->run_count - old) == 2 * RUN_PLACES)
            break; /* full with what is left of the old ones */
        if (order <= 0) {
            place_put(both + count++ * PLACE_BYTES, &merging->places[merging->at++]);
            old += order == 0;
        } else {
            memcpy(both + count++ * PLACE_BYTES, place, PLACE_BYTES);
            old++;
        }
    }
    size_t rest = log->run_count - old;
    memcpy(both + count * PLACE_BYTES, log->run + old * PLACE_BYTES, rest * PLACE_BYTES);
    count += rest;
    log->run_count = 0;
    size_t first = count > RUN_PLACES ? count / 2 : count;
    if (remove_run(store, log->run_last) != STORE_OK || write_run(store, both, first) != STORE_OK)
        return STORE_FAILED;
    return first < count ? write_run(store, both + first * PLACE_BYTES, count - first) : STORE_OK;
}

static enum store_status write_all(struct store *store, struct merging *merging) {
    struct log *log = store->log;
    while (merging->at < merging->count) {
        const unsigned char *id = merging->places[merging->at].id;
        if (!log->ids_any || memcmp(id, log->ids_last, ID_BYTES) > 0)
            return write_behind(store, merging);
        log->run_count = 0;
        if (load_run(store, id) != STORE_OK)
            return STORE_FAILED;
        if (log->run_count == 0)
            return sqlite_fail_because(store, "read", "the index of ids is damaged");
        if (write_into(store, merging) != STORE_OK)
            return STORE_FAILED;
    }
    return STORE_OK;
}

enum store_status sqlite_id_merge_slice(struct store *store) {
    struct log *log = store->log;
    struct merging merging = {.places = malloc(SLICE * sizeof *merging.places), .count = SLICE};
    if (!merging.places)
        return sqlite_no_memory(store);
    ids_oldest(log->ids, merging.places, SLICE);
    int64_t merged = merging.places[SLICE - 1].position;
    sort(&merging);
    enum store_status status = write_all(store, &merging);
    free(merging.places);
    log->run_count = 0;
    if (status == STORE_OK) {
        ids_drop_oldest(log->ids, SLICE);
        log->ids_merged = merged;
        status = sqlite_meta_set(store, "ids", merged);
    }
    return status;
}
