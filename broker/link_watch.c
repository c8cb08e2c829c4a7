/* Messages without an end. libzmq keeps the parts of a message that is not complete outside of
 * every bound, and tells nobody. So the kernel is asked how much came over a connection: where that
 * is more than a message may have, and all that was complete has been read since, it is not going
 * to be complete.
 *
 * An epoll descriptor tells which connections were active (the edges count, not whether something
 * is still to read: libzmq has read it by then, so being writable is asked for as well). It is
 * looked at no more often than costs a small share of the time, and not at all while nothing comes.
 */
#include "link_watch.h"

#include "limits.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <utlist.h>

#define LOOK_MIN_US   4000
#define LOOK_MAX_US   50000
#define LOOK_SHARE    64 /* looking takes at most one of so many parts of the time */
#define EVENTS_A_LOOK 256

void link_watch_begin(struct links *links, struct link *link) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.fd = link->fd};

    link->allowance_us = link_now_us();
    epoll_ctl(links->watch, EPOLL_CTL_ADD, link->fd, &event);
}

static void over_end(struct links *links, struct link *link) {
    if (link->is_over)
        DL_DELETE2(links->over, link, over_prev, over_next);
    link->is_over = false;
}

/* The kernel ends the watching of a closed descriptor by itself. */
void link_watch_end(struct links *links, struct link *link) {
    over_end(links, link);
}

bool links_doubt(const struct links *links) {
    return links->over != NULL;
}

void links_drained(struct links *links, enum link_socket socket) {
    links->drains[socket]++;
}

int links_watch_fd(const struct links *links) {
    return links->watch;
}

bool links_watches(const struct links *links) {
    return links->look_us == INT64_MAX || link_now_us() >= links->look_us;
}

/* Bytes that came over the connection in all; false: it is closed. */
static bool received_by(int fd, uint64_t *received) {
    struct tcp_info info = {0};
    socklen_t bytes = sizeof info;

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &bytes) != 0)
        return false;
    *received = info.tcpi_bytes_received;
    return true;
}

bool link_progress(struct link *link) {
    uint64_t before = link->progress;

    return received_by(link->fd, &link->progress) && link->progress > before;
}

/* What the kernel still holds does not fill libzmq's memory. */
static uint64_t unread_of(int fd) {
    int bytes = 0;

    return ioctl(fd, SIOCINQ, &bytes) == 0 && bytes > 0 ? (uint64_t)bytes : 0;
}

static uint64_t strangers_bound(const struct links *links) {
    uint64_t share = UNFINISHED_STRANGERS_MAX / (links->strangers + 1);

    if (share < UNFINISHED_STRANGER_MIN)
        return UNFINISHED_STRANGER_MIN;
    return share < UNFINISHED_STRANGER_MAX ? share : UNFINISHED_STRANGER_MAX;
}

static uint64_t bound_of(const struct links *links, const struct link *link) {
    return link->rank == LINK_MEMBER ? UNFINISHED_MEMBER_MAX : strangers_bound(links);
}

/* What the kernel holds may be more than what came since: then libzmq took older bytes alone. */
static bool is_unfinished(struct links *links, struct link *link, uint64_t received) {
    uint64_t ahead = received > link->received ? received - link->received : 0;
    uint64_t unread;

    if (ahead <= bound_of(links, link))
        return false;
    if (link->rank == LINK_STRANGER && link_promote(links, link) && ahead <= bound_of(links, link))
        return false;
    unread = unread_of(link->fd);
    return unread < ahead && ahead - unread > bound_of(links, link);
}

static void over_begin(struct links *links, struct link *link) {
    if (link->is_over)
        return;
    link->is_over = true;
    link->over_drains = links->drains[link->socket];
    DL_APPEND2(links->over, link, over_prev, over_next);
}

static void endless(struct links *links, struct link *link) {
    link_cut(links, link, "endless", &links->options.stats->connections_endless_total);
}

/* A subscriber has little to say, complete or not: false, if it said too much. */
static bool allow(struct link *link, uint64_t received) {
    int64_t now_us = link_now_us();
    uint64_t back = (uint64_t)(now_us - link->allowance_us) * SUBSCRIBER_BYTES_A_S / 1000000;

    link->allowance = link->allowance > back ? link->allowance - back : 0;
    link->allowance += received > link->received ? received - link->received : 0;
    link->allowance_us = now_us;
    return link->allowance <= SUBSCRIBER_BYTES_BURST;
}

static void look_at(struct links *links, struct link *link) {
    uint64_t received;

    if (link->rank == LINK_CUT || !received_by(link->fd, &received))
        return;
    link->progress = received;
    if (link->socket == LINK_EVENTS && link->rank == LINK_MEMBER) {
        if (!allow(link, received))
            endless(links, link);
        link->received = received;
        over_end(links, link);
    } else if (link->frames > 0) {
        link->frames = 0;
        link->received = received;
        over_end(links, link);
    } else if (is_unfinished(links, link, received)) {
        over_begin(links, link);
    }
}

/* What was over, and still is after everything complete was read. */
static void look_at_over(struct links *links) {
    struct link *link, *next;

    DL_FOREACH_SAFE2(links->over, link, next, over_next) {
        if (link->frames > 0)
            look_at(links, link);
        else if (links->drains[link->socket] > link->over_drains)
            endless(links, link);
    }
}

static int look_at_active(struct links *links) {
    struct epoll_event events[EVENTS_A_LOOK];
    int count = epoll_wait(links->watch, events, EVENTS_A_LOOK, 0);

    for (int i = 0; i < count; i++) {
        struct link *link = links_find(links, events[i].data.fd);

        if (link)
            look_at(links, link);
    }
    return count;
}

void links_look(struct links *links) {
    int64_t begun_us = link_now_us(), wait_us;
    int count;

    look_at_over(links);
    count = look_at_active(links);
    wait_us = LOOK_SHARE * (link_now_us() - begun_us);
    wait_us = wait_us < LOOK_MIN_US ? LOOK_MIN_US : wait_us > LOOK_MAX_US ? LOOK_MAX_US : wait_us;
    links->look_us = count > 0 || links->over ? link_now_us() + wait_us : INT64_MAX;
}
