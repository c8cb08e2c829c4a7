/* Which addresses of this machine a host in the configuration means, and what others are told of
 * one. Texts are numeric and as an endpoint has them: "127.0.0.1", "[::1]", "*" for all. */
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

/* "*", an address (IPv6 in brackets or without), an interface's name, or a name to look up, in this
 * order of trying. False: `error` holds one sentence. */
bool hosts_find(struct hosts *hosts, const char *text, char *error, size_t error_bytes);
/* Whether a socket can be bound to the host at the port, 0: at any; false with errno. */
bool host_binds(const char *host, uint32_t port);
/* Whether --advertise is something to dial as far as this machine knows, or a wildcard; it may be
 * another one elsewhere. False: `why` tells. Waits for the resolver. */
bool host_resolves(const char *text, char *why, size_t why_bytes);
/* Logs a warning if it does not. The resolver may take long, so a thread of its own asks it; nobody
 * waits for that. */
void host_check_advertised(const char *text);

/* Where programs of this machine reach what is bound to the host: a wildcard is none that one could
 * connect to, so it is this machine's own address. */
void host_own(const char *host, char own[HOST_BYTES]);
/* What --advertise tells: brackets around IPv6; of an interface its first address; "*", the host
 * that the client dialled, for a wildcard or for nothing. */
void host_advertised(const char *text, char told[HOST_BYTES]);

#endif
