/* Work waits in a list under a lock, so that any free thread takes the next; finished work comes
 * back over inproc, so that the loop can poll for it. */
#include "worker.h"

#include "core/memory.h"
#include "password.h"
#include "process.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>
#include <zmq.h>

#define DONE "inproc://work-done"

struct workers {
    void *context; /* borrowed: the server's */
    void *done;    /* owned: PULL from the threads */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct core_work *given; /* owned, in order; under the lock */
    bool ending;             /* under the lock */
    uint32_t count;
    struct worker {
        struct workers *workers; /* borrowed */
        void *done;              /* owned: PUSH; the thread owns it once it runs */
        pthread_t thread;
    } worker[]; /* those that run, `count` of them */
};

static void work_do(struct core_work *work) {
    work->verified = !work->verify || password_verify(work->hash, work->password);
    if (work->verified && work->new_password)
        work->failed = !password_hash(work->new_password, work->new_hash);
}

static void work_free(struct core_work *work) {
    memory_wipe_text(work->password);
    memory_wipe_text(work->new_password);
    free(work);
}

/* Waits for work; NULL: the thread is to end. */
static struct core_work *work_wait(struct workers *workers) {
    struct core_work *work = NULL;

    pthread_mutex_lock(&workers->lock);
    while (!workers->given && !workers->ending)
        pthread_cond_wait(&workers->changed, &workers->lock);
    if (!workers->ending) {
        work = workers->given;
        LL_DELETE(workers->given, work);
    }
    pthread_mutex_unlock(&workers->lock);
    return work;
}

static void *worker_run(void *arg) {
    struct worker *worker = arg;
    struct core_work *work;

    slice_give_way(); /* replies go before password guesses */
    while ((work = work_wait(worker->workers))) {
        work_do(work);
        if (zmq_send(worker->done, &work, sizeof work, 0) != (int)sizeof work)
            work_free(work);
    }
    zmq_close(worker->done);
    return NULL;
}

/* The socket is made before the thread, so that a refusal can be reported here. */
static bool worker_start(struct worker *worker, struct workers *workers) {
    int reason;

    worker->workers = workers;
    worker->done = zmq_socket(workers->context, ZMQ_PUSH);
    if (!worker->done)
        return false;
    reason = zmq_connect(worker->done, DONE) == 0
                 ? pthread_create(&worker->thread, NULL, worker_run, worker)
                 : errno;
    if (reason != 0)
        zmq_close(worker->done);
    errno = reason;
    return reason == 0;
}

struct workers *workers_new(void *context, uint32_t count) {
    struct workers *workers = memory_new(sizeof *workers + count * sizeof workers->worker[0]);
    int reason;

    workers->context = context;
    pthread_mutex_init(&workers->lock, NULL);
    pthread_cond_init(&workers->changed, NULL);
    workers->done = zmq_socket(context, ZMQ_PULL);
    if (!workers->done || zmq_bind(workers->done, DONE) != 0)
        goto fail;
    while (workers->count < count) {
        if (!worker_start(&workers->worker[workers->count], workers))
            goto fail;
        workers->count++;
    }
    return workers;
fail:
    reason = errno;
    workers_free(workers);
    errno = reason;
    return NULL;
}

void workers_free(struct workers *workers) {
    struct core_work *work, *next;

    if (!workers)
        return;
    pthread_mutex_lock(&workers->lock);
    workers->ending = true;
    pthread_cond_broadcast(&workers->changed);
    pthread_mutex_unlock(&workers->lock);
    for (uint32_t i = 0; i < workers->count; i++)
        pthread_join(workers->worker[i].thread, NULL);
    while (workers->done && (work = workers_take(workers)))
        work_free(work);
    LL_FOREACH_SAFE(workers->given, work, next) {
        work_free(work);
    }
    if (workers->done)
        zmq_close(workers->done);
    pthread_cond_destroy(&workers->changed);
    pthread_mutex_destroy(&workers->lock);
    free(workers);
}

void *workers_socket(const struct workers *workers) {
    return workers->done;
}

void workers_give(struct workers *workers, struct core_work *work) {
    pthread_mutex_lock(&workers->lock);
    LL_APPEND(workers->given, work);
    pthread_cond_signal(&workers->changed);
    pthread_mutex_unlock(&workers->lock);
}

struct core_work *workers_take(struct workers *workers) {
    struct core_work *work = NULL;

    if (zmq_recv(workers->done, &work, sizeof work, ZMQ_DONTWAIT) != (int)sizeof work)
        return NULL;
    return work;
}
