/* Files and private chats are compared with this: bytes through a pair of encrypted ZeroMQ sockets
 * over loopback, without a protocol, a hash or a store. */
#ifndef CURVE_COPY_H
#define CURVE_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct curve_copy {
    uint64_t bytes;
    size_t chunk_bytes;
    uint64_t window;  /* how many chunks may be unacknowledged */
    const char *from; /* a file with so many bytes; NULL: bytes from memory */
    const char *to;   /* a new file, synced before the last acknowledgement; NULL: into memory */
    bool each_stored; /* each chunk is on the disk when it is acknowledged */
};

/* Sends the chunks from a DEALER to a ROUTER in another thread, each in a context of its own.
 * Measures the time from the first chunk to the last acknowledgement. false: it said why on stderr.
 */
bool curve_copy(const struct curve_copy *copy, int64_t *took_us);

/* Sends so many lines, `batch` of them in a frame, from a PAIR to a PAIR in another thread, each in
 * a context of its own. Only the whole is acknowledged; measures the time until then. */
bool curve_pair(uint64_t lines, size_t line_bytes, uint64_t batch, int64_t *took_us);

#endif
