/* See hasher.h. Given bytes wait in a queue of bounded length. Of files with which nobody goes on,
 * the oldest are forgotten: the store has their hash, and begins again from there. */
#include "hasher.h"

#include "background.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* How many bytes may wait to be hashed: as many as some turns of the broker's loop bring. */
#define WAITING_MAX (4 * 1024 * 1024)
/* How many files are followed: usually more than are uploaded at a time. */
#define FILES_MAX 64

struct followed {
    struct followed *prev;
    struct followed *next;
    int64_t file;
    uint64_t given;
    uint64_t hashed; /* under the mutex, and so is the hash */
    struct hash hash;
};

struct job {
    struct job *next;
    struct followed *followed; /* borrowed: outlives the job */
    size_t length;
    unsigned char bytes[];
};

struct hasher {
    struct followed *files; /* owned; the one last used is at the end */
    size_t count;
    bool threaded;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t given;
    pthread_cond_t taken;
    struct job *jobs; /* owned, in order; under the mutex */
    size_t waiting;   /* their bytes; under the mutex */
    bool ending;      /* under the mutex */
};

/* ---- the thread ---- */

/* The thread works on a copy of the hash: others see the state after the last whole job. */
static void hash_job(struct hasher *hasher, const struct job *job) {
    struct hash hash = job->followed->hash;
    (void)pthread_mutex_unlock(&hasher->mutex);
    hash_add(&hash, job->bytes, job->length);
    (void)pthread_mutex_lock(&hasher->mutex);
    job->followed->hash = hash;
    job->followed->hashed += job->length;
}

static void *run(void *arg) {
    struct hasher *hasher = arg;
    (void)pthread_mutex_lock(&hasher->mutex);
    while (hasher->jobs || !hasher->ending) {
        struct job *job = hasher->jobs;
        if (!job) {
            (void)pthread_cond_wait(&hasher->given, &hasher->mutex);
            continue;
        }
        hash_job(hasher, job);
        LL_DELETE(hasher->jobs, job);
        hasher->waiting -= job->length;
        free(job);
        (void)pthread_cond_signal(&hasher->taken);
    }
    (void)pthread_mutex_unlock(&hasher->mutex);
    return NULL;
}

struct hasher *hasher_new(bool threaded) {
    struct hasher *hasher = calloc(1, sizeof *hasher);
    if (!hasher)
        return NULL;
    (void)pthread_mutex_init(&hasher->mutex, NULL);
    (void)pthread_cond_init(&hasher->given, NULL);
    (void)pthread_cond_init(&hasher->taken, NULL);
    hasher->threaded = threaded;
    if (threaded && background_start(&hasher->thread, run, hasher) != 0) {
        hasher->threaded = false;
        hasher_free(hasher);
        return NULL;
    }
    return hasher;
}

void hasher_free(struct hasher *hasher) {
    if (!hasher)
        return;
    if (hasher->threaded) {
        (void)pthread_mutex_lock(&hasher->mutex);
        hasher->ending = true;
        (void)pthread_cond_signal(&hasher->given);
        (void)pthread_mutex_unlock(&hasher->mutex);
        (void)pthread_join(hasher->thread, NULL);
    }
    struct followed *followed, *next;
    DL_FOREACH_SAFE(hasher->files, followed, next) {
        free(followed);
    }
    (void)pthread_cond_destroy(&hasher->taken);
    (void)pthread_cond_destroy(&hasher->given);
    (void)pthread_mutex_destroy(&hasher->mutex);
    free(hasher);
}

/* ---- the store's thread ---- */

static struct followed *find(const struct hasher *hasher, int64_t file) {
    struct followed *followed = NULL;
    DL_SEARCH_SCALAR(hasher->files, followed, file, file);
    return followed;
}

static void forget(struct hasher *hasher, struct followed *followed) {
    (void)pthread_mutex_lock(&hasher->mutex);
    while (followed->hashed < followed->given)
        (void)pthread_cond_wait(&hasher->taken, &hasher->mutex);
    (void)pthread_mutex_unlock(&hasher->mutex);
    DL_DELETE(hasher->files, followed);
    hasher->count--;
    free(followed);
}

bool hasher_follows(struct hasher *hasher, int64_t file, uint64_t offset) {
    const struct followed *followed = find(hasher, file);
    return followed && followed->given == offset;
}

bool hasher_begin(struct hasher *hasher, int64_t file, const struct hash *hash, uint64_t offset) {
    struct followed *followed = find(hasher, file);
    if (followed)
        forget(hasher, followed);
    else if (hasher->count == FILES_MAX)
        forget(hasher, hasher->files);
    followed = aligned_alloc(_Alignof(struct followed), sizeof *followed);
    if (!followed)
        return false;
    *followed = (struct followed){.file = file, .given = offset, .hashed = offset, .hash = *hash};
    DL_APPEND(hasher->files, followed);
    hasher->count++;
    return true;
}

static void give(struct hasher *hasher, struct job *job) {
    (void)pthread_mutex_lock(&hasher->mutex);
    while (hasher->waiting > 0 && hasher->waiting + job->length > WAITING_MAX)
        (void)pthread_cond_wait(&hasher->taken, &hasher->mutex);
    LL_APPEND(hasher->jobs, job);
    hasher->waiting += job->length;
    (void)pthread_cond_signal(&hasher->given);
    (void)pthread_mutex_unlock(&hasher->mutex);
}

bool hasher_add(struct hasher *hasher, int64_t file, const void *bytes, size_t length) {
    struct followed *followed = find(hasher, file);
    assert(followed);
    DL_DELETE(hasher->files, followed);
    DL_APPEND(hasher->files, followed);
    if (length == 0)
        return true;
    followed->given += length;
    if (!hasher->threaded) {
        hash_add(&followed->hash, bytes, length);
        followed->hashed += length;
        return true;
    }
    struct job *job = malloc(sizeof *job + length);
    if (!job)
        return false;
    *job = (struct job){.followed = followed, .length = length};
    memcpy(job->bytes, bytes, length);
    give(hasher, job);
    return true;
}

void hasher_look(struct hasher *hasher, int64_t file, struct hash *hash, uint64_t *offset) {
    const struct followed *followed = find(hasher, file);
    assert(followed);
    (void)pthread_mutex_lock(&hasher->mutex);
    *hash = followed->hash;
    *offset = followed->hashed;
    (void)pthread_mutex_unlock(&hasher->mutex);
}

void hasher_end(struct hasher *hasher, int64_t file, unsigned char out[HASH_BYTES]) {
    struct followed *followed = find(hasher, file);
    assert(followed);
    (void)pthread_mutex_lock(&hasher->mutex);
    while (followed->hashed < followed->given)
        (void)pthread_cond_wait(&hasher->taken, &hasher->mutex);
    struct hash hash = followed->hash;
    (void)pthread_mutex_unlock(&hasher->mutex);
    hash_end(&hash, out);
    forget(hasher, followed);
}
