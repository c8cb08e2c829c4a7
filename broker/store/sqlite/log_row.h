/* The log's entries, and the rows into which they are packed: each row has entries of one
 * transaction that follow each other, as many as fit into a page of the database. Each entry has
 * its own checks, so that a damaged byte harms no other entry. Pure: no SQL, no memory of its own.
 *
 * An entry, numbers with the lowest byte first:
 *     4  check of what is before the text, with the position
 *     4  check of the text, with the position
 *     2  bytes of what follows
 *     1  kind; 0x80 if it was delivered
 *    16  id; absent in marks and in entries that are gone
 *        as numbers of 7 bits a byte, the lowest first: time_us, author, stream, seq, second
 *        corrected, retracted: as such a number, original; 16: original_id
 *        the text, to the end
 * A check is the lower half of XXH3 over 64 bits, seeded with the position. */
#ifndef LOG_ROW_H
#define LOG_ROW_H

#include "limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* These are stored. */
#define LOG_GONE     0 /* its thread was removed: only the kind is left */
#define LOG_MESSAGE  1
#define LOG_POSTED   2
#define LOG_EDITED   3
#define LOG_DELETED  4
#define LOG_UPLOADED 5
#define LOG_MARK     6 /* of a transaction without other entries: only the kind */
/* Messages about an earlier one: its text is now this one's; it is taken back. */
#define LOG_CORRECTED 7
#define LOG_RETRACTED 8
/* A file was deleted: the text is its name. */
#define LOG_FILE_DELETED 9
/* The kind that reading gives to an entry of which only the place is not damaged. */
#define LOG_LOST (-1)

/* A row of so many bytes still fits into a page, together with what SQLite needs there. */
#define LOG_ROW_FULL 4032
/* The bytes that an entry that is gone needs, and the most that any entry needs. */
#define LOG_ENTRY_BYTES_GONE 11
#define LOG_ENTRY_BYTES_MAX  (10 + 1 + 2 * ID_BYTES + 6 * 10 + TEXT_BYTES_MAX)

struct log_entry {
    int kind;
    bool delivered;          /* to a session, when it came */
    bool text_damaged;       /* then there is none */
    const unsigned char *id; /* ID_BYTES; NULL: gone, lost or a mark */
    int64_t time_us;
    int64_t author;
    int64_t stream;   /* the recipient's inbox, or the thread */
    uint64_t seq;     /* there */
    uint64_t second;  /* message: its number in the author's inbox; edited, deleted: the post's
                         position; uploaded: the file's number, of which nothing is left if it
                         was deleted; file deleted: the position where it was uploaded */
    int64_t original; /* corrected, retracted: the position of the message that it is about */
    const unsigned char *original_id; /* and the id of that, ID_BYTES; NULL: another kind */
    const char *text;                 /* not ended by a NUL */
    size_t text_bytes;
};

/* Whether an entry of that kind is in two inboxes. */
bool log_is_message(int kind);

/* How many bytes the entry will need. */
size_t log_entry_bytes(const struct log_entry *entry);
/* Writes the entry; returns how many bytes that were. */
size_t log_entry_write(unsigned char *out, int64_t position, const struct log_entry *entry);

struct log_row {
    int64_t first; /* the position of its first entry */
    size_t count;
    const unsigned char *bytes; /* borrowed */
    size_t length;
};

/* Reads the entry at a position of the row. If it is damaged, its kind is LOG_LOST, or it comes
 * without its text. `out` points into the row. */
void log_row_read(const struct log_row *row, int64_t position, struct log_entry *out);
/* Finds the entry's bytes; false: they are lost. */
bool log_row_find(const struct log_row *row, int64_t position, size_t *at, size_t *length);

#endif
