/* A plain socket connects if ZeroMQ's could not, only to learn the reason. On this machine the
 * answer is there at once; from afar it is not waited for, and nearly always the same. */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int try_connect(const struct addrinfo *info) {
    int fd = socket(info->ai_family, info->ai_socktype, info->ai_protocol);
    if (fd < 0)
        return errno;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    int error = connect(fd, info->ai_addr, info->ai_addrlen) == 0 ? 0 : errno;
    close(fd);
    return error;
}

const char *probe_refusal(const char *host, uint16_t port) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char service[8];
    snprintf(service, sizeof service, "%u", (unsigned)port);
    if (getaddrinfo(host, service, &hints, &found) != 0)
        return "the address can't be used";
    int error = try_connect(found);
    freeaddrinfo(found);
    return strerror(error == 0 || error == EINPROGRESS ? ECONNREFUSED : error);
}

/* A UDP socket that is connected sends nothing, but has an address. */
static bool own_address(const struct addrinfo *to, char own[HOST_BYTES]) {
    struct sockaddr_storage at;
    socklen_t at_bytes = sizeof at;
    int fd = socket(to->ai_family, SOCK_DGRAM, 0);
    if (fd < 0)
        return false;
    bool done = connect(fd, to->ai_addr, to->ai_addrlen) == 0 &&
                getsockname(fd, (struct sockaddr *)&at, &at_bytes) == 0 &&
                getnameinfo((struct sockaddr *)&at, at_bytes, own, HOST_BYTES, NULL, 0,
                            NI_NUMERICHOST) == 0;
    close(fd);
    return done;
}

bool probe_own_address(const char *host, char own[HOST_BYTES]) {
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *found = NULL;
    bool done = getaddrinfo(host, "9", &hints, &found) == 0 && own_address(found, own);
    if (found)
        freeaddrinfo(found);
    return done;
}
