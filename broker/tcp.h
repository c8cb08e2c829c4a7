/* What the kernel knows of a TCP connection: where it comes from, as one counts people by it, and
 * whether the other end takes what it is sent. A descriptor may have a new owner meanwhile; then
 * the answer is of no use, and does no harm: nothing is done to the descriptor. */
#ifndef TCP_H
#define TCP_H

#include "core/limit.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* ---- where it comes from: its address_group ---- */

#define SOURCE_BYTES ADDRESS_GROUP_BYTES

/* Anything that is no address of these kinds is "". */
void source_of(const struct sockaddr *address, char source[SOURCE_BYTES]);
/* The peer's of a connected socket. */
void source_of_socket(int fd, char source[SOURCE_BYTES]);

/* ---- whether it gets anywhere: the kernel knows which bytes were acknowledged ---- */

struct progress {
    uint64_t acknowledged;   /* bytes, as last looked at */
    int64_t stands_since_us; /* 0: it moves, or nothing waits */
};

/* Looks at a connection for which something waits, or not. Returns for how long that something has
 * waited without any byte being acknowledged. `fallback` counts instead where the kernel can't say.
 */
int64_t progress_look(struct progress *progress, int fd, bool waits, uint64_t fallback,
                      int64_t now_us);
/* Whether the kernel still has bytes to send on it. */
bool progress_waits(int fd);

#endif
