/* Signals through a signalfd. A writer to a closed pipe gets an error instead of SIGPIPE. */
#include "signals.h"

#include <signal.h>
#include <stdbool.h>
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
