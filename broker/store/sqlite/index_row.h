/* The contents of the rows by which a stream's entries are found: runs and groups of positions, and
 * what is known of each stream. Pure: no SQL, no memory of its own. */
#ifndef INDEX_ROW_H
#define INDEX_ROW_H

#include "memory/view.h"

#include <stddef.h>
#include <stdint.h>

/* ---- runs ----
 *
 * The positions in the log of some entries of a stream that follow each other, as the table entry
 * keeps them, 8 bytes each, the highest first. */

#define RUN_ENTRY_BYTES 8
/* As many as fit in a page of the table without overflow. */
#define RUN_ENTRIES 112

/* Sets, or returns, the `at`th position of a run, counted from 0. */
void run_put(unsigned char *run, size_t at, int64_t position);
int64_t run_get(const unsigned char *run, size_t at);

/* ---- a band's rows (schema/0010.sql) ----
 *
 * Groups, each of some entries of one stream that follow each other, and what is known of each of
 * the band's streams.
 *
 * A group: the stream's place in the band in one byte; then, as numbers of 7 bits a byte, the
 * lowest first: the number of its first entry, how many there are, the position in the log of the
 * first, and how far each other one is behind the one before.
 * Of a stream: up to which number its entries are in the indexed part; twice its cursor, and 1 if
 * that was its last entry. */

/* A row of so many bytes still fits into a page. */
#define BAND_ROW_FULL 4032
/* If a stream has more entries at once, they get runs. */
#define GROUP_ENTRIES_MAX 15
/* A position, and each difference of positions, takes at most 9 bytes. */
#define GROUP_BYTES_MAX (1 + 10 + 1 + GROUP_ENTRIES_MAX * 9)
/* What is known of all streams of a band. */
#define BAND_BYTES_MAX (BAND_STREAMS * 20)

struct group {
    size_t place;
    uint64_t first; /* the number of its first entry */
    size_t count;
    int64_t positions[GROUP_ENTRIES_MAX];
};

/* Returns how many bytes that were. */
size_t group_write(unsigned char *out, const struct group *group);
/* Reads the group at *at and moves *at behind it; false: there is none, or it is damaged. */
bool group_read(const unsigned char *bytes, size_t length, size_t *at, struct group *out);

/* Returns how many bytes that were, BAND_BYTES_MAX at most. */
size_t band_write(unsigned char *out, const struct band *band);
/* Reads it into those streams of the band that are known already; false: it is damaged. */
bool band_read(const unsigned char *bytes, size_t length, struct band *band);

#endif
