/* A listening TCP socket of our own, bound as libzmq would: to an address, an IPv6 one in brackets,
 * or to "*" for all. What a name or an interface stands for host.h tells. */
#ifndef LISTENER_H
#define LISTENER_H

#include <stdint.h>

/* Not blocking. Port 0: any. -1: errno says why. */
int listener_open(const char *host, uint32_t port, int backlog);
/* The port that it has. */
uint32_t listener_port(int listener);

#endif
