/* The one port that people know: tells whoever asks for them the broker's key, endpoints and
 * protocol version. No security, tiny frames. It speaks ZMTP itself, on sockets of its own, so it
 * is bounded in connections, bytes and time whatever comes. */
#ifndef GREETER_H
#define GREETER_H

#include "limits.h"
#include "pace.h"

#include <stddef.h>
#include <stdint.h>

struct greeter;
struct stats;

struct greeter_facts {
    unsigned char server_key[KEY_BYTES];
    const char *commands; /* borrowed until the greeter is made, as are the others */
    const char *events;
    const char *software;
};

/* Takes over the listening socket. `guests_max`: how many connections it may have. NULL: errno says
 * why, the socket is closed. */
struct greeter *greeter_new(int listener, const struct greeter_facts *facts, size_t guests_max,
                            struct stats *stats, struct pace *pace);
void greeter_free(struct greeter *greeter);

/* The descriptor to poll for reading. */
int greeter_fd(const struct greeter *greeter);
/* Serves a bounded number of the requests that are there; counts what it answered and what it could
 * not read. */
void greeter_serve(struct greeter *greeter);
/* Closes guests whose time is over. */
void greeter_tick(struct greeter *greeter);
/* In how many microseconds greeter_tick wants to be called; INT64_MAX: not at all. */
int64_t greeter_wait_us(const struct greeter *greeter);
size_t greeter_guests(const struct greeter *greeter);

#endif
