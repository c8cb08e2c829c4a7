/* A VFS over another one that gives each page of a database file a checksum and verifies it when
 * the page is read: the last PAGE_CHECK_BYTES bytes of the page, which SQLite leaves alone if the
 * header says so, hold XXH3 of the rest, seeded with the page's number, the highest byte first.
 *
 * It finds a page that is not what was last written there, that is another page's, or that lies
 * behind the file's end. It can't find a page that is whole but from an earlier time. A page in the
 * write-ahead log has the log's own checksum, which SQLite verifies when it opens the database; the
 * checksum here is made when the page is copied into the database, so writers do not pay for it. A
 * database without the reserved bytes (an older one) is read and written as it is. The write-ahead
 * log is filled ahead (wal_fill.h); other files pass through untouched. */
#ifndef PAGE_CHECK_H
#define PAGE_CHECK_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_CHECK_BYTES     8
#define PAGE_CHECK_PAGES_MAX 16 /* the numbers of so many damaged pages are remembered */

/* The code that SQLite gets when it reads a damaged page. On an SQLITE_IOERR it would undo the open
 * transaction, and SQLITE_CORRUPT itself would prevent its commit; with this code a transaction
 * that only read the damaged page goes on. */
#define PAGE_CHECK_DAMAGED (SQLITE_CORRUPT | (128 << 8))

struct page_check;

/* Makes it over the VFS of that name (NULL: SQLite's default), which must outlive it, and registers
 * it with SQLite. NULL: no memory, or no VFS of that name. */
struct page_check *page_check_new(const char *vfs);
/* None of its files may still be open. */
void page_check_free(struct page_check *check);
/* The VFS' name, for sqlite3_open_v2. Borrowed. */
const char *page_check_name(const struct page_check *check);

/* Makes a database that has no page yet have the reserved bytes; one that has pages gets them with
 * its next VACUUM. Returns SQLite's code. */
int page_check_reserve(sqlite3 *db);
/* Whether a database file that was opened has checksums. */
bool page_check_is_on(const struct page_check *check);
/* Whether the page has the right checksum; `number` counts from 1. The page that SQLite locks has
 * none: page_check_is_locked. */
bool page_check_is_right(const unsigned char *page, size_t bytes, uint32_t number);
bool page_check_is_locked(size_t bytes, uint32_t number);
/* How many reads met a damaged page, which SQLite reports as PAGE_CHECK_DAMAGED; and the numbers of
 * the first PAGE_CHECK_PAGES_MAX different ones. */
uint64_t page_check_damaged(const struct page_check *check, uint32_t pages[PAGE_CHECK_PAGES_MAX],
                            size_t *count);

#endif
