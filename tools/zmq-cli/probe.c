/* A greeting of ZMTP 3 (rfc.zeromq.org/spec/23) is all that is sent: a peer that speaks it answers
 * with its own, which names its mechanism, and then waits for ours. */
#define _GNU_SOURCE /* SOCK_NONBLOCK */
#include "probe.h"

#include "common/clock.h"
#include "interrupt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GREETING_BYTES  64
#define SIGNATURE_BYTES 10
#define MECHANISM_AT    12
#define MECHANISM_BYTES 20
#define SHOWN_BYTES     24

static zchat_code say(struct probe *probe, zchat_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static zchat_code say(struct probe *probe, zchat_code code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(probe->text, sizeof probe->text, format, arguments);
    va_end(arguments);
    return code;
}

bool probe_init(struct probe *probe, const char *endpoint) {
    *probe = (struct probe){0};
    const char *host = strncmp(endpoint, "tcp://", 6) == 0 ? endpoint + 6 : endpoint;
    const char *colon = strrchr(host, ':');
    if (!colon || strlen(colon + 1) >= sizeof probe->port)
        return false;
    const char *end = colon;
    if (host[0] == '[' && end[-1] == ']') {
        host++;
        end--;
    }
    if (end <= host || (size_t)(end - host) >= sizeof probe->host)
        return false;
    memcpy(probe->host, host, (size_t)(end - host));
    strcpy(probe->port, colon + 1);
    return true;
}

void probe_release(struct probe *probe) {
    if (probe->found)
        freeaddrinfo(probe->found);
    *probe = (struct probe){0};
}

/* ---- the name ---- */

/* getaddrinfo waits as long as the system's resolver likes, so it does that in a thread. */
struct lookup {
    char host[PROBE_HOST_BYTES];
    char port[8];
    struct addrinfo *found;
    int error;
    int done[2]; /* a pipe: closed at the end */
};

static void *look_up(void *arg) {
    struct lookup *lookup = arg;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    lookup->error = getaddrinfo(lookup->host, lookup->port, &hints, &lookup->found);
    close(lookup->done[1]);
    return NULL;
}

static zchat_code take(struct probe *probe, struct lookup *lookup) {
    char digits[INET6_ADDRSTRLEN + 1] = "";
    probe->found = lookup->found;
    if (lookup->error)
        return say(probe, ZCHAT_UNREACHABLE,
                   "the host %s was not found: %s; is the name right, and does this machine have a "
                   "name server?",
                   probe->host, gai_strerror(lookup->error));
    getnameinfo(probe->found->ai_addr, probe->found->ai_addrlen, digits, sizeof digits, NULL, 0,
                NI_NUMERICHOST);
    if (strcmp(probe->host, digits) == 0)
        return say(probe, ZCHAT_OK, "%s is an address, which needs no name server", digits);
    return say(probe, ZCHAT_OK, "%s has the address %s", probe->host, digits);
}

/* NULL: no thread, memory or descriptors. */
static struct lookup *begin_lookup(const struct probe *probe, pthread_t *thread) {
    struct lookup *lookup = calloc(1, sizeof *lookup);
    if (!lookup || pipe(lookup->done) != 0) {
        free(lookup);
        return NULL;
    }
    strcpy(lookup->host, probe->host);
    strcpy(lookup->port, probe->port);
    if (pthread_create(thread, NULL, look_up, lookup) == 0)
        return lookup;
    close(lookup->done[0]);
    close(lookup->done[1]);
    free(lookup);
    return NULL;
}

zchat_code probe_resolve(struct probe *probe, int64_t deadline_us) {
    pthread_t thread;
    struct lookup *lookup = begin_lookup(probe, &thread);
    if (!lookup)
        return say(probe, ZCHAT_NO_MEMORY, "no thread could be started to look up %s", probe->host);
    enum wait_result result = interrupt_wait(lookup->done[0], deadline_us);
    if (result != WAIT_READY) {
        pthread_detach(thread); /* it keeps what it uses; the process ends soon */
        probe->interrupted = result == WAIT_INTERRUPTED;
        return say(probe, ZCHAT_UNREACHABLE,
                   "looking up the host %s takes too long: does the name server answer?",
                   probe->host);
    }
    pthread_join(thread, NULL);
    close(lookup->done[0]);
    zchat_code code = take(probe, lookup);
    free(lookup);
    return code;
}

/* ---- the port ---- */

static zchat_code refused(struct probe *probe, int error) {
    if (error == ECONNREFUSED)
        return say(probe, ZCHAT_UNREACHABLE,
                   "port %s of %s refuses connections: nothing listens there; is zchatd running, "
                   "and is it this port?",
                   probe->port, probe->host);
    if (error == ETIMEDOUT)
        return say(probe, ZCHAT_UNREACHABLE,
                   "port %s of %s does not answer at all: a firewall drops what is sent there, or "
                   "the machine is off; open the port in the firewall",
                   probe->port, probe->host);
    if (error == EHOSTUNREACH || error == ENETUNREACH)
        return say(probe, ZCHAT_UNREACHABLE, "there is no way to %s: %s; is the network up?",
                   probe->host, strerror(error));
    return say(probe, ZCHAT_UNREACHABLE, "port %s of %s can't be reached: %s", probe->port,
               probe->host, strerror(error));
}

/* Waits for one direction of the socket. False: the deadline is over, or a signal came. */
static bool wait_for(struct probe *probe, int fd, short what, int64_t deadline_us) {
    struct pollfd item = {.fd = fd, .events = what};
    for (;;) {
        int64_t left_us = deadline_us - clock_us();
        if (interrupt_pending())
            probe->interrupted = true;
        if (left_us <= 0 || probe->interrupted)
            return false;
        int ready = poll(&item, 1, left_us > 600000000 ? 600000 : (int)(left_us / 1000 + 1));
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return false;
    }
}

/* Returns the socket, or -1 and *error. */
static int dial(struct probe *probe, const struct addrinfo *to, int64_t deadline_us, int *error) {
    socklen_t bytes = sizeof *error;
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    *error = errno;
    if (fd < 0)
        return -1;
    *error = connect(fd, to->ai_addr, to->ai_addrlen) == 0 ? 0 : errno;
    if (*error == EINPROGRESS) {
        *error = ETIMEDOUT;
        if (wait_for(probe, fd, POLLOUT, deadline_us))
            getsockopt(fd, SOL_SOCKET, SO_ERROR, error, &bytes);
    }
    if (*error == 0)
        return fd;
    close(fd);
    return -1;
}

/* Reads up to a whole greeting; returns how much came before the end or the deadline. */
static size_t read_greeting(struct probe *probe, int fd, unsigned char *greeting,
                            int64_t deadline_us, bool *ended) {
    size_t count = 0;
    while (count < GREETING_BYTES && !*ended && wait_for(probe, fd, POLLIN, deadline_us)) {
        ssize_t got = recv(fd, greeting + count, GREETING_BYTES - count, 0);
        if (got > 0)
            count += (size_t)got;
        *ended = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
        if (count > 0 && greeting[0] != 0xff)
            break; /* it never becomes one */
    }
    return count;
}

static zchat_code foreign(struct probe *probe, const unsigned char *bytes, size_t count) {
    char shown[SHOWN_BYTES + 1];
    size_t used = 0;
    for (size_t i = 0; i < count && used < SHOWN_BYTES && bytes[i] >= ' ' && bytes[i] <= '~'; i++)
        shown[used++] = (char)bytes[i];
    shown[used] = 0;
    return say(probe, ZCHAT_UNREACHABLE,
               "something else than zchatd listens at port %s of %s%s%s%s: give zchatd's port "
               "with --server HOST:PORT",
               probe->port, probe->host, used ? ", it says \"" : "", shown, used ? "\"" : "");
}

static zchat_code judge(struct probe *probe, const unsigned char *greeting, size_t count,
                        bool ended, const char *mechanism) {
    char theirs[MECHANISM_BYTES + 1] = "";
    if (count == 0 && ended)
        return say(probe, ZCHAT_UNREACHABLE,
                   "port %s of %s closes the connection at once: zchatd may be stopping or have no "
                   "room, or something else listens there",
                   probe->port, probe->host);
    if (count == 0)
        return say(probe, ZCHAT_UNREACHABLE,
                   "what listens at port %s of %s takes the connection but says nothing, as zchatd "
                   "would: give zchatd's port with --server HOST:PORT, or restart it",
                   probe->port, probe->host);
    if (greeting[0] != 0xff || (count >= SIGNATURE_BYTES && !(greeting[SIGNATURE_BYTES - 1] & 1)))
        return foreign(probe, greeting, count);
    if (count < GREETING_BYTES)
        return say(probe, ZCHAT_UNREACHABLE,
                   "what listens at port %s of %s stops in its greeting: something in between may "
                   "hold it up",
                   probe->port, probe->host);
    memcpy(theirs, greeting + MECHANISM_AT, MECHANISM_BYTES);
    if (strcmp(theirs, mechanism) != 0)
        return say(probe, ZCHAT_UNREACHABLE,
                   "port %s of %s speaks ZeroMQ, but not as this port of zchatd does: is it "
                   "another program's, or another port of zchatd?",
                   probe->port, probe->host);
    return say(probe, ZCHAT_OK, "port %s of %s answers", probe->port, probe->host);
}

static zchat_code greet(struct probe *probe, int fd, const char *mechanism, int64_t deadline_us) {
    unsigned char ours[GREETING_BYTES] = {0xff, [9] = 0x7f, 3, 0}, theirs[GREETING_BYTES];
    bool ended = false;
    memcpy(ours + MECHANISM_AT, mechanism, strlen(mechanism));
    (void)!send(fd, ours, sizeof ours, MSG_NOSIGNAL); /* if that fails, nothing comes back */
    size_t count = read_greeting(probe, fd, theirs, deadline_us, &ended);
    close(fd);
    return judge(probe, theirs, count, ended, mechanism);
}

zchat_code probe_port(struct probe *probe, const char *mechanism, int64_t deadline_us) {
    int error = EHOSTUNREACH, fd = -1;
    for (const struct addrinfo *to = probe->found; to && fd < 0; to = to->ai_next) {
        int64_t now_us = clock_us(),
                share_us = to->ai_next ? (deadline_us - now_us) / 2 : deadline_us - now_us;
        fd = dial(probe, to, now_us + share_us, &error);
    }
    return fd < 0 ? refused(probe, error) : greet(probe, fd, mechanism, deadline_us);
}
