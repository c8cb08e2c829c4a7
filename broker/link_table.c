/* See link.h: the table, the ranks, and who is late or too many. link_watch.c looks for messages
 * without an end. */
#define _GNU_SOURCE /* dup3 */
#include "link_inside.h"

#include "common/clock.h"
#include "core/memory.h"
#include "limits.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

/* How many bytes ZMTP sends before the handshake. */
#define GREETED_BYTES 64
#define STAGES        4
/* A look may go over a whole crowd; what is left the next turn does. */
#define LOOKS_A_TURN 64

struct source_count {
    char source[SOURCE_BYTES];
    size_t strangers;
    UT_hash_handle hh;
};

struct links *links_new(const struct links_options *options) {
    struct links *links = memory_new(sizeof *links);

    links->options = *options;
    links->look_us = INT64_MAX;
    links->watch = epoll_create1(EPOLL_CLOEXEC);
    links->spare = links->watch >= 0 ? fcntl(links->watch, F_DUPFD_CLOEXEC, 0) : -1;
    if (links->spare >= 0)
        return links;
    if (links->watch >= 0)
        close(links->watch);
    free(links);
    return NULL;
}

struct link *links_find(const struct links *links, int fd) {
    return fd >= 0 && (size_t)fd < links->fds ? links->by_fd[fd] : NULL;
}

/* ---- ranks ---- */

static bool is_strange(enum link_rank rank) {
    return rank == LINK_SILENT || rank == LINK_STRANGER;
}

static void source_join(struct links *links, struct link *link) {
    struct source_count *count = NULL;

    HASH_FIND_STR(links->sources, link->source, count);
    if (!count) {
        count = memory_new(sizeof *count);
        strcpy(count->source, link->source);
        HASH_ADD_STR(links->sources, source, count);
    }
    count->strangers++;
    links->strangers++;
    link->count = count;
}

static void source_leave(struct links *links, struct link *link) {
    struct source_count *count = link->count;

    if (!count)
        return;
    link->count = NULL;
    links->strangers--;
    if (--count->strangers == 0) {
        HASH_DEL(links->sources, count);
        free(count);
    }
}

void link_set_rank(struct links *links, struct link *link, enum link_rank rank) {
    if (link->rank == rank || link->rank == LINK_CUT)
        return;
    DL_DELETE(links->ranks[link->rank], link);
    DL_APPEND(links->ranks[rank], link);
    link->rank = rank;
    link->since_us = clock_us();
    if (!is_strange(rank))
        source_leave(links, link);
    else if (!link->count)
        source_join(links, link);
}

/* ---- come and go ---- */

static void link_forget(struct links *links, struct link *link) {
    links->options.closed(links->options.arg, link);
    link_watch_end(links, link);
    source_leave(links, link);
    DL_DELETE(links->ranks[link->rank], link);
    links->by_fd[link->fd] = NULL;
    links->count--;
    free(link);
}

void links_closed(struct links *links, int fd, enum link_socket socket) {
    struct link *link = links_find(links, fd);

    if (link && link->socket == socket)
        link_forget(links, link);
}

void links_free(struct links *links) {
    if (!links)
        return;
    for (size_t fd = 0; fd < links->fds; fd++)
        if (links->by_fd[fd])
            link_forget(links, links->by_fd[fd]);
    free(links->by_fd);
    close(links->spare);
    close(links->watch);
    free(links);
}

static void by_fd_grow(struct links *links, int fd) {
    size_t fds = 2 * (size_t)fd + 64;

    if ((size_t)fd < links->fds)
        return;
    links->by_fd = memory_resize(links->by_fd, fds * sizeof(struct link *));
    memset(links->by_fd + links->fds, 0, (fds - links->fds) * sizeof(struct link *));
    links->fds = fds;
}

static bool cookie_of(int fd, uint64_t *cookie) {
    socklen_t bytes = sizeof *cookie;

    return getsockopt(fd, SOL_SOCKET, SO_COOKIE, cookie, &bytes) == 0;
}

