/* What logins and presence leave behind: kept in memory, the newest for each account and device,
 * and written with the next transaction that writes anyway, or when store_notes_write says so. So a
 * login that changes nothing else needs no commit. */
#include "inside.h"

#include "memory/table.h"

#include <stdlib.h>

/* Beyond it they are written at once, and where the disk is full they are not kept. */
#define NOTES_MAX 8192

struct note {
    int64_t account;
    int64_t device; /* that was used; 0: the note is of presence */
    int64_t time_us;
    bool online;
    struct note *next; /* borrowed: in the order of the first change */
};

struct notes {
    struct table *table; /* owned, with the notes */
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
