/* See wal_scan.h. The format: https://www.sqlite.org/fileformat2.html#walformat */
#include "wal_scan.h"

#include "beside.h"

#include <stdlib.h>
#include <string.h>

#define HEADER_BYTES   32
#define FRAME_BYTES    24
#define MAGIC          0x377f0682 /* with its lowest bit set, checksum words are big-endian */
#define VERSION        3007000
#define PAGE_BYTES_MIN 512
#define PAGE_BYTES_MAX 65536

struct scan {
    sqlite3_file *file; /* borrowed */
    bool high_first;
    uint32_t sums[2];
    unsigned char *frame; /* owned: one frame with its page */
    struct wal_scan *out;
};

static uint32_t word_at(const unsigned char *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static uint32_t sum_word(const struct scan *scan, const unsigned char *bytes) {
    uint32_t word = word_at(bytes);
    return scan->high_first ? word : __builtin_bswap32(word);
}

static void add(struct scan *scan, const unsigned char *bytes, size_t length) {
    uint32_t first = scan->sums[0], second = scan->sums[1];
    for (size_t at = 0; at < length; at += 8) {
        first += sum_word(scan, bytes + at) + second;
        second += sum_word(scan, bytes + at + 4) + first;
    }
    scan->sums[0] = first;
    scan->sums[1] = second;
}

static bool sums_are(const struct scan *scan, const unsigned char *bytes) {
    return word_at(bytes) == scan->sums[0] && word_at(bytes + 4) == scan->sums[1];
}

static bool is_page_size(uint32_t bytes) {
    return bytes >= PAGE_BYTES_MIN && bytes <= PAGE_BYTES_MAX && (bytes & (bytes - 1)) == 0;
}

static int read_header(struct scan *scan) {
    unsigned char header[HEADER_BYTES];
    struct wal_scan *out = scan->out;
    int code = scan->file->pMethods->xRead(scan->file, header, HEADER_BYTES, 0);
    out->header = WAL_INVALID;
    if (code != SQLITE_OK)
        return code == SQLITE_IOERR_SHORT_READ ? SQLITE_OK : code;
    scan->high_first = word_at(header) & 1;
    out->page_bytes = word_at(header + 8);
    out->salts[0] = word_at(header + 16);
    out->salts[1] = word_at(header + 20);
    add(scan, header, 24);
    if ((word_at(header) & ~UINT32_C(1)) == MAGIC && word_at(header + 4) == VERSION &&
        is_page_size(out->page_bytes) && sums_are(scan, header + 24))
        out->header = WAL_VALID;
    return SQLITE_OK;
}

static bool is_whole(struct scan *scan) {
    const unsigned char *frame = scan->frame;
    const struct wal_scan *out = scan->out;
    if (word_at(frame + 8) != out->salts[0] || word_at(frame + 12) != out->salts[1] ||
        word_at(frame) == 0)
        return false;
    add(scan, frame, 8);
    add(scan, frame + FRAME_BYTES, out->page_bytes);
    return sums_are(scan, frame + 16);
}

static int read_frame(struct scan *scan) {
    int64_t bytes = FRAME_BYTES + (int64_t)scan->out->page_bytes;
    return scan->file->pMethods->xRead(scan->file, scan->frame, (int)bytes,
                                       HEADER_BYTES + bytes * scan->out->whole);
}

static int read_frames(struct scan *scan, void (*each)(void *arg, uint32_t page), void *arg) {
    int code;
    while ((code = read_frame(scan)) == SQLITE_OK && is_whole(scan)) {
        scan->out->whole++;
        if (word_at(scan->frame + 4) != 0) /* the database's size after a transaction */
            scan->out->frames = scan->out->whole;
        if (each)
            each(arg, word_at(scan->frame));
    }
    return code == SQLITE_IOERR_SHORT_READ ? SQLITE_OK : code;
}

int wal_scan(const char *vfs, const char *database, struct wal_scan *out,
             void (*each)(void *arg, uint32_t page), void *arg) {
    struct scan scan = {.out = out};
    *out = (struct wal_scan){.header = WAL_MISSING};
    int code = beside_open(&scan.file, vfs, database, "-wal", false);
    if (!scan.file)
        return code;
    if (code == SQLITE_OK)
        code = read_header(&scan);
    if (code == SQLITE_OK && out->header == WAL_VALID) {
        scan.frame = malloc(FRAME_BYTES + out->page_bytes);
        code = !scan.frame ? SQLITE_NOMEM : read_frames(&scan, each, arg);
    }
    free(scan.frame);
    beside_close(scan.file);
    return code;
}

int wal_read_salts(sqlite3_file *log, uint32_t salts[2]) {
    unsigned char header[HEADER_BYTES];
    int code = log->pMethods->xRead(log, header, HEADER_BYTES, 0);
    bool there = code == SQLITE_OK;
    salts[0] = there ? word_at(header + 16) : 0;
    salts[1] = there ? word_at(header + 20) : 0;
    return code == SQLITE_IOERR_SHORT_READ ? SQLITE_OK : code;
}
