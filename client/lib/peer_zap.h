/* The ZAP handler of a handle's listening links: who may connect is asked for each connection, with
 * the link's domain and the key that CURVE proved. */
#ifndef PEER_ZAP_H
#define PEER_ZAP_H

#include "limits.h"
#include "wake.h"

#include <stdbool.h>

struct peer_zap;

/* `key` has KEY_BYTES. */
typedef bool peer_zap_admits(void *arg, const char *domain, const unsigned char *key);

/* One for a context; before the first socket listens. NULL: no memory or file descriptors. */
struct peer_zap *peer_zap_new(void *context, struct wake *wake, peer_zap_admits *admits, void *arg);
void peer_zap_free(struct peer_zap *zap);

/* Answers what was asked. */
void peer_zap_answer(struct peer_zap *zap);

#endif
