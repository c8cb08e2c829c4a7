/* Which addresses of this machine a host in the configuration means, and what others are told of
 * it. Texts are numeric and as in an endpoint: "127.0.0.1", "[::1]", "*" for all. */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOST_BYTES 256
#define HOSTS_MAX  16

struct hosts {
    char host[HOSTS_MAX][HOST_BYTES];
    size_t count;
};

/* The text is tried in this order as "*", an address (IPv6 with or without brackets), an
 * interface's name, and a name to look up. False: `error` holds one sentence. */
bool hosts_find(struct hosts *hosts, const char *text, char *error, size_t error_bytes);
/* Whether a socket can be bound to the host at the port (0: at any). False with errno. */
bool host_binds(const char *host, uint32_t port);
/* Whether --advertise is a host that can be dialled, as far as this machine knows, or a wildcard;
 * elsewhere the same name may mean something else. False: `why` tells. Waits for the resolver. */
bool host_resolves(const char *text, char *why, size_t why_bytes);
/* Logs a warning if the host does not resolve. The resolver may take long, so a thread of its own
 * asks it, and nobody waits for that. */
void host_check_advertised(const char *text);

/* Where programs of this machine reach what is bound to the host. One can't connect to a wildcard:
 * for it this is the machine's own address. */
void host_own(const char *host, char own[HOST_BYTES]);
/* What clients are told for --advertise: an address, IPv6 in brackets; the first address of an
 * interface; "*", which means the host that the client dialled, for a wildcard or for nothing. */
void host_advertised(const char *text, char told[HOST_BYTES]);

#endif
