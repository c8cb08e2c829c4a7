#include "fresh.h"

#include "table.h"

#include <stdlib.h>
#include <string.h>

struct fresh {
    uint64_t seed;
    struct table *by_title; /* owned, as the next two; the lists own what is in them */
    struct table *by_stream;
    struct table *by_account;
    struct fresh_thread *threads; /* owned, as the next */
    struct fresh_author *authors;
    size_t count;
};

static bool is_titled(const void *item, const void *key) {
    return strcmp(((const struct fresh_thread *)item)->thread.title, key) == 0;
}

static bool is_stream(const void *item, const void *key) {
    return ((const struct fresh_thread *)item)->thread.stream == *(const int64_t *)key;
}

static bool is_account(const void *item, const void *key) {
    return ((const struct fresh_author *)item)->account == *(const int64_t *)key;
}

static bool make_tables(struct fresh *fresh) {
    fresh->by_title = table_new(is_titled);
    fresh->by_stream = table_new(is_stream);
    fresh->by_account = table_new(is_account);
    return fresh->by_title && fresh->by_stream && fresh->by_account;
}

static void release(struct fresh *fresh) {
    table_free(fresh->by_title, NULL);
    table_free(fresh->by_stream, NULL);
    table_free(fresh->by_account, NULL);
    for (struct fresh_thread *next, *thread = fresh->threads; thread; thread = next) {
        next = thread->next;
        free(thread->positions);
        free(thread);
    }
    for (struct fresh_author *next, *author = fresh->authors; author; author = next) {
        next = author->next;
        free(author);
    }
    *fresh = (struct fresh){.seed = fresh->seed};
}

struct fresh *fresh_new(uint64_t seed) {
    struct fresh *fresh = calloc(1, sizeof *fresh);
    if (!fresh)
        return NULL;
    fresh->seed = seed;
    if (!make_tables(fresh)) {
        fresh_free(fresh);
        return NULL;
    }
    return fresh;
}

void fresh_free(struct fresh *fresh) {
    if (fresh) {
        release(fresh);
        free(fresh);
    }
}

bool fresh_clear(struct fresh *fresh) {
    release(fresh);
    return make_tables(fresh);
}

/* ---- finding ---- */

struct fresh_thread *fresh_titled(const struct fresh *fresh, const char *title) {
    return fresh->count == 0
               ? NULL
               : table_find(fresh->by_title, table_hash_name(fresh->seed, title), title);
}

struct fresh_thread *fresh_thread(const struct fresh *fresh, int64_t stream) {
    return table_find(fresh->by_stream, table_hash_number((uint64_t)stream), &stream);
}

struct fresh_author *fresh_author(const struct fresh *fresh, int64_t account) {
    return table_find(fresh->by_account, table_hash_number((uint64_t)account), &account);
}

const struct fresh_thread *fresh_threads(const struct fresh *fresh) {
    return fresh->threads;
}

const struct fresh_author *fresh_authors(const struct fresh *fresh) {
    return fresh->authors;
}

size_t fresh_count(const struct fresh *fresh) {
    return fresh->count;
}

size_t fresh_rows(const struct fresh *fresh) {
    return fresh->count + 2 * table_count(fresh->by_stream) + table_count(fresh->by_account);
}

uint64_t fresh_first_seq(const struct fresh_thread *of) {
    return of->thread.head - of->count + 1;
}

uint64_t fresh_up_to(const struct fresh_thread *of, uint64_t seq) {
    uint64_t behind = seq < of->thread.head ? of->thread.head - seq : 0;
    return behind < of->count ? of->count - behind : 0;
}

/* ---- adding ---- */

struct fresh_thread *fresh_thread_add(struct fresh *fresh, const struct store_thread *thread) {
    struct fresh_thread *added = calloc(1, sizeof *added);
    if (!added)
        return NULL;
    added->thread = *thread;
    added->next = fresh->threads;
    fresh->threads = added;
    return table_add(fresh->by_title, table_hash_name(fresh->seed, thread->title), added) &&
                   table_add(fresh->by_stream, table_hash_number((uint64_t)thread->stream), added)
               ? added
               : NULL;
}

struct fresh_author *fresh_author_add(struct fresh *fresh, int64_t account, int64_t bytes) {
    struct fresh_author *added = malloc(sizeof *added);
    if (!added)
        return NULL;
    *added = (struct fresh_author){
        .account = account, .bytes = bytes, .written = bytes, .next = fresh->authors};
    fresh->authors = added;
    return table_add(fresh->by_account, table_hash_number((uint64_t)account), added) ? added : NULL;
}

static bool make_room(struct fresh_thread *of) {
    size_t most = of->positions_max == 0 ? 4 : 2 * of->positions_max;
    int64_t *larger = realloc(of->positions, most * sizeof *larger);
    if (!larger)
        return false;
    of->positions = larger;
    of->positions_max = most;
    return true;
}

bool fresh_push(struct fresh *fresh, struct fresh_thread *of, const struct store_thread *thread,
                int64_t position) {
    if (of->count == of->positions_max && !make_room(of))
        return false;
    of->positions[of->count++] = position;
    of->thread.posts = thread->posts;
    of->thread.last_us = thread->last_us;
    of->thread.head = thread->head;
    fresh->count++;
    return true;
}
