/* See backup_file.h. The trailer, 256 bytes:
 *     8  magic     8  pages     8  pieces damaged   8  time            64  hash of all before
 *     4  page bytes  4  key bytes  8  pieces        8  position        ...  zeros
 * and in its last 8 bytes XXH3 of the trailer before them. */
#include "backup_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#define PAGE_BYTES_AT 8
#define KEY_BYTES_AT  12
#define PAGES_AT      16
#define PIECES_AT     24
#define DAMAGED_AT    32
#define POSITION_AT   40
#define TIME_AT       48
#define HASH_AT       64
#define SUM_AT        (BACKUP_TRAILER_BYTES - 8)

static const unsigned char magic[8] = "zchatbk1"; /* without a NUL */

static void put(unsigned char *out, uint64_t number, size_t bytes) {
    for (size_t i = bytes; i-- > 0; number >>= 8)
        out[i] = (unsigned char)(number & 0xff);
}

static uint64_t get(const unsigned char *bytes, size_t count) {
    uint64_t number = 0;
    for (size_t i = 0; i < count; i++)
        number = number << 8 | bytes[i];
    return number;
}

uint64_t backup_index_at(const struct backup_trailer *trailer) {
    return trailer->pages * trailer->page_bytes;
}

uint64_t backup_pieces_at(const struct backup_trailer *trailer) {
    return backup_index_at(trailer) + trailer->pieces * BACKUP_INDEX_BYTES;
}

uint64_t backup_key_at(const struct backup_trailer *trailer) {
    return backup_pieces_at(trailer) + trailer->pieces * SLOT_BYTES;
}

uint64_t backup_trailer_at(const struct backup_trailer *trailer) {
    return backup_key_at(trailer) + trailer->key_bytes;
}

void backup_trailer_pack(const struct backup_trailer *trailer,
                         unsigned char out[BACKUP_TRAILER_BYTES]) {
    memset(out, 0, BACKUP_TRAILER_BYTES);
    memcpy(out, magic, sizeof magic);
    put(out + PAGE_BYTES_AT, trailer->page_bytes, 4);
    put(out + KEY_BYTES_AT, trailer->key_bytes, 4);
    put(out + PAGES_AT, trailer->pages, 8);
    put(out + PIECES_AT, trailer->pieces, 8);
    put(out + DAMAGED_AT, trailer->pieces_damaged, 8);
    put(out + POSITION_AT, (uint64_t)trailer->position, 8);
    put(out + TIME_AT, (uint64_t)trailer->time_us, 8);
    memcpy(out + HASH_AT, trailer->hash, HASH_BYTES);
    put(out + SUM_AT, XXH3_64bits(out, SUM_AT), 8);
}

bool backup_trailer_unpack(const unsigned char bytes[BACKUP_TRAILER_BYTES],
                           struct backup_trailer *out) {
    if (memcmp(bytes, magic, sizeof magic) != 0 ||
        get(bytes + SUM_AT, 8) != XXH3_64bits(bytes, SUM_AT))
        return false;
    *out = (struct backup_trailer){
        .page_bytes = (uint32_t)get(bytes + PAGE_BYTES_AT, 4),
        .key_bytes = (uint32_t)get(bytes + KEY_BYTES_AT, 4),
        .pages = get(bytes + PAGES_AT, 8),
        .pieces = get(bytes + PIECES_AT, 8),
        .pieces_damaged = get(bytes + DAMAGED_AT, 8),
        .position = (int64_t)get(bytes + POSITION_AT, 8),
        .time_us = (int64_t)get(bytes + TIME_AT, 8),
    };
    memcpy(out->hash, bytes + HASH_AT, HASH_BYTES);
    return out->page_bytes >= 512 && out->page_bytes <= 65536 && out->pages <= UINT32_MAX &&
           out->pieces <= UINT32_MAX && out->key_bytes <= BACKUP_KEY_MAX;
}

void backup_piece_pack(const struct backup_piece *piece, unsigned char out[BACKUP_INDEX_BYTES]) {
    put(out, (uint64_t)piece->slot, 8);
    put(out + 8, piece->has_sums ? 1 : 0, 8);
    memcpy(out + 16, piece->sums, SLOT_SUMS_BYTES);
}

bool backup_piece_unpack(const unsigned char bytes[BACKUP_INDEX_BYTES], struct backup_piece *out) {
    uint64_t slot = get(bytes, 8), has_sums = get(bytes + 8, 8);
    out->slot = (int64_t)slot;
    out->has_sums = has_sums == 1;
    memcpy(out->sums, bytes + 16, SLOT_SUMS_BYTES);
    return slot <= UINT32_MAX && has_sums <= 1;
}

int backup_read(int fd, void *bytes, size_t length, uint64_t at) {
    unsigned char *out = bytes;
    while (length > 0) {
        ssize_t count = pread(fd, out, length, (off_t)at);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count < 0 ? errno : EIO;
        out += count;
        at += (uint64_t)count;
        length -= (size_t)count;
    }
    return 0;
}

int backup_write(int fd, const void *bytes, size_t length, uint64_t at) {
    const unsigned char *in = bytes;
    while (length > 0) {
        ssize_t count = pwrite(fd, in, length, (off_t)at);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count < 0 ? errno : EIO;
        in += count;
        at += (uint64_t)count;
        length -= (size_t)count;
    }
    return 0;
}
