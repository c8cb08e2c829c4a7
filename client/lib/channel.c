/* One socket and its monitor.
 *
 * ZMQ_FD is edge-triggered: it is readable until somebody looks at the socket's mailbox, which
 * every send and receive does. So a source stays ready until a receive finds nothing, and a send
 * makes it ready again. Each attempt gets a fresh socket, so nothing that was sent on an earlier
 * connection can come out of a later one. The socket's own reconnecting is put off for days, but
 * not turned off: with ZMQ_RECONNECT_IVL -1 libzmq 4.3.4 drops what had arrived before the
 * connection ended. */
#define _DEFAULT_SOURCE /* SO_ATTACH_FILTER */
#include "channel.h"

#include "traffic.h"

#include <assert.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

/* Twice as much still fits into an int, as libzmq needs. */
#define NEVER_MS (1000 * 1000 * 1000)

/* More than CURVE adds to a frame. */
#define CURVE_BYTES 128

/* libzmq 4.3.4 aborts if its epoll or its second eventfd is refused, and never ends a context in
 * which a socket's mailbox was: so nothing is begun without room for all of it. A channel needs 4
 * descriptors, and as many of the one before it may not be closed yet, since libzmq does that
 * later.
 */
#define CHANNEL_DESCRIPTORS 10

struct channel {
    void *socket;      /* owned */
    void *monitor;     /* owned */
    struct wake *wake; /* borrowed: from the handle */
    int fd;            /* -1: not watched */
    int monitor_fd;
    struct wake_source source;
    struct wake_source monitor_source;
    enum channel_state state;
    bool connected; /* the TCP connection was made */
    bool listens;
    int peer_fd;   /* where it listens: the connection of the last frame; -1: none came yet */
    int listen_fd; /* libzmq's; -1: it does not listen yet */
    uint16_t port; /* where it listens; 0: it connects */
    struct traffic traffic;
    uint64_t out_bytes; /* of frames, since the last look */
    zmq_msg_t in;
    zmq_msg_t out;
};

struct secret { /* a frame that is wiped when ZeroMQ has written it */
    size_t bytes;
    unsigned char data[];
};

/* False sets errno. */
static bool have_room(void) {
    int fds[CHANNEL_DESCRIPTORS];
    int count = 0;
    while (count < CHANNEL_DESCRIPTORS && (fds[count] = eventfd(0, EFD_CLOEXEC)) >= 0)
        count++;
    int error = errno;
    for (int i = 0; i < count; i++)
        close(fds[i]);
    errno = error;
    return count == CHANNEL_DESCRIPTORS;
}

static bool set_int(void *socket, int option, int value) {
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

static bool set_key(void *socket, int option, const unsigned char *key) {
    return zmq_setsockopt(socket, option, key, KEY_BYTES) == 0;
}

/* The kernels probe a silent connection, so that both ends notice within 20 s if it is dead. */
static bool set_alive(void *socket) {
    return set_int(socket, ZMQ_TCP_KEEPALIVE, 1) &&
           set_int(socket, ZMQ_TCP_KEEPALIVE_IDLE, TCP_SILENCE_S) &&
           set_int(socket, ZMQ_TCP_KEEPALIVE_INTVL, TCP_PROBE_S) &&
           set_int(socket, ZMQ_TCP_KEEPALIVE_CNT, TCP_PROBES) &&
           set_int(socket, ZMQ_TCP_MAXRT, TCP_UNANSWERED_MS);
}

/* The endpoint's host is nearly always in digits. If it is a name, ZeroMQ looks it up, and with
 * ZMQ_IPV6 set it would find only IPv6 addresses. */
static bool set_options(void *socket, const char *endpoint, bool curve) {
    int64_t bytes_max = curve ? FRAME_BYTES_MAX + CURVE_BYTES : GREETING_ANSWER_BYTES_MAX;
    return set_int(socket, ZMQ_LINGER, 0) && set_int(socket, ZMQ_RECONNECT_IVL, NEVER_MS) &&
           set_int(socket, ZMQ_SNDHWM, 0) && set_int(socket, ZMQ_RCVHWM, CLIENT_FRAMES_MAX) &&
           set_int(socket, ZMQ_IPV6, strchr(endpoint, '[') != NULL) && set_alive(socket) &&
           zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &bytes_max, sizeof bytes_max) == 0;
}

static bool set_keys(void *socket, const struct channel_keys *keys) {
    return !keys || (set_key(socket, ZMQ_CURVE_SERVERKEY, keys->server_key) &&
                     set_key(socket, ZMQ_CURVE_PUBLICKEY, keys->public_key) &&
                     set_key(socket, ZMQ_CURVE_SECRETKEY, keys->secret_key));
}

