/* The broker as a process: sockets around the core, and the turn of the loop that is the store's
 * transaction. */
#ifndef SERVER_H
#define SERVER_H

#include "config.h"

#include <stddef.h>

struct server;

/* Opens the store, binds the sockets, starts the workers. NULL: `error` holds one sentence.
 * `config` is borrowed, and read again at HUP. */
struct server *server_new(struct config *config, char *error, size_t error_bytes);
void server_free(struct server *server);

/* Prints that it serves, and serves until TERM or INT (returns 0), or until it can't go on (returns
 * 1; it has said why). */
int server_run(struct server *server);

#endif
