/* Looking costs system calls, so it is done at intervals while something comes, and begins with a
 * wake-up for the first bytes after a silence. What comes that is no frame is forgiven up to so
 * many bytes a second: heartbeats. */
#define _DEFAULT_SOURCE /* SO_COOKIE */
#include "traffic.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* Heartbeats of a private chat have fewer. */
#define FORGIVEN_BYTES_A_S 256

static bool cookie_of(int fd, uint64_t *cookie) {
    socklen_t bytes = sizeof *cookie;
    return fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_COOKIE, cookie, &bytes) == 0;
}

/* Whether libzmq still has it. */
static bool is_there(const struct traffic_line *line) {
    uint64_t cookie;
    return cookie_of(line->fd, &cookie) && cookie == line->cookie;
}

/* Bytes that libzmq has read of it. */
static bool bytes_taken(int fd, uint64_t *taken) {
    struct tcp_info info = {0};
    socklen_t bytes = sizeof info;
    int unread = 0;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &bytes) != 0 ||
        ioctl(fd, SIOCINQ, &unread) != 0)
        return false;
    uint64_t came = info.tcpi_bytes_received;
    *taken = came > (uint64_t)unread ? came - (uint64_t)unread : 0;
    return true;
}

void traffic_init(struct traffic *traffic, struct wake *wake, int64_t every_us,
                  uint64_t unfinished_max, uint64_t waiting_max) {
    *traffic = (struct traffic){.wake = wake,
                                .every_us = every_us,
                                .unfinished_max = unfinished_max,
                                .waiting_max = waiting_max,
                                .look_us = WAKE_NEVER};
}

void traffic_release(struct traffic *traffic) {
    free(traffic->lines);
}

static bool has_room(struct traffic *traffic) {
    size_t room = traffic->room > 0 ? 4 * traffic->room : 1;
    if (traffic->count < traffic->room)
        return true;
    struct traffic_line *lines =
        room <= TRAFFIC_LINES ? realloc(traffic->lines, room * sizeof *lines) : NULL;
    if (!lines)
        return false;
    traffic->lines = lines;
    traffic->room = room;
    return true;
}

/* Where there are too many the one gives way of which least came, and of such the
 * last: what fills the memory stays. NULL: no memory. */
static struct traffic_line *place_for_one(struct traffic *traffic) {
    struct traffic_line *least = traffic->lines;
    if (!has_room(traffic))
        traffic_read(traffic);
    if (traffic->count < traffic->room)
        return &traffic->lines[traffic->count++];
    for (size_t i = 1; i < traffic->count; i++)
        if (traffic->lines[i].taken <= least->taken)
            least = &traffic->lines[i];
    return least;
}

void traffic_add(struct traffic *traffic, int fd) {
    struct traffic_line line = {.fd = fd};
    if (!cookie_of(fd, &line.cookie) || !bytes_taken(fd, &line.taken))
        return;
    line.frames = line.taken;
    struct traffic_line *place = place_for_one(traffic);
    if (!place)
        return;
    *place = line;
    wake_watch(traffic->wake, fd);
}

void traffic_settle(struct traffic *traffic, int fd) {
    size_t i = 0;
    while (i < traffic->count && traffic->lines[i].fd != fd)
        i++;
    if (i < traffic->count)
        traffic->lines[0] = traffic->lines[i];
    traffic->count = i < traffic->count;
    if (traffic->count == 0)
        traffic_add(traffic, fd);
}

static void each(struct traffic *traffic, void (*watch)(struct wake *wake, int fd)) {
    for (size_t i = 0; i < traffic->count; i++)
        if (is_there(&traffic->lines[i]))
            watch(traffic->wake, traffic->lines[i].fd);
}

bool traffic_is_due(struct traffic *traffic, int64_t now_us, bool took) {
    bool came = traffic->foreign != wake_foreign(traffic->wake);
    traffic->foreign = wake_foreign(traffic->wake);
    if (traffic->look_us == WAKE_NEVER && traffic->count > 0 && (came || took)) {
        traffic->look_us = now_us + traffic->every_us;
        each(traffic, wake_mute);
    }
    return now_us >= traffic->look_us;
}

/* What is gone is no longer looked at. */
void traffic_read(struct traffic *traffic) {
    size_t kept = 0;
    traffic->grew = false;
    for (size_t i = 0; i < traffic->count; i++) {
        struct traffic_line line = traffic->lines[i];
        uint64_t before = line.taken;
        if (!is_there(&line) || !bytes_taken(line.fd, &line.taken))
            continue;
        traffic->grew = traffic->grew || line.taken > before;
        traffic->lines[kept++] = line;
    }
    traffic->count = kept;
}

static uint64_t smaller(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* Where frames came out and none is left, what came is of them. */
static bool line_is_bounded(const struct traffic *traffic, struct traffic_line *line,
                            uint64_t out_bytes, uint64_t forgiven, bool waiting) {
    bool took = out_bytes > 0;
    line->frames =
        took && !waiting ? line->taken : smaller(line->taken, line->frames + out_bytes + forgiven);
    return line->taken - line->frames <=
           (took || waiting ? traffic->waiting_max : traffic->unfinished_max);
}

/* In a while; or, in a silence, once something comes. */
static void look_again(struct traffic *traffic, int64_t now_us) {
    traffic->look_us = traffic->grew ? now_us + traffic->every_us : WAKE_NEVER;
    if (!traffic->grew)
        each(traffic, wake_watch);
}

bool traffic_is_bounded(struct traffic *traffic, int64_t now_us, uint64_t out_bytes, bool waiting) {
    int64_t passed_us = traffic->looked_us > 0 ? now_us - traffic->looked_us : 0;
    uint64_t forgiven = (uint64_t)passed_us * FORGIVEN_BYTES_A_S / 1000000;
    bool bounded = true;
    for (size_t i = 0; i < traffic->count; i++)
        bounded =
            line_is_bounded(traffic, &traffic->lines[i], out_bytes, forgiven, waiting) && bounded;
    traffic->looked_us = now_us;
    look_again(traffic, now_us);
    return bounded;
}

int64_t traffic_deadline_us(const struct traffic *traffic) {
    return traffic->look_us;
}