static int socket_type(enum channel_type type) {
    static const int types[] = {
        [CHANNEL_DEALER] = ZMQ_DEALER, [CHANNEL_SUB] = ZMQ_SUB, [CHANNEL_PAIR] = ZMQ_PAIR};
    return types[type];
}

/* A peer is noticed dead without the broker: by heartbeats, which are not heard while the socket is
 * full. */
static bool set_pair(void *socket) {
    return set_int(socket, ZMQ_RCVHWM, PRIVATE_FRAMES_MAX) &&
           set_int(socket, ZMQ_HEARTBEAT_IVL, PRIVATE_HEARTBEAT_MS) &&
           set_int(socket, ZMQ_HEARTBEAT_TIMEOUT, PRIVATE_HEARTBEAT_TIMEOUT_MS) &&
           set_int(socket, ZMQ_HANDSHAKE_IVL, PRIVATE_CONNECT_MS);
}

static bool watch(struct channel *channel, void *socket, int *fd, struct wake_source *source) {
    size_t fd_bytes = sizeof *fd;
    int found;
    if (zmq_getsockopt(socket, ZMQ_FD, &found, &fd_bytes) != 0 ||
        !wake_add(channel->wake, found, source))
        return false;
    *fd = found;
    return true;
}

/* The monitor's name is new each time: a used one is free only some time after its socket was
 * closed. */
static bool monitor_open(struct channel *channel, struct context *context) {
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "inproc://monitor-%08x%08x", randombytes_random(),
             randombytes_random());
    if (zmq_socket_monitor(channel->socket, endpoint, ZMQ_EVENT_ALL) != 0)
        return false;
    channel->monitor = context_socket(context, ZMQ_PAIR);
    return channel->monitor && set_int(channel->monitor, ZMQ_LINGER, 0) &&
           zmq_connect(channel->monitor, endpoint) == 0 &&
           watch(channel, channel->monitor, &channel->monitor_fd, &channel->monitor_source);
}

/* A broker's frames that wait are bounded by their number. A peer's may be many, and have few
 * bytes: it has no more under way than its windows allow. */
static void watch_traffic(struct channel *channel, enum channel_type type, bool curve) {
    traffic_init(&channel->traffic, channel->wake, curve ? CLIENT_LOOK_US : CLIENT_LOOK_GREETER_US,
                 curve ? CLIENT_UNFINISHED_MAX : GREETING_ANSWER_BYTES_MAX,
                 type == CHANNEL_PAIR ? PRIVATE_WAITING_MAX : UINT64_MAX);
}

static struct channel *channel_make(struct context *context, struct wake *wake,
                                    enum channel_type type, bool curve) {
    struct channel *channel = have_room() ? calloc(1, sizeof *channel) : NULL;
    if (!channel)
        return NULL;
    channel->wake = wake;
    channel->fd = channel->monitor_fd = channel->peer_fd = -1;
    channel->listen_fd = -1;
    watch_traffic(channel, type, curve);
    zmq_msg_init(&channel->in);
    zmq_msg_init(&channel->out);
    channel->socket = context_socket(context, socket_type(type));
    return channel;
}

struct channel *channel_new(struct context *context, struct wake *wake, enum channel_type type,
                            const char *endpoint, const struct channel_keys *keys) {
    struct channel *channel = channel_make(context, wake, type, keys != NULL);
    if (!channel)
        return NULL;
    if (!channel->socket || !set_options(channel->socket, endpoint, keys != NULL) ||
        (type == CHANNEL_PAIR && !set_pair(channel->socket)) || !set_keys(channel->socket, keys) ||
        !monitor_open(channel, context) ||
        !watch(channel, channel->socket, &channel->fd, &channel->source) ||
        zmq_connect(channel->socket, endpoint) != 0) {
        int error = errno;
        channel_free(channel, 0);
        errno = error;
        return NULL;
    }
    return channel;
}

/* ---- listening ---- */

static bool set_server(void *socket, const struct channel_keys *keys, const char *domain) {
    return set_int(socket, ZMQ_CURVE_SERVER, 1) &&
           set_key(socket, ZMQ_CURVE_SECRETKEY, keys->secret_key) &&
           zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, domain, strlen(domain)) == 0;
}

/* IPv6 sockets take IPv4 connections as well; on a machine without IPv6 it is an IPv4 socket. */
static bool bind_anywhere(void *socket, uint16_t *port) {
    char endpoint[128];
    size_t bytes = sizeof endpoint;
    bool bound = (set_int(socket, ZMQ_IPV6, 1) && zmq_bind(socket, "tcp://*:*") == 0) ||
                 (set_int(socket, ZMQ_IPV6, 0) && zmq_bind(socket, "tcp://*:*") == 0);
    if (!bound || zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &bytes) != 0)
        return false;
    *port = (uint16_t)strtoul(strrchr(endpoint, ':') + 1, NULL, 10);
    return true;
}

