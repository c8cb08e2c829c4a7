/* Why a TCP connection can't be made: ZeroMQ tells only that. */
#ifndef PROBE_H
#define PROBE_H

#include <stdint.h>

/* Tries once, without waiting, to connect to an address in digits. One phrase, never NULL. */
const char *probe_refusal(const char *host, uint16_t port);

#endif
