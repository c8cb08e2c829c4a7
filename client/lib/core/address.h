/* Where a broker is: what people write, what known_brokers calls it, and ZeroMQ's endpoints. */
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

/* Reads "host", "host:port", "[v6]" or "[v6]:port", "tcp://" before it allowed; without a port
 * `default_port`. False if it is none of these. */
bool address_parse(const char *text, uint16_t default_port, struct address *address);

/* "tcp://host:port", the host in brackets if it is IPv6. What stands behind "tcp://" is the
 * broker's name in known_brokers. */
void address_endpoint(const struct address *address, char endpoint[ENDPOINT_BYTES]);

/* Reads "tcp://host:port" as a Greeting has it; if the host is "*" it becomes `host`. */
bool address_of_greeting(const char *endpoint, const char *host, struct address *address);

#endif
