/* The head of the log, recorded apart from it: a small file beside the database (with -head behind
 * its name) that says how far the store was durable. Each commit writes it after its sync, never
 * before, so it is never ahead of what the disk holds. It is synced itself only when the
 * write-ahead log begins anew, every half a minute and at an orderly end, so that it costs a commit
 * one small write.
 *
 * With it a start finds out: that acknowledged entries are missing at the log's end; that the
 * write-ahead log is cut, damaged, gone or from an earlier time, whatever SQLite would make of what
 * is left; that the database is from an earlier time, or is gone. After the end of a process,
 * killed or not, this covers everything up to the last commit; after a loss of power, everything up
 * to what the head's file on the disk says, which is at most half a minute old. What it can't find
 * out: damage that leaves the log's end in place (the checksums of pages and entries find that);
 * that the whole store, with its head, was restored from an earlier time; a loss after the last
 * head that the disk holds. If the head is missing or damaged nothing is known: the start reports
 * that, and makes a new head. */
#ifndef HEAD_H
#define HEAD_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/* What the file says. */
struct head_mark {
    int64_t position;  /* of the log's last entry: it and all before it are durable */
    uint32_t salts[2]; /* of the write-ahead log */
    uint32_t frames;   /* of the write-ahead log that were durable; 0: not known */
    bool checked;      /* the database's pages have checksums */
};

enum head_state {
    HEAD_MISSING,
    HEAD_DAMAGED,
    HEAD_KNOWN,
};

struct head;

/* Opens the head of a database, which need not be open or exist. Returns SQLite's code; if *out is
 * not NULL, head_close must follow. If the mark is not known, `mark` is all zeros. */
int head_open(struct head **out, const char *vfs, const char *database, enum head_state *state,
              struct head_mark *mark);
void head_close(struct head *head);

/* Writes the mark, and makes the file if there is none. Returns SQLite's code, like the next one;
 * SQLITE_FULL: the disk has no room, and the head is as it was. */
int head_write(struct head *head, const struct head_mark *mark);
int head_sync(struct head *head);

#endif
