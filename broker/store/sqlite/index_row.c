#include "index_row.h"

#include <assert.h>

/* ---- runs: the highest byte first, so that a dump of the table reads well ---- */

void run_put(unsigned char *run, size_t at, int64_t position) {
    uint64_t left = (uint64_t)position;
    for (size_t i = RUN_ENTRY_BYTES; i-- > 0; left >>= 8)
        run[at * RUN_ENTRY_BYTES + i] = (unsigned char)(left & 0xff);
}

int64_t run_get(const unsigned char *run, size_t at) {
    uint64_t position = 0;
    for (size_t i = 0; i < RUN_ENTRY_BYTES; i++)
        position = position << 8 | run[at * RUN_ENTRY_BYTES + i];
    return (int64_t)position;
}

/* ---- numbers ---- */

static size_t put(unsigned char *out, uint64_t number) {
    size_t length = 0;
    for (; number > 0x7f; number >>= 7)
        out[length++] = (unsigned char)(number | 0x80);
    out[length++] = (unsigned char)number;
    return length;
}

struct reading {
    const unsigned char *bytes;
    size_t length;
    size_t at;
    bool damaged;
};

static uint64_t get(struct reading *reading) {
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 64 && reading->at < reading->length; shift += 7) {
        unsigned char byte = reading->bytes[reading->at++];
        number |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            return number;
    }
    reading->damaged = true;
    return 0;
}

/* ---- groups ---- */

size_t group_write(unsigned char *out, const struct group *group) {
    assert(group->count > 0 && group->count <= GROUP_ENTRIES_MAX && group->place < BAND_STREAMS);
    size_t length = 0;
    int64_t before = 0;
    out[length++] = (unsigned char)group->place;
    length += put(out + length, group->first);
    length += put(out + length, group->count);
    for (size_t i = 0; i < group->count; i++) {
        length += put(out + length, (uint64_t)(group->positions[i] - before));
        before = group->positions[i];
    }
    return length;
}

bool group_read(const unsigned char *bytes, size_t length, size_t *at, struct group *out) {
    if (*at >= length)
        return false;
    struct reading reading = {.bytes = bytes, .length = length, .at = *at + 1};
    out->place = bytes[*at];
    out->first = get(&reading);
    uint64_t count = get(&reading), position = 0;
    if (reading.damaged || count == 0 || count > GROUP_ENTRIES_MAX || out->place >= BAND_STREAMS)
        return false;
    out->count = (size_t)count;
    for (size_t i = 0; i < out->count; i++) {
        position += get(&reading);
        out->positions[i] = (int64_t)position;
    }
    *at = reading.at;
    return !reading.damaged;
}

/* ---- what is known of the streams ---- */

size_t band_write(unsigned char *out, const struct band *band) {
    size_t length = 0;
    for (size_t i = 0; i < BAND_STREAMS; i++) {
        const struct stream *stream = &band->streams[i];
        uint64_t is_all = stream->cursor == stream->head; /* also for a stream that is not there */
        length += put(out + length, stream->merged);
        length += put(out + length, stream->cursor << 1 | is_all);
    }
    return length;
}

/* A cursor only grows, so the higher one is the later one. If two are equal, the stream's owner has
 * read all only if both say so: the later one may have been written when there was one more
 * entry. */
static void bring(struct stream *stream, uint64_t merged, uint64_t cursor, bool is_all) {
    if (merged > stream->merged)
        stream->merged = stream->head = merged;
    if (cursor == stream->cursor) {
        stream->cursor_follows = stream->cursor_follows && is_all;
    } else if (cursor > stream->cursor) {
        stream->cursor = cursor;
        stream->cursor_follows = is_all;
    }
}

bool band_read(const unsigned char *bytes, size_t length, struct band *band) {
    struct reading reading = {.bytes = bytes, .length = length};
    for (size_t i = 0; i < BAND_STREAMS; i++) {
        uint64_t merged = get(&reading), cursor = get(&reading);
        if (band->streams[i].is_known && !reading.damaged)
            bring(&band->streams[i], merged, cursor >> 1, cursor & 1);
    }
    return !reading.damaged && reading.at == length;
}
