/* Why a TCP connection can't be made: ZeroMQ tells only that. */
#ifndef PROBE_H
#define PROBE_H

#include "address.h"

#include <stdbool.h>
#include <stdint.h>

/* Tries once, without waiting, to connect to an address in digits. One phrase, never NULL. */
const char *probe_refusal(const char *host, uint16_t port);

/* This machine's address on the way to that one, in digits. False: there is no way, or the host is
 * no address. */
bool probe_own_address(const char *host, char own[HOST_BYTES]);

#endif
