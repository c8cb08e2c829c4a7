/* Signals through a signalfd. A writer to a closed pipe gets an error instead of SIGPIPE. */
#include "signals.h"

#include "common/clock.h"

#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const int signals_taken[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP, SIGCONT, SIGCHLD};

int signals_open(void) {
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof signals_taken / sizeof signals_taken[0]; i++)
        sigaddset(&set, signals_taken[i]);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGCHLD, &standard, NULL); /* if it is ignored, nobody learns how a child ended */
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return -1;
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

void signals_close(int fd) {
    if (fd >= 0)
        close(fd);
}

int signals_set_standard(posix_spawnattr_t *attributes, short flags) {
    sigset_t none;
    sigset_t ignored;
    sigemptyset(&none);
    sigemptyset(&ignored);
    sigaddset(&ignored, SIGPIPE);
    int error = posix_spawnattr_setsigmask(attributes, &none);
    if (error == 0)
        error = posix_spawnattr_setsigdefault(attributes, &ignored);
    if (error == 0)
        error = posix_spawnattr_setflags(
            attributes, (short)(flags | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
    return error;
}

bool signals_wait_child(int64_t until_ms) {
    int64_t left_ms = until_ms - clock_ms();
    struct timespec left = {.tv_sec = left_ms / 1000, .tv_nsec = left_ms % 1000 * 1000000};
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    if (left_ms > 0)
        sigtimedwait(&child, NULL, &left);
    return left_ms > 0;
}

/* Whether this stop is over: a SIGCONT that came already counts for this stop, too. */
static bool signals_are_over(void) {
    sigset_t pending;
    return sigpending(&pending) == 0 && sigismember(&pending, SIGCONT) == 1;
}

void signals_stop(void) {
    sigset_t stop;
    if (signals_are_over())
        return;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    raise(SIGTSTP);
    sigprocmask(SIG_UNBLOCK, &stop, NULL); /* now it comes */
    sigprocmask(SIG_BLOCK, &stop, NULL);
}

int signals_next(int fd) {
    struct signalfd_siginfo info;
    return read(fd, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}
