#include "progress.h"

#include "common/clock.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* How often the line is written. */
#define SHOWN_EVERY_MS 200

void progress_begin(struct progress *progress, const char *verb) {
    *progress = (struct progress){.verb = verb, .terminal = isatty(STDERR_FILENO) != 0};
}

void progress_clear(struct progress *progress) {
    if (progress->line)
        fputs("\r\033[K", stderr);
    progress->line = false;
}

void progress_show(struct progress *progress, const char *what, uint64_t done, uint64_t all) {
    if (!progress->terminal || clock_ms() - progress->at_ms < SHOWN_EVERY_MS)
        return;
    progress->at_ms = clock_ms();
    progress->line = true;
    fprintf(stderr, "\r\033[K%s: %s", progress->verb, what);
    if (all > 0)
        fprintf(stderr, " %llu %%", (unsigned long long)(done * 100 / all));
    else if (done > 0)
        fprintf(stderr, " %llu", (unsigned long long)done);
    fflush(stderr);
}

static const int ending[] = {SIGTERM, SIGINT, SIGHUP};
#define ENDING (sizeof ending / sizeof ending[0])

void progress_hold_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < ENDING; i++)
        sigaddset(&set, ending[i]);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
}

bool progress_is_told_to_end(void) {
    sigset_t waiting;
    bool told = false;
    if (sigpending(&waiting) != 0)
        return false;
    for (size_t i = 0; i < ENDING; i++)
        told = told || sigismember(&waiting, ending[i]) == 1;
    return told;
}
