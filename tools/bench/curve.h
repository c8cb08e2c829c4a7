/* ZeroMQ sockets with CURVE over loopback, for the plain ends that the bench compares with and for
 * its light clients. Contexts and sockets are those of libzmq. */
#ifndef CURVE_H
#define CURVE_H

#include <stdbool.h>
#include <stddef.h>

#define CURVE_KEY_TEXT       41
#define CURVE_ENDPOINT_BYTES 64

struct curve_keys {
    char public[CURVE_KEY_TEXT];
    char secret[CURVE_KEY_TEXT];
};

/* Where a server, the broker or a bare one, is reached. */
struct curve_server {
    char commands[CURVE_ENDPOINT_BYTES];
    char events[CURVE_ENDPOINT_BYTES];
    char key[CURVE_KEY_TEXT];
};

/* A context with room for many sockets. NULL: see errno. */
void *curve_context(int io_threads);
void curve_context_free(void *context);

bool curve_keys_make(struct curve_keys *keys);

/* How many frames may wait in a socket for one peer. */
#define CURVE_FRAMES_ANY   0
#define CURVE_FRAMES_USUAL 1000

/* A socket bound to a free port. zap_domain NULL: every key is admitted. NULL: see errno. */
void *curve_bound(void *context, int type, int frames_max, const struct curve_keys *keys,
                  const char *zap_domain, char endpoint[CURVE_ENDPOINT_BYTES]);

/* A client's socket, not connected yet. If connecting fails before it is complete, mostly in the
 * handshake, it is tried again. */
void *curve_client(void *context, int type, int frames_max, const struct curve_keys *keys,
                   const char *server_key);

bool curve_set(void *socket, int option, int value);

#endif
