/* See curve_copy.h. A first small frame makes the connection before time is measured. */
#include "curve_copy.h"

#include "common/clock.h"
#include "curve.h"
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#define PATIENCE_MS 60000

struct end {
    void *context;                 /* owned */
    void *socket;                  /* owned */
    const struct curve_copy *copy; /* borrowed: from the caller */
    uint64_t bytes;
    int fd; /* owned: the file that a DEALER reads or a ROUTER writes; -1: none */
    bool good;
};

static bool fail(const char *what) {
    fprintf(stderr, "zchat-bench: plain sockets: %s: %s\n", what, zmq_strerror(errno));
    return false;
}

static void end_close(struct end *end) {
    if (end->socket)
        zmq_close(end->socket);
    if (end->fd >= 0)
        close(end->fd);
    curve_context_free(end->context);
}

static bool is_patient(void *socket) {
    return socket && curve_set(socket, ZMQ_SNDTIMEO, PATIENCE_MS) &&
           curve_set(socket, ZMQ_RCVTIMEO, PATIENCE_MS);
}

static bool server_open(struct end *server, int type, const struct curve_keys *keys,
                        char endpoint[CURVE_ENDPOINT_BYTES]) {
    server->context = curve_context(1);
    server->socket = server->context ? curve_bound(server->context, type, CURVE_FRAMES_USUAL, keys,
                                                   NULL, endpoint)
                                     : NULL;
    return is_patient(server->socket);
}

static bool client_open(struct end *client, int type, const char *server_key,
                        const char *endpoint) {
    struct curve_keys keys;
    client->context = curve_context(1);
    if (!client->context || !curve_keys_make(&keys))
        return false;
    client->socket = curve_client(client->context, type, CURVE_FRAMES_USUAL, &keys, server_key);
    return is_patient(client->socket) && zmq_connect(client->socket, endpoint) == 0;
}

/* Makes both ends, and a thread that serves one of them; false: it said why. */
static bool begin(struct end *server, int server_type, struct end *client, int client_type,
                  void *(*serve)(void *server), pthread_t *thread) {
    char endpoint[CURVE_ENDPOINT_BYTES];
    struct curve_keys keys;
    if (!curve_keys_make(&keys) || !server_open(server, server_type, &keys, endpoint) ||
        !client_open(client, client_type, keys.public, endpoint))
        return fail("no sockets");
    errno = pthread_create(thread, NULL, serve, server);
    return errno == 0 || fail("no thread");
}

/* ---- the ROUTER ---- */

/* Stores a chunk, after which `left` more bytes will come. */
static bool store(const struct end *router, zmq_msg_t *payload, uint64_t left) {
    size_t count = zmq_msg_size(payload);
    bool to_disk = router->copy->each_stored || left == 0;
    return router->fd < 0 || (write(router->fd, zmq_msg_data(payload), count) == (ssize_t)count &&
                              (!to_disk || fdatasync(router->fd) == 0));
}

static bool acknowledge_one(struct end *router) {
    zmq_msg_t id, payload;
    zmq_msg_init(&id);
    zmq_msg_init(&payload);
    bool good =
        zmq_msg_recv(&id, router->socket, 0) >= 0 && zmq_msg_recv(&payload, router->socket, 0) >= 0;
    router->bytes -= good ? zmq_msg_size(&payload) : 0;
    good = good && store(router, &payload, router->bytes) &&
           zmq_msg_send(&id, router->socket, ZMQ_SNDMORE) >= 0 &&
           zmq_send(router->socket, &router->bytes, sizeof router->bytes, 0) >= 0;
    zmq_msg_close(&payload);
    zmq_msg_close(&id);
    return good;
}

static void *serve(void *arg) {
    struct end *router = arg;
    router->good = true;
    while (router->good && router->bytes > 0)
        router->good = acknowledge_one(router);
    if (!router->good)
        fail("receiving");
    return NULL;
}

/* ---- the DEALER ---- */

static bool wait_for_one(struct end *dealer) {
    uint64_t left;
    return zmq_recv(dealer->socket, &left, sizeof left, 0) >= 0;
}

