/* What the parts of store_export share. */
#ifndef SQLITE_EXPORT_H
#define SQLITE_EXPORT_H

#include "records.h"
#include "thread.h"

struct exporting {
    struct store_export *export; /* borrowed: from the caller */
    struct store *store;         /* owned: read as reader.c does, with its memory filled */
    struct record record;        /* the next one */
    uint64_t *shown;             /* owned: of each stream, the last number that a record told */
    int64_t streams;
    unsigned char *piece; /* owned: RECORD_PIECE_BYTES */
};

/* Begins the record: all else is zero. */
struct record *export_record(struct exporting *exporting, enum record_kind kind);
/* Hands it out: OK, CHANGED (that was the last one). */
enum store_status export_hand_out(struct exporting *exporting);
/* Tells what can't be read. */
void export_damage(struct exporting *exporting, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- export_log.c ---- */

/* All entries of the log that are not gone, with the complete files. */
enum store_status export_log(struct exporting *exporting);
/* The files that are not complete. */
enum store_status export_uploads(struct exporting *exporting);

#endif
