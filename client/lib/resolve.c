/* Name lookup in a thread.
 *
 * getaddrinfo may take many seconds and can't be stopped. So the thread and the handle share the
 * answer, and whichever of the two leaves last frees it. The thread runs no callback, touches
 * nothing else, and takes no signals. */
#include "resolve.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct answer {
    atomic_int owners;
    int pipe[2]; /* the write end is closed when the answer is there */
    char host[HOST_BYTES];
    char hosts[RESOLVE_MAX][HOST_BYTES];
    size_t count;
    int error;
};

struct resolve {
    struct answer *answer; /* owned, together with the thread */
    struct wake *wake;     /* borrowed: from the handle */
    struct wake_source source;
    bool watched;
};

static void answer_leave(struct answer *answer) {
    if (atomic_fetch_sub(&answer->owners, 1) != 1)
        return;
    for (int i = 0; i < 2; i++)
        if (answer->pipe[i] >= 0)
            close(answer->pipe[i]);
    free(answer);
}

static void answer_add(struct answer *answer, const struct addrinfo *info) {
    char *host = answer->hosts[answer->count];
    if (answer->count < RESOLVE_MAX && getnameinfo(info->ai_addr, info->ai_addrlen, host,
                                                   HOST_BYTES, NULL, 0, NI_NUMERICHOST) == 0)
        answer->count++;
}

static void look_up(struct answer *answer, int flags) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags};
    struct addrinfo *found = NULL;
    answer->error = getaddrinfo(answer->host, NULL, &hints, &found);
    if (answer->error != 0)
        return;
    for (struct addrinfo *info = found; info && answer->count < RESOLVE_MAX; info = info->ai_next)
        answer_add(answer, info);
    freeaddrinfo(found);
}

static void *work(void *arg) {
    struct answer *answer = arg;
    look_up(answer, 0);
    close(answer->pipe[1]);
    answer->pipe[1] = -1;
    answer_leave(answer);
    return NULL;
}

static bool thread_start(struct answer *answer) {
    sigset_t all;
    sigset_t before;
    pthread_t thread;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    atomic_fetch_add(&answer->owners, 1);
    bool started = pthread_create(&thread, NULL, work, answer) == 0;
    if (started)
        pthread_detach(thread);
    else
        atomic_fetch_sub(&answer->owners, 1);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

static bool pipe_open(int ends[2]) {
    if (pipe(ends) != 0) {
        ends[0] = ends[1] = -1;
        return false;
    }
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return true;
}

static bool look_up_later(struct resolve *resolve) {
    int *ends = resolve->answer->pipe;
    if (!pipe_open(ends) || !wake_add(resolve->wake, ends[0], &resolve->source))
        return false;
    resolve->watched = true;
    return thread_start(resolve->answer);
}

static struct answer *answer_new(const char *host) {
    struct answer *answer = calloc(1, sizeof *answer);
    if (!answer)
        return NULL;
    assert(strlen(host) < sizeof answer->host);
    strcpy(answer->host, host);
    atomic_init(&answer->owners, 1);
    answer->pipe[0] = answer->pipe[1] = -1;
    look_up(answer, AI_NUMERICHOST);
    return answer;
}

struct resolve *resolve_new(const char *host, struct wake *wake) {
    struct resolve *resolve = calloc(1, sizeof *resolve);
    struct answer *answer = answer_new(host);
    if (!resolve || !answer) {
        free(resolve);
        free(answer);
        return NULL;
    }
    resolve->answer = answer;
    resolve->wake = wake;
    if (answer->count == 0 && !look_up_later(resolve)) {
        resolve_free(resolve);
        return NULL;
    }
    return resolve;
}

static void stop_watching(struct resolve *resolve) {
    if (resolve->watched) {
        wake_remove(resolve->wake, resolve->answer->pipe[0]);
        resolve->watched = false;
    }
}

void resolve_free(struct resolve *resolve) {
    if (!resolve)
        return;
    stop_watching(resolve);
    answer_leave(resolve->answer);
    free(resolve);
}

/* The read end is at its end of file once the thread has closed the other end. */
bool resolve_is_done(struct resolve *resolve) {
    char byte;
    if (resolve->watched && read(resolve->answer->pipe[0], &byte, 1) == 0)
        stop_watching(resolve);
    return !resolve->watched;
}

size_t resolve_count(const struct resolve *resolve) {
    return resolve->answer->count;
}

const char *resolve_host(const struct resolve *resolve, size_t index) {
    assert(index < resolve->answer->count);
    return resolve->answer->hosts[index];
}

const char *resolve_error(const struct resolve *resolve) {
    return gai_strerror(resolve->answer->error);
}

/* Uses a thread, because only a thread can be left behind. */
static bool answer_wait(struct answer *answer, int timeout_ms, const char **why) {
    struct pollfd done;
    if (!pipe_open(answer->pipe) || !thread_start(answer)) {
        *why = "there is no descriptor or thread for its lookup";
        return false;
    }
    done = (struct pollfd){.fd = answer->pipe[0], .events = POLLIN};
    if (poll(&done, 1, timeout_ms) <= 0) {
        *why = "no answer came";
        return false;
    }
    *why = gai_strerror(answer->error);
    return answer->error == 0 && answer->count > 0;
}

bool resolve_within(const char *host, int timeout_ms, const char **why) {
    struct answer *answer = answer_new(host);
    bool found = false;
    *why = "no memory";
    if (answer) {
        found = answer->count > 0 || answer_wait(answer, timeout_ms, why);
        answer_leave(answer);
    }
    return found;
}

/* ---- why not ----
 *
 * If ZeroMQ's socket could not connect, a plain socket tries, only to learn the reason. On this
 * machine the answer is there at once. Over the network it is not waited for: the reason is nearly
 * always the same. */

static int try_connect(const struct addrinfo *info) {
    int fd = socket(info->ai_family, info->ai_socktype, info->ai_protocol);
    if (fd < 0)
        return errno;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    int error = connect(fd, info->ai_addr, info->ai_addrlen) == 0 ? 0 : errno;
    close(fd);
    return error;
}

const char *probe_refusal(const char *host, uint16_t port) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char service[8];
    snprintf(service, sizeof service, "%u", (unsigned)port);
    if (getaddrinfo(host, service, &hints, &found) != 0)
        return "the address can't be used";
    int error = try_connect(found);
    freeaddrinfo(found);
    return strerror(error == 0 || error == EINPROGRESS ? ECONNREFUSED : error);
}

/* A UDP socket that is connected sends nothing, but has an address. */
static bool own_address(const struct addrinfo *to, char own[HOST_BYTES]) {
    struct sockaddr_storage at;
    socklen_t at_bytes = sizeof at;
    int fd = socket(to->ai_family, SOCK_DGRAM, 0);
    if (fd < 0)
        return false;
    bool done = connect(fd, to->ai_addr, to->ai_addrlen) == 0 &&
                getsockname(fd, (struct sockaddr *)&at, &at_bytes) == 0 &&
                getnameinfo((struct sockaddr *)&at, at_bytes, own, HOST_BYTES, NULL, 0,
                            NI_NUMERICHOST) == 0;
    close(fd);
    return done;
}

bool probe_own_address(const char *host, char own[HOST_BYTES]) {
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *found = NULL;
    bool done = getaddrinfo(host, "9", &hints, &found) == 0 && own_address(found, own);
    if (found)
        freeaddrinfo(found);
    return done;
}
