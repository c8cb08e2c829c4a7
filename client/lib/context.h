/* ZeroMQ's contexts, each with its thread for input and output: one for many handles of the
 * process, for a thread of its own costs each handle its descriptors and, among many, its turn on
 * the processor. May be called in any thread. After a fork the child has contexts of its own; what
 * it inherited is left as it is. */
#ifndef CONTEXT_H
#define CONTEXT_H

#include "peer_zap.h"

struct context;

/* A place in a context. NULL with errno: no memory or file descriptors. */
struct context *context_acquire(void);
/* Gives the place back, once all its sockets are closed. The last one ends the context, and waits
 * until its closed sockets have sent what they had, or their time for that is over. NULL is fine.
 */
void context_release(struct context *context);

/* A socket of ZeroMQ; NULL with errno. */
void *context_socket(struct context *context, int type);

/* The guest of a socket that is to listen: see peer_zap_expect. */
struct peer_guest *context_expect(struct context *context, const char *domain,
                                  const unsigned char key[KEY_BYTES]);

#endif
