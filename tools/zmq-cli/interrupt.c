/* The signals are blocked except while pselect waits: so none can come between the look at the flag
 * and the wait, and be noticed only with the next event. */
#include "interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/select.h>
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

int64_t clock_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int select_readable(int fd, int64_t deadline_us, const sigset_t *mask) {
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(fd, &readable);
    if (deadline_us == NO_DEADLINE)
        return pselect(fd + 1, &readable, NULL, NULL, NULL, mask);
    int64_t left_us = deadline_us - clock_us();
    if (left_us < 0)
        left_us = 0;
    struct timespec left = {.tv_sec = left_us / 1000000, .tv_nsec = left_us % 1000000 * 1000};
    return pselect(fd + 1, &readable, NULL, NULL, &left, mask);
}

static enum wait_result wait_blocked(int fd, int64_t deadline_us, const sigset_t *mask) {
    int ready;
    do {
        if (state == CAUGHT)
            return WAIT_INTERRUPTED;
        ready = select_readable(fd, deadline_us, mask);
    } while (ready < 0 && errno == EINTR);
    if (ready > 0)
        return WAIT_READY;
    return ready == 0 ? WAIT_EXPIRED : WAIT_FAILED;
}

enum wait_result interrupt_wait(int fd, int64_t deadline_us) {
    if (fd < 0 || fd >= FD_SETSIZE) {
        errno = EMFILE;
        return WAIT_FAILED;
    }
    sigset_t signals, before;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, &before);
    enum wait_result result = wait_blocked(fd, deadline_us, &before);
    int error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return result;
}

ssize_t interrupt_read(int fd, void *buffer, size_t capacity) {
    enum wait_result result = interrupt_wait(fd, NO_DEADLINE);
    if (result == WAIT_READY)
        return read(fd, buffer, capacity);
    if (result == WAIT_INTERRUPTED)
        errno = EINTR;
    return -1;
}
