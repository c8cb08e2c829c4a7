/* A file beside the database, in slots of one size, for bytes that SQLite would write twice: to its
 * log and again to the database. Only the database knows which slot holds what.
 *
 * A slot is written while no row names it, and is on the disk before a row that does is committed.
 * When that row is deleted, the slot is free for other bytes once the deletion is on the disk. So
 * the worst that a crash leaves is slots that nobody uses.
 *
 * A slot has checksums, one for each part of 64 KiB, which are kept together with the slot's
 * number.
 *
 * Functions that return an int return SQLite's code, because the VFS of the database does the
 * work. */
#ifndef SLOTS_H
#define SLOTS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLOT_BYTES ((size_t)262144) /* never changes: it alone gives their places */

/* The checksums of a slot: XXH3 of each part, the highest byte first. */
#define SLOT_PART_BYTES ((size_t)65536)
#define SLOT_PARTS      (SLOT_BYTES / SLOT_PART_BYTES)
#define SLOT_SUMS_BYTES (8 * SLOT_PARTS)

struct slots;

/* Opens or makes the file of an open database. Even if that fails, slots_close must follow. */
int slots_open(struct slots **out, sqlite3 *db);
void slots_close(struct slots *slots);

/* Called after the opening for each row that names a slot. SQLITE_CORRUPT: another row names it,
 * too, or there is no slot of that number; SQLITE_NOMEM. */
int slots_claim(struct slots *slots, int64_t slot);
/* Whether the file is long enough for the claimed slots: SQLITE_OK, SQLITE_CORRUPT. */
int slots_check(struct slots *slots);

/* How many bytes may still be written: in free slots, and on the disk. */
uint64_t slots_room(const struct slots *slots);
/* Writes SLOT_BYTES to a free slot, *slot. SQLITE_FULL: there is no room, and nothing was
 * written. */
int slots_write(struct slots *slots, const unsigned char *bytes, int64_t *slot,
                unsigned char sums[SLOT_SUMS_BYTES]);
/* Reads, and verifies the parts that it reads from; `sums` NULL: there are no checksums.
 * SQLITE_CORRUPT: a part is damaged. */
int slots_read(struct slots *slots, int64_t slot, const unsigned char *sums, size_t at,
               unsigned char *bytes, size_t length);
/* Whether the bytes of a slot have these checksums. */
bool slots_is_right(const unsigned char bytes[SLOT_BYTES],
                    const unsigned char sums[SLOT_SUMS_BYTES]);
/* The open transaction has deleted the slot's row. */
void slots_leave(struct slots *slots, int64_t slot);

/* Syncs what was written; called before the commit. */
int slots_sync(struct slots *slots);
/* The transaction is committed; and later, before the next one is committed: that commit is on the
 * disk. Then the room behind the last slot in use is freed. */
void slots_committed(struct slots *slots);
int slots_stored(struct slots *slots);

/* While slots are held, those that are left keep their bytes, for a reader of an earlier state of
 * the database. Afterwards they are free. */
int slots_hold(struct slots *slots, bool hold);

/* Cuts the file behind the last slot in use; the first slots_write does that, too. */
int slots_trim(struct slots *slots);

#endif
