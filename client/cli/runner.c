/* Each command gets a session of its own: the terminal's Ctrl-C does not reach it, it cannot write
 * to the terminal, and it can be killed with what it has started. Its stdin is a file in memory,
 * so nobody has to feed it. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create, posix_spawn's closefrom */
#endif

#include "runner.h"

#include "common/clock.h"
#include "memory.h"
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUNNER_AT_ONCE     4
#define RUNNER_WAITING_MAX 32
/* So that commands that hang don't keep the others away for ever. */
#define RUNNER_LONGEST_MS  10000
#define RUNNER_FAREWELL_MS 1000

struct runner_job {
    char **environment; /* owned, with its strings; NULL at the end */
    char *text;         /* owned */
};

struct runner_child {
    pid_t pid; /* 0: none */
    int64_t until_ms;
    bool killed;
};

struct runner {
    const char *command; /* borrowed: from the caller */
    runner_failed_fn *failed;
    void *arg; /* borrowed: from the caller */
    struct runner_child children[RUNNER_AT_ONCE];
    struct runner_job waiting[RUNNER_WAITING_MAX]; /* the oldest first */
    size_t waiting_count;
};

struct runner *runner_new(const char *command, runner_failed_fn *failed, void *arg) {
    struct runner *runner = memory_take(sizeof *runner);
    runner->command = command;
    runner->failed = failed;
    runner->arg = arg;
    return runner;
}

/* ---- jobs ---- */

static void runner_job_free(struct runner_job *job) {
    for (char **variable = job->environment; *variable; variable++)
        memory_free_secret(*variable);
    free(job->environment);
    memory_free_secret(job->text);
}

/* Whether one of the new variables replaces an old one. */
static bool runner_is_replaced(char *const *variables, const char *old) {
    size_t name_bytes = strcspn(old, "=") + 1;
    for (; *variables; variables++)
        if (strncmp(*variables, old, name_bytes) == 0)
            return true;
    return false;
}

static void runner_job_init(struct runner_job *job, char *const *variables, const char *text) {
    size_t room = 1;
    size_t count = 0;
    for (char **old = environ; *old; old++)
        room++;
    for (char *const *variable = variables; *variable; variable++)
        room++;
    job->environment = memory_take(room * sizeof *job->environment);
    for (char **old = environ; *old; old++)
        if (!runner_is_replaced(variables, *old))
            job->environment[count++] = memory_text(*old);
    for (char *const *variable = variables; *variable; variable++)
        job->environment[count++] = memory_text(*variable);
    job->text = memory_text(text);
}

/* ---- children ---- */

