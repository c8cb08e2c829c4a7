/* A VFS over another one that gives each page of a database file a checksum and verifies it when
 * the page is read: the last PAGE_CHECK_BYTES bytes of the page, which SQLite leaves alone where
 * its header says so, hold XXH3 of the rest, seeded with the page's number, the highest byte first.
 *
 * What it finds: a page that is not what was written there last, or is another page's, or lies
 * behind the file's end. What it can't find: a page that is whole and of an earlier time. A page in
 * the write-ahead log has the log's own checksum, which SQLite verifies when it opens the database;
 * the one here comes with the copy into the database, so writers do not pay for it. A database
 * without the reserved bytes (an older one) is read and written as it is. The
 * write-ahead log is filled ahead (wal_fill.h); other files pass through untouched. */
#ifndef PAGE_CHECK_H
#define PAGE_CHECK_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_CHECK_BYTES     8
#define PAGE_CHECK_PAGES_MAX 16 /* so many damaged pages are remembered by number */

/* What reading a damaged page is for SQLite. With an SQLITE_IOERR it would undo the transaction
 * that was open, and SQLITE_CORRUPT itself would keep that from its commit; one that only reads
 * past the damage goes on. */
#define PAGE_CHECK_DAMAGED (SQLITE_CORRUPT | (128 << 8))

struct page_check;

/* Makes it over the VFS of that name (NULL: SQLite's default), which must outlive it, and registers
 * it with SQLite. NULL: no memory, or no VFS of that name. */
struct page_check *page_check_new(const char *vfs);
/* Of its files none may be open anymore. */
void page_check_free(struct page_check *check);
/* Its name, for sqlite3_open_v2. Borrowed. */
const char *page_check_name(const struct page_check *check);

/* Lets a database that has no page yet have the reserved bytes, and one that has pages get them
 * with its next VACUUM. Returns SQLite's code. */
int page_check_reserve(sqlite3 *db);
/* Whether a database file that was opened has checksums. */
bool page_check_is_on(const struct page_check *check);
/* How many reads met a damaged page, which SQLite reports as PAGE_CHECK_DAMAGED; and the numbers of
 * the first PAGE_CHECK_PAGES_MAX different ones. */
uint64_t page_check_damaged(const struct page_check *check, uint32_t pages[PAGE_CHECK_PAGES_MAX],
                            size_t *count);

#endif