struct channel *channel_listen(struct context *context, struct wake *wake,
                               const struct channel_keys *keys, const char *domain,
                               uint16_t *port) {
    struct channel *channel = channel_make(context, wake, CHANNEL_PAIR, true);
    if (!channel)
        return NULL;
    channel->listens = true;
    if (!channel->socket || !set_options(channel->socket, "", true) || !set_pair(channel->socket) ||
        !set_server(channel->socket, keys, domain) || !monitor_open(channel, context) ||
        !watch(channel, channel->socket, &channel->fd, &channel->source) ||
        !bind_anywhere(channel->socket, port)) {
        int error = errno;
        channel_free(channel, 0);
        errno = error;
        return NULL;
    }
    channel->port = *port;
    return channel;
}

/* ---- closing ---- */

static void close_socket(struct channel *channel, void *socket, int fd) {
    if (fd >= 0)
        wake_remove(channel->wake, fd);
    if (socket) {
        int failed = zmq_close(socket);
        assert(!failed);
    }
}

void channel_free(struct channel *channel, int linger_ms) {
    if (!channel)
        return;
    traffic_release(&channel->traffic);
    zmq_msg_close(&channel->in);
    zmq_msg_close(&channel->out);
    if (channel->socket) {
        set_int(channel->socket, ZMQ_LINGER, linger_ms);
        zmq_socket_monitor(channel->socket, NULL, 0);
    }
    close_socket(channel, channel->monitor, channel->monitor_fd);
    close_socket(channel, channel->socket, channel->fd);
    free(channel);
}

static void ended(struct channel *channel, enum channel_state state) {
    if (channel->state <= CHANNEL_READY)
        channel->state = state;
}

/* The socket can't be unbound, because that would also end its connection. So the kernel is made to
 * drop further attempts to connect: otherwise strangers could take all descriptors, and libzmq
 * would try without a pause to accept more. If the kernel can't do that, strangers come and go. */
