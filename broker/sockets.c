#include "sockets.h"

#include "data.h"
#include "host.h"
#include "limits.h"
#include "listener.h"
#include "log.h"
#include "zap.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include <zmq.h>

/* How many frames may wait in libzmq for one peer; outlet.c bounds their bytes. */
#define PEER_FRAMES_MAX 64
/* How many frames of one peer may wait in libzmq to be read: each may have FRAME_BYTES_MAX, and
 * there may be many peers. Further ones wait in the kernel, and then at the peer. */
#define PEER_FRAMES_UNREAD_MAX 4
/* How many publications may wait for one subscriber: further ones are dropped, and the numbers show
 * it. */
#define SUBSCRIBER_FRAMES_MAX 1000
/* How many connections may wait to be accepted: after a restart a whole team comes back at once. */
#define BACKLOG        1024
#define IO_THREADS_MAX 16 /* as the option has it */
/* A subscription, encrypted, is far smaller; a handshake's frames are a little larger. */
#define SUBSCRIBER_FRAME_BYTES 1024
/* libzmq measures encrypted frames; and what is only a little too large is better answered and
 * counted than cut off. */
#define FRAME_SLACK_BYTES 4096

/* A ROUTER counts the routing ids that it gives, beginning with a number from rand(), which is the
 * same in every process that does not call srand(). A peer may choose any id, even one that will be
 * given next: then libzmq aborts. So nobody may know where the count begins. */
static bool hide_routing_ids(void) {
    unsigned seed;
    bool known = getrandom(&seed, sizeof seed, 0) == sizeof seed;

    srand(known ? seed : 0);
    return known;
}

/* An option of contexts that zmq.h declares only for builds with draft features; every 4.3 has
 * it. */
#ifndef ZMQ_ZERO_COPY_RECV
#define ZMQ_ZERO_COPY_RECV 10
#endif

static void *pass(void *gate) {
    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return NULL;
}

/* libzmq aborts if it is refused a thread, so this first tries to have as many as it starts, all at
 * once. False sets errno. */
static bool have_threads(int wanted) {
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_t threads[IO_THREADS_MAX + 1];
    int count = 0, error = 0;

    pthread_mutex_lock(&gate);
    while (count < wanted && (error = pthread_create(&threads[count], NULL, pass, &gate)) == 0)
        count++;
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    errno = error;
    return count == wanted;
}

/* libzmq needs one thread more, which closes sockets. */
void *sockets_context(int io_threads) {
    void *context = have_threads(io_threads + 1) && hide_routing_ids() ? zmq_ctx_new() : NULL;

    if (context) {
        zmq_ctx_set(context, ZMQ_IO_THREADS, io_threads);
        zmq_ctx_set(context, ZMQ_MAX_SOCKETS, 65536);
        /* Otherwise a part of one byte keeps the 18 KiB in which it was received. */
        zmq_ctx_set(context, ZMQ_ZERO_COPY_RECV, 0);
    }
    return context;
}

static bool set(void *socket, int option, int value) {
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

static bool set_common(void *socket, int64_t frame_bytes_max) {
    return zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &frame_bytes_max, sizeof frame_bytes_max) == 0 &&
           set(socket, ZMQ_LINGER, 1000) && set(socket, ZMQ_BACKLOG, BACKLOG) &&
           set(socket, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS) && set(socket, ZMQ_TCP_KEEPALIVE, 1) &&
           set(socket, ZMQ_TCP_KEEPALIVE_IDLE, TCP_SILENCE_S) &&
           set(socket, ZMQ_TCP_KEEPALIVE_INTVL, TCP_PROBE_S) &&
           set(socket, ZMQ_TCP_KEEPALIVE_CNT, TCP_PROBES) &&
           set(socket, ZMQ_TCP_MAXRT, TCP_UNANSWERED_MS);
}

