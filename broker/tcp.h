/* What the kernel knows of a TCP connection: where it comes from, for counting, and whether the
 * other end takes what it is sent. If a descriptor has a new owner meanwhile, the answer is useless
 * but harmless: nothing is done to the descriptor. */
#ifndef TCP_H
#define TCP_H

#include "core/limit.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* ---- where it comes from: its address_group ---- */

#define SOURCE_BYTES ADDRESS_GROUP_BYTES

/* "" for an address that is neither IPv4 nor IPv6. */
void source_of(const struct sockaddr *address, char source[SOURCE_BYTES]);
/* The same for the peer of a connected socket. */
void source_of_socket(int fd, char source[SOURCE_BYTES]);

/* ---- whether it makes progress: the kernel knows which bytes were acknowledged ---- */

struct progress {
    uint64_t acknowledged;   /* bytes, when last looked at */
    int64_t stands_since_us; /* 0: it moves, or nothing waits */
};

/* Looks at a connection; `waits`: something waits for it. Returns for how long something has waited
 * without any byte being acknowledged. `fallback` is used as the count of such bytes if the kernel
 * can't tell it. */
int64_t progress_look(struct progress *progress, int fd, bool waits, uint64_t fallback,
                      int64_t now_us);
/* Whether the kernel still has bytes to send on it. */
bool progress_waits(int fd);

#endif