static bool send_all(struct end *dealer, char *chunk) {
    size_t chunk_bytes = dealer->copy->chunk_bytes;
    uint64_t under_way = 0;
    while (dealer->bytes > 0 || under_way > 0) {
        if (dealer->bytes == 0 || under_way == dealer->copy->window) {
            if (!wait_for_one(dealer))
                return false;
            under_way--;
            continue;
        }
        size_t count = dealer->bytes < chunk_bytes ? (size_t)dealer->bytes : chunk_bytes;
        if (dealer->fd >= 0 && read(dealer->fd, chunk, count) != (ssize_t)count)
            return false;
        if (zmq_send(dealer->socket, chunk, count, 0) < 0)
            return false;
        dealer->bytes -= count;
        under_way++;
    }
    return true;
}

static bool send_timed(struct end *dealer, int64_t *took_us) {
    char *chunk = calloc(1, dealer->copy->chunk_bytes);
    bool good = chunk && zmq_send(dealer->socket, chunk, 1, 0) >= 0 && wait_for_one(dealer);
    int64_t begin_us = clock_us();
    good = good && send_all(dealer, chunk);
    *took_us = clock_us() - begin_us;
    free(chunk);
    return good || fail("sending");
}

static bool open_files(struct end *dealer, struct end *router) {
    const struct curve_copy *copy = dealer->copy;
    if (copy->from && (dealer->fd = open(copy->from, O_RDONLY | O_CLOEXEC)) < 0)
        return fail(copy->from);
    if (copy->to &&
        (router->fd = open(copy->to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0)
        return fail(copy->to);
    return true;
}

bool curve_copy(const struct curve_copy *copy, int64_t *took_us) {
    struct end router = {.copy = copy, .bytes = copy->bytes + 1, .fd = -1};
    struct end dealer = {.copy = copy, .bytes = copy->bytes, .fd = -1};
    pthread_t thread;
    bool good = open_files(&dealer, &router) &&
                begin(&router, ZMQ_ROUTER, &dealer, ZMQ_DEALER, serve, &thread);
    if (good) {
        good = send_timed(&dealer, took_us);
        pthread_join(thread, NULL);
    }
    end_close(&dealer);
    end_close(&router);
    return good && router.good;
}

/* ---- two PAIRs ---- */

static bool receive(struct end *end) {
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    bool good = zmq_msg_recv(&frame, end->socket, 0) >= 0;
    end->bytes -= good ? zmq_msg_size(&frame) : 0;
    zmq_msg_close(&frame);
    return good;
}

/* Takes the frames, and answers the first and the last one. */
static void *take_lines(void *arg) {
    struct end *pair = arg;
    pair->good = receive(pair) && zmq_send(pair->socket, "", 0, 0) >= 0;
    while (pair->good && pair->bytes > 0)
        pair->good = receive(pair);
    pair->good = pair->good && zmq_send(pair->socket, "", 0, 0) >= 0;
    if (!pair->good)
        fail("receiving");
    return NULL;
}

static bool send_frame(struct end *pair, const char *line, size_t line_bytes, uint64_t count) {
    zmq_msg_t frame;
    if (zmq_msg_init_size(&frame, count * line_bytes) != 0)
        return false;
    char *at = zmq_msg_data(&frame);
    for (uint64_t i = 0; i < count; i++)
        memcpy(at + i * line_bytes, line, line_bytes);
    bool good = zmq_msg_send(&frame, pair->socket, 0) >= 0;
    zmq_msg_close(&frame);
    return good;
}

static bool send_lines(struct end *pair, uint64_t lines, size_t line_bytes, uint64_t batch,
                       int64_t *took_us) {
    char *line = calloc(1, line_bytes);
    bool good = line && zmq_send(pair->socket, "", 0, 0) >= 0 && receive(pair);
    int64_t begin_us = clock_us();
    while (good && lines > 0) {
        uint64_t count = lines < batch ? lines : batch;
        good = send_frame(pair, line, line_bytes, count);
        lines -= count;
    }
    good = good && receive(pair);
    *took_us = clock_us() - begin_us;
    free(line);
    return good || fail("sending");
}

bool curve_pair(uint64_t lines, size_t line_bytes, uint64_t batch, int64_t *took_us) {
    struct end taking = {.bytes = lines * line_bytes, .fd = -1}, sending = {.fd = -1};
    pthread_t thread;
    bool good = false;
    if (begin(&taking, ZMQ_PAIR, &sending, ZMQ_PAIR, take_lines, &thread)) {
        good = send_lines(&sending, lines, line_bytes, batch, took_us);
        pthread_join(thread, NULL);
    }
    end_close(&sending);
    end_close(&taking);
    return good && taking.good;
}
