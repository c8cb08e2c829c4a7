/* The signals are blocked except while ppoll waits. So none can come between looking at the flag
 * and waiting, to be noticed only with the next event. */
#define _GNU_SOURCE /* ppoll */
#include "interrupt.h"

#include "common/clock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

enum { NOT_CAUGHT, CAUGHT, ACCEPTED };

static volatile sig_atomic_t state;
static volatile sig_atomic_t at_once;

static void on_signal(int number) {
    (void)number;
    if (at_once || state != NOT_CAUGHT)
        _exit(130);
    state = CAUGHT;
}

static void catch_one(int number) {
    struct sigaction old, now = {.sa_handler = on_signal};
    sigemptyset(&now.sa_mask);
    if (sigaction(number, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
        sigaction(number, &now, NULL);
}

void interrupt_catch(void) {
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGPIPE, &ignore, NULL);
    catch_one(SIGINT);
    catch_one(SIGTERM);
}

bool interrupt_pending(void) {
    return state == CAUGHT;
}

void interrupt_accept(void) {
    state = ACCEPTED;
}

void interrupt_end_at_once(void) {
    at_once = 1;
    if (state == CAUGHT)
        _exit(130);
}

/* The two descriptors to wait for; -1: none. */
struct pair {
    int first;
    int second;
    bool second_ready;
};

/* Uses poll, which passes over -1 and takes descriptors with any number. */
static int poll_readable(struct pair *pair, int64_t deadline_us, const sigset_t *mask) {
    struct pollfd items[] = {{.fd = pair->first, .events = POLLIN},
                             {.fd = pair->second, .events = POLLIN}};
    struct timespec left = {0};
    int64_t left_us = deadline_us == NO_DEADLINE ? 0 : deadline_us - clock_us();
    if (left_us > 0)
        left = (struct timespec){.tv_sec = left_us / 1000000, .tv_nsec = left_us % 1000000 * 1000};
    int ready = ppoll(items, 2, deadline_us == NO_DEADLINE ? NULL : &left, mask);
    pair->second_ready = ready > 0 && items[1].revents != 0;
    return ready;
}

static enum wait_result wait_blocked(struct pair *pair, int64_t deadline_us, const sigset_t *mask) {
    int ready;
    do {
        if (state == CAUGHT)
            return WAIT_INTERRUPTED;
        ready = poll_readable(pair, deadline_us, mask);
    } while (ready < 0 && errno == EINTR);
    if (ready > 0)
        return WAIT_READY;
    return ready == 0 ? WAIT_EXPIRED : WAIT_FAILED;
}

enum wait_result interrupt_wait(int fd, int64_t deadline_us) {
    bool second;
    if (fd >= 0)
        return interrupt_wait_either(fd, -1, deadline_us, &second);
    errno = EMFILE;
    return WAIT_FAILED;
}

enum wait_result interrupt_wait_either(int first_fd, int second_fd, int64_t deadline_us,
                                       bool *second) {
    struct pair pair = {.first = first_fd, .second = second_fd};
    *second = false;
    sigset_t signals, before;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    bound_wait_begins();
    sigprocmask(SIG_BLOCK, &signals, &before);
    enum wait_result result = wait_blocked(&pair, deadline_us, &before);
    int error = errno;
    bound_wait_ends();
    *second = pair.second_ready;
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return result;
}

ssize_t interrupt_read(int fd, void *buffer, size_t capacity, int64_t deadline_us) {
    enum wait_result result = interrupt_wait(fd, deadline_us);
    if (result == WAIT_READY)
        return read(fd, buffer, capacity);
    if (result == WAIT_INTERRUPTED)
        errno = EINTR;
    if (result == WAIT_EXPIRED)
        errno = ETIMEDOUT;
    return -1;
}
