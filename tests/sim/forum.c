#include "forum.h"

#include "threads.h"
#include "town.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OK CODE(UNSPECIFIED)

const char *const forum_titles[THREADS_MAX] = {"stars", "moons", "comets", "dust"};

void forum_release(struct forum *forum) {
    for (int i = 0; i < THREADS_MAX; i++)
        free(forum->stream[i]);
    free(forum->dusts);
    free(forum->removed);
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

static const struct placed *placed(const struct forum *forum, const struct forum_state *state,
                                   int thread, uint64_t seq) {
    return &forum->stream[thread][(thread == DUST ? state->base : 0) + seq - 1];
}

uint64_t forum_seq(const struct forum *forum, const struct forum_state *state, uint32_t item) {
    int thread = forum->posts[item].thread;

    for (uint64_t seq = 1; seq <= state->head[thread]; seq++)
        if (placed(forum, state, thread, seq)->item == item)
            return seq;
    return 0;
}

int64_t forum_time(const struct forum *forum, const struct forum_state *state, int thread,
                   uint64_t seq) {
    return placed(forum, state, thread, seq)->time_us;
}

/* ---- names ---- */

int forum_of_title(const char *title) {
    for (int i = 0; i < THREADS_MAX; i++)
        if (!strcmp(forum_titles[i], title))
            return i;
    return -1;
}

static bool is_among(unsigned char (*ids)[ID_BYTES], size_t count,
                     const unsigned char id[ID_BYTES]) {
    for (size_t i = 0; i < count; i++)
        if (!memcmp(ids[i], id, ID_BYTES))
            return true;
    return false;
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
    for (size_t i = 0; i < forum->dust_count; i++)
        if (is_stream(forum->dusts[i], name))
            return DUST;
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
    case KIND(REMOVE_THREAD):
        asked->thread = forum_of_title(command->remove_thread->thread);
        return asked->thread != DUST ? "the removal of a thread that stays" : NULL;
    default: /* SYNC */
        asked->thread = forum_of_stream(forum, command->sync->stream);
        asked->stream = STREAMS + asked->thread;
        return asked->thread < 0 ? "a stream that nobody knows" : NULL;
    }
}

/* ---- what the core should do ---- */

static unsigned char (*ids_grown(unsigned char (*ids)[ID_BYTES], size_t *max,
                                 size_t count))[ID_BYTES] {
    if (count <= *max)
        return ids;
    *max = 2 * count + 16;
    return grown(ids, *max, sizeof *ids);
}

/* The id of one that was removed makes no other. */
static int create_dust(struct forum *forum, struct forum_state *state, const struct asked *asked) {
    if (state->made[DUST])
        return memcmp(state->id, asked->id, ID_BYTES) ? CODE(CONFLICT) : OK;
    if (is_among(forum->removed, state->removals, asked->id))
        return CODE(CONFLICT);
    forum->dusts = ids_grown(forum->dusts, &forum->dust_max, forum->dust_count + 1);
    memcpy(forum->dusts[forum->dust_count++], asked->id, ID_BYTES);
    memcpy(state->id, asked->id, ID_BYTES);
    state->made[DUST] = true;
    state->creator = asked->account;
    return OK;
}

static int remove_dust(struct forum *forum, struct forum_state *state, const struct asked *asked) {
    if (!state->made[DUST])
        return CODE(NOT_FOUND);
    if (state->creator != asked->account)
        return CODE(FORBIDDEN);
    forum->removed = ids_grown(forum->removed, &forum->removed_max, state->removals + 1);
    memcpy(forum->removed[state->removals++], state->id, ID_BYTES);
    state->made[DUST] = false;
    state->base += state->head[DUST];
    state->head[DUST] = 0;
    return OK;
}

static int create(struct forum *forum, struct forum_state *state, const struct asked *asked) {
    if (asked->thread == DUST)
        return create_dust(forum, state, asked);
    if (state->made[asked->thread])
        return memcmp(forum->id[asked->thread], asked->id, ID_BYTES) ? CODE(CONFLICT) : OK;
    state->made[asked->thread] = true;
    memcpy(forum->id[asked->thread], asked->id, ID_BYTES);
    return OK;
}

static int post(struct forum *forum, struct forum_state *state, struct asked *asked,
                int64_t now_us) {
    int thread = asked->thread;
    uint64_t place;

    if (!state->made[thread])
        return CODE(NOT_FOUND);
    asked->again = forum_seq(forum, state, asked->item) != 0;
    if (asked->again)
        return OK;
    place = state->head[thread]++ + (thread == DUST ? state->base : 0);
    if (place >= forum->stream_max[thread]) {
        forum->stream_max[thread] = 2 * place + 64;
        forum->stream[thread] =
            grown(forum->stream[thread], forum->stream_max[thread], sizeof *forum->stream[thread]);
    }
    forum->stream[thread][place] = (struct placed){asked->item, now_us};
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
    case KIND(REMOVE_THREAD):
        return remove_dust(forum, state, asked);
    case KIND(LIST_FOLLOWED):
        return list(state, asked);
    default: /* SYNC */
        asked->value[0] = state->head[asked->thread];
        return state->made[asked->thread] ? OK : CODE(NOT_FOUND);
    }
}

/* ---- comparisons ---- */

static bool is_post(const struct forum *forum, const struct placed *is, const unsigned char *id,
                    int64_t time_us, const char *user, const char *text) {
    const struct post *post = &forum->posts[is->item];
    char should[TEXT_BYTES_MAX + 1];

    message_text(is->item, 1, should);
    return !memcmp(id, post->id, ID_BYTES) && time_us == is->time_us &&
           account_of_name(user) == post->author && !strcmp(text, should);
}

bool forum_fits(const struct town *town, int thread, uint64_t seq, const unsigned char id[ID_BYTES],
                int64_t time_us, const char *user, const char *text) {
    const struct forum_state *state = &town->committed.forum;

    return thread >= 0 && seq != 0 && seq <= state->head[thread] &&
           is_post(&town->forum, placed(&town->forum, state, thread, seq), id, time_us, user, text);
}

struct reading {
    const struct forum *forum;
    const struct forum_state *state;
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
    reading->fits = is_short && entry->seq == ++reading->seq && reading->seq <= reading->head &&
                    is_post(reading->forum,
                            placed(reading->forum, reading->state, reading->thread, reading->seq),
                            entry->post.id, entry->time_us, entry->post.user, text);
    return reading->fits;
}

static bool thread_is_in(const struct forum *forum, const struct forum_state *state, int thread,
                         struct store *store) {
    struct reading reading = {.forum = forum,
                              .state = state,
                              .thread = thread,
                              .head = state->head[thread],
                              .fits = true};
    const unsigned char *id = thread == DUST ? state->id : forum->id[thread];
    struct store_thread found;
    enum store_status status = store_thread_find(store, forum_titles[thread], &found);

    if (!state->made[thread])
        return status == STORE_NO_THREAD;
    return status == STORE_OK && !memcmp(found.id, id, ID_BYTES) &&
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