static bool set_curve(void *socket, const struct identity *identity, const char *domain) {
    return set(socket, ZMQ_CURVE_SERVER, 1) &&
           zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, identity->secret_key, KEY_TEXT) == 0 &&
           zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, domain, strlen(domain)) == 0;
}

static bool set_commands(void *socket, const struct identity *identity) {
    return set_common(socket, FRAME_BYTES_MAX + FRAME_SLACK_BYTES) &&
           set_curve(socket, identity, ZAP_COMMANDS) && set(socket, ZMQ_ROUTER_MANDATORY, 1) &&
           set(socket, ZMQ_SNDHWM, PEER_FRAMES_MAX) &&
           set(socket, ZMQ_RCVHWM, PEER_FRAMES_UNREAD_MAX);
}

static bool set_events(void *socket, const struct identity *identity) {
    return set_common(socket, SUBSCRIBER_FRAME_BYTES) && set_curve(socket, identity, ZAP_EVENTS) &&
           set(socket, ZMQ_SNDHWM, SUBSCRIBER_FRAMES_MAX) && set(socket, ZMQ_XPUB_VERBOSER, 1);
}

/* IPv6 sockets take IPv4 connections as well; on a machine without IPv6 it is an IPv4 socket. */
static bool bind_to(void *socket, const char *host, uint32_t port) {
    char endpoint[ENDPOINT_BYTES], number[16] = "*";

    if (port != 0)
        snprintf(number, sizeof number, "%u", (unsigned)port);
    snprintf(endpoint, sizeof endpoint, "tcp://%s:%s", host, number);
    return (set(socket, ZMQ_IPV6, 1) && zmq_bind(socket, endpoint) == 0) ||
           (errno != EADDRINUSE && set(socket, ZMQ_IPV6, 0) && zmq_bind(socket, endpoint) == 0);
}

/* Writes where a socket is bound, in the form that people can use. */
static void tell_port(const char *port, const struct config *config, char address[ENDPOINT_BYTES],
                      char told[ENDPOINT_BYTES]) {
    char host[HOST_BYTES];

    host_own(config->bind, host);
    snprintf(address, ENDPOINT_BYTES, "tcp://%.255s:%.6s", host, port);
    host_advertised(config->advertise, host);
    snprintf(told, ENDPOINT_BYTES, "tcp://%.255s:%.6s", host, port);
}

static bool bound_at(void *socket, const struct config *config, char address[ENDPOINT_BYTES],
                     char told[ENDPOINT_BYTES]) {
    char endpoint[ENDPOINT_BYTES];
    size_t bytes = sizeof endpoint;

    if (zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &bytes) != 0)
        return false;
    tell_port(strrchr(endpoint, ':') + 1, config, address, told);
    return true;
}

struct socket_row {
    const char *name;
    int type;
    uint32_t port_offset;
    bool (*set)(void *socket, const struct identity *identity);
    size_t socket;  /* where in struct sockets the socket is, */
    size_t address; /* where it can be reached, */
    size_t told;    /* and what the greeting tells of it */
};

static const struct socket_row rows[] = {
    {"commands", ZMQ_ROUTER, 1, set_commands, offsetof(struct sockets, commands),
     offsetof(struct sockets, commands_address), offsetof(struct sockets, commands_told)},
    {"events", ZMQ_XPUB, 2, set_events, offsetof(struct sockets, events),
     offsetof(struct sockets, events_address), offsetof(struct sockets, events_told)},
};

static bool socket_open(struct sockets *sockets, const struct socket_row *row, void *context,
                        const struct config *config, const struct identity *identity, char *error,
                        size_t error_bytes) {
    void *socket = zmq_socket(context, row->type);
    uint32_t port = config->port ? config->port + row->port_offset : 0;
    char *base = (char *)sockets;

    memcpy(base + row->socket, &socket, sizeof socket);
    if (!socket || !row->set(socket, identity))
        snprintf(error, error_bytes, "the %s socket can't be made: %s", row->name,
                 zmq_strerror(errno));
    else if (!bind_to(socket, config->bind, port) ||
             !bound_at(socket, config, base + row->address, base + row->told))
        snprintf(error, error_bytes, "the %s socket can't be bound to %s port %u: %s", row->name,
                 config->bind, (unsigned)port, zmq_strerror(errno));
    else
        return true;
    return false;
}

