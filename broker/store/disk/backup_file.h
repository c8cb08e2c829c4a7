/* A backup of a store: one file, which holds, one behind the other:
 *     the database        its pages, each with its checksum (page_check.h)
 *     the index           48 bytes for each piece: its slot (8), 1 if it has checksums (8), these
 * (32) the pieces          SLOT_BYTES each, in the index's order a key               a small file
 * that is kept as it is; none if key_bytes is 0 the trailer         BACKUP_TRAILER_BYTES: what is
 * before it, and the BLAKE2b-512 of that Numbers have the highest byte first.
 *
 * Functions that return an int return 0 or an errno. */
#ifndef BACKUP_FILE_H
#define BACKUP_FILE_H

#include "crypto.h"
#include "slots.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BACKUP_TRAILER_BYTES 256
#define BACKUP_INDEX_BYTES   ((size_t)48)
#define BACKUP_KEY_MAX       1024

struct backup_trailer {
    uint32_t page_bytes;
    uint32_t key_bytes;
    uint64_t pages;
    uint64_t pieces;
    uint64_t pieces_damaged; /* in the store that was copied */
    int64_t position;        /* of the log's last entry */
    int64_t time_us;
    unsigned char hash[HASH_BYTES];
};

struct backup_piece {
    int64_t slot;
    bool has_sums;
    unsigned char sums[SLOT_SUMS_BYTES];
};

/* Where the parts begin. */
uint64_t backup_index_at(const struct backup_trailer *trailer);
uint64_t backup_pieces_at(const struct backup_trailer *trailer);
uint64_t backup_key_at(const struct backup_trailer *trailer);
uint64_t backup_trailer_at(const struct backup_trailer *trailer);

void backup_trailer_pack(const struct backup_trailer *trailer,
                         unsigned char out[BACKUP_TRAILER_BYTES]);
/* False: the bytes are no trailer, or a damaged one. The sizes that it tells have no overflow. */
bool backup_trailer_unpack(const unsigned char bytes[BACKUP_TRAILER_BYTES],
                           struct backup_trailer *out);
void backup_piece_pack(const struct backup_piece *piece, unsigned char out[BACKUP_INDEX_BYTES]);
bool backup_piece_unpack(const unsigned char bytes[BACKUP_INDEX_BYTES], struct backup_piece *out);

/* Reads or writes all of the bytes at that place. EIO: the file ends before. */
int backup_read(int fd, void *bytes, size_t length, uint64_t at);
int backup_write(int fd, const void *bytes, size_t length, uint64_t at);

#endif
