/* Messages without an end. libzmq keeps the parts of an incomplete message outside of all bounds,
 * and tells nobody. So the kernel is asked how much came over a connection: if that is more than a
 * message may have, and everything complete has been read since, the message is not going to be
 * complete.
 *
 * An epoll descriptor tells which connections were active. It is edge-triggered: libzmq has read
 * what came by then, so it is also asked for becoming writable. It is looked at no more often than
 * takes a small share of the time, and not at all while nothing comes. */
#include "link_inside.h"

#include "common/clock.h"
#include "limits.h"
#include "probe.h"
#include "unfinished.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <utlist.h>

#define LOOK_MIN_US   4000
#define LOOK_MAX_US   50000
#define LOOK_SHARE    64 /* looking takes at most one part in so many of the time */
#define EVENTS_A_LOOK 256
#define READ_BYTES    8192 /* the most that libzmq reads at once beyond a message's end */

void link_watch_begin(struct links *links, struct link *link) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.fd = link->fd};

    link->allowance_us = clock_us();
    epoll_ctl(links->watch, EPOLL_CTL_ADD, link->fd, &event);
}

void links_took(struct links *links, struct link *link) {
    link->frames++;
    links->taken[link->socket]++;
}

static void over_end(struct links *links, struct link *link) {
    if (link->is_over)
        DL_DELETE2(links->over, link, over_prev, over_next);
    link->is_over = false;
}

/* Leaves the epoll descriptor alone: the kernel itself stops watching a closed descriptor. */
void link_watch_end(struct links *links, struct link *link) {
    over_end(links, link);
    unfinished_release(links, link);
    probe_end(links, link);
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
    return links->look_us == INT64_MAX || clock_us() >= links->look_us;
}

/* How many bytes came over the connection in all; false: it is closed. */
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

/* How many bytes the kernel still holds: they don't take libzmq's memory. */
static uint64_t unread_of(int fd) {
    int bytes = 0;

    return ioctl(fd, SIOCINQ, &bytes) == 0 && bytes > 0 ? (uint64_t)bytes : 0;
}

/* How much each of `count` may have if all together may have `all`. */
static uint64_t share_of(uint64_t all, size_t count, uint64_t least, uint64_t most) {
    uint64_t share = all / (count + 1);

    return share < least ? least : share < most ? share : most;
}

static uint64_t strangers_bound(const struct links *links) {
    return share_of(UNFINISHED_STRANGERS_MAX, links->strangers, UNFINISHED_STRANGER_MIN,
                    UNFINISHED_STRANGER_MAX);
}

/* The most that the link may hold. */
static uint64_t bound_of(const struct links *links, const struct link *link) {
    if (link->rank != LINK_MEMBER)
        return strangers_bound(links);
    return link->socket == LINK_EVENTS ? UNFINISHED_SUBSCRIBER_MAX : UNFINISHED_MEMBER_MAX;
}

/* How much the link may hold without being looked at. */
static uint64_t share_of_link(const struct links *links, const struct link *link) {
    if (link->rank != LINK_MEMBER || link->socket == LINK_EVENTS)
        return bound_of(links, link);
    return share_of(UNFINISHED_MEMBERS_MAX, links->count - links->strangers,
                    UNFINISHED_STRANGER_MIN, UNFINISHED_STRANGER_MAX);
}

/* How many bytes of the link libzmq has beyond the last frame that was read. The kernel may hold
 * more than what came since that frame: then libzmq took only older bytes. */
static uint64_t ahead_of(const struct link *link, uint64_t received) {
    uint64_t ahead = received > link->received ? received - link->received : 0;
    uint64_t unread = ahead > 0 ? unread_of(link->fd) : 0;

    return unread < ahead ? ahead - unread : 0;
}

static bool is_much(struct links *links, struct link *link, uint64_t received) {
    uint64_t ahead = ahead_of(link, received);

    if (ahead <= share_of_link(links, link))
        return false;
    return link->rank != LINK_STRANGER || !link_promote(links, link) ||
           ahead > share_of_link(links, link);
}

static uint64_t read_by_libzmq(const struct link *link, uint64_t received) {
    uint64_t unread = unread_of(link->fd);

    return unread < received ? received - unread : 0;
}

/* Notes how much of the link's bytes libzmq has now. That amount is judged once everything complete
 * among it has been read; what comes meanwhile does not count, because it may be complete as
 * well. */
