/* See loop.h. The end of a loop_run is an epoll wait in whole milliseconds, so it may come one
 * millisecond late. */
#include "loop.h"

#include "common/clock.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_A_TURN 64
#define WAIT_MAX_US   (3600 * INT64_C(1000000))

struct loop {
    int epoll;
    int signals;
    struct loop_source interrupted;
    bool stopped;
};

void loop_stop(struct loop *loop) {
    loop->stopped = true;
}

bool loop_is_stopped(const struct loop *loop) {
    return loop->stopped;
}

static void interrupted(void *arg) {
    loop_stop(arg);
}

static bool take_signals(struct loop *loop) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return false;
    loop->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    loop->interrupted = (struct loop_source){interrupted, loop};
    return loop->signals >= 0 && loop_add(loop, loop->signals, &loop->interrupted);
}

struct loop *loop_new_for_thread(void) {
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return NULL;
    loop->signals = -1;
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll >= 0)
        return loop;
    free(loop);
    return NULL;
}

struct loop *loop_new(void) {
    struct loop *loop = loop_new_for_thread();
    if (!loop || take_signals(loop))
        return loop;
    loop_free(loop);
    return NULL;
}

void loop_free(struct loop *loop) {
    if (!loop)
        return;
    if (loop->signals >= 0)
        close(loop->signals);
    if (loop->epoll >= 0)
        close(loop->epoll);
    free(loop);
}

bool loop_add(struct loop *loop, int fd, struct loop_source *source) {
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = source}};
    return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

void loop_remove(struct loop *loop, int fd) {
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
}

bool loop_every(struct loop *loop, struct loop_timer *timer, int64_t interval_us) {
    struct timespec interval = {.tv_sec = (time_t)(interval_us / 1000000),
                                .tv_nsec = (long)(interval_us % 1000000) * 1000};
    struct itimerspec spec = {.it_interval = interval, .it_value = interval};
    timer->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (timer->fd >= 0 && timerfd_settime(timer->fd, 0, &spec, NULL) == 0 &&
        loop_add(loop, timer->fd, &timer->source))
        return true;
    loop_unset(loop, timer);
    return false;
}

void loop_unset(struct loop *loop, struct loop_timer *timer) {
    if (timer->fd < 0)
        return;
    loop_remove(loop, timer->fd);
    close(timer->fd);
    timer->fd = -1;
}

static int wait_ms(int64_t until_us) {
    int64_t left_us = until_us - clock_us();
    if (left_us > WAIT_MAX_US)
        return (int)(WAIT_MAX_US / 1000);
    return left_us > 0 ? (int)((left_us + 999) / 1000) : 0;
}

static void dispatch(struct loop *loop, int timeout_ms) {
    struct epoll_event events[EVENTS_A_TURN];
    int count = epoll_wait(loop->epoll, events, EVENTS_A_TURN, timeout_ms);
    assert(count >= 0 || errno == EINTR);
    for (int i = 0; i < count && !loop->stopped; i++) {
        struct loop_source *source = events[i].data.ptr;
        source->fn(source->arg);
    }
}

enum loop_end loop_run(struct loop *loop, int64_t until_us, bool (*done)(void *arg), void *arg) {
    while (!loop->stopped) {
        if (done && done(arg))
            return LOOP_DONE;
        int timeout_ms = wait_ms(until_us);
        if (timeout_ms == 0)
            return LOOP_EXPIRED;
        dispatch(loop, timeout_ms);
    }
    return LOOP_STOPPED;
}
