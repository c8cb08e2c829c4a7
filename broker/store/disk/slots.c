/* See slots.h. Free slots are used from the lowest on, so that the file grows only when it is full.
 */
#include "slots.h"

#include "reserve.h"
#include "room.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define SUFFIX    "-pieces"
#define COUNT_MIN 1024

enum state {
    FREE = 0,
    USED,
    LEFT,    /* its row was deleted by the open transaction */
    LEAVING, /* ... by one that is committed, but not yet on the disk */
    HELD,    /* ... and that is on the disk: free once slots are no longer held */
};

struct slots {
    sqlite3_file *file;    /* owned */
    char *path;            /* owned: SQLite uses it as long as the file is open */
    unsigned char *states; /* owned: one for each slot */
    size_t count;          /* slots behind these are free */
    size_t max;
    size_t lowest;                       /* none below it is free */
    bool left;                           /* some are LEFT */
    bool leaving;                        /* some are LEAVING */
    bool holding;                        /* what leaves is HELD, not FREE */
    bool trimmed;                        /* since the opening */
    bool written;                        /* since the last sync */
    unsigned char part[SLOT_PART_BYTES]; /* if only some of it is wanted */
};

/* ---- the file ---- */

/* Opened like a log: with the mode of the database and without locks; the first sync also syncs its
 * name in the folder. */
static int open_file(struct slots *slots, sqlite3 *db) {
    const char *database = sqlite3_db_filename(db, "main");
    size_t path_bytes = strlen(database) + sizeof SUFFIX;
    sqlite3_vfs *vfs = NULL;
    int code = sqlite3_file_control(db, "main", SQLITE_FCNTL_VFS_POINTER, &vfs);
    if (code != SQLITE_OK)
        return code;
    slots->path = malloc(path_bytes);
    slots->file = calloc(1, (size_t)vfs->szOsFile);
    if (!slots->path || !slots->file)
        return SQLITE_NOMEM;
    (void)snprintf(slots->path, path_bytes, "%s" SUFFIX, database);
    return vfs->xOpen(vfs, slots->path, slots->file,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_WAL, NULL);
}

int slots_open(struct slots **out, sqlite3 *db) {
    *out = calloc(1, sizeof **out);
    return !*out ? SQLITE_NOMEM : open_file(*out, db);
}

void slots_close(struct slots *slots) {
    if (!slots)
        return;
    if (slots->file && slots->file->pMethods)
        (void)slots->file->pMethods->xClose(slots->file); /* what is not synced was not promised */
    free(slots->file);
    free(slots->path);
    free(slots->states);
    free(slots);
}

static int64_t place_of(int64_t slot) {
    return slot * (int64_t)SLOT_BYTES;
}

/* ---- which are in use ---- */

static bool reserve(struct slots *slots, size_t count) {
    size_t max = slots->max == 0 ? COUNT_MIN : slots->max;
    while (max < count)
        max *= 2;
    if (max == slots->max)
        return true;
    unsigned char *states = realloc(slots->states, max);
    if (!states)
        return false;
    memset(states + slots->max, FREE, max - slots->max);
    slots->states = states;
    slots->max = max;
    return true;
}

int slots_claim(struct slots *slots, int64_t slot) {
    if (slot < 0 || slot > INT64_MAX / (int64_t)SLOT_BYTES - 1)
        return SQLITE_CORRUPT;
    size_t at = (size_t)slot;
    if (!reserve(slots, at + 1))
        return SQLITE_NOMEM;
    if (slots->states[at] != FREE)
        return SQLITE_CORRUPT;
    slots->states[at] = USED;
    slots->count = at < slots->count ? slots->count : at + 1;
    return SQLITE_OK;
}

int slots_check(struct slots *slots) {
    sqlite3_int64 size = 0;
    int code = slots->file->pMethods->xFileSize(slots->file, &size);
    return code == SQLITE_OK && size < place_of((int64_t)slots->count) ? SQLITE_CORRUPT : code;
}

static size_t lowest_free(struct slots *slots) {
    while (slots->lowest < slots->count && slots->states[slots->lowest] != FREE)
        slots->lowest++;
    return slots->lowest;
}

uint64_t slots_room(const struct slots *slots) {
    uint64_t disk = disk_room(slots->path);
    uint64_t free = 0;
    for (size_t i = slots->lowest; i < slots->count; i++)
        free += slots->states[i] == FREE ? SLOT_BYTES : 0;
    return disk < UINT64_MAX - free ? disk + free : UINT64_MAX;
}

void slots_leave(struct slots *slots, int64_t slot) {
    assert((size_t)slot < slots->count && slots->states[slot] == USED);
    slots->states[slot] = LEFT;
    slots->left = true;
}

static void change_all(struct slots *slots, enum state from, enum state to) {
    for (size_t i = 0; i < slots->count; i++)
        if (slots->states[i] == from)
            slots->states[i] = (unsigned char)to;
}

void slots_committed(struct slots *slots) {
    assert(!slots->leaving && !slots->written);
    if (slots->left) {
        change_all(slots, LEFT, LEAVING);
        slots->leaving = true;
        slots->left = false;
    }
}

