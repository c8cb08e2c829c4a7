/* Looks up the addresses of a host in a thread of its own, so that the handle's thread does not
 * wait; an fd tells that it is done. A numeric address needs no thread. */
#ifndef RESOLVE_H
#define RESOLVE_H

#include "address.h"
#include "wake.h"

#include <stdbool.h>
#include <stdint.h>

#define RESOLVE_MAX 8

struct resolve;

/* Begins. NULL: no memory, thread or file descriptor. */
struct resolve *resolve_new(const char *host, struct wake *wake);
/* Frees it; an answer that is still to come is dropped. */
void resolve_free(struct resolve *resolve);

bool resolve_is_done(struct resolve *resolve);
/* How many addresses were found; 0: resolve_error says why. */
size_t resolve_count(const struct resolve *resolve);
/* The address in digits, without brackets. */
const char *resolve_host(const struct resolve *resolve, size_t index);
const char *resolve_error(const struct resolve *resolve);

/* Waits at most that long to know whether the host has an address. false: it has none, or that is
 * not known by then; *why, which need not be freed, says so. */
bool resolve_within(const char *host, int timeout_ms, const char **why);

/* ---- why a TCP connection can't be made: ZeroMQ tells only that it can't ---- */

/* Tries once, without waiting, to connect to an address in digits. Returns one phrase, never
 * NULL. */
const char *probe_refusal(const char *host, uint16_t port);

/* This machine's address on the way to that one, in digits. False: there is no way, or the host is
 * no address. */
bool probe_own_address(const char *host, char own[HOST_BYTES]);

#endif
