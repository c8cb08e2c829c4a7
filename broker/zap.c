#include "zap.h"

#include "core/memory.h"
#include "crypto.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define ENDPOINT "inproc://zeromq.zap.01"
/* version, request id, domain, address, routing id, mechanism, credentials */
#define REQUEST_PARTS  7
#define PART_BYTES_MAX 256

struct zap {
    void *socket;
    zap_admits *admits;
    void *arg; /* borrowed: for admits */
};

struct request {
    size_t count;
    size_t bytes[REQUEST_PARTS];
    char part[REQUEST_PARTS][PART_BYTES_MAX];
};

struct zap *zap_new(void *context, zap_admits *admits, void *arg) {
    struct zap *zap = memory_new(sizeof *zap);

    zap->admits = admits;
    zap->arg = arg;
    zap->socket = zmq_socket(context, ZMQ_REP);
    if (!zap->socket || zmq_bind(zap->socket, ENDPOINT) != 0) {
        zap_free(zap);
        return NULL;
    }
    return zap;
}

void zap_free(struct zap *zap) {
    if (!zap)
        return;
    if (zap->socket)
        zmq_close(zap->socket);
    free(zap);
}

void *zap_socket(const struct zap *zap) {
    return zap->socket;
}

/* Reads one request. Parts beyond the last one, and parts that are too long, are only counted. */
static bool request_read(struct zap *zap, struct request *request) {
    int more = 1;
    size_t more_bytes = sizeof more;

    for (request->count = 0; more; request->count++) {
        size_t i = request->count < REQUEST_PARTS ? request->count : REQUEST_PARTS - 1;
        int bytes = zmq_recv(zap->socket, request->part[i], PART_BYTES_MAX, ZMQ_DONTWAIT);

        if (bytes < 0)
            return false;
        request->bytes[i] = (size_t)bytes;
        if (zmq_getsockopt(zap->socket, ZMQ_RCVMORE, &more, &more_bytes) != 0)
            return false;
    }
    return true;
}

static bool part_is(const struct request *request, size_t i, const char *text) {
    return request->bytes[i] == strlen(text) && !memcmp(request->part[i], text, strlen(text));
}

static enum zap_answer request_judge(const struct zap *zap, const struct request *request) {
    if (request->count != REQUEST_PARTS || !part_is(request, 0, "1.0") ||
        !part_is(request, 5, "CURVE") || request->bytes[6] != KEY_BYTES)
        return ZAP_REFUSED;
    if (part_is(request, 2, ZAP_COMMANDS))
        return ZAP_ADMITTED;
    if (!part_is(request, 2, ZAP_EVENTS))
        return ZAP_REFUSED;
    return zap->admits(zap->arg, (const unsigned char *)request->part[6]);
}

static bool request_answer(struct zap *zap, const struct request *request, enum zap_answer answer) {
    static const char *const codes[ZAP_ANSWERS] = {"200", "300", "400"};
    static const char *const texts[ZAP_ANSWERS] = {"OK", "too much for now", "not admitted"};
    char user[KEY_TEXT] = "";
    size_t id_bytes = request->count > 1 ? request->bytes[1] : 0;
    const char *text = texts[answer];

    if (answer == ZAP_ADMITTED)
        key_format((const unsigned char *)request->part[6], user);
    return zmq_send(zap->socket, "1.0", 3, ZMQ_SNDMORE) >= 0 &&
           zmq_send(zap->socket, request->part[1], id_bytes, ZMQ_SNDMORE) >= 0 &&
           zmq_send(zap->socket, codes[answer], 3, ZMQ_SNDMORE) >= 0 &&
           zmq_send(zap->socket, text, strlen(text), ZMQ_SNDMORE) >= 0 &&
           zmq_send(zap->socket, user, strlen(user), ZMQ_SNDMORE) >= 0 &&
           zmq_send(zap->socket, "", 0, 0) >= 0;
}

int zap_serve(struct zap *zap) {
    struct request request;
    int refused = 0;

    while (request_read(zap, &request)) {
        enum zap_answer answer = request_judge(zap, &request);

        if (!request_answer(zap, &request, answer))
            return -1;
        refused += answer == ZAP_ADMITTED ? 0 : 1;
    }
    return errno == EAGAIN || errno == EINTR ? refused : -1;
}