static void close_door(const struct channel *channel) {
    struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    const struct sock_fprog program = {.len = 1, .filter = &nothing};
    (void)setsockopt(channel->listen_fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

/* Of a connection that was accepted: it may be gone, and its number another socket's. */
static bool is_of_port(int fd, uint16_t port) {
    struct sockaddr_storage at = {0};
    socklen_t bytes = sizeof at;
    if (getsockname(fd, (struct sockaddr *)&at, &bytes) != 0)
        return false;
    return at.ss_family == AF_INET6
               ? ((struct sockaddr_in6 *)&at)->sin6_port == htons(port)
               : at.ss_family == AF_INET && ((struct sockaddr_in *)&at)->sin_port == htons(port);
}

/* Strangers who are not admitted come and go; only what happens to the admitted peer counts. */
static void take_event_listening(struct channel *channel, uint16_t event, int fd) {
    if (event == ZMQ_EVENT_LISTENING) {
        channel->listen_fd = fd;
    } else if (event == ZMQ_EVENT_ACCEPTED && channel->state == CHANNEL_OPENING) {
        if (is_of_port(fd, channel->port))
            traffic_add(&channel->traffic, fd); /* a frame tells which one it is */
    } else if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED && channel->state == CHANNEL_OPENING) {
        channel->state = CHANNEL_READY;
        close_door(channel);
    } else if (event == ZMQ_EVENT_DISCONNECTED && fd == channel->peer_fd) {
        ended(channel, CHANNEL_CLOSED);
    }
}

static void take_event(struct channel *channel, uint16_t event, int fd) {
    bool ready = channel->state == CHANNEL_READY;
    switch (event) {
    case ZMQ_EVENT_CONNECTED:
        channel->connected = true;
        traffic_add(&channel->traffic, fd);
        break;
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        channel->state = CHANNEL_READY;
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        ended(channel, CHANNEL_DENIED);
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        ended(channel, CHANNEL_FOREIGN);
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
    case ZMQ_EVENT_DISCONNECTED:
        ended(channel, ready ? CHANNEL_CLOSED : CHANNEL_BROKEN);
        break;
    case ZMQ_EVENT_CLOSED:
        if (!channel->connected)
            ended(channel, CHANNEL_UNREACHABLE);
        break;
    default:
        break;
    }
}

/* An event of the monitor is two parts: 16 bits of event and 32 of value, and the endpoint. */
static void take_events(struct channel *channel) {
    unsigned char part[512];
    bool first = true;
    while (channel->monitor_source.ready) {
        int bytes = zmq_recv(channel->monitor, part, sizeof part, ZMQ_DONTWAIT);
        if (bytes < 0) {
            channel->monitor_source.ready = errno == EINTR;
            break;
        }
        if (first && bytes >= (int)sizeof(uint16_t)) {
            uint16_t event;
            uint32_t value = 0;
            memcpy(&event, part, sizeof event);
            if (bytes >= (int)(sizeof event + sizeof value))
                memcpy(&value, part + sizeof event, sizeof value);
            if (channel->listens)
                take_event_listening(channel, event, (int)value);
            else
                take_event(channel, event, (int)value);
        }
        first = !first;
    }
}

/* Whether a frame is there. To ask takes the edge of the socket's fd. */
static bool has_frame(struct channel *channel) {
    int events = 0;
    size_t bytes = sizeof events;
    bool found = zmq_getsockopt(channel->socket, ZMQ_EVENTS, &events, &bytes) == 0 &&
                 (events & ZMQ_POLLIN) != 0;
    channel->source.ready = channel->source.ready || found;
    return found;
}

/* Frames that libzmq has read from the kernel by then are there, but for the one that it works on.
 */
static void look(struct channel *channel, int64_t now_us) {
    if (channel->state > CHANNEL_READY ||
        !traffic_is_due(&channel->traffic, now_us, channel->out_bytes > 0))
        return;
    traffic_read(&channel->traffic);
    bool waiting = has_frame(channel);
    if (!traffic_is_bounded(&channel->traffic, now_us, channel->out_bytes, waiting))
        ended(channel, CHANNEL_ENDLESS);
    channel->out_bytes = 0;
}

enum channel_state channel_state(struct channel *channel, int64_t now_us) {
    take_events(channel);
    look(channel, now_us);
    return channel->state;
}

int64_t channel_deadline_us(const struct channel *channel) {
    return channel->state <= CHANNEL_READY ? traffic_deadline_us(&channel->traffic) : WAKE_NEVER;
}

bool channel_subscribe(struct channel *channel, const void *prefix, size_t prefix_bytes) {
    return zmq_setsockopt(channel->socket, ZMQ_SUBSCRIBE, prefix, prefix_bytes) == 0;
}

/* If it is not there or can't be taken back, that only lets events come that nobody takes. */
void channel_unsubscribe(struct channel *channel, const void *prefix, size_t prefix_bytes) {
    zmq_setsockopt(channel->socket, ZMQ_UNSUBSCRIBE, prefix, prefix_bytes);
}

static void secret_free(void *data, void *hint) {
    (void)data;
    struct secret *secret = hint;
    sodium_memzero(secret->data, secret->bytes);
    free(secret);
}

static bool secret_frame(struct channel *channel, size_t frame_bytes) {
    struct secret *secret = malloc(sizeof *secret + frame_bytes);
    if (!secret)
        return false;
    secret->bytes = frame_bytes;
    if (zmq_msg_init_data(&channel->out, secret->data, frame_bytes, secret_free, secret) != 0) {
        free(secret);
        zmq_msg_init(&channel->out);
        return false;
    }
    return true;
}

void *channel_frame(struct channel *channel, size_t frame_bytes, bool secret) {
    zmq_msg_close(&channel->out);
    if (secret)
        return secret_frame(channel, frame_bytes) ? zmq_msg_data(&channel->out) : NULL;
    if (zmq_msg_init_size(&channel->out, frame_bytes) != 0) {
        zmq_msg_init(&channel->out);
        return NULL;
    }
    return zmq_msg_data(&channel->out);
}

bool channel_send(struct channel *channel) {
    channel->source.ready = true;
    return zmq_msg_send(&channel->out, channel->socket, ZMQ_DONTWAIT) >= 0;
}

static void note_peer(struct channel *channel) {
    channel->peer_fd = zmq_msg_get(&channel->in, ZMQ_SRCFD);
    traffic_settle(&channel->traffic, channel->peer_fd);
}

bool channel_receive(struct channel *channel, const void **frame, size_t *frame_bytes) {
    while (channel->source.ready && channel->state != CHANNEL_ENDLESS) {
        if (zmq_msg_recv(&channel->in, channel->socket, ZMQ_DONTWAIT) < 0) {
            channel->source.ready = errno == EINTR;
            return false;
        }
        if (zmq_msg_more(&channel->in)) {
            channel->state = CHANNEL_ENDLESS; /* the owner sees it with the next step */
            return false;
        }
        if (channel->listens && channel->peer_fd < 0)
            note_peer(channel);
        channel->out_bytes += zmq_msg_size(&channel->in) + TRAFFIC_FRAME_ADDS;
        *frame = zmq_msg_data(&channel->in);
        *frame_bytes = zmq_msg_size(&channel->in);
        return true;
    }
    return false;
}

bool channel_is_ready(const struct channel *channel) {
    return channel->source.ready || channel->monitor_source.ready;
}
