#include "forum.h"

#include "threads.h"
#include "town.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OK CODE(UNSPECIFIED)

const char *const forum_titles[THREADS_MAX] = {"stars", "moons", "comets"};

void forum_release(struct forum *forum) {
    for (int i = 0; i < THREADS_MAX; i++)
        free(forum->stream[i]);
    free(forum->posts);
}

static void *grown(void *array, size_t count, size_t element_bytes) {
    void *new = realloc(array, count * element_bytes);

    if (!new)
        abort();
    return new;
}

uint32_t forum_post_new(struct forum *forum, const unsigned char id[ID_BYTES], int author,
                        int thread) {
    struct post *post;

    if (forum->post_count == forum->post_max) {
        forum->post_max = forum->post_max ? 2 * forum->post_max : 64;
        forum->posts = grown(forum->posts, forum->post_max, sizeof *forum->posts);
    }
    post = &forum->posts[forum->post_count];
    *post = (struct post){.author = author, .thread = thread};
    memcpy(post->id, id, ID_BYTES);
    return forum->post_count++;
}

bool forum_is_stored(const struct forum *forum, const struct forum_state *state, uint32_t item) {
    const struct post *post = &forum->posts[item];

    return post->seq != 0 && post->seq <= state->head[post->thread] &&
           forum->stream[post->thread][post->seq - 1] == item;
}

/* ---- names ---- */

int forum_of_title(const char *title) {
    for (int i = 0; i < THREADS_MAX; i++)
        if (!strcmp(forum_titles[i], title))
            return i;
    return -1;
}

int forum_of_id(const struct forum *forum, const unsigned char *id, size_t id_bytes) {
    for (int i = 0; i < THREADS_MAX; i++)
        if (id_bytes == ID_BYTES && !memcmp(forum->id[i], id, ID_BYTES))
            return i;
    return -1;
}

static bool is_stream(const unsigned char id[ID_BYTES], const char *name) {
    char stream[sizeof "thread/" + 2 * ID_BYTES], *end = stream;

    end += sprintf(end, "thread/");
    for (size_t i = 0; i < ID_BYTES; i++)
        end += sprintf(end, "%02x", id[i]);
    return !strcmp(stream, name);
}

int forum_of_stream(const struct forum *forum, const char *name) {
    for (int i = 0; i < THREADS_MAX; i++)
        if (is_stream(forum->id[i], name))
            return i;
    return -1;
}

/* ---- what is asked ---- */

static const char *read_post(struct asked *asked, const struct forum *forum,
                             const Zchat__V1__PostToThreadRequest *post) {
    char text[TEXT_BYTES_MAX + 1];

    asked->thread = forum_of_title(post->thread);
    if (!town_item_of(post->id.data, post->id.len, &asked->item) ||
        asked->item >= forum->post_count ||
        memcmp(forum->posts[asked->item].id, post->id.data, ID_BYTES) != 0)
        return "a post that nobody wrote";
    message_text(asked->item, 1, text);
    return asked->thread != forum->posts[asked->item].thread || strcmp(post->text, text) != 0
               ? "a post of another thread or text"
               : NULL;
}

const char *forum_read(struct asked *asked, const struct forum *forum,
                       const Zchat__V1__Command *command) {
    switch (asked->kind) {
    case KIND(CREATE_THREAD):
        asked->thread = forum_of_title(command->create_thread->title);
        memcpy(asked->id, command->create_thread->id.data, ID_BYTES);
        return asked->thread < 0 ? "a thread that nobody thought of" : NULL;
    case KIND(FOLLOW_THREAD):
        asked->thread = forum_of_title(command->follow_thread->thread);
        return asked->thread < 0 ? "a thread that nobody can follow" : NULL;
    case KIND(POST_TO_THREAD):
        return read_post(asked, forum, command->post_to_thread);
    default: /* SYNC */
        asked->thread = forum_of_stream(forum, command->sync->stream);
        asked->stream = STREAMS + asked->thread;
        return asked->thread < 0 ? "a stream that nobody knows" : NULL;
    }
}

/* ---- what the core should do ---- */

static int create(struct forum *forum, struct forum_state *state, const struct asked *asked) {
    if (state->made[asked->thread])
        return memcmp(forum->id[asked->thread], asked->id, ID_BYTES) ? CODE(CONFLICT) : OK;
    state->made[asked->thread] = true;
    memcpy(forum->id[asked->thread], asked->id, ID_BYTES);
    return OK;
}

static int post(struct forum *forum, struct forum_state *state, struct asked *asked,
                int64_t now_us) {
    struct post *post = &forum->posts[asked->item];
    int thread = asked->thread;
    uint64_t seq;

    if (!state->made[thread])
        return CODE(NOT_FOUND);
    asked->again = forum_is_stored(forum, state, asked->item);
    if (asked->again)
        return OK;
    seq = ++state->head[thread];
    if (seq > forum->stream_max[thread]) {
        forum->stream_max[thread] = 2 * seq + 64;
        forum->stream[thread] =
            grown(forum->stream[thread], forum->stream_max[thread], sizeof *forum->stream[thread]);
    }
    forum->stream[thread][seq - 1] = asked->item;
    post->seq = seq;
    post->time_us = now_us;
    return OK;
}