/* Returns a file with the text, to be read from its start; -1: errno says why. */
static int runner_file(const char *text) {
    int fd = memfd_create("zchat-message", MFD_CLOEXEC);
    size_t bytes = strlen(text);
    if (fd < 0)
        return -1;
    for (size_t done = 0; done < bytes;) {
        ssize_t wrote = write(fd, text + done, bytes - done);
        if (wrote > 0) {
            done += (size_t)wrote;
        } else if (errno != EINTR) {
            int error = errno;
            close(fd);
            errno = error;
            return -1;
        }
    }
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static int runner_set_files(posix_spawn_file_actions_t *files, int text_fd) {
    int error = posix_spawn_file_actions_adddup2(files, text_fd, STDIN_FILENO);
    for (int fd = STDOUT_FILENO; error == 0 && fd <= STDERR_FILENO; fd++)
        error = posix_spawn_file_actions_addopen(files, fd, "/dev/null", O_WRONLY, 0);
    if (error == 0)
        error = posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
    return error;
}

/* Returns 0, or an errno. */
static int runner_spawn(const struct runner *runner, const struct runner_job *job, pid_t *pid) {
    char *const argv[] = {"sh", "-c", (char *)runner->command, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int text_fd = runner_file(job->text);
    if (text_fd < 0)
        return errno;
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    int error = runner_set_files(&files, text_fd);
    if (error == 0)
        error = signals_set_standard(&attributes, POSIX_SPAWN_SETSID);
    if (error == 0)
        error = posix_spawn(pid, "/bin/sh", &files, &attributes, argv, job->environment);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    close(text_fd);
    return error;
}

static void runner_fail(const struct runner *runner, const char *what, const char *why) {
    char text[256];
    snprintf(text, sizeof text, "%s: %s", what, why);
    runner->failed(runner->arg, text);
}

static struct runner_child *runner_free_place(struct runner *runner) {
    for (size_t i = 0; i < RUNNER_AT_ONCE; i++)
        if (runner->children[i].pid == 0)
            return &runner->children[i];
    return NULL;
}

static void runner_go_on(struct runner *runner) {
    struct runner_child *child;
    while (runner->waiting_count > 0 && (child = runner_free_place(runner))) {
        struct runner_job job = runner->waiting[0];
        runner->waiting_count--;
        memmove(runner->waiting, runner->waiting + 1, runner->waiting_count * sizeof job);
        int error = runner_spawn(runner, &job, &child->pid);
        runner_job_free(&job);
        child->until_ms = clock_ms() + RUNNER_LONGEST_MS;
        child->killed = false;
        if (error != 0) {
            child->pid = 0;
            runner_fail(runner, "it can't be started", strerror(error));
        }
    }
}

void runner_start(struct runner *runner, char *const *variables, const char *text) {
    if (runner->waiting_count == RUNNER_WAITING_MAX) {
        runner->failed(runner->arg, "it is too slow: it was not run for some messages");
        return;
    }
    runner_job_init(&runner->waiting[runner->waiting_count++], variables, text);
    runner_go_on(runner);
}

/* ---- their ends ---- */

static void runner_tell_end(const struct runner *runner, const struct runner_child *child,
                            int status) {
    char text[80];
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    if (child->killed)
        snprintf(text, sizeof text, "it was ended after %d s", RUNNER_LONGEST_MS / 1000);
    else if (WIFEXITED(status))
        snprintf(text, sizeof text, "it ended with status %d", WEXITSTATUS(status));
    else
        snprintf(text, sizeof text, "it was ended by signal %d", WTERMSIG(status));
    runner->failed(runner->arg, text);
}

void runner_reap(struct runner *runner) {
    for (size_t i = 0; i < RUNNER_AT_ONCE; i++) {
        struct runner_child *child = &runner->children[i];
        int status = 0;
        if (child->pid == 0 || waitpid(child->pid, &status, WNOHANG) != child->pid)
            continue;
        child->pid = 0;
        runner_tell_end(runner, child, status);
    }
    runner_go_on(runner);
}

int64_t runner_due_ms(const struct runner *runner) {
    int64_t due_ms = -1;
    for (size_t i = 0; i < RUNNER_AT_ONCE; i++) {
        const struct runner_child *child = &runner->children[i];
        if (child->pid != 0 && !child->killed && (due_ms < 0 || child->until_ms < due_ms))
            due_ms = child->until_ms;
    }
    return due_ms;
}

static void runner_kill(struct runner_child *child) {
    if (child->pid == 0 || child->killed)
        return;
    child->killed = true;
    kill(-child->pid, SIGKILL);
}

void runner_tick(struct runner *runner, int64_t now_ms) {
    for (size_t i = 0; i < RUNNER_AT_ONCE; i++)
        if (runner->children[i].until_ms <= now_ms)
            runner_kill(&runner->children[i]);
}

static bool runner_is_busy(struct runner *runner) {
    bool busy = false;
    for (size_t i = 0; i < RUNNER_AT_ONCE; i++) {
        struct runner_child *child = &runner->children[i];
        if (child->pid != 0 && waitpid(child->pid, NULL, WNOHANG) == child->pid)
            child->pid = 0;
        busy = busy || child->pid != 0;
    }
    return busy;
}

static void runner_say_farewell(struct runner *runner) {
    int64_t until_ms = clock_ms() + RUNNER_FAREWELL_MS;
    while (runner_is_busy(runner) && signals_wait_child(until_ms))
        ;
    for (size_t i = 0; i < RUNNER_AT_ONCE; i++) {
        struct runner_child *child = &runner->children[i];
        runner_kill(child);
        if (child->pid != 0)
            waitpid(child->pid, NULL, 0);
    }
}

void runner_free(struct runner *runner) {
    if (!runner)
        return;
    runner_say_farewell(runner);
    for (size_t i = 0; i < runner->waiting_count; i++)
        runner_job_free(&runner->waiting[i]);
    free(runner);
}
