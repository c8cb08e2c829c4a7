/* Only the pointer to the context with free places is shared by the process; each context knows its
 * users. A context whose end has begun is never given to anybody: its end may take a while, and
 * only who ends it waits for that. */
#include "context.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/types.h>
#include <unistd.h>
#include <zmq.h>

/* How many handles share a context. One thread serves so many without becoming what they wait
 * for. */
#define PLACES 1000
/* Six for each handle, three more for each private chat; the default of 1,023 would be enough for
 * 170 handles. */
#define SOCKETS_MAX 16384
/* libzmq 4.3.4 aborts if it gets no descriptor for its epoll or its second eventfd. So nothing is
 * begun without enough descriptors for all of it: a context needs 5, and its first socket 1. */
#define DESCRIPTORS 8
/* One thread for all sockets, and one that closes them. */
#define THREADS 2

struct context {
    void *zmq;
    struct peer_zap *zap; /* owned; NULL until the first guest */
    unsigned users;
    pid_t process;
};

static struct {
    pthread_mutex_t lock;
    struct context *open; /* borrowed from its users; NULL: none has places left */
} shared = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- forks ---- */

static void lock(void) {
    pthread_mutex_lock(&shared.lock);
}

static void unlock(void) {
    pthread_mutex_unlock(&shared.lock);
}

/* Called in a child after fork: the threads are the parent's, so the child can neither use nor end
 * it. */
static void forget(void) {
    shared.open = NULL;
    unlock();
}

static void watch_forks(void) {
    pthread_atfork(lock, unlock, forget);
}

static bool is_ours(const struct context *context) {
    return context->process == getpid();
}

/* ---- begin and end ---- */

/* False sets errno. */
static bool have_room(void) {
    int fds[DESCRIPTORS];
    int count = 0;
    while (count < DESCRIPTORS && (fds[count] = eventfd(0, EFD_CLOEXEC)) >= 0)
        count++;
    int error = errno;
    for (int i = 0; i < count; i++)
        close(fds[i]);
    errno = error;
    return count == DESCRIPTORS;
}

static void *pass(void *gate) {
    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return NULL;
}

/* libzmq also aborts if it is refused a thread, so this first tries to have as many as it starts,
 * all at once. False sets errno. */
static bool have_threads(void) {
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_t threads[THREADS];
    int count = 0, error = 0;
    pthread_mutex_lock(&gate);
    while (count < THREADS && (error = pthread_create(&threads[count], NULL, pass, &gate)) == 0)
        count++;
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    errno = error;
    return count == THREADS;
}

/* Opens a first socket, which starts the threads: then their descriptors are there, and stay. */
static bool start(void *zmq) {
    void *first = NULL;
    if (zmq_ctx_set(zmq, ZMQ_MAX_SOCKETS, SOCKETS_MAX) == 0)
        first = zmq_socket(zmq, ZMQ_PAIR);
    if (first)
        zmq_close(first);
    return first != NULL;
}

static void end(struct context *context) {
    while (context->zmq && zmq_ctx_term(context->zmq) != 0 && errno == EINTR) {
    }
    peer_zap_free(context->zap);
    free(context);
}

static struct context *make(void) {
    struct context *context = have_room() && have_threads() ? calloc(1, sizeof *context) : NULL;
    if (!context)
        return NULL;
    context->process = getpid();
    context->zmq = zmq_ctx_new();
    if (!context->zmq || !start(context->zmq)) {
        int error = errno;
        end(context);
        errno = error;
        return NULL;
    }
    return context;
}

struct context *context_acquire(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
    lock();
    if (!shared.open || !is_ours(shared.open))
        shared.open = make();
    struct context *context = shared.open;
    if (context && ++context->users == PLACES)
        shared.open = NULL;
    unlock();
    return context;
}

void context_release(struct context *context) {
    if (!context || !is_ours(context))
        return;
    lock();
    bool last = --context->users == 0;
    if (last && shared.open == context)
        shared.open = NULL;
    unlock();
    if (last)
        end(context);
}

/* ---- use ---- */

void *context_socket(struct context *context, int type) {
    return zmq_socket(context->zmq, type);
}

struct peer_guest *context_expect(struct context *context, const char *domain,
                                  const unsigned char key[KEY_BYTES]) {
    lock();
    if (!context->zap && have_room())
        context->zap = peer_zap_new(context->zmq);
    struct peer_zap *zap = context->zap;
    unlock();
    return zap ? peer_zap_expect(zap, domain, key) : NULL;
}
