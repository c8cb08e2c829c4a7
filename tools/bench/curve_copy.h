/* What files and private chats are compared with: bytes through a pair of encrypted ZeroMQ sockets
 * over loopback and nothing else. The only file of the bench that knows ZeroMQ. */
#ifndef CURVE_COPY_H
#define CURVE_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sends so many bytes in chunks from a DEALER to a ROUTER in another thread, each of a context of
 * its own, with at most `window` chunks that are not acknowledged yet. Counts the time from the
 * first chunk to the last acknowledgement. With a `path` the receiver acknowledges a chunk when it
 * is on the disk, in that new file. false: it said why on stderr. */
bool curve_copy(uint64_t bytes, size_t chunk_bytes, uint64_t window, const char *path,
                int64_t *took_us);

/* Sends so many lines, `batch` of them in a frame, from a PAIR to a PAIR in another thread, each of
 * a context of its own. Nothing is acknowledged but the whole; counts the time up to that. */
bool curve_pair(uint64_t lines, size_t line_bytes, uint64_t batch, int64_t *took_us);

#endif
