/* Children are made with posix_spawn: the library has threads, so nothing may run between a fork
 * and its exec. The child gets default signals back, because zmq-cli ignores SIGPIPE. */
#define _GNU_SOURCE /* syscall, memfd_create */
#include "child.h"

#include "common/clock.h"
#include "interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define AGAIN_US 20000 /* between two looks at a command without a descriptor to wait for */

extern char **environ;

static bool is_overridden(const char *entry, const struct child_variable *variables, size_t count) {
    for (size_t i = 0; i < count; i++) {
        size_t bytes = strlen(variables[i].name);
        if (strncmp(entry, variables[i].name, bytes) == 0 && entry[bytes] == '=')
            return true;
    }
    return false;
}

static char *joined(const struct child_variable *variable) {
    size_t bytes = strlen(variable->name) + strlen(variable->value) + 2;
    char *text = malloc(bytes);
    if (text)
        snprintf(text, bytes, "%s=%s", variable->name, variable->value);
    return text;
}

/* The first `count` entries of the result are owned, the rest borrowed from environ. */
static char **environment_with(const struct child_variable *variables, size_t count) {
    size_t inherited = 0;
    while (environ[inherited])
        inherited++;
    char **result = calloc(inherited + count + 1, sizeof *result);
    if (!result)
        return NULL;
    size_t used = 0;
    for (; used < count; used++)
        result[used] = joined(&variables[used]);
    for (size_t i = 0; i < inherited; i++)
        if (!is_overridden(environ[i], variables, count))
            result[used++] = environ[i];
    return result;
}

static void environment_free(char **environment, size_t count) {
    for (size_t i = 0; environment && i < count; i++)
        free(environment[i]);
    free(environment);
}

/* Starts the shell with `fd` as its descriptor `as`. Returns 0 or an errno. */
static int spawn(pid_t *pid, const char *command, int fd, int as, char **environment) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t defaults;
    char *arguments[] = {"sh", "-c", (char *)command, NULL};
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, fd, as);
    if (as != STDIN_FILENO)
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    int error = posix_spawn(pid, "/bin/sh", &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

static int wait_for(pid_t pid) {
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Opens a pipe whose ends no child inherits by accident. */
static bool open_pipe(int ends[2]) {
    if (pipe(ends) < 0)
        return false;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return true;
}

/* ---- ending it ---- */

/* Ends the children of a process, as the kernel lists them; some may end by themselves
 * meanwhile. */
static void kill_children(pid_t parent) {
    char path[64];
    long child;
    snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", (long)parent, (long)parent);
    FILE *children = fopen(path, "re");
    while (children && fscanf(children, "%ld", &child) == 1) {
        kill((pid_t)child, SIGSTOP); /* so that it starts no other process meanwhile */
        kill_children((pid_t)child);
        kill((pid_t)child, SIGKILL);
    }
    if (children)
        fclose(children);
}

/* Whether this process has children already: a shell that became this program may have started
 * processes before, and these must not be ended. */
static bool has_children(void) {
    siginfo_t ended;
    return waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* Ends the command and everything that it started. If this process adopts, processes that lost
 * their parent are its children by now: see adopt. */
static void kill_all(pid_t pid, bool adopts) {
    int error = errno;
    kill(pid, SIGSTOP); /* as in kill_children */
    kill_children(adopts ? getpid() : pid);
    kill(pid, SIGKILL);
    while (waitpid(adopts ? -1 : pid, NULL, 0) > 0 || errno == EINTR)
        if (adopts)
            kill_children(getpid());
    errno = error;
}

static void adopt(bool yes) {
    prctl(PR_SET_CHILD_SUBREAPER, (unsigned long)yes, 0, 0, 0);
}

/* ---- capturing ---- */

/* Keeps what fits and reads on to the end, so that a full pipe does not stop the command. false
 * sets errno. */
static bool read_all(int fd, int64_t deadline_us, char *buffer, size_t capacity, size_t *used) {
    char rest[256];
    ssize_t got = 1;
    *used = 0;
    while (got != 0) {
        bool full = *used == capacity;
        got = interrupt_read(fd, full ? rest : buffer + *used,
                             full ? sizeof rest : capacity - *used, deadline_us);
        if (got < 0)
            return false;
        if (!full)
            *used += (size_t)got;
    }
    return true;
}

static bool has_ended(pid_t pid) {
    siginfo_t ended = {0};
    return waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid != 0;
}

/* Without a descriptor to wait for, looks again and again. */
static enum wait_result wait_in_steps(pid_t pid, int64_t deadline_us) {
    enum wait_result result = WAIT_EXPIRED;
    bool second;
    while (!has_ended(pid)) {
        int64_t now_us = clock_us();
        if (result == WAIT_INTERRUPTED || now_us >= deadline_us)
            return result;
        int64_t step_us = now_us + AGAIN_US < deadline_us ? now_us + AGAIN_US : deadline_us;
        result = interrupt_wait_either(-1, -1, step_us, &second);
    }
    return WAIT_READY;
}

/* false sets errno: EINTR or ETIMEDOUT. */
static bool wait_for_end(pid_t pid, int64_t deadline_us) {
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    enum wait_result result =
        fd < 0 ? wait_in_steps(pid, deadline_us) : interrupt_wait(fd, deadline_us);
    if (fd >= 0)
        close(fd);
    errno = result == WAIT_INTERRUPTED ? EINTR : ETIMEDOUT;
    return result == WAIT_READY;
}

/* ---- feeding ---- */

static bool write_all(int fd, const char *text) {
    size_t left = strlen(text);
    while (left > 0) {
        ssize_t written = write(fd, text, left);
        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0) {
            text += written;
            left -= (size_t)written;
        }
    }
    return true;
}

/* Makes a file in memory with the text: unlike a pipe it never blocks the writer. -1 sets errno. */
static int open_text(const char *text) {
    int fd = memfd_create("message", MFD_CLOEXEC);
    if (fd < 0 || (write_all(fd, text) && lseek(fd, 0, SEEK_SET) == 0))
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

int child_feed(const char *command, const char *text, const struct child_variable *variables,
               size_t variable_count, int64_t deadline_us) {
    pid_t pid;
    int fd = open_text(text);
    if (fd < 0)
        return -1;
    char **environment = environment_with(variables, variable_count);
    int error = environment ? spawn(&pid, command, fd, STDIN_FILENO, environment) : ENOMEM;
    environment_free(environment, variable_count);
    close(fd);
    errno = error;
    if (error)
        return -1;
    if (wait_for_end(pid, deadline_us))
        return wait_for(pid);
    kill_all(pid, false);
    return -1;
}

int child_capture(const char *command, int64_t deadline_us, char *buffer, size_t capacity,
                  size_t *used) {
    int ends[2];
    pid_t pid;
    int status = -1;
    bool adopts = !has_children();
    if (!open_pipe(ends))
        return -1;
    adopt(adopts);
    int error = spawn(&pid, command, ends[1], STDOUT_FILENO, environ);
    close(ends[1]);
    errno = error;
    if (error == 0 && read_all(ends[0], deadline_us, buffer, capacity, used) &&
        wait_for_end(pid, deadline_us))
        status = wait_for(pid);
    else if (error == 0)
        kill_all(pid, adopts);
    adopt(false);
    error = errno;
    close(ends[0]);
    errno = error;
    return status;
}
