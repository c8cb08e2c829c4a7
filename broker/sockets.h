/* The broker's three server sockets, which are made, secured and bound here, and where they can be
 * reached. The greeter's is the kernel's own, the others are libzmq's. */
#ifndef SOCKETS_H
#define SOCKETS_H

#include "config.h"
#include "identity.h"

#define ENDPOINT_BYTES 320

struct sockets {
    int greeter;    /* owned, a listening socket, unless given away (then -1) */
    void *commands; /* owned */
    void *events;   /* owned */
    /* As the ready line and endpoints.json have them. */
    char address[ENDPOINT_BYTES];
    char commands_address[ENDPOINT_BYTES];
    char events_address[ENDPOINT_BYTES];
    /* As the greeting has them: "*" for the host that the client dialled, or the advertised host.
     */
    char greeter_told[ENDPOINT_BYTES];
    char commands_told[ENDPOINT_BYTES];
    char events_told[ENDPOINT_BYTES];
};

/* A ZeroMQ context for them. NULL: errno says why. */
void *sockets_context(int io_threads);

/* The ZAP handler must be bound already. false: `error` holds one sentence. */
bool sockets_open(struct sockets *sockets, void *context, const struct config *config,
                  const struct identity *identity, char *error, size_t error_bytes);
void sockets_close(struct sockets *sockets);

/* Writes DATA/endpoints.json: address, commands, events, server_key. If that fails, an earlier
 * run's file is removed. */
bool sockets_publish(const struct sockets *sockets, const char *folder, const char *server_key,
                     char *error, size_t error_bytes);
/* Removes that file: the broker can't be reached there any more. */
void sockets_unpublish(const char *folder);

#endif
