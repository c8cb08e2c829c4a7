#define _GNU_SOURCE /* SOCK_NONBLOCK, SOCK_CLOEXEC */
#include "listener.h"

#include <errno.h>
#include <ifaddrs.h>
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

/* IPv6 sockets take IPv4 as well. */
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

/* A machine without IPv6 gets the other kind. */
static int bound_anywhere(uint32_t port, int backlog) {
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = bound((struct sockaddr *)&six, sizeof six, backlog);

    return fd >= 0 || errno == EADDRINUSE ? fd
                                          : bound((struct sockaddr *)&four, sizeof four, backlog);
}

/* The first address of the interface, an IPv4 one if it has any; false: there is no such thing. */
static bool interface_address(const char *name, struct sockaddr_storage *address,
                              socklen_t *bytes) {
    struct ifaddrs *all;

    *bytes = 0;
    if (getifaddrs(&all) != 0)
        return false;
    for (struct ifaddrs *one = all; one; one = one->ifa_next) {
        int family = one->ifa_addr ? one->ifa_addr->sa_family : AF_UNSPEC;

        if (strcmp(one->ifa_name, name) != 0 || (family != AF_INET && family != AF_INET6) ||
            (*bytes > 0 && (family != AF_INET || address->ss_family == AF_INET)))
            continue;
        *bytes = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
        memcpy(address, one->ifa_addr, *bytes);
    }
    freeifaddrs(all);
    return *bytes > 0;
}

static int bound_to_name(const char *host, uint32_t port, int backlog) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found;
    char service[16];
    int fd = -1;

    snprintf(service, sizeof service, "%u", (unsigned)port);
    errno = EINVAL;
    if (getaddrinfo(host, service, &hints, &found) != 0) {
        errno = ENODEV;
        return -1;
    }
    for (struct addrinfo *one = found; one && fd < 0; one = one->ai_next)
        fd = bound(one->ai_addr, one->ai_addrlen, backlog);
    freeaddrinfo(found);
    return fd;
}

int listener_open(const char *host, uint32_t port, int backlog) {
    struct sockaddr_storage address;
    char bare[256];
    socklen_t bytes;
    size_t length = strlen(host);

    if (!strcmp(host, "*"))
        return bound_anywhere(port, backlog);
    if (interface_address(host, &address, &bytes)) {
        /* The port is at the same place in both kinds. */
        ((struct sockaddr_in *)&address)->sin_port = htons((uint16_t)port);
        return bound((struct sockaddr *)&address, bytes, backlog);
    }
    snprintf(bare, sizeof bare, "%s", host);
    if (host[0] == '[' && host[length - 1] == ']' && length < sizeof bare)
        snprintf(bare, sizeof bare, "%.*s", (int)length - 2, host + 1);
    return bound_to_name(bare, port, backlog);
}

uint32_t listener_port(int listener) {
    struct sockaddr_storage address = {0};
    socklen_t bytes = sizeof address;

    if (getsockname(listener, (struct sockaddr *)&address, &bytes) != 0)
        return 0;
    return ntohs(((struct sockaddr_in *)&address)->sin_port);
}
