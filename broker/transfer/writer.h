/* Writes an export: records as lines between a header and an end, which tells how many lines there
 * are, so that a cut file is noticed. */
#ifndef TRANSFER_WRITER_H
#define TRANSFER_WRITER_H

#include "line.h"
#include "records.h"

#include <stdio.h>

struct writer {
    FILE *file;    /* borrowed */
    int reason;    /* errno of a write that failed; 0: none did */
    bool too_long; /* a record does not fit into a line */
    uint64_t lines;
    struct line line; /* the last one that was written */
};

#define WRITER_TOO_LONG "something in the store is longer than it can be"

/* False: `too_long` or `reason` says why; the same for the others. */
bool writer_put(struct writer *writer, const struct record *record);
bool writer_put_header(struct writer *writer);
bool writer_put_end(struct writer *writer);
/* Hands over all that was put. */
bool writer_flush(struct writer *writer);

#endif
