/* The streams' bands in the store: what is known of their streams, and the rows that streams with
 * few entries share. */
#ifndef SQLITE_BAND_H
#define SQLITE_BAND_H

#include "index_row.h"
#include "inside.h"

/* The key of the band's `row`th row, counted from 1. */
#define BAND_PLACE(band, row) ((int64_t)(band) << 24 | (int64_t)(row))

/* Fills the view with all streams. */
enum store_status sqlite_band_load(struct store *store);
/* Writes what is known of the band's streams. */
enum store_status sqlite_band_write(struct store *store, size_t band);
/* Adds groups, at most BAND_ROW_FULL bytes, to the band's last row, or as a new row. */
enum store_status sqlite_band_add(struct store *store, size_t band, const unsigned char *groups,
                                  size_t length);

/* A row as it was read. */
struct band_groups {
    size_t length; /* 0: it is damaged, or not there */
    unsigned char bytes[BAND_ROW_FULL];
};
enum store_status sqlite_band_read(struct store *store, size_t band, uint32_t row,
                                   struct band_groups *out);
/* Finds the first row that may have the stream's entry `seq`: rows before it have only earlier
 * entries. */
enum store_status sqlite_band_find(struct store *store, const struct stream *stream, uint64_t seq,
                                   uint32_t *row);

#endif
