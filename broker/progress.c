#include "progress.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

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