static void over_begin(struct links *links, struct link *link, uint64_t received) {
    if (link->is_over)
        return;
    link->is_over = true;
    link->over_ahead = ahead_of(link, received);
    link->is_small = link->part_at > 0 && read_by_libzmq(link, received) >= link->part_at;
    link->over_drains = links->drains[link->socket];
    link->over_taken = links->taken[link->socket];
    DL_APPEND2(links->over, link, over_prev, over_next);
}

static void endless(struct links *links, struct link *link) {
    link_cut(links, link, "endless", &links->options.stats->connections_endless_total);
}

/* A subscriber has little to send, complete or not. false: it sent too much. */
static bool allow(struct link *link, uint64_t received) {
    int64_t now_us = clock_us();
    uint64_t back = (uint64_t)(now_us - link->allowance_us) * SUBSCRIBER_BYTES_A_S / 1000000;

    link->allowance = link->allowance > back ? link->allowance - back : 0;
    link->allowance += received > link->progress ? received - link->progress : 0;
    link->allowance_us = now_us;
    return link->allowance <= SUBSCRIBER_BYTES_BURST;
}

static void complete(struct links *links, struct link *link, uint64_t received) {
    link->frames = 0;
    link->received = received;
    link->is_small = false;
    link->part_at = 0;
    link->probe_at = 0;
    over_end(links, link);
    unfinished_release(links, link);
    probe_end(links, link);
}

static void look_at(struct links *links, struct link *link) {
    uint64_t received;
    bool much = false;

    if (link->rank == LINK_CUT || !received_by(link->fd, &received))
        return;
    if (link->socket == LINK_EVENTS && link->rank == LINK_MEMBER)
        much = !allow(link, received);
    link->progress = received;
    if (much)
        endless(links, link);
    else if (link->frames > 0)
        complete(links, link, received);
    else if (is_much(links, link, received))
        over_begin(links, link, received);
}

/* Whether everything that was complete in over_begin must have been read by now. Even if there is
 * always more to read, ZeroMQ takes a message of each connection in turn. */
static bool was_read(const struct links *links, const struct link *link) {
    return links->drains[link->socket] > link->over_drains ||
           (link->socket == LINK_COMMANDS &&
            links->taken[link->socket] - link->over_taken > 2 * links->count + 64);
}

/* A link that holds more than anybody may hold unasked is charged, and a probe now and then finds
 * out what it holds. */
static void charge(struct links *links, struct link *link, uint64_t ahead) {
    unfinished_charge(links, link, ahead);
    if (ahead <= UNFINISHED_FAIR || ahead < link->probe_at)
        return;
    link->probe_at = ahead + UNFINISHED_PROBE;
    probe_begin(links, link);
}

/* Called when a part's header was seen. Once libzmq has read one more buffer it has read what
 * follows the header; by then it has handed on a message that ended before the header. */
static void is_of_parts(struct links *links, struct link *link) {
    uint64_t received;

    (void)links;
    if (received_by(link->fd, &received))
        link->part_at = received + READ_BYTES + 1;
}

/* Nothing that the link had sent by over_begin was complete. */
static void look_at_unfinished(struct links *links, struct link *link) {
    uint64_t received, ahead = link->over_ahead;

    over_end(links, link);
    if (!received_by(link->fd, &received))
        return;
    if (ahead > bound_of(links, link) || link->is_small) {
        endless(links, link);
        return;
    }
    if (link->rank == LINK_MEMBER)
        charge(links, link, ahead);
    if (ahead_of(link, received) > ahead)
        over_begin(links, link, received);
}

/* Looks at links that sent too much for one message, once everything complete was read. */
static void look_at_over(struct links *links) {
    struct link *link, *next;

    DL_FOREACH_SAFE2(links->over, link, next, over_next) {
        if (link->frames > 0)
            look_at(links, link);
        else if (was_read(links, link))
            look_at_unfinished(links, link);
    }
    unfinished_bound(links);
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
    int64_t begun_us = clock_us(), wait_us;
    int count;

    probes_look(links, is_of_parts);
    look_at_over(links);
    count = look_at_active(links);
    wait_us = LOOK_SHARE * (clock_us() - begun_us);
    wait_us = wait_us < LOOK_MIN_US ? LOOK_MIN_US : wait_us > LOOK_MAX_US ? LOOK_MAX_US : wait_us;
    links->look_us = count > 0 || links->over || links->probes ? clock_us() + wait_us : INT64_MAX;
}
