/* The head of the log, recorded apart from it: a small file beside the database (with -head behind
 * its name) that says how far the store was durable. Each commit writes it after its sync, never
 * before: it is never ahead of what the disk holds. It is synced itself only when the write-ahead
 * log begins anew, every half a minute and at an orderly end, so that it costs a commit one small
 * write.
 *
 * What a start finds with it: entries that were acknowledged and are missing at the log's end; a
 * write-ahead log that is cut, damaged or gone, or of an earlier time, whatever SQLite would make
 * of what is left; a database of an earlier time, or none, where there was one. It finds this of
 * everything up to the last commit after the end of a process, killed or not; after a loss of power
 * up to what the head's file held by then, which is half a minute old at most.
 * What it can't find: damage that leaves the log's end in place (that is what the checksums of
 * pages and entries are for); a store that was brought back whole, head and all, from an earlier
 * time; a loss after the last head that the disk holds. A head that is missing or damaged says
 * nothing: the start tells so, and makes a new one. */
#ifndef HEAD_H
#define HEAD_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/* What the file says. */
struct head_mark {
    int64_t position;  /* of the log's last entry: it is durable, with all before it */
    uint32_t salts[2]; /* of the write-ahead log */
    uint32_t frames;   /* of it were durable; 0: nothing is said about it */
    bool checked;      /* the database's pages have checksums */
};

enum head_state {
    HEAD_MISSING,
    HEAD_DAMAGED,
    HEAD_KNOWN,
};

struct head;

/* Looks for the head of a database that need not be open, or be there. Returns SQLite's code; *out
 * wants head_close where it is not NULL. `mark` is all zero where it is not known. */
int head_open(struct head **out, const char *vfs, const char *database, enum head_state *state,
              struct head_mark *mark);
void head_close(struct head *head);

/* Writes it, and makes the file where there is none. Returns SQLite's code, as the next one;
 * SQLITE_FULL: the disk has no room, and it is as it was. */
int head_write(struct head *head, const struct head_mark *mark);
int head_sync(struct head *head);

#endif
