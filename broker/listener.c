#define _GNU_SOURCE /* SOCK_NONBLOCK, SOCK_CLOEXEC */
#include "listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool set(int fd, int level, int option, int value) {
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

/* IPv6 sockets take IPv4 connections as well. */
static int bound(const struct sockaddr *address, socklen_t bytes, int backlog) {
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error;

    if (fd < 0)
        return -1;
    if (set(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
        (address->sa_family != AF_INET6 || set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0)) &&
        bind(fd, address, bytes) == 0 && listen(fd, backlog) == 0)
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* On a machine without IPv6 it is an IPv4 socket. */
static int bound_anywhere(uint32_t port, int backlog) {
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = bound((struct sockaddr *)&six, sizeof six, backlog);

    return fd >= 0 || errno == EADDRINUSE ? fd
                                          : bound((struct sockaddr *)&four, sizeof four, backlog);
}

static int bound_to_address(const char *host, uint32_t port, int backlog) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICHOST};
    struct addrinfo *found;
    char service[16], bare[256];
    int bracketed = host[0] == '[', fd;

    snprintf(bare, sizeof bare, "%.*s", (int)strlen(host) - 2 * bracketed, host + bracketed);
    snprintf(service, sizeof service, "%u", (unsigned)port);
    if (getaddrinfo(bare, service, &hints, &found) != 0) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    fd = bound(found->ai_addr, found->ai_addrlen, backlog);
    freeaddrinfo(found);
    return fd;
}

int listener_open(const char *host, uint32_t port, int backlog) {
    return strcmp(host, "*") == 0 ? bound_anywhere(port, backlog)
                                  : bound_to_address(host, port, backlog);
}

uint32_t listener_port(int listener) {
    struct sockaddr_storage address = {0};
    socklen_t bytes = sizeof address;

    if (getsockname(listener, (struct sockaddr *)&address, &bytes) != 0)
        return 0;
    return ntohs(((struct sockaddr_in *)&address)->sin_port);
}
