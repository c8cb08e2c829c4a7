/* ZAP 1.0 (RFC 27) over a REP socket that the wake watches. Whatever is not a plain request for
 * CURVE is refused. */
#include "peer_zap.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define ENDPOINT "inproc://zeromq.zap.01"
#define PARTS    7
/* Nothing that counts is longer. */
#define PART_BYTES 64

enum part {
    PART_VERSION,
    PART_ID,
    PART_DOMAIN,
    PART_ADDRESS,
    PART_ROUTE,
    PART_MECHANISM,
    PART_KEY
};

struct peer_zap {
    void *socket;      /* owned */
    struct wake *wake; /* borrowed: from the handle */
    int fd;            /* -1: not watched */
    struct wake_source source;
    peer_zap_admits *admits;
    void *arg; /* borrowed: for admits */
};

struct question {
    size_t count;
    size_t bytes[PARTS];
    char part[PARTS][PART_BYTES + 1];
};

struct peer_zap *peer_zap_new(void *context, struct wake *wake, peer_zap_admits *admits,
                              void *arg) {
    struct peer_zap *zap = calloc(1, sizeof *zap);
    int fd;
    size_t fd_bytes = sizeof fd;
    if (!zap) {
        return NULL;
    }
    *zap = (struct peer_zap){.wake = wake, .fd = -1, .admits = admits, .arg = arg};
    zap->socket = zmq_socket(context, ZMQ_REP);
    if (!zap->socket || zmq_bind(zap->socket, ENDPOINT) != 0 ||
        zmq_getsockopt(zap->socket, ZMQ_FD, &fd, &fd_bytes) != 0 ||
        !wake_add(wake, fd, &zap->source)) {
        peer_zap_free(zap);
        return NULL;
    }
    zap->fd = fd;
    return zap;
}

void peer_zap_free(struct peer_zap *zap) {
    if (!zap) {
        return;
    }
    if (zap->fd >= 0) {
        wake_remove(zap->wake, zap->fd);
    }
    if (zap->socket) {
        int zero = 0;
        zmq_setsockopt(zap->socket, ZMQ_LINGER, &zero, sizeof zero);
        int failed = zmq_close(zap->socket);
        assert(!failed);
    }
    free(zap);
}

static bool has_more(const struct peer_zap *zap) {
    int more = 0;
    size_t more_bytes = sizeof more;
    return zmq_getsockopt(zap->socket, ZMQ_RCVMORE, &more, &more_bytes) == 0 && more;
}

/* What is too long, or beyond the last part, only counts. False: there is none. */
static bool read_question(struct peer_zap *zap, struct question *question) {
    question->count = 0;
    do {
        size_t i = question->count < PARTS ? question->count : PARTS - 1;
        int bytes = zmq_recv(zap->socket, question->part[i], PART_BYTES, ZMQ_DONTWAIT);
        if (bytes < 0) {
            zap->source.ready = errno == EINTR;
            return false;
        }
        question->bytes[i] = (size_t)bytes;
        question->part[i][question->bytes[i] < PART_BYTES ? question->bytes[i] : PART_BYTES] = '\0';
        question->count++;
    } while (has_more(zap));
    return true;
}

static bool is_admitted(const struct peer_zap *zap, const struct question *question) {
    return question->count == PARTS && question->bytes[PART_KEY] == KEY_BYTES &&
           question->bytes[PART_DOMAIN] <= PART_BYTES &&
           strcmp(question->part[PART_VERSION], "1.0") == 0 &&
           strcmp(question->part[PART_MECHANISM], "CURVE") == 0 &&
           zap->admits(zap->arg, question->part[PART_DOMAIN],
                       (const unsigned char *)question->part[PART_KEY]);
}

/* Without memory for an answer the connection is not made: that is noticed by its time. */
static void answer(struct peer_zap *zap, const struct question *question, bool admitted) {
    size_t id_bytes = question->bytes[PART_ID] <= PART_BYTES ? question->bytes[PART_ID] : 0;
    const char *parts[] = {"1.0",
                           question->part[PART_ID],
                           admitted ? "200" : "400",
                           admitted ? "OK" : "not admitted",
                           "peer",
                           ""};
    const size_t last = sizeof parts / sizeof *parts - 1;
    bool sent = true;
    for (size_t i = 0; i <= last && sent; i++) {
        size_t bytes = i == 1 ? id_bytes : strlen(parts[i]);
        sent = zmq_send(zap->socket, parts[i], bytes, i < last ? ZMQ_SNDMORE : 0) >= 0;
    }
}

void peer_zap_answer(struct peer_zap *zap) {
    struct question question;
    while (zap->source.ready) {
        if (read_question(zap, &question)) {
            answer(zap, &question, is_admitted(zap, &question));
        }
    }
}
