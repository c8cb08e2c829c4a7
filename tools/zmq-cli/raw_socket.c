/* Opening and closing. Everything that libzmq refuses is told with what it was asked for. */
#include "raw_socket.h"

#include "common/clock.h"
#include "raw_option.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <zmq.h>

#define MESSAGE_BYTES_MAX                                                                          \
    (64 * 1024 * 1024) /* of one part, unless -o maxmsgsize says otherwise                         \
                        */
#define ADDRESS_BYTES 1024

static const struct raw_kind kinds[] = {
    {.name = "PUB", .type = ZMQ_PUB, .writes = true, .feeds = true},
    {.name = "SUB", .type = ZMQ_SUB, .reads = true, .topics = true},
    {.name = "XPUB", .type = ZMQ_XPUB, .reads = true, .writes = true, .feeds = true},
    {.name = "XSUB", .type = ZMQ_XSUB, .reads = true, .writes = true, .topics = true},
    {.name = "PUSH", .type = ZMQ_PUSH, .writes = true},
    {.name = "PULL", .type = ZMQ_PULL, .reads = true},
    {.name = "REQ", .type = ZMQ_REQ, .reads = true, .writes = true, .asks = true},
    {.name = "REP", .type = ZMQ_REP, .reads = true, .writes = true, .answers = true},
    {.name = "DEALER", .type = ZMQ_DEALER, .reads = true, .writes = true},
    {.name = "ROUTER", .type = ZMQ_ROUTER, .reads = true, .writes = true, .peers = true},
    {.name = "PAIR", .type = ZMQ_PAIR, .reads = true, .writes = true},
    {.name = "STREAM", .type = ZMQ_STREAM, .reads = true, .writes = true, .peers = true},
};

const struct raw_kind *raw_kind_find(const char *name) {
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcasecmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

static enum status fail(const struct call *call, const char *what) {
    return output_error(call->output, ZCHAT_NO_MEMORY, 0, "%s: %s", what,
                        zmq_strerror(zmq_errno()));
}

/* Whether all of them were taken; an old libzmq lacks some. */
static bool set_switch(void *socket, int option) {
    int yes = 1;
    return zmq_setsockopt(socket, option, &yes, sizeof yes) == 0;
}

/* What a call of raw wants unless it says otherwise: no message is dropped in silence, and none is
 * larger than what memory takes. */
static bool set_defaults(const struct raw_socket *socket, bool subscriptions) {
    int64_t bytes_max = MESSAGE_BYTES_MAX;
    bool done = zmq_setsockopt(socket->socket, ZMQ_MAXMSGSIZE, &bytes_max, sizeof bytes_max) == 0;
    if (socket->kind->type == ZMQ_ROUTER)
        done = done && set_switch(socket->socket, ZMQ_ROUTER_MANDATORY);
    if (subscriptions)
        done = done && set_switch(socket->socket, ZMQ_XPUB_VERBOSE) &&
               set_switch(socket->socket, ZMQ_XPUB_NODROP);
    return done;
}

static bool subscribe_to_all(const struct raw_socket *socket) {
    if (socket->kind->type == ZMQ_SUB)
        return zmq_setsockopt(socket->socket, ZMQ_SUBSCRIBE, "", 0) == 0;
    return zmq_send(socket->socket, "\1", 1, ZMQ_DONTWAIT) >= 0;
}

static enum status set_options(struct raw_socket *socket, const struct call *call) {
    struct raw_settings settings = {0};
    char fault[RAW_FAULT_BYTES];
    for (size_t i = 0; i < call->setting_count; i++)
        if (!raw_option_set(socket->socket, socket->kind->name, call->settings[i], &settings,
                            fault))
            return output_error(call->output, ZCHAT_INVALID, 0, "%s", fault);
    if (!raw_option_complete(socket->socket, &settings))
        return fail(call, "cannot make a key for CURVE");
    if (socket->kind->topics && !settings.subscribed && !subscribe_to_all(socket))
        return fail(call, "cannot subscribe");
    socket->linger = settings.linger;
    return STATUS_DONE;
}

/* Where it listens is only known then if the address left it open. */
static void tell_bound(const struct raw_socket *socket, const struct call *call,
                       const char *address) {
    char bound[ADDRESS_BYTES] = "";
    size_t bytes = sizeof bound;
    const char *port = strrchr(address, ':');
    bool open = strchr(address, '*') || (port && strcmp(port, ":0") == 0);
    if (zmq_getsockopt(socket->socket, ZMQ_LAST_ENDPOINT, bound, &bytes) != 0)
        return;
    if (open)
        output_notice(call->output, "bound to %s", bound);
    else
        output_detail(call->output, "bound to %s", bound);
}

static enum status join(const struct raw_socket *socket, const struct call *call,
                        const char *address) {
    bool bind = option_flag(call->options, OPTION_BIND);
    int result = bind ? zmq_bind(socket->socket, address) : zmq_connect(socket->socket, address);
    int error = zmq_errno();
    if (result == 0) {
        if (bind)
            tell_bound(socket, call, address);
        return STATUS_DONE;
    }
    bool wrong = error == EINVAL || error == EPROTONOSUPPORT || error == ENOCOMPATPROTO;
    return output_error(call->output, wrong ? ZCHAT_INVALID : ZCHAT_IO, 0, "cannot %s %s: %s%s",
                        bind ? "bind to" : "connect to", address, zmq_strerror(error),
                        wrong ? "; an address is tcp://HOST:PORT or ipc://PATH" : "");
}

static enum status make(struct raw_socket *socket, const struct call *call, bool subscriptions) {
    size_t bytes = sizeof socket->fd;
    int type = subscriptions ? ZMQ_XPUB : socket->kind->type;
    socket->context = zmq_ctx_new();
    socket->socket = socket->context ? zmq_socket(socket->context, type) : NULL;
    if (!socket->socket || !set_defaults(socket, subscriptions) ||
        zmq_getsockopt(socket->socket, ZMQ_FD, &socket->fd, &bytes) != 0)
        return fail(call, "cannot make a socket");
    return STATUS_DONE;
}

enum status raw_socket_open(struct raw_socket *socket, const struct call *call,
                            bool subscriptions) {
    enum status status = make(socket, call, subscriptions);
    if (status == STATUS_DONE)
        status = set_options(socket, call);
    for (int i = 1; i < call->word_count && status == STATUS_DONE; i++)
        status = join(socket, call, call->words[i]);
    return status;
}

bool raw_socket_close(struct raw_socket *socket, int linger_ms) {
    int64_t until_us = clock_us() + linger_ms * INT64_C(1000);
    if (socket->socket && (!socket->linger || linger_ms == 0))
        zmq_setsockopt(socket->socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    if (socket->socket)
        zmq_close(socket->socket);
    bool done = !socket->context || zmq_ctx_term(socket->context) == 0;
    *socket = (struct raw_socket){0};
    return done && (linger_ms == 0 || clock_us() < until_us);
}
