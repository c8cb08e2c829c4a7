/* The ZAP handler of a context's listening sockets: a thread that says for each connection whether
 * it may be made, by the socket's domain and the key that CURVE proved. The thread calls no
 * callbacks. */
#ifndef PEER_ZAP_H
#define PEER_ZAP_H

#include "limits.h"

#include <stdbool.h>

#define PEER_ZAP_DOMAIN_BYTES 64 /* with its NUL */

struct peer_zap;
struct peer_guest;

/* There is one for a context of ZeroMQ, made before the first socket listens. NULL: no memory or
 * file descriptors. */
struct peer_zap *peer_zap_new(void *context);
/* Call it once the context has ended, which ends the thread. NULL is fine. */
void peer_zap_free(struct peer_zap *zap);

/* Names the one key that is admitted to this domain, once. Called before its socket listens. NULL:
 * no memory. */
struct peer_guest *peer_zap_expect(struct peer_zap *zap, const char *domain,
                                   const unsigned char key[KEY_BYTES]);
/* Nobody is admitted there any more. NULL is fine. */
void peer_zap_expect_end(struct peer_guest *guest);

#endif
