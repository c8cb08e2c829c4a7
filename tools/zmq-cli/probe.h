/* What listens at a TCP port, without a library of ZeroMQ: which of its ways to fail tells what to
 * do about it. */
#ifndef PROBE_H
#define PROBE_H

#include "zchat.h"

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>

#define PROBE_HOST_BYTES 256
#define PROBE_TEXT_BYTES 512

struct probe {
    char host[PROBE_HOST_BYTES]; /* without brackets */
    char port[8];
    struct addrinfo *found;      /* owned: the host's addresses */
    char text[PROBE_TEXT_BYTES]; /* what was found, or what is wrong and what to do */
    bool interrupted;
};

/* Takes "tcp://host:port" apart. False: it is none. */
bool probe_init(struct probe *probe, const char *endpoint);
void probe_release(struct probe *probe);

/* Looks up the host, until the deadline of clock_us. ZCHAT_OK, or UNREACHABLE; `text` says. */
zchat_code probe_resolve(struct probe *probe, int64_t deadline_us);

/* Connects to the port at one of the addresses, and looks whether ZeroMQ answers there with that
 * mechanism ("NULL", "CURVE"). ZCHAT_OK, or UNREACHABLE; `text` says. */
zchat_code probe_port(struct probe *probe, const char *mechanism, int64_t deadline_us);

#endif
