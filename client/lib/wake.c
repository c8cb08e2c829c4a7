/* One epoll fd over the sockets, a timer and a flag.
 *
 * The flag and the timer are sources like the sockets, but they are cleared here. System calls are
 * saved: the flag is written only when it changes, and the timer is set again only if it would come
 * too late. A timer that comes too early does no harm. */
#include "wake.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define COLLECT_MAX 16

struct wake {
    int epoll;
    int flag;
    int timer;
    struct wake_source flag_source;
    struct wake_source timer_source;
    struct wake_source foreign_source; /* of all fds that belong to somebody else */
    unsigned foreign;
    bool fired;
    int64_t armed_us;
};

struct wake *wake_new(void) {
    struct wake *wake = calloc(1, sizeof *wake);
    if (!wake)
        return NULL;
    wake->armed_us = WAKE_NEVER;
    wake->epoll = epoll_create1(EPOLL_CLOEXEC);
    wake->flag = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    wake->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (wake->epoll < 0 || wake->flag < 0 || wake->timer < 0 ||
        !wake_add(wake, wake->flag, &wake->flag_source) ||
        !wake_add(wake, wake->timer, &wake->timer_source)) {
        wake_free(wake);
        return NULL;
    }
    return wake;
}

void wake_free(struct wake *wake) {
    if (!wake)
        return;
    int fds[] = {wake->timer, wake->flag, wake->epoll};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    free(wake);
}

int wake_fd(const struct wake *wake) {
    return wake->epoll;
}

bool wake_add(struct wake *wake, int fd, struct wake_source *source) {
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = source}};
    source->ready = true;
    return epoll_ctl(wake->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

void wake_remove(struct wake *wake, int fd) {
    int failed = epoll_ctl(wake->epoll, EPOLL_CTL_DEL, fd, NULL);
    assert(!failed);
}

/* The kernel forgets a closed one by itself. Nothing that may be freed stands in the event: the
 * number may have a new owner by the time that it comes. */
static void watch_foreign(struct wake *wake, int fd, uint32_t events) {
    struct epoll_event event = {.events = events, .data = {.ptr = &wake->foreign_source}};
    if (epoll_ctl(wake->epoll, EPOLL_CTL_MOD, fd, &event) != 0 && errno == ENOENT)
        epoll_ctl(wake->epoll, EPOLL_CTL_ADD, fd, &event);
}

/* Waits and marks what is ready. */
static int take(struct wake *wake, int timeout_ms) {
    struct epoll_event events[COLLECT_MAX];
    int count = epoll_wait(wake->epoll, events, COLLECT_MAX, timeout_ms);
    for (int i = 0; i < count; i++) {
        struct wake_source *source = events[i].data.ptr;
        source->ready = true;
    }
    return count;
}

/* The edges count. The owner has read it by the time that it is looked at, so being writable is
 * asked for as well; which it is at once: that event is taken here. */
void wake_watch(struct wake *wake, int fd) {
    watch_foreign(wake, fd, EPOLLIN | EPOLLOUT | EPOLLET);
    take(wake, 0);
    wake->foreign_source.ready = false;
}

void wake_mute(struct wake *wake, int fd) {
    watch_foreign(wake, fd, 0);
}

unsigned wake_foreign(const struct wake *wake) {
    return wake->foreign;
}

void wake_fire(struct wake *wake) {
    if (wake->fired)
        return;
    uint64_t one = 1;
    ssize_t written = write(wake->flag, &one, sizeof one);
    assert(written == sizeof one);
    wake->fired = true;
}

void wake_at(struct wake *wake, int64_t when_us) {
    if (when_us >= wake->armed_us)
        return;
    int64_t at_us = when_us > 0 ? when_us : 1;
    struct itimerspec spec = {.it_value = {.tv_sec = (time_t)(at_us / 1000000),
                                           .tv_nsec = (long)(at_us % 1000000) * 1000}};
    int failed = timerfd_settime(wake->timer, TFD_TIMER_ABSTIME, &spec, NULL);
    assert(!failed);
    wake->armed_us = when_us;
}

static void drain(int fd) {
    uint64_t count;
    while (read(fd, &count, sizeof count) == sizeof count) {
    }
}

bool wake_collect(struct wake *wake, int timeout_ms) {
    if (take(wake, timeout_ms) < 0) {
        assert(errno == EINTR);
        return false;
    }
    if (wake->fired && wake->flag_source.ready) {
        drain(wake->flag);
        wake->fired = false;
    }
    if (wake->timer_source.ready && wake->armed_us != WAKE_NEVER) {
        drain(wake->timer);
        wake->armed_us = WAKE_NEVER;
    }
    wake->foreign += wake->foreign_source.ready;
    wake->flag_source.ready = false;
    wake->timer_source.ready = false;
    wake->foreign_source.ready = false;
    return true;
}
