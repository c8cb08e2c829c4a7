/* What must outlive the broker's process: who is there and was there, which device was used when,
 * and how far public events were numbered. Also adjusts the times in the store when the clock was
 * set. */
#include "inside.h"

#include "memory/table.h"

#include <stdlib.h>

const struct statement_text presence_statements[] = {
    {STATEMENT_DEVICE_USED, "UPDATE device SET used_us = ?3 WHERE account = ?1 AND device = ?2"},
    {STATEMENT_FAILURE_SHIFT, "UPDATE login_failure SET locked_until_us = locked_until_us + ?2 "
                              "WHERE locked_until_us > ?1 - ?2"},
    {STATEMENT_UPLOAD_SHIFT, "UPDATE file SET chunk_us = chunk_us + ?1 WHERE seq = 0"},
    {STATEMENT_UPLOAD_CLAMP, "UPDATE file SET chunk_us = ?1 WHERE seq = 0 AND chunk_us > ?1"},
    {STATEMENT_PRESENCE_CLAMP, "UPDATE presence SET last_seen_us = ?1 WHERE last_seen_us > ?1"},
    {STATEMENT_FAILURE_CLAMP, "UPDATE login_failure SET changed_us = ?1 WHERE changed_us > ?1"},
    {STATEMENT_PRESENCE_BEGIN,
     "INSERT INTO presence (account, online, last_seen_us) VALUES (?1, 1, ?2) ON CONFLICT "
     "(account) DO UPDATE SET online = 1, last_seen_us = excluded.last_seen_us"},
    {STATEMENT_PRESENCE_END,
     "INSERT INTO presence (account, online, last_seen_us) VALUES (?1, 0, ?2) ON CONFLICT "
     "(account) DO UPDATE SET online = 0, last_seen_us = excluded.last_seen_us"},
    {STATEMENT_PRESENCE_CLOSE,
     "UPDATE presence SET online = 0, last_seen_us = max(last_seen_us, (SELECT value FROM meta "
     "WHERE name = 'alive_us')) WHERE online = 1"},
    {STATEMENT_PRESENCE_SINCE,
     "SELECT p.account, a.name, p.last_seen_us FROM presence p JOIN account a ON a.id = "
     "p.account WHERE p.last_seen_us BETWEEN ?1 AND ?2 AND (p.last_seen_us < ?2 OR a.name > "
     "?3) AND p.online = 0 ORDER BY p.last_seen_us DESC, "
     "a.name"},
    {0},
};

/* ---- notes ----
 *
 * Of logins and presence. The newest for each account and device are kept in memory, and written
 * with the next transaction that writes anyway, or by store_notes_write. So a login that changes
 * nothing else needs no commit. */

/* Beyond this number notes are written at once; if the disk is full they are dropped. */
#define NOTES_MAX 8192

struct note {
    int64_t account;
    int64_t device; /* the one that was used; 0: the note is about presence */
    int64_t time_us;
    bool online;
    struct note *next; /* borrowed: in the order of the first change */
};

struct notes {
    struct table *table; /* owned, and so are the notes */
    struct note *first;  /* borrowed: the table's */
    struct note **end;   /* borrowed: where the next one goes */
};

static bool is_note(const void *item, const void *key) {
    const struct note *a = item, *b = key;
    return a->account == b->account && a->device == b->device;
}

static uint64_t hash_of(const struct note *note) {
    return table_hash_number(table_hash_number((uint64_t)note->account) + (uint64_t)note->device);
}

static bool make(struct store *store) {
    store->notes = calloc(1, sizeof *store->notes);
    if (!store->notes)
        return false;
    store->notes->end = &store->notes->first;
    store->notes->table = table_new(is_note);
    return store->notes->table != NULL;
}

void sqlite_notes_forget(struct store *store) {
    if (store->notes) {
        table_free(store->notes->table, free);
        free(store->notes);
        store->notes = NULL;
    }
}

bool store_notes_wait(const struct store *store) {
    return store->notes && store->notes->first;
}

static struct note *find(const struct store *store, const struct note *note) {
    return !store->notes ? NULL : table_find(store->notes->table, hash_of(note), note);
}

static enum store_status add(struct store *store, const struct note *note) {
    struct note *added = malloc(sizeof *added);
    if (!added || !table_add(store->notes->table, hash_of(note), added)) {
        free(added);
        return sqlite_no_memory(store);
    }
    *added = *note;
    added->next = NULL;
    *store->notes->end = added;
    store->notes->end = &added->next;
    return STORE_OK;
}

static enum store_status put(struct store *store, const struct note *note) {
    struct note *known = find(store, note);
    if (known) {
        known->time_us = note->time_us;
        known->online = note->online;
        return STORE_OK;
    }
    if (store->notes && table_count(store->notes->table) >= NOTES_MAX) {
        if (store_notes_write(store) != STORE_OK)
            return STORE_FAILED;
        if (store_notes_wait(store))
            return STORE_OK;
    }
    return !store->notes && !make(store) ? sqlite_no_memory(store) : add(store, note);
}

