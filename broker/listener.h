/* A listening TCP socket of our own, bound as libzmq would: to an address (IPv6 in brackets), or to
 * "*" for all. For names and interfaces see host.h. */
#ifndef LISTENER_H
#define LISTENER_H

#include <stdint.h>

/* Opens it, not blocking. Port 0: any. -1: errno says why. */
int listener_open(const char *host, uint32_t port, int backlog);
/* The port that it has. */
uint32_t listener_port(int listener);

#endif
