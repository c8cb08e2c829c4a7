/* See log_row.h. An entry is found by the lengths of those before it. If they don't lead to it,
 * something is damaged, and the entry is looked for at each byte: its check, which includes the
 * position, recognizes it. */
#include "log_row.h"

#include <assert.h>
#include <string.h>
#include <xxhash.h>

#define CHECK_BYTES  4
#define LENGTH_AT    ((size_t)2 * CHECK_BYTES)
#define HEADER_BYTES (LENGTH_AT + 2)
#define DELIVERED    0x80

/* ---- numbers ---- */

static size_t number_bytes(uint64_t number) {
    size_t bytes = 1;
    while (number >>= 7)
        bytes++;
    return bytes;
}

static unsigned char *put_number(unsigned char *out, uint64_t number) {
    while (number >= 0x80) {
        *out++ = (unsigned char)(number | 0x80);
        number >>= 7;
    }
    *out++ = (unsigned char)number;
    return out;
}

/* NULL: the number does not end before `end`. */
static const unsigned char *get_number(const unsigned char *in, const unsigned char *end,
                                       uint64_t *number) {
    *number = 0;
    for (unsigned shift = 0; in && in < end && shift < 64; shift += 7) {
        *number |= (uint64_t)(*in & 0x7f) << shift;
        if ((*in++ & 0x80) == 0)
            return in;
    }
    return NULL;
}

static void put_fixed(unsigned char *out, uint64_t number, size_t bytes) {
    for (size_t i = 0; i < bytes; i++, number >>= 8)
        out[i] = (unsigned char)(number & 0xff);
}

static uint64_t get_fixed(const unsigned char *in, size_t bytes) {
    uint64_t number = 0;
    for (size_t i = bytes; i-- > 0;)
        number = number << 8 | in[i];
    return number;
}

static uint32_t check_of(const void *bytes, size_t length, int64_t position) {
    return (uint32_t)XXH3_64bits_withSeed(bytes, length, (uint64_t)position);
}

/* ---- writing ---- */

static bool has_content(int kind) {
    return kind != LOG_GONE && kind != LOG_MARK;
}

static bool has_original(int kind) {
    return kind == LOG_CORRECTED || kind == LOG_RETRACTED;
}

bool log_is_message(int kind) {
    return kind == LOG_MESSAGE || has_original(kind);
}

static size_t original_bytes(const struct log_entry *entry) {
    return has_original(entry->kind) ? number_bytes((uint64_t)entry->original) + ID_BYTES : 0;
}

size_t log_entry_bytes(const struct log_entry *entry) {
    if (!has_content(entry->kind))
        return HEADER_BYTES + 1;
    return HEADER_BYTES + 1 + ID_BYTES + number_bytes((uint64_t)entry->time_us) +
           number_bytes((uint64_t)entry->author) + number_bytes((uint64_t)entry->stream) +
           number_bytes(entry->seq) + number_bytes(entry->second) + original_bytes(entry) +
           entry->text_bytes;
}

static unsigned char *put_content(unsigned char *at, const struct log_entry *entry) {
    memcpy(at, entry->id, ID_BYTES);
    at = put_number(at + ID_BYTES, (uint64_t)entry->time_us);
    at = put_number(at, (uint64_t)entry->author);
    at = put_number(at, (uint64_t)entry->stream);
    at = put_number(at, entry->seq);
    at = put_number(at, entry->second);
    if (!has_original(entry->kind))
        return at;
    at = put_number(at, (uint64_t)entry->original);
    memcpy(at, entry->original_id, ID_BYTES);
    return at + ID_BYTES;
}