enum store_status sqlite_note_presence(struct store *store, int64_t account, bool online,
                                       int64_t time_us) {
    return put(store, &(struct note){.account = account, .online = online, .time_us = time_us});
}

enum store_status sqlite_note_used(struct store *store, int64_t account, int64_t device,
                                   int64_t time_us) {
    return put(store, &(struct note){.account = account, .device = device, .time_us = time_us});
}

int64_t sqlite_note_used_us(const struct store *store, int64_t account, int64_t device) {
    const struct note *note = find(store, &(struct note){.account = account, .device = device});
    return !note ? 0 : note->time_us;
}

void sqlite_notes_clamp(struct store *store, int64_t now_us) {
    struct note *note = !store->notes ? NULL : store->notes->first;
    for (; note; note = note->next)
        note->time_us = note->time_us > now_us ? now_us : note->time_us;
}

static enum store_status write_note(struct store *store, const struct note *note) {
    if (note->device != 0) {
        sqlite3_stmt *used = store->statements[STATEMENT_DEVICE_USED];
        bind_number(used, 1, note->account);
        bind_number(used, 2, note->device);
        bind_number(used, 3, note->time_us);
        return sqlite_run(store, used);
    }
    sqlite3_stmt *set =
        store->statements[note->online ? STATEMENT_PRESENCE_BEGIN : STATEMENT_PRESENCE_END];
    bind_number(set, 1, note->account);
    bind_number(set, 2, note->time_us);
    return sqlite_run(store, set);
}

enum store_status store_notes_write(struct store *store) {
    if (store->failed || !store_notes_wait(store) || !sqlite_may_note(store))
        return store->failed ? STORE_FAILED : STORE_OK;
    if (sqlite_presence_close(store) != STORE_OK)
        return STORE_FAILED;
    for (const struct note *note = store->notes->first; note; note = note->next)
        if (write_note(store, note) != STORE_OK)
            return STORE_FAILED;
    sqlite_notes_forget(store);
    return STORE_OK;
}

/* ---- presence ----
 *
 * The first of these operations ends the sessions that the last broker left open. The opening does
 * not, because `zchatd user` also opens the store, while a broker runs; it calls none of these
 * operations. */

enum store_status sqlite_presence_close(struct store *store) {
    if (store->failed)
        return STORE_FAILED;
    if (!store->presence_closed && sqlite_may_note(store)) {
        if (sqlite_run(store, store->statements[STATEMENT_PRESENCE_CLOSE]) != STORE_OK)
            return STORE_FAILED;
        store->presence_closed = true;
    }
    return store->failed ? STORE_FAILED : STORE_OK;
}

enum store_status store_presence_begin(struct store *store, int64_t account, int64_t now_us) {
    return store->failed ? STORE_FAILED : sqlite_note_presence(store, account, true, now_us);
}

enum store_status store_presence_end(struct store *store, int64_t account, int64_t now_us) {
    return store->failed ? STORE_FAILED : sqlite_note_presence(store, account, false, now_us);
}

enum store_status store_alive(struct store *store, int64_t now_us) {
    store->head_due = true;
    int64_t accounts = 0;
    if (sqlite_presence_close(store) != STORE_OK || store_notes_write(store) != STORE_OK ||
        (sqlite_may_note(store) && sqlite_meta_set(store, "alive_us", now_us) != STORE_OK) ||
        store->failed || sqlite_meta(store, "accounts", &accounts) != STORE_OK)
        return STORE_FAILED;
    store->accounts = (uint64_t)accounts; /* `zchatd user` may have added some */
    return STORE_OK;
}

enum store_status store_presence_since(
    struct store *store, int64_t from_us, const struct store_seen *place,
    bool (*each)(void *arg, int64_t account, const char *name, int64_t last_seen_us), void *arg) {
    if (sqlite_presence_close(store) != STORE_OK || store_notes_write(store) != STORE_OK)
        return STORE_FAILED;
    sqlite3_stmt *since = store->statements[STATEMENT_PRESENCE_SINCE];
    bind_number(since, 1, from_us);
    bind_number(since, 2, place->last_seen_us);
    bind_text(since, 3, place->name);
    enum step step;
    while ((step = sqlite_step(store, since)) == STEP_ROW) {
        char name[NAME_BYTES];
        column_text(since, 1, name, sizeof name);
        if (!each(arg, sqlite3_column_int64(since, 0), name, sqlite3_column_int64(since, 2)))
            break;
    }
    (void)sqlite3_reset(since);
    return step == STEP_FAILED ? STORE_FAILED : STORE_OK;
}

/* ---- the clock ----
 *
 * Times that people are told stay as they are, except those in the future; ends of durations move
 * with the clock. */

static enum store_status run_with(struct store *store, enum statement statement, int64_t first,
                                  int64_t second) {
    sqlite3_stmt *run = store->statements[statement];
    bind_number(run, 1, first);
    if (sqlite3_bind_parameter_count(run) > 1)
        bind_number(run, 2, second);
    return sqlite_run(store, run);
}

/* The last sign of life of the last broker: its open sessions ended then. */
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

/* ---- public events ---- */

#define TOPICS_META "topics_head"

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
