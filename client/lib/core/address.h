/* Where a broker is: as people write it, as known_brokers names it, and as ZeroMQ's endpoints. */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOST_BYTES 256 /* a name or a numeric address with its NUL */
/* "tcp://[host]:port" with its NUL. */
#define ENDPOINT_BYTES (HOST_BYTES + 24)

struct address {
    char host[HOST_BYTES]; /* lower case, an IPv6 literal without its brackets */
    uint16_t port;
};

/* Reads "host", "host:port", "[v6]" or "[v6]:port", perhaps with "tcp://" in front; without a port
 * it is `default_port`. False if the text is none of these. */
bool address_parse(const char *text, uint16_t default_port, struct address *address);

/* Writes "tcp://host:port", with the host in brackets if it is IPv6. The part after "tcp://" is the
 * broker's name in known_brokers. */
void address_endpoint(const struct address *address, char endpoint[ENDPOINT_BYTES]);

/* Reads "tcp://host:port" as in a Greeting; if the host is "*" it becomes `host`. */
bool address_of_greeting(const char *endpoint, const char *host, struct address *address);

#endif
