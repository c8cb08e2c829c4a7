/* What the files of this folder share. */
#ifndef TRANSFER_INSIDE_H
#define TRANSFER_INSIDE_H

#include "data.h"
#include "progress.h"

#define TRANSFER_ERROR_BYTES 1024

enum transfer_exit {
    TRANSFER_DONE = 0,
    TRANSFER_FAILED = 1, /* or what was exported is damaged in part */
    TRANSFER_INVALID = 2,
    TRANSFER_IO = 3,
    TRANSFER_NONE = 5,
    TRANSFER_EXISTS = 7,
};

struct transfer {
    const char *verb;   /* borrowed, like the others: "zchatd export" */
    const char *folder; /* the data folder */
    const char *file;   /* "-": stdout or stdin */
    struct progress progress;
};

/* Prints one sentence behind the verb. Returns `result`. */
enum transfer_exit transfer_fail(struct transfer *transfer, enum transfer_exit result,
                                 const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- out.c, in.c ---- */

enum transfer_exit transfer_out(struct transfer *transfer);
enum transfer_exit transfer_in(struct transfer *transfer);

#endif