static int follow(struct forum_state *state, struct asked *asked) {
    uint32_t bit = UINT32_C(1) << asked->account;

    if (!state->made[asked->thread])
        return CODE(NOT_FOUND);
    if ((state->followers[asked->thread] & bit) != 0)
        return CODE(CONFLICT);
    state->followers[asked->thread] |= bit;
    asked->value[0] = state->head[asked->thread];
    return OK;
}

static int list(const struct forum_state *state, struct asked *asked) {
    for (int i = 0; i < THREADS_MAX; i++) {
        asked->heads[i] = state->head[i];
        asked->threads |= (state->followers[i] >> asked->account & 1) << i;
    }
    return OK;
}

int forum_carry_out(struct forum *forum, struct forum_state *state, struct asked *asked,
                    int64_t now_us) {
    switch (asked->kind) {
    case KIND(CREATE_THREAD):
        return create(forum, state, asked);
    case KIND(FOLLOW_THREAD):
        return follow(state, asked);
    case KIND(POST_TO_THREAD):
        return post(forum, state, asked, now_us);
    case KIND(LIST_FOLLOWED):
        return list(state, asked);
    default: /* SYNC */
        asked->value[0] = state->head[asked->thread];
        return state->made[asked->thread] ? OK : CODE(NOT_FOUND);
    }
}

/* ---- comparisons ---- */

static bool is_post(const struct forum *forum, uint32_t item, const unsigned char *id,
                    int64_t time_us, const char *user, const char *text) {
    const struct post *post = &forum->posts[item];
    char should[TEXT_BYTES_MAX + 1];

    message_text(item, 1, should);
    return !memcmp(id, post->id, ID_BYTES) && time_us == post->time_us &&
           account_of_name(user) == post->author && !strcmp(text, should);
}

bool forum_fits(const struct town *town, int thread, uint64_t seq, const unsigned char id[ID_BYTES],
                int64_t time_us, const char *user, const char *text) {
    return thread >= 0 && seq != 0 && seq <= town->committed.forum.head[thread] &&
           is_post(&town->forum, town->forum.stream[thread][seq - 1], id, time_us, user, text);
}

struct reading {
    const struct forum *forum;
    int thread;
    uint64_t seq, head;
    bool fits;
};

static bool entry_fits(void *arg, const struct store_thread_entry *entry) {
    struct reading *reading = arg;
    char text[TEXT_BYTES_MAX + 1];
    bool is_short = entry->kind == STORE_POSTED && entry->post.text_bytes < sizeof text;

    if (is_short) {
        memcpy(text, entry->post.text, entry->post.text_bytes);
        text[entry->post.text_bytes] = '\0';
    }
    reading->fits =
        is_short && entry->seq == ++reading->seq && reading->seq <= reading->head &&
        is_post(reading->forum, reading->forum->stream[reading->thread][reading->seq - 1],
                entry->post.id, entry->time_us, entry->post.user, text);
    return reading->fits;
}

static bool thread_is_in(const struct forum *forum, const struct forum_state *state, int thread,
                         struct store *store) {
    struct reading reading = {
        .forum = forum, .thread = thread, .head = state->head[thread], .fits = true};
    struct store_thread found;
    enum store_status status = store_thread_find(store, forum_titles[thread], &found);

    if (!state->made[thread])
        return status == STORE_NO_THREAD;
    return status == STORE_OK && !memcmp(found.id, forum->id[thread], ID_BYTES) &&
           found.head == state->head[thread] && found.posts == state->head[thread] &&
           store_thread_sync(store, found.stream, 0, SIZE_MAX, entry_fits, &reading) == STORE_OK &&
           reading.fits && reading.seq == state->head[thread];
}

static void followed_seen(void *arg, const struct store_followed *followed) {
    *(uint32_t *)arg |= UINT32_C(1) << forum_of_title(followed->title);
}

static bool followers_are_in(const struct forum_state *state, int account, struct store *store) {
    struct store_account found;
    char name[NAME_TEXT];
    uint32_t is = 0, should = 0;

    account_name(account, name);
    if (store_account_find(store, name, &found) != STORE_OK)
        return true; /* an account that is not there is told otherwise */
    for (int i = 0; i < THREADS_MAX; i++)
        should |= (state->followers[i] >> account & 1) << i;
    return store_followed_list(store, found.account, followed_seen, &is) == STORE_OK &&
           is == should;
}

bool forum_is_in(const struct forum *forum, const struct forum_state *state, struct store *store,
                 char *why, size_t why_bytes) {
    for (int i = 0; i < THREADS_MAX; i++) {
        if (thread_is_in(forum, state, i, store))
            continue;
        snprintf(why, why_bytes, "thread %s is not what it should be", forum_titles[i]);
        return false;
    }
    for (int i = 0; i < ACCOUNTS_MAX; i++) {
        if (followers_are_in(state, i, store))
            continue;
        snprintf(why, why_bytes, "u%d does not follow what it should", i);
        return false;
    }
    return true;
}
