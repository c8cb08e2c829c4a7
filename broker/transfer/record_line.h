/* Records (store/records.h) as lines of JSON, and back: one table says which keys each kind has. */
#ifndef TRANSFER_RECORD_LINE_H
#define TRANSFER_RECORD_LINE_H

#include "line.h"
#include "records.h"

#include <stdio.h>

#define RECORD_FORMAT  "zchat"
#define RECORD_VERSION 1

/* False: the record does not fit into a line. */
bool record_write(struct line *line, const struct record *record);

/* Prints each type of line with its keys, in the order in which an import wants them; in brackets
 * those that may be missing. */
void record_print_types(FILE *out);

/* Room for reading; what a record points to is in it. */
struct record_room {
    char value[LINE_BYTES_MAX];
    unsigned char text[LINE_BYTES_MAX];
};

#define RECORD_FAULT_BYTES 256

/* False: `fault` says in one sentence what is wrong. */
bool record_read(const char *line, size_t bytes, struct record *out, struct record_room *room,
                 char fault[RECORD_FAULT_BYTES]);

#endif