size_t log_entry_write(unsigned char *out, int64_t position, const struct log_entry *entry) {
    unsigned char *at = out + HEADER_BYTES;
    *at++ = (unsigned char)(entry->kind | (entry->delivered ? DELIVERED : 0));
    size_t text_bytes = has_content(entry->kind) ? entry->text_bytes : 0;
    if (has_content(entry->kind))
        at = put_content(at, entry);
    if (text_bytes > 0)
        memcpy(at, entry->text, text_bytes);
    size_t head = (size_t)(at - out);
    assert(head + text_bytes <= LOG_ENTRY_BYTES_MAX);
    put_fixed(out + LENGTH_AT, head + text_bytes - HEADER_BYTES, 2);
    put_fixed(out + CHECK_BYTES, check_of(at, text_bytes, position), CHECK_BYTES);
    put_fixed(out, check_of(out + CHECK_BYTES, head - CHECK_BYTES, position), CHECK_BYTES);
    return head + text_bytes;
}

/* ---- reading ---- */

static size_t length_at(const struct log_row *row, size_t at) {
    return HEADER_BYTES + (size_t)get_fixed(row->bytes + at + LENGTH_AT, 2);
}

static const unsigned char *get_original(const unsigned char *at, const unsigned char *end,
                                         struct log_entry *out) {
    uint64_t original;
    at = get_number(at, end, &original);
    if (!at || (size_t)(end - at) < ID_BYTES)
        return NULL;
    out->original = (int64_t)original;
    out->original_id = at;
    return at + ID_BYTES;
}

static const unsigned char *get_content(const unsigned char *at, const unsigned char *end,
                                        struct log_entry *out) {
    uint64_t time_us, author, stream;
    if ((size_t)(end - at) < ID_BYTES)
        return NULL;
    out->id = at;
    at = get_number(at + ID_BYTES, end, &time_us);
    at = get_number(at, end, &author);
    at = get_number(at, end, &stream);
    at = get_number(at, end, &out->seq);
    at = get_number(at, end, &out->second);
    if (at) {
        out->time_us = (int64_t)time_us;
        out->author = (int64_t)author;
        out->stream = (int64_t)stream;
    }
    return at && has_original(out->kind) ? get_original(at, end, out) : at;
}

/* Whether the entry with that position is at `at`. */
static bool read_at(const struct log_row *row, size_t at, int64_t position, struct log_entry *out) {
    if (at >= row->length || row->length - at <= HEADER_BYTES ||
        length_at(row, at) <= HEADER_BYTES || length_at(row, at) > row->length - at)
        return false;
    const unsigned char *begin = row->bytes + at;
    const unsigned char *end = begin + length_at(row, at);
    const unsigned char *text = begin + HEADER_BYTES + 1;
    *out = (struct log_entry){.kind = begin[HEADER_BYTES] & ~DELIVERED,
                              .delivered = (begin[HEADER_BYTES] & DELIVERED) != 0};
    if (has_content(out->kind))
        text = get_content(text, end, out);
    if (!text || get_fixed(begin, CHECK_BYTES) !=
                     check_of(begin + CHECK_BYTES, (size_t)(text - begin) - CHECK_BYTES, position))
        return false;
    out->text = (const char *)text;
    out->text_bytes = (size_t)(end - text);
    return true;
}

static bool find(const struct log_row *row, int64_t position, size_t *at, struct log_entry *out) {
    *at = 0;
    for (int64_t left = position - row->first; left > 0 && row->length - *at > HEADER_BYTES;
         left--) {
        size_t length = length_at(row, *at);
        *at += length < row->length - *at ? length : row->length - *at;
    }
    if (read_at(row, *at, position, out))
        return true;
    for (*at = 0; *at < row->length; ++*at)
        if (read_at(row, *at, position, out))
            return true;
    return false;
}

bool log_row_find(const struct log_row *row, int64_t position, size_t *at, size_t *length) {
    struct log_entry entry;
    bool found = find(row, position, at, &entry);
    *length = found ? length_at(row, *at) : 0;
    return found;
}

void log_row_read(const struct log_row *row, int64_t position, struct log_entry *out) {
    size_t at;
    if (!find(row, position, &at, out)) {
        *out = (struct log_entry){.kind = LOG_LOST};
    } else if (get_fixed(row->bytes + at + CHECK_BYTES, CHECK_BYTES) !=
               check_of(out->text, out->text_bytes, position)) {
        out->text_damaged = true;
        out->text = "";
        out->text_bytes = 0;
    }
}
