/* See tcp.h. */
#include "tcp.h"

#include <arpa/inet.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

void source_of(const struct sockaddr *address, char source[SOURCE_BYTES]) {
    char text[INET6_ADDRSTRLEN] = "";

    if (address->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, text, sizeof text);
    else if (address->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)address)->sin6_addr, text, sizeof text);
    address_group(text, source);
}

void source_of_socket(int fd, char source[SOURCE_BYTES]) {
    struct sockaddr_storage address;
    socklen_t bytes = sizeof address;

    source[0] = '\0';
    if (getpeername(fd, (struct sockaddr *)&address, &bytes) == 0)
        source_of((struct sockaddr *)&address, source);
}

/* ---- progress ---- */

static bool look(int fd, struct tcp_info *info) {
    socklen_t bytes = sizeof *info;

    memset(info, 0, sizeof *info);
    return fd >= 0 && getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &bytes) == 0 &&
           bytes >= offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof info->tcpi_bytes_acked;
}

int64_t progress_look(struct progress *progress, int fd, bool waits, uint64_t fallback,
                      int64_t now_us) {
    struct tcp_info info;
    uint64_t acknowledged = fallback;

    if (!waits) {
        progress->stands_since_us = 0;
        return 0;
    }
    if (look(fd, &info))
        acknowledged = info.tcpi_bytes_acked;
    if (progress->stands_since_us == 0 || acknowledged != progress->acknowledged) {
        progress->acknowledged = acknowledged;
        progress->stands_since_us = now_us;
    }
    return now_us - progress->stands_since_us;
}

bool progress_waits(int fd) {
    struct tcp_info info;

    return look(fd, &info) && (info.tcpi_notsent_bytes > 0 || info.tcpi_unacked > 0);
}
