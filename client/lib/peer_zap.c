/* ZAP 1.0 (RFC 27) over a REP socket in a thread of its own, which ends when the context does.
 * Whatever is not a plain request for CURVE is refused. */
#include "peer_zap.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#define ENDPOINT "inproc://zeromq.zap.01"
#define PARTS    7
/* No part that matters is longer. */
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

struct peer_guest {
    struct peer_zap *zap; /* borrowed */
    char domain[PEER_ZAP_DOMAIN_BYTES];
    unsigned char key[KEY_BYTES];
    bool came;
    struct peer_guest *next;
};

struct peer_zap {
    void *socket; /* owned; the thread's once it runs */
    pthread_t thread;
    pthread_mutex_t lock;
    struct peer_guest *guests; /* owned; under the lock */
    pid_t process;             /* whose thread it is */
};

struct question {
    size_t count;
    size_t bytes[PARTS];
    char part[PARTS][PART_BYTES + 1];
};

/* ---- the thread ---- */

static void close_socket(struct peer_zap *zap) {
    int zero = 0;
    zmq_setsockopt(zap->socket, ZMQ_LINGER, &zero, sizeof zero);
    int failed = zmq_close(zap->socket);
    assert(!failed);
}

static bool has_more(const struct peer_zap *zap) {
    int more = 0;
    size_t more_bytes = sizeof more;
    return zmq_getsockopt(zap->socket, ZMQ_RCVMORE, &more, &more_bytes) == 0 && more;
}

/* Waits for a question. Parts that are too long, or beyond the last one, are only counted. False
 * with errno. */
static bool read_question(struct peer_zap *zap, struct question *question) {
    question->count = 0;
    do {
        size_t i = question->count < PARTS ? question->count : PARTS - 1;
        int bytes = zmq_recv(zap->socket, question->part[i], PART_BYTES, 0);
        if (bytes < 0)
            return false;
        question->bytes[i] = (size_t)bytes;
        question->part[i][question->bytes[i] < PART_BYTES ? question->bytes[i] : PART_BYTES] = '\0';
        question->count++;
    } while (has_more(zap));
    return true;
}

/* Whether the guest of that domain has that key; true only once. */
static bool admit(struct peer_zap *zap, const char *domain, const unsigned char *key) {
    bool admitted = false;
    pthread_mutex_lock(&zap->lock);
    for (struct peer_guest *at = zap->guests; at && !admitted; at = at->next) {
        admitted = !at->came && strcmp(at->domain, domain) == 0 &&
                   sodium_memcmp(at->key, key, KEY_BYTES) == 0;
        at->came = at->came || admitted;
    }
    pthread_mutex_unlock(&zap->lock);
    return admitted;
}

static bool is_admitted(struct peer_zap *zap, const struct question *question) {
    return question->count == PARTS && question->bytes[PART_KEY] == KEY_BYTES &&
           question->bytes[PART_DOMAIN] <= PART_BYTES &&
           strcmp(question->part[PART_VERSION], "1.0") == 0 &&
           strcmp(question->part[PART_MECHANISM], "CURVE") == 0 &&
           admit(zap, question->part[PART_DOMAIN], (const unsigned char *)question->part[PART_KEY]);
}

/* If there is no memory for an answer, the connection is not made, and runs into its time limit. */
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

static void *run(void *arg) {
    struct peer_zap *zap = arg;
    struct question question;
    bool over = false;
    while (!over) {
        if (read_question(zap, &question)) {
            answer(zap, &question, is_admitted(zap, &question));
        } else {
            over = errno == ETERM;
            assert(over || errno == EINTR);
        }
    }
    close_socket(zap);
    return NULL;
}

/* The thread takes no signals: they are for the program. */
static bool start(struct peer_zap *zap) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&zap->thread, NULL, run, zap);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return error == 0;
}

/* ---- begin and end ---- */

struct peer_zap *peer_zap_new(void *context) {
    struct peer_zap *zap = calloc(1, sizeof *zap);
    if (!zap)
        return NULL;
    zap->process = getpid();
    pthread_mutex_init(&zap->lock, NULL);
    zap->socket = zmq_socket(context, ZMQ_REP);
    if (!zap->socket || zmq_bind(zap->socket, ENDPOINT) != 0 || !start(zap)) {
        int error = errno;
        if (zap->socket)
            close_socket(zap);
        pthread_mutex_destroy(&zap->lock);
        free(zap);
        errno = error;
        return NULL;
    }
    return zap;
}

void peer_zap_free(struct peer_zap *zap) {
    if (!zap)
        return;
    int failed = pthread_join(zap->thread, NULL);
    assert(!failed && !zap->guests);
    pthread_mutex_destroy(&zap->lock);
    free(zap);
}

/* ---- guests ---- */

struct peer_guest *peer_zap_expect(struct peer_zap *zap, const char *domain,
                                   const unsigned char key[KEY_BYTES]) {
    struct peer_guest *guest = calloc(1, sizeof *guest);
    if (!guest)
        return NULL;
    assert(strlen(domain) < PEER_ZAP_DOMAIN_BYTES);
    guest->zap = zap;
    strcpy(guest->domain, domain);
    memcpy(guest->key, key, KEY_BYTES);
    pthread_mutex_lock(&zap->lock);
    guest->next = zap->guests;
    zap->guests = guest;
    pthread_mutex_unlock(&zap->lock);
    return guest;
}

/* In a child of the process, a thread that does not exist there may hold the lock. */
void peer_zap_expect_end(struct peer_guest *guest) {
    if (!guest || guest->zap->process != getpid())
        return;
    pthread_mutex_lock(&guest->zap->lock);
    struct peer_guest **place = &guest->zap->guests;
    while (*place != guest)
        place = &(*place)->next;
    *place = guest->next;
    pthread_mutex_unlock(&guest->zap->lock);
    free(guest);
}
