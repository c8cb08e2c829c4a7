/* Where a connection comes from, as one counts people by it: its address_group. */
#ifndef SOURCE_H
#define SOURCE_H

#include "core/address.h"

#include <sys/socket.h>

#define SOURCE_BYTES ADDRESS_GROUP_BYTES

/* Anything that is no address of these kinds is "". */
void source_of(const struct sockaddr *address, char source[SOURCE_BYTES]);
/* The peer's of a connected socket. */
void source_of_socket(int fd, char source[SOURCE_BYTES]);

#endif
