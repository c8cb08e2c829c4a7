#define _GNU_SOURCE /* ifaddrs, SOCK_CLOEXEC */
#include "host.h"

#include "log.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *const wildcards[] = {"*", "0.0.0.0", "::", "[::]", NULL};

static bool is_wildcard(const char *text) {
    for (size_t i = 0; wildcards[i]; i++)
        if (!strcmp(text, wildcards[i]))
            return true;
    return false;
}

/* Copies the text without the brackets of an IPv6 address. */
static void bare(const char *text, char out[HOST_BYTES]) {
    size_t bytes = strlen(text);
    bool bracketed = bytes > 2 && text[0] == '[' && text[bytes - 1] == ']';
    snprintf(out, HOST_BYTES, "%.*s", (int)(bracketed ? bytes - 2 : bytes),
             bracketed ? text + 1 : text);
}

static socklen_t address_bytes(const struct sockaddr *address) {
    return address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                          : sizeof(struct sockaddr_in);
}

static void add(struct hosts *hosts, const struct sockaddr *address) {
    char text[HOST_BYTES - 2], host[HOST_BYTES];
    bool ipv6 = address->sa_family == AF_INET6;
    if (hosts->count == HOSTS_MAX || getnameinfo(address, address_bytes(address), text, sizeof text,
                                                 NULL, 0, NI_NUMERICHOST) != 0)
        return;
    snprintf(host, sizeof host, "%s%s%s", ipv6 ? "[" : "", text, ipv6 ? "]" : "");
    for (size_t i = 0; i < hosts->count; i++)
        if (!strcmp(hosts->host[i], host))
            return;
    memcpy(hosts->host[hosts->count++], host, sizeof host);
}

static int look_up(struct hosts *hosts, const char *name, int flags) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags}, *found;
    int error = getaddrinfo(name, NULL, &hints, &found);
    if (error != 0)
        return error;
    for (struct addrinfo *one = found; one; one = one->ai_next)
        if (one->ai_family == AF_INET || one->ai_family == AF_INET6)
            add(hosts, one->ai_addr);
    freeaddrinfo(found);
    return 0;
}

static void add_interface(struct hosts *hosts, const char *name, int family) {
    struct ifaddrs *all;
    if (getifaddrs(&all) != 0)
        return;
    for (struct ifaddrs *one = all; one; one = one->ifa_next)
        if (one->ifa_addr && one->ifa_addr->sa_family == family && !strcmp(one->ifa_name, name))
            add(hosts, one->ifa_addr);
    freeifaddrs(all);
}

bool hosts_find(struct hosts *hosts, const char *text, char *error, size_t error_bytes) {
    char name[HOST_BYTES];
    int reason = 0;
    *hosts = (struct hosts){0};
    if (!strcmp(text, "*")) {
        snprintf(hosts->host[hosts->count++], HOST_BYTES, "*");
        return true;
    }
    bare(text, name);
    look_up(hosts, name, AI_NUMERICHOST);
    if (hosts->count == 0) {
        add_interface(hosts, name, AF_INET);
        add_interface(hosts, name, AF_INET6);
    }
    if (hosts->count == 0)
        reason = look_up(hosts, name, 0);
    if (hosts->count == 0) {
        snprintf(error, error_bytes,
                 "bind: %.64s is no address, interface or name of this machine: %s", text,
                 reason == EAI_SYSTEM ? strerror(errno)
                 : reason             ? gai_strerror(reason)
                                      : "it has no address");
    }
    return hosts->count > 0;
}

bool host_binds(const char *host, uint32_t port) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_PASSIVE};
    struct addrinfo *found;
    char name[HOST_BYTES], service[16];
    snprintf(service, sizeof service, "%u", (unsigned)port);
    bare(!strcmp(host, "*") ? "0.0.0.0" : host, name);
    if (getaddrinfo(name, service, &hints, &found) != 0) {
        errno = EADDRNOTAVAIL;
        return false;
    }
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1; /* as for the broker's sockets: connections that ended are not in the way */
    bool binds = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                 bind(fd, found->ai_addr, found->ai_addrlen) == 0;
    int reason = errno;
    freeaddrinfo(found);
    if (fd >= 0)
        close(fd);
    errno = reason;
    return binds;
}

void host_own(const char *host, char own[HOST_BYTES]) {
    bool ipv6 = host[0] == '[';
    snprintf(own, HOST_BYTES, "%s", !is_wildcard(host) ? host : ipv6 ? "[::1]" : "127.0.0.1");
}

bool host_resolves(const char *text, char *why, size_t why_bytes) {
    char told[HOST_BYTES], name[HOST_BYTES];
    struct hosts hosts = {0};
    host_advertised(text, told);
    bare(told, name);
    int reason = is_wildcard(name) ? 0 : look_up(&hosts, name, 0);
    if (reason != 0) {
        snprintf(why, why_bytes, "%s",
                 reason == EAI_SYSTEM ? strerror(errno) : gai_strerror(reason));
    }
    return reason == 0;
}

void host_advertised(const char *text, char told[HOST_BYTES]) {
    struct hosts interface = {0};
    char name[HOST_BYTES];
    bare(text, name);
    if (name[0] && !is_wildcard(name)) {
        add_interface(&interface, name, AF_INET);
        add_interface(&interface, name, AF_INET6);
    }
    if (!name[0] || is_wildcard(name))
        snprintf(told, HOST_BYTES, "*");
    else if (interface.count > 0)
        memcpy(told, interface.host[0], HOST_BYTES);
    else if (strchr(name, ':'))
        snprintf(told, HOST_BYTES, "[%.*s]", HOST_BYTES - 3, name);
    else
        snprintf(told, HOST_BYTES, "%s", name);
}

static void *check_advertised(void *arg) {
    char *advertise = arg;
    char why[256], quoted[LOG_QUOTE_BYTES];

    if (!host_resolves(advertise, why, sizeof why))
        log_warn("advertise_unresolved", "host=%s reason=\"on this machine: %s\"",
                 log_quote(quoted, sizeof quoted, advertise, strlen(advertise)), why);
    free(advertise);
    return NULL;
}

void host_check_advertised(const char *advertise) {
    char *copy = strdup(advertise);
    pthread_t thread;

    if (copy && pthread_create(&thread, NULL, check_advertised, copy) == 0)
        pthread_detach(thread);
    else
        free(copy);
}
