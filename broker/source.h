/* Where a connection comes from, as one counts people by it: an IPv4 address, or the /64 of an IPv6
 * one, since whoever has one address there has all of them. */
#ifndef SOURCE_H
#define SOURCE_H

#include <sys/socket.h>

#define SOURCE_BYTES 48

/* Anything that is no address of these kinds is "". */
void source_of(const struct sockaddr *address, char source[SOURCE_BYTES]);
/* The peer's of a connected socket. */
void source_of_socket(int fd, char source[SOURCE_BYTES]);

#endif