static bool greeter_open(struct sockets *sockets, const struct config *config, char *error,
                         size_t error_bytes) {
    char port[16];

    sockets->greeter = listener_open(config->bind, config->port, BACKLOG);
    if (sockets->greeter < 0) {
        snprintf(error, error_bytes, "the greeter socket can't be bound to %s port %u: %s",
                 config->bind, (unsigned)config->port, zmq_strerror(errno));
        return false;
    }
    snprintf(port, sizeof port, "%u", (unsigned)listener_port(sockets->greeter));
    tell_port(port, config, sockets->address, sockets->greeter_told);
    return true;
}

/* Opens all three at the one address of the config. */
static bool open_all(struct sockets *sockets, void *context, const struct config *config,
                     const struct identity *identity, char *error, size_t error_bytes) {
    memset(sockets, 0, sizeof *sockets);
    if (!greeter_open(sockets, config, error, error_bytes))
        return false;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (!socket_open(sockets, &rows[i], context, config, identity, error, error_bytes))
            return false;
    return true;
}

bool sockets_open(struct sockets *sockets, void *context, const struct config *config,
                  const struct identity *identity, char *error, size_t error_bytes) {
    struct config at = *config;
    struct hosts hosts;

    memset(sockets, 0, sizeof *sockets);
    sockets->greeter = -1;
    if (!hosts_find(&hosts, config->bind, error, error_bytes))
        return false;
    for (size_t i = 0; i < hosts.count; i++) {
        at.bind = hosts.host[i];
        if (open_all(sockets, context, &at, identity, error, error_bytes)) {
            if (hosts.count > 1)
                log_info("bound", "name=%s address=%s addresses=%zu", config->bind, at.bind,
                         hosts.count);
            return true;
        }
        if (i + 1 < hosts.count)
            sockets_close(sockets);
    }
    return false;
}

void sockets_close(struct sockets *sockets) {
    if (sockets->greeter >= 0)
        close(sockets->greeter);
    if (sockets->commands)
        zmq_close(sockets->commands);
    if (sockets->events)
        zmq_close(sockets->events);
    memset(sockets, 0, sizeof *sockets);
    sockets->greeter = -1;
}

bool sockets_publish(const struct sockets *sockets, const char *folder, const char *server_key,
                     char *error, size_t error_bytes) {
    char path[DATA_PATH_BYTES], new_path[DATA_PATH_BYTES], text[4 * ENDPOINT_BYTES];
    int fd = -1, length;
    bool written = false;

    /* Neither endpoints nor Z85 have characters that JSON would escape. */
    length =
        snprintf(text, sizeof text,
                 "{\"address\":\"%s\",\"commands\":\"%s\",\"events\":\"%s\","
                 "\"server_key\":\"%s\"}\n",
                 sockets->address, sockets->commands_address, sockets->events_address, server_key);
    if (data_path(folder, "endpoints.json", path, sizeof path) &&
        data_path(folder, "endpoints.json.new", new_path, sizeof new_path))
        fd = open(new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    errno = fd >= 0 ? ENOSPC : errno; /* a short write means that */
    written = fd >= 0 && write(fd, text, (size_t)length) == length && rename(new_path, path) == 0;
    if (!written)
        snprintf(error, error_bytes, "endpoints.json can't be written to %s: %s", folder,
                 strerror(errno));
    if (fd >= 0)
        close(fd);
    if (!written) {
        unlink(new_path);
        sockets_unpublish(folder); /* an earlier run's would mislead */
    }
    return written;
}

void sockets_unpublish(const char *folder) {
    char path[DATA_PATH_BYTES];

    if (data_path(folder, "endpoints.json", path, sizeof path))
        unlink(path);
}
