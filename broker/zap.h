/* Who may connect (ZeroMQ's RFC 27, ZAP): on the command socket every CURVE key, on the event
 * socket only keys with an open session and budget left. Answers from memory; gives the key as the
 * User-Id of all that the connection sends. It is bound before any server socket: without a handler
 * CURVE admits everybody. */
#ifndef ZAP_H
#define ZAP_H

#include "limits.h"

#include <stdbool.h>

#define ZAP_COMMANDS "commands" /* ZMQ_ZAP_DOMAIN of the two sockets, with the next one */
#define ZAP_EVENTS   "events"

struct zap;

/* ZAP's status codes 200, 300 (the handshake runs into its time limit, after which a client tries
 * again) and 400. */
enum zap_answer { ZAP_ADMITTED, ZAP_LATER, ZAP_REFUSED, ZAP_ANSWERS };

/* Whether the event socket admits the key. */
typedef enum zap_answer zap_admits(void *arg, const unsigned char key[KEY_BYTES]);

/* NULL: the handler can't be bound; errno says why. */
struct zap *zap_new(void *context, zap_admits *admits, void *arg);
void zap_free(struct zap *zap);

/* The socket to poll. */
void *zap_socket(const struct zap *zap);
/* Answers the requests that are there. Returns how many it refused, -1: the handler is dead. */
int zap_serve(struct zap *zap);

#endif
