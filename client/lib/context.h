/* ZeroMQ's contexts, each with its thread for input and output. Many handles of the process share
 * one: a thread for each handle would cost descriptors and, with many handles, waiting for the
 * processor. May be called in any thread. After a fork the child has contexts of its own; inherited
 * ones are left as they are. */
#ifndef CONTEXT_H
#define CONTEXT_H

#include "peer_zap.h"

struct context;

/* Takes a place in a context. NULL with errno: no memory or file descriptors. */
struct context *context_acquire(void);
/* Gives the place back; all its sockets must be closed. The last one to do so ends the context, and
 * waits until the closed sockets have sent what they had, or their time for that is over. NULL is
 * fine. */
void context_release(struct context *context);

/* A socket of ZeroMQ; NULL with errno. */
void *context_socket(struct context *context, int type);

/* The guest of a socket that will listen: see peer_zap_expect. */
struct peer_guest *context_expect(struct context *context, const char *domain,
                                  const unsigned char key[KEY_BYTES]);

#endif