/* A connection that is closed already has no cookie; its end will be reported next. */
void links_accepted(struct links *links, int fd, enum link_socket socket) {
    struct link *link = links_find(links, fd);
    uint64_t cookie = 0;
    bool is_open = fd >= 0 && cookie_of(fd, &cookie);

    if (link && is_open && link->cookie == cookie)
        return;
    if (link)
        link_forget(links, link);
    if (!is_open)
        return;
    by_fd_grow(links, fd);
    link = memory_new(sizeof *link);
    *link = (struct link){.fd = fd, .socket = socket, .cookie = cookie, .since_us = clock_us()};
    source_of_socket(fd, link->source);
    links->by_fd[fd] = link;
    links->count++;
    DL_APPEND(links->ranks[LINK_SILENT], link);
    source_join(links, link);
    link_watch_begin(links, link);
}

/* ---- the cut ---- */

/* While the spare descriptor holds the socket, it stays the same one, whatever libzmq closes. */
int link_hold(const struct links *links, const struct link *link) {
    uint64_t cookie;

    if (dup3(link->fd, links->spare, O_CLOEXEC) < 0)
        return -1;
    return cookie_of(links->spare, &cookie) && cookie == link->cookie ? links->spare : -1;
}

void link_let_go(const struct links *links) {
    dup3(links->watch, links->spare, O_CLOEXEC);
}

/* Dissolving a connection, unlike only shutting it down, keeps what is still on its way from both
 * libzmq and the peer; libzmq reads that it is over, as with one that was reset. */
static void dissolve(const struct links *links, const struct link *link) {
    const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    int held = link_hold(links, link);

    if (held >= 0 && connect(held, &nowhere, sizeof nowhere) != 0)
        shutdown(held, SHUT_RDWR);
    link_let_go(links);
}

static const char *name_of(enum link_socket socket) {
    return socket == LINK_EVENTS ? "events" : "commands";
}

void links_tell_refused(struct links *links, const char *what, const char *address,
                        enum link_socket socket) {
    const char *from = address ? address : "unknown";
    uint64_t before;

    if (pace_due(links->options.pace, what, from, clock_us(), &before))
        log_warn(what, "address=%s socket=%s before=%llu", from, name_of(socket),
                 (unsigned long long)before);
}

void link_cut(struct links *links, struct link *link, const char *kind, uint64_t *counter) {
    uint64_t before;

    if (link->rank == LINK_CUT)
        return;
    dissolve(links, link);
    link_set_rank(links, link, LINK_CUT);
    link_watch_end(links, link);
    links->cut_total++;
    if (counter)
        ++*counter;
    if (pace_due(links->options.pace, kind, link->source, clock_us(), &before))
        log_warn("connection_cut", "reason=%s address=%s socket=%s before=%llu", kind, link->source,
                 name_of(link->socket), (unsigned long long)before);
}

/* ---- late ---- */

static bool is_crowded(const struct links *links) {
    return links->strangers > links->places / 2;
}

static int64_t patience_us(const struct links *links, enum link_rank rank) {
    bool crowded = is_crowded(links);
    int64_t silent_s = crowded ? SILENT_CROWDED_S : SILENT_S;
    int64_t stranger_s = crowded ? STRANGER_CROWDED_S : STRANGER_S;

    return (rank == LINK_SILENT ? silent_s : stranger_s) * 1000000;
}

bool link_promote(struct links *links, struct link *link) {
    bool member =
        link->rank == LINK_MEMBER ||
        (link->rank == LINK_STRANGER && links->options.account(links->options.arg, link) != 0);

    if (member)
        link_set_rank(links, link, LINK_MEMBER);
    return member;
}

static void cut_late(struct links *links, enum link_rank rank) {
    struct link *link;

    while ((link = links->ranks[rank]) && clock_us() - link->since_us >= patience_us(links, rank))
        if (!link_promote(links, link))
            link_cut(links, link, "late", &links->options.stats->connections_late_total);
}

/* ---- too many ---- */

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* How many places there are for connections without a session: descriptors that are neither
 * reserved nor used by others. */
static size_t places(const struct links *links, size_t others) {
    size_t max = links->options.descriptors_max;
    size_t used = others + (links->count - links->strangers);
    size_t may = max - max / DESCRIPTORS_KEPT_ONE_OF;

    return least(least(STRANGERS_MAX, max / 4), may > used ? may - used : 0);
}

