/* See curve.h. */
#include "curve.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <zmq.h>

#define SOCKETS_MAX 65536
/* How many connections of a crowd may wait to be accepted. */
#define BACKLOG 4096
/* How long until a client tries again: a busy server gives up handshakes after seconds. */
#define AGAIN_MS 100

void *curve_context(int io_threads) {
    void *context = zmq_ctx_new();
    if (context) {
        zmq_ctx_set(context, ZMQ_IO_THREADS, io_threads);
        zmq_ctx_set(context, ZMQ_MAX_SOCKETS, SOCKETS_MAX);
    }
    return context;
}

void curve_context_free(void *context) {
    while (context && zmq_ctx_term(context) != 0 && errno == EINTR)
        ;
}

bool curve_keys_make(struct curve_keys *keys) {
    return zmq_curve_keypair(keys->public, keys->secret) == 0;
}

bool curve_set(void *socket, int option, int value) {
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

static bool set_key(void *socket, int option, const char *key) {
    return zmq_setsockopt(socket, option, key, CURVE_KEY_TEXT) == 0;
}

static void *open_socket(void *context, int type, int frames_max) {
    void *socket = zmq_socket(context, type);
    if (socket && curve_set(socket, ZMQ_LINGER, 0) && curve_set(socket, ZMQ_SNDHWM, frames_max) &&
        curve_set(socket, ZMQ_RCVHWM, frames_max))
        return socket;
    if (socket)
        zmq_close(socket);
    return NULL;
}

static bool bind_any(void *socket, const struct curve_keys *keys, const char *zap_domain,
                     char endpoint[CURVE_ENDPOINT_BYTES]) {
    size_t bytes = CURVE_ENDPOINT_BYTES;
    return curve_set(socket, ZMQ_CURVE_SERVER, 1) &&
           set_key(socket, ZMQ_CURVE_SECRETKEY, keys->secret) &&
           curve_set(socket, ZMQ_BACKLOG, BACKLOG) &&
           (!zap_domain ||
            zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, zap_domain, strlen(zap_domain)) == 0) &&
           zmq_bind(socket, "tcp://127.0.0.1:*") == 0 &&
           zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &bytes) == 0;
}

void *curve_bound(void *context, int type, int frames_max, const struct curve_keys *keys,
                  const char *zap_domain, char endpoint[CURVE_ENDPOINT_BYTES]) {
    void *socket = open_socket(context, type, frames_max);
    if (socket && bind_any(socket, keys, zap_domain, endpoint))
        return socket;
    if (socket)
        zmq_close(socket);
    return NULL;
}

void *curve_client(void *context, int type, int frames_max, const struct curve_keys *keys,
                   const char *server_key) {
    void *socket = open_socket(context, type, frames_max);
    if (socket && curve_set(socket, ZMQ_RECONNECT_IVL, AGAIN_MS) &&
        set_key(socket, ZMQ_CURVE_SERVERKEY, server_key) &&
        set_key(socket, ZMQ_CURVE_PUBLICKEY, keys->public) &&
        set_key(socket, ZMQ_CURVE_SECRETKEY, keys->secret))
        return socket;
    if (socket)
        zmq_close(socket);
    return NULL;
}
