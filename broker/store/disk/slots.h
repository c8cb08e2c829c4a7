/* The file beside the database, in slots of one size, for bytes that SQLite would write twice: to
 * its log and again to the database. Which slot holds what, the database alone knows.
 *
 * A slot is written while no row names it, and is on the disk before a row that does is committed.
 * Where that row goes, the slot is free for other bytes once its going is on the disk. So a crash
 * leaves nothing worse than slots that nobody uses.
 *
 * A slot has checksums, one for each part of 64 KiB, which are kept where the slot's number is.
 *
 * What returns an int returns SQLite's code: the work is done by the VFS of the database. */
#ifndef SLOTS_H
#define SLOTS_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#define SLOT_BYTES ((size_t)262144) /* never changes: the file has no other order */

/* The checksums of a slot: XXH3 of each part, the highest byte first. */
#define SLOT_PART_BYTES ((size_t)65536)
#define SLOT_PARTS      (SLOT_BYTES / SLOT_PART_BYTES)
#define SLOT_SUMS_BYTES (8 * SLOT_PARTS)

struct slots;

/* Opens or makes the file of an open database. Where that fails, *out wants slots_close all the
 * same. */
int slots_open(struct slots **out, sqlite3 *db);
void slots_close(struct slots *slots);

/* After the opening: a row names the slot. SQLITE_CORRUPT: so does another one, or there is no slot
 * of that number; SQLITE_NOMEM. */
int slots_claim(struct slots *slots, int64_t slot);
/* Whether the file is long enough for what was claimed: SQLITE_OK, SQLITE_CORRUPT. */
int slots_check(struct slots *slots);

/* How many bytes may still be written: in free slots, and on the disk. */
uint64_t slots_room(const struct slots *slots);
/* Writes SLOT_BYTES to a free slot; *slot: which. SQLITE_FULL: there is no room, and nothing was
 * written. */
int slots_write(struct slots *slots, const unsigned char *bytes, int64_t *slot,
                unsigned char sums[SLOT_SUMS_BYTES]);
/* Verifies the parts that it reads from; `sums` NULL: there are none. SQLITE_CORRUPT: they are
 * damaged. */
int slots_read(struct slots *slots, int64_t slot, const unsigned char *sums, size_t at,
               unsigned char *bytes, size_t length);
/* The open transaction has deleted its row. */
void slots_leave(struct slots *slots, int64_t slot);

/* Brings what was written to the disk, before the commit. */
int slots_sync(struct slots *slots);
/* The transaction is committed, and later, before the next one is: that is on the disk. Then the
 * disk gets back what is behind the last slot in use. */
void slots_committed(struct slots *slots);
int slots_stored(struct slots *slots);

/* Cuts what is behind the last slot in use; the first slots_write does so, too. */
int slots_trim(struct slots *slots);

#endif