static void warn_of_descriptors(struct links *links, size_t others) {
    struct stats *stats = links->options.stats;
    size_t used = others + links->count, max = links->options.descriptors_max;

    stats->descriptors = used;
    stats->descriptors_max = max;
    if (used < max - max / DESCRIPTORS_KEPT_ONE_OF)
        return;
    stats->descriptors_short_total++;
    if (pace_due(links->options.pace, "descriptors_short", NULL, clock_us(), NULL))
        log_warn("descriptors_short", "used=%zu max=%zu strangers=%zu", used, max,
                 links->strangers);
}

static const struct source_count *source_with_most(const struct links *links) {
    const struct source_count *count, *most = NULL;

    for (count = links->sources; count; count = count->hh.next)
        if (!most || count->strangers > most->strangers)
            most = count;
    return most;
}

static bool are_too_many(const struct links *links, const struct source_count *most) {
    return most && (links->strangers > links->places ||
                    most->strangers > links->places * STRANGERS_OF_ADDRESS_PERCENT / 100);
}

/* How far the connection has come: connected, greeted, in the middle of the handshake, through it,
 * or it sent a frame. */
static int stage_of(const struct link *link) {
    if (link->rank == LINK_STRANGER)
        return 3;
    return link->progress == 0 ? 0 : link->progress <= GREETED_BYTES ? 1 : 2;
}

/* Among the links from that source, the oldest one at the stage that most of them are at: a flood
 * gets to the same stage each time, while somebody who is on the way in does not stay at any stage
 * for long. */
static struct link *oldest_of_most(const struct links *links, const struct source_count *source) {
    struct link *link, *oldest[STAGES] = {NULL};
    size_t counts[STAGES] = {0}, most = 0;

    for (int rank = LINK_SILENT; rank <= LINK_STRANGER; rank++) {
        DL_FOREACH(links->ranks[rank], link) {
            int stage = stage_of(link);

            if (link->count != source)
                continue;
            if (!oldest[stage])
                oldest[stage] = link;
            if (++counts[stage] > counts[most])
                most = (size_t)stage;
        }
    }
    return oldest[most];
}

/* The link to cut. Somebody who is on the way in is at a later stage by now than when last looked
 * at. NULL: there is none to cut, or the looks of this turn are used up. */
static struct link *victim_of(const struct links *links, const struct source_count *source,
                              int *looks) {
    struct link *link;

    do
        link = (*looks)-- > 0 ? oldest_of_most(links, source) : NULL;
    while (link && link_progress(link));
    return link;
}

static void cut_crowd(struct links *links) {
    const struct source_count *most;
    struct link *link;
    int looks = LOOKS_A_TURN;

    links->goes_on = false;
    if (links->strangers <= links->places * STRANGERS_OF_ADDRESS_PERCENT / 100)
        return;
    most = source_with_most(links);
    while (are_too_many(links, most) && (link = victim_of(links, most, &looks))) {
        if (!link_promote(links, link))
            link_cut(links, link, "crowded", &links->options.stats->connections_crowded_total);
        most = source_with_most(links);
    }
    links->goes_on = looks < 0;
}

void links_cut_unread(struct links *links, enum link_socket socket, int64_t after_us,
                      uint64_t *counter) {
    int64_t now_us = clock_us();

    for (size_t fd = 0; fd < links->fds; fd++) {
        struct link *link = links->by_fd[fd];

        if (!link || link->socket != socket || link->rank == LINK_CUT)
            continue;
        if (progress_look(&link->unread, link->fd, progress_waits(link->fd), 0, now_us) >= after_us)
            link_cut(links, link, "publications_unread", counter);
    }
}

void links_tick(struct links *links, size_t others) {
    links->places = places(links, others);
    warn_of_descriptors(links, others);
    cut_crowd(links);
    cut_late(links, LINK_SILENT);
    cut_late(links, LINK_STRANGER);
    links->options.stats->strangers = links->strangers;
}

uint64_t links_cut_total(const struct links *links) {
    return links->cut_total;
}

int64_t links_wait_us(const struct links *links) {
    int64_t first = links->goes_on ? 0 : links->look_us, wait;

    for (int rank = LINK_SILENT; rank <= LINK_STRANGER; rank++) {
        const struct link *link = links->ranks[rank];

        if (link && link->since_us + patience_us(links, (enum link_rank)rank) < first)
            first = link->since_us + patience_us(links, (enum link_rank)rank);
    }
    if (first == INT64_MAX)
        return INT64_MAX;
    wait = first - clock_us();
    return wait > 0 ? wait : 0;
}
