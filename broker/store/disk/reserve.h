/* Room on the disk that a store keeps for itself, so that a full disk is noticed before a commit
 * fails on it: the write-ahead log's file is always allocated further than one transaction can make
 * it grow. While no process has the store open, a file beside it (with -reserve behind its name)
 * holds the room, so that the store can be opened on a full disk. */
#ifndef RESERVE_H
#define RESERVE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct reserve;

/* Frees the room of the file beside the store, which opening the store needs. `path` is the path of
 * the database, which is not open yet. NULL: no memory. */
struct reserve *reserve_new(const char *path);
/* Called when the store is closed: the file beside it takes the room again, unless another process
 * has the store open. */
void reserve_free(struct reserve *reserve);

/* Allocates what is missing behind `pages` of the log, and the room in shared memory that the log's
 * index needs. Costs only a comparison if nothing is missing. After a refusal it asks the disk
 * again only if that has more room than then, or if `anew` is set. Returns whether all the room is
 * there. */
bool reserve_hold(struct reserve *reserve, sqlite3 *db, int pages, bool anew);
/* Whether the last reserve_hold had all it wanted. */
bool reserve_is_whole(const struct reserve *reserve);
/* Whether at least a part of the room is left, large enough for small changes. */
bool reserve_has_rest(const struct reserve *reserve, int pages);
/* Allocates room for a log of that many pages, which may be more than is kept. Returns whether the
 * room is there. */
bool reserve_allows(struct reserve *reserve, uint64_t pages);
/* The log has at most this many pages. */
int reserve_pages(const struct reserve *reserve);
/* The log's file was cut: forgets what was allocated. */
void reserve_forget(struct reserve *reserve);

/* Whether the SQLite code that `db` last gave means that the disk, a quota or a limit of this
 * process leaves no more room for its files. */
bool reserve_is_full_code(sqlite3 *db, int code);
/* The same for a file. */
bool reserve_is_full_error(sqlite3_file *file, int code);

#endif