/* ---- bytes ---- */

int slots_trim(struct slots *slots) {
    slots->trimmed = true;
    slots->written = true;
    return slots->file->pMethods->xTruncate(slots->file, place_of((int64_t)slots->count));
}

/* Cuts the file if its last slots are free now. */
static int free_all(struct slots *slots, enum state from) {
    change_all(slots, from, FREE);
    slots->lowest = 0;
    if (slots->count == 0 || slots->states[slots->count - 1] != FREE)
        return SQLITE_OK;
    while (slots->count > 0 && slots->states[slots->count - 1] == FREE)
        slots->count--;
    return slots_trim(slots);
}

int slots_stored(struct slots *slots) {
    if (!slots->leaving)
        return SQLITE_OK;
    slots->leaving = false;
    if (!slots->holding)
        return free_all(slots, LEAVING);
    change_all(slots, LEAVING, HELD);
    return SQLITE_OK;
}

int slots_hold(struct slots *slots, bool hold) {
    slots->holding = hold;
    return hold ? SQLITE_OK : free_all(slots, HELD);
}

static void sum_part(const unsigned char *bytes, unsigned char out[8]) {
    XXH64_canonical_t sum;
    XXH64_canonicalFromHash(&sum, XXH3_64bits(bytes, SLOT_PART_BYTES));
    memcpy(out, sum.digest, 8);
}

/* In parts, because SQLite's own VFS takes less than 128 KiB at a time. */
static int write_parts(struct slots *slots, const unsigned char *bytes, int64_t place,
                       unsigned char *sums) {
    const sqlite3_io_methods *methods = slots->file->pMethods;
    int code = SQLITE_OK;
    for (size_t at = 0; at < SLOT_BYTES && code == SQLITE_OK; at += SLOT_PART_BYTES, sums += 8) {
        sum_part(bytes + at, sums);
        code = methods->xWrite(slots->file, bytes + at, (int)SLOT_PART_BYTES, place + (int64_t)at);
    }
    return code;
}

/* On a full disk this still works as long as the file need not grow: it overwrites what is
 * there. */
int slots_write(struct slots *slots, const unsigned char *bytes, int64_t *slot,
                unsigned char sums[SLOT_SUMS_BYTES]) {
    int code = slots->trimmed ? SQLITE_OK : slots_trim(slots);
    if (code != SQLITE_OK)
        return code;
    if (lowest_free(slots) == slots->count && disk_room(slots->path) < SLOT_BYTES)
        return SQLITE_FULL;
    *slot = (int64_t)slots->lowest;
    code = slots_claim(slots, *slot);
    if (code == SQLITE_OK) {
        slots->written = true;
        code = write_parts(slots, bytes, place_of(*slot), sums);
    }
    if (code != SQLITE_OK && reserve_is_full_error(slots->file, code)) {
        slots->states[*slot] = FREE;
        code = SQLITE_FULL;
    }
    return code;
}

bool slots_is_right(const unsigned char bytes[SLOT_BYTES],
                    const unsigned char sums[SLOT_SUMS_BYTES]) {
    unsigned char is[8];
    bool right = true;
    for (size_t i = 0; i < SLOT_PARTS && right; i++) {
        sum_part(bytes + i * SLOT_PART_BYTES, is);
        right = memcmp(is, sums + 8 * i, sizeof is) == 0;
    }
    return right;
}

/* A part behind the file's end is damage, too. */
static int read_part(struct slots *slots, int64_t place, const unsigned char *sum,
                     unsigned char *bytes) {
    unsigned char is[8];
    int code = slots->file->pMethods->xRead(slots->file, bytes, (int)SLOT_PART_BYTES, place);
    if (code == SQLITE_IOERR_SHORT_READ)
        return SQLITE_CORRUPT;
    if (code != SQLITE_OK || !sum)
        return code;
    sum_part(bytes, is);
    return memcmp(is, sum, sizeof is) == 0 ? SQLITE_OK : SQLITE_CORRUPT;
}

int slots_read(struct slots *slots, int64_t slot, const unsigned char *sums, size_t at,
               unsigned char *bytes, size_t length) {
    int code = SQLITE_OK;
    assert(length <= SLOT_BYTES && at <= SLOT_BYTES - length);
    while (length > 0 && code == SQLITE_OK) {
        size_t part = at / SLOT_PART_BYTES, from = at % SLOT_PART_BYTES;
        size_t count = SLOT_PART_BYTES - from < length ? SLOT_PART_BYTES - from : length;
        bool whole = count == SLOT_PART_BYTES;
        code = read_part(slots, place_of(slot) + (int64_t)(part * SLOT_PART_BYTES),
                         !sums ? NULL : sums + 8 * part, whole ? bytes : slots->part);
        if (!whole)
            memcpy(bytes, slots->part + from, count);
        bytes += count;
        at += count;
        length -= count;
    }
    return code;
}

int slots_sync(struct slots *slots) {
    if (!slots->written)
        return SQLITE_OK;
    slots->written = false;
    return slots->file->pMethods->xSync(slots->file, SQLITE_SYNC_NORMAL);
}
