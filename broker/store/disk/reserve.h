/* Room on the disk that a store keeps for itself, so that a full disk is noticed before a commit
 * meets it: the write-ahead log's file is always allocated further than one transaction can make
 * it grow. While no process has the store open, a file beside it (with -reserve behind its name)
 * holds the room, so that the store can be opened on a full disk. */
#ifndef RESERVE_H
#define RESERVE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct reserve;

/* Gives the room of the file beside the store back to the disk: what follows needs it. `db` is not
 * open yet: path is the database's. NULL: no memory. */
struct reserve *reserve_new(const char *path);
/* The store is closed: the file beside it takes the room again, unless another process has the
 * store open. */
void reserve_free(struct reserve *reserve);

/* Allocates what is missing behind `pages` of the log, and the room in shared memory that an index
 * of it needs. Costs a comparison where nothing is missing. After a refusal it asks the disk again
 * only where it has more room than then, or where `anew`. Returns whether all is there. */
bool reserve_hold(struct reserve *reserve, sqlite3 *db, int pages, bool anew);
/* Whether the last reserve_hold had all it wanted. */
bool reserve_is_whole(const struct reserve *reserve);
/* Whether at least a part is left, large enough for small changes. */
bool reserve_has_rest(const struct reserve *reserve, int pages);
/* Allocates for a log of that many pages, beyond what is kept. Returns whether it is there. */
bool reserve_allows(struct reserve *reserve, uint64_t pages);
/* No more pages than these are in the log. */
int reserve_pages(const struct reserve *reserve);
/* The log's file was cut: nothing is known to be allocated. */
void reserve_forget(struct reserve *reserve);

/* Whether an SQLite code that `db` gave last means that the disk, a quota or a limit of this
 * process has no more room for its files. */
bool reserve_is_full_code(sqlite3 *db, int code);
/* The same of a file. */
bool reserve_is_full_error(sqlite3_file *file, int code);

/* ---- how much room the disk of a file has ----
 *
 * A part of it stays for messages, so that an upload that fills the disk does not keep everybody
 * from writing. */

/* What files may still take, in bytes; 0: none. UINT64_MAX where nothing is known, as of a disk in
 * memory. */
uint64_t disk_room(const char *path);
/* What the disk has free for this process; UINT64_MAX likewise. */
uint64_t disk_free_bytes(const char *path);
/* All of it, free or not; UINT64_MAX likewise. */
uint64_t disk_all_bytes(const char *path);

#endif
