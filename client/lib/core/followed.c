/* Handing out followed threads.
 *
 * One list tells which threads these are, and where their heads are. It is asked for when the
 * session begins or is resumed, when the SUB socket is there, and whenever events may have been
 * dropped. Until the list comes, events only raise heads. At most a few pages are under way,
 * whatever the number of threads. A thread whose stream no longer exists was removed. */
#include "followed.h"

#include "limits.h"
#include "reply.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How many pages are under way at most: each may be nearly as large as a frame. */
#define FETCHES_MAX 2
/* What failed is tried again after this time. */
#define RETRY_US (1000 * INT64_C(1000))
/* By then a new subscription has reached the broker, and the list shows what was published before
 * it. */
#define SETTLE_US (250 * INT64_C(1000))
/* Up to so many threads have one subscription each; for more there is one for all threads, because
 * the broker bounds the subscriptions of a key. */
#define SUBSCRIBED_MAX 200

/* Some may have been left elsewhere, and not be known as such yet. No broker has more. */
#define THREADS_MAX (2 * FOLLOWED_MAX)

static const char TOPICS_PREFIX[] = "thread/";

void followed_init(struct followed *followed, struct client *client) {
    *followed = (struct followed){.client = client, .list_us = NEVER_US};
}

void followed_stream(const unsigned char id[ID_BYTES], char stream[FOLLOWED_STREAM_BYTES]) {
    char *end = stream + sprintf(stream, "%s", TOPICS_PREFIX);
    for (size_t i = 0; i < ID_BYTES; i++)
        end += sprintf(end, "%02x", id[i]);
}

/* ---- the list ---- */

/* The place of the thread, or the place that it would have. */
static size_t place_of(const struct followed *followed, const unsigned char *id, bool *found) {
    size_t low = 0;
    size_t high = followed->count;
    *found = false;
    while (low < high && !*found) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(followed->list[middle].id, id, ID_BYTES);
        *found = order == 0;
        low = order < 0 ? middle + 1 : order == 0 ? middle : low;
        high = order > 0 ? middle : high;
    }
    return low;
}

static struct followed_thread *find(struct followed *followed, const unsigned char *id) {
    bool found;
    size_t place = place_of(followed, id, &found);
    return found ? &followed->list[place] : NULL;
}

static bool grow(struct followed *followed) {
    size_t room = followed->room ? 2 * followed->room : 16;
    void *grown = realloc(followed->list, room * sizeof *followed->list);
    if (grown) {
        followed->list = grown;
        followed->room = room;
    }
    return grown != NULL;
}

/* NULL: no memory. */
static struct followed_thread *insert(struct followed *followed,
                                      const Zchat__V1__FollowedThread *thread) {
    bool found;
    size_t place = place_of(followed, thread->id.data, &found);
    char *title = strdup(thread->title);
    if (!title || (followed->count == followed->room && !grow(followed))) {
        free(title);
        return NULL;
    }
    struct followed_thread *at = &followed->list[place];
    memmove(at + 1, at, (followed->count - place) * sizeof *at);
    followed->count++;
    *at = (struct followed_thread){.title = title,
                                   .position = thread->cursor,
                                   .head = thread->head,
                                   .missed = followed->synced ? 0 : thread->head,
                                   .read = thread->cursor,
                                   .retry_us = NEVER_US};
    memcpy(at->id, thread->id.data, ID_BYTES);
    return at;
}

/* Takes the thread out; the caller gets the title. */
static char *take_out(struct followed *followed, struct followed_thread *thread) {
    char *title = thread->title;
    size_t after = followed->count - (size_t)(thread - followed->list) - 1;
    followed->fetching -= thread->fetching;
    memmove(thread, thread + 1, after * sizeof *thread);
    followed->count--;
    return title;
}

/* ---- subscriptions ---- */

static size_t prefix_of(const unsigned char *id, uint8_t prefix[64]) {
    char topic[FOLLOWED_STREAM_BYTES];
    followed_stream(id, topic);
    return wire_subscription(topic, prefix);
}

/* All topics of threads have the same length, so all their subscriptions begin alike. */
static bool subscribe_all(struct client *client) {
    static const unsigned char any[ID_BYTES];
    uint8_t prefix[64];
    size_t id_bytes = 2 * ID_BYTES;
    return client_subscribe(client, prefix, prefix_of(any, prefix) - id_bytes);
}

bool followed_subscribe(struct followed *followed) {
    bool done = true;
    if (!followed->active)
        return true;
    for (size_t i = 0; i < followed->count && i < SUBSCRIBED_MAX && done; i++) {
        uint8_t prefix[64];
        done = client_subscribe(followed->client, prefix, prefix_of(followed->list[i].id, prefix));
    }
    return done && (followed->count <= SUBSCRIBED_MAX || subscribe_all(followed->client));
}

/* Adds one subscription; if the host can't take it, it will listen anew. */
static void subscribe_one(struct followed *followed, const unsigned char *id) {
    uint8_t prefix[64];
    if (followed->count <= SUBSCRIBED_MAX)
        client_subscribe(followed->client, prefix, prefix_of(id, prefix));
    else if (followed->count == SUBSCRIBED_MAX + 1)
        subscribe_all(followed->client);
}

/* If this fails, the thread's events are only passed over. */
static void unsubscribe(struct followed *followed, const unsigned char *id) {
    uint8_t prefix[64];
    client_unsubscribe(followed->client, prefix, prefix_of(id, prefix));
}

/* ---- asking ---- */

void followed_refresh(struct followed *followed) {
    if (!followed->active || followed->listing || !followed->client->session.live)
        return;
    Zchat__V1__ListFollowedRequest body = ZCHAT__V1__LIST_FOLLOWED_REQUEST__INIT;
    followed->listing =
        client_ask(followed->client, REQUEST_FOLLOWED, COMMAND(LIST_FOLLOWED), &body.base) != NULL;
    followed->list_us = followed->listing ? NEVER_US : followed->client->now_us + RETRY_US;
}

/* A thread that is no longer listed was removed, or left on another device: a page tells which. */
static bool wants_page(const struct followed_thread *thread) {
    return !thread->fetching && thread->retry_us == NEVER_US &&
           (thread->position < thread->head || !thread->listed);
}

static void fetch(struct followed *followed, struct followed_thread *thread) {
    if (!followed->active || !followed->known || !followed->client->session.live ||
        followed->fetching >= FETCHES_MAX || !wants_page(thread))
        return;
    char stream[FOLLOWED_STREAM_BYTES];
    Zchat__V1__SyncRequest sync = ZCHAT__V1__SYNC_REQUEST__INIT;
    followed_stream(thread->id, stream);
    sync.stream = stream;
    sync.after_seq = thread->position;
    sync.limit = thread->listed ? SYNC_ENTRIES_MAX : 1;
    struct request *request =
        client_ask(followed->client, REQUEST_FOLLOWED, COMMAND(SYNC), &sync.base);
    if (!request) {
        thread->retry_us = followed->client->now_us + RETRY_US;
        return;
    }
    memcpy(request->id, thread->id, ID_BYTES);
    thread->fetching = true;
    followed->fetching++;
}

static void fetch_next(struct followed *followed) {
    for (size_t i = 0; i < followed->count && followed->fetching < FETCHES_MAX; i++)
        fetch(followed, &followed->list[i]);
}

/* ---- handing out ---- */

static void tell_body(struct followed *followed, zchat_event *told,
                      const Zchat__V1__ThreadEvent *about) {
    zchat_post post;
    zchat_upload upload;
    switch (about->body_case) {
    case ZCHAT__V1__THREAD_EVENT__BODY_POSTED:
    case ZCHAT__V1__THREAD_EVENT__BODY_EDITED:
        told->kind = about->body_case == ZCHAT__V1__THREAD_EVENT__BODY_POSTED ? ZCHAT_EVENT_POSTED
                                                                              : ZCHAT_EVENT_EDITED;
        reply_post(about->posted, &post);
        told->post = &post;
        told->user = post.user;
        told->text = post.text;
        told->id = post.id;
        break;
    case ZCHAT__V1__THREAD_EVENT__BODY_DELETED:
        told->kind = ZCHAT_EVENT_DELETED;
        reply_id(&about->deleted->id, &told->id);
        text_clean_line(about->deleted->user, strlen(about->deleted->user));
        told->user = about->deleted->user;
        break;
    case ZCHAT__V1__THREAD_EVENT__BODY_UPLOADED:
        told->kind = ZCHAT_EVENT_UPLOADED;
        reply_upload(about->uploaded, &upload);
        told->upload = &upload;
        told->user = upload.user;
        told->id = upload.id;
        break;
    case ZCHAT__V1__THREAD_EVENT__BODY_FILE_DELETED:
        told->kind = ZCHAT_EVENT_FILE_DELETED;
        reply_id(&about->file_deleted->id, &told->id);
        told->user = reply_line(about->file_deleted->user);
        told->text = reply_line(about->file_deleted->file);
        break;
    case ZCHAT__V1__THREAD_EVENT__BODY_DAMAGED:
        told->kind = ZCHAT_EVENT_DAMAGED;
        break;
    default: /* of a kind that is newer than this library, or a file that was deleted since */
        return;
    }
    client_tell(followed->client, told);
}

static void tell_synced(struct followed *followed) {
    bool all = followed->active && followed->known && !followed->synced;
    for (size_t i = 0; all && i < followed->count; i++)
        all = followed->list[i].position >= followed->list[i].missed;
    if (all) {
        followed->synced = true;
        client_tell(followed->client, &(zchat_event){.kind = ZCHAT_EVENT_THREADS_SYNCED});
    }
}

/* A callback neither adds a thread nor takes one out, so `thread` stays valid. */
static void hand_out(struct followed *followed, struct followed_thread *thread,
                     const Zchat__V1__ServerEvent *event) {
    zchat_thread of = {.title = thread->title, .creator = ""};
    zchat_event told = {.seq = event->seq,
                        .time_us = event->time_us,
                        .thread = &of,
                        .missed = event->seq <= thread->missed};
    thread->position = event->seq;
    memcpy(of.id.bytes, thread->id, ID_BYTES);
    if (event->body_case == ZCHAT__V1__SERVER_EVENT__BODY_THREAD)
        tell_body(followed, &told, event->thread);
}

/* The thread is gone, with everything of it that was not handed out yet. */
static void tell_removed(struct followed *followed, struct followed_thread *thread,
                         const Zchat__V1__ServerEvent *event) {
    zchat_thread of = {.creator = ""};
    zchat_event told = {.kind = ZCHAT_EVENT_THREAD_REMOVED, .seq = thread->head + 1, .thread = &of};
    memcpy(of.id.bytes, thread->id, ID_BYTES);
    if (event) {
        char *user = event->thread->removed->user;
        text_clean_line(user, strlen(user));
        told.user = user;
        told.seq = event->seq;
        told.time_us = event->time_us;
    }
    unsubscribe(followed, thread->id);
    char *title = take_out(followed, thread);
    of.title = title;
    client_tell(followed->client, &told);
    free(title);
}

static void raise_head(struct followed *followed, struct followed_thread *thread, uint64_t head) {
    if (head > thread->head)
        thread->head = head;
    fetch(followed, thread);
}

static void take(struct followed *followed, struct followed_thread *thread,
                 const Zchat__V1__ServerEvent *event) {
    if (event->body_case == ZCHAT__V1__SERVER_EVENT__BODY_THREAD &&
        event->thread->body_case == ZCHAT__V1__THREAD_EVENT__BODY_REMOVED) {
        tell_removed(followed, thread, event);
        tell_synced(followed);
        return;
    }
    if (followed->known && event->seq == thread->position + 1)
        hand_out(followed, thread, event);
    raise_head(followed, thread, event->seq);
    tell_synced(followed);
}

void followed_event(struct followed *followed, const Zchat__V1__ServerEvent *event) {
    const ProtobufCBinaryData *id = &event->thread->thread;
    struct followed_thread *thread =
        followed->active && id->len == ID_BYTES ? find(followed, id->data) : NULL;
    if (thread)
        take(followed, thread, event);
}

static bool topic_id(const char *topic, unsigned char id[ID_BYTES]) {
    static const char digits[] = "0123456789abcdef";
    size_t prefix_bytes = sizeof TOPICS_PREFIX - 1;
    if (strlen(topic) != FOLLOWED_STREAM_BYTES - 1 ||
        strncmp(topic, TOPICS_PREFIX, prefix_bytes) != 0)
        return false;
    topic += prefix_bytes;
    for (size_t i = 0; i < ID_BYTES; i++) {
        const char *high = strchr(digits, topic[2 * i]);
        const char *low = strchr(digits, topic[2 * i + 1]);
        if (!high || !low)
            return false;
        id[i] = (unsigned char)((high - digits) << 4 | (low - digits));
    }
    return true;
}

/* A thread may be removed while its events are taken, so it is looked up for each event. */
void followed_publication(struct followed *followed, const Zchat__V1__Publication *publication) {
    unsigned char id[ID_BYTES];
    if (!topic_id(publication->topic, id))
        return;
    for (size_t i = 0; i < publication->n_events && !followed->client->doomed; i++) {
        struct followed_thread *thread = followed->active ? find(followed, id) : NULL;
        if (thread)
            take(followed, thread, publication->events[i]);
    }
    struct followed_thread *thread = followed->active ? find(followed, id) : NULL;
    if (thread)
        raise_head(followed, thread, publication->head);
}

/* ---- pages ---- */

static void take_page(struct followed *followed, struct followed_thread *thread,
                      const Zchat__V1__SyncResponse *page) {
    uint64_t before = thread->position;
    for (size_t i = 0; i < page->n_events && followed->active && !followed->client->doomed; i++)
        if (page->events[i]->seq > thread->position)
            hand_out(followed, thread, page->events[i]);
    if (page->head > thread->head)
        thread->head = page->head;
    if (thread->position == before && thread->position < thread->head)
        thread->retry_us = followed->client->now_us + RETRY_US;
}

static void leave(struct followed *followed, struct followed_thread *thread) {
    unsubscribe(followed, thread->id);
    free(take_out(followed, thread));
}

static void take_fetched(struct followed *followed, const unsigned char id[ID_BYTES],
                         const Zchat__V1__Reply *reply) {
    struct followed_thread *thread = followed->active ? find(followed, id) : NULL;
    if (!thread || !thread->fetching)
        return;
    thread->fetching = false;
    followed->fetching--;
    if (reply->error && reply->error->code == ZCHAT__V1__CODE__CODE_NOT_FOUND)
        tell_removed(followed, thread, NULL);
    else if (reply->error || reply->body_case != ZCHAT__V1__REPLY__BODY_SYNC)
        thread->retry_us = followed->client->now_us + RETRY_US;
    else if (!thread->listed)
        leave(followed, thread);
    else
        take_page(followed, thread, reply->sync);
    fetch_next(followed);
    tell_synced(followed);
}

/* ---- the list came ---- */

/* If the broker's store was restored from a backup, it has less than was handed out. */
static void take_listed(struct followed *followed, struct followed_thread *thread,
                        const Zchat__V1__FollowedThread *now) {
    if (!followed->known && thread->position > now->head)
        thread->position = thread->head = now->head;
    thread->missed = now->head < thread->missed ? now->head : thread->missed;
    thread->head = now->head > thread->head ? now->head : thread->head;
    thread->read = now->cursor > thread->read ? now->cursor : thread->read;
    thread->listed = true;
}

/* False: no memory. */
static bool take_followed(struct followed *followed, const Zchat__V1__FollowedThread *now) {
    if (now->id.len != ID_BYTES || strlen(now->title) > TITLE_BYTES_MAX)
        return true;
    struct followed_thread *thread = find(followed, now->id.data);
    if (!thread && followed->count >= THREADS_MAX)
        return true;
    if (!thread) {
        thread = insert(followed, now);
        if (!thread)
            return false;
        subscribe_one(followed, now->id.data);
        if (followed->client->listening)
            followed->list_us = followed->client->now_us + SETTLE_US;
    }
    take_listed(followed, thread, now);
    return true;
}

static void take_list(struct followed *followed, const Zchat__V1__Reply *reply) {
    bool done = true;
    followed->listing = false;
    if (!followed->active)
        return;
    if (reply->error || reply->body_case != ZCHAT__V1__REPLY__BODY_LIST_FOLLOWED) {
        followed->list_us = followed->client->now_us + RETRY_US;
        return;
    }
    const Zchat__V1__ListFollowedResponse *list = reply->list_followed;
    for (size_t i = 0; i < followed->count; i++)
        followed->list[i].listed = false;
    for (size_t i = 0; i < list->n_threads && done; i++)
        done = take_followed(followed, list->threads[i]);
    followed->known = true;
    if (!done)
        followed->list_us = followed->client->now_us + RETRY_US;
    fetch_next(followed);
    tell_synced(followed);
}

void followed_add(struct followed *followed, const Zchat__V1__FollowedThread *thread) {
    if (followed->active && !take_followed(followed, thread))
        followed->list_us = followed->client->now_us + RETRY_US;
}

void followed_drop(struct followed *followed, const char *title) {
    for (size_t i = 0; i < followed->count; i++) {
        if (strcmp(followed->list[i].title, title) == 0) {
            leave(followed, &followed->list[i]);
            tell_synced(followed);
            return;
        }
    }
}

/* ---- cursors ---- */

bool followed_want_read(struct followed *followed, const unsigned char id[ID_BYTES], uint64_t seq) {
    struct followed_thread *thread = followed->active ? find(followed, id) : NULL;
    if (!thread)
        return false;
    if (seq > thread->read_wanted) {
        thread->read_wanted = seq;
        followed->moved = true;
        client_stir(followed->client);
    }
    return true;
}

/* False: no memory. */
static bool move(struct followed *followed, struct followed_thread *thread) {
    char stream[FOLLOWED_STREAM_BYTES];
    Zchat__V1__AckRequest ack = ZCHAT__V1__ACK_REQUEST__INIT;
    followed_stream(thread->id, stream);
    ack.stream = stream;
    ack.read = thread->read_wanted;
    struct request *request =
        client_ask(followed->client, REQUEST_FOLLOWED, COMMAND(ACK), &ack.base);
    if (request) {
        memcpy(request->id, thread->id, ID_BYTES);
        thread->read_asked = thread->read_wanted;
    }
    return request != NULL;
}

void followed_move(struct followed *followed, bool flush) {
    bool done = true;
    if (!followed->moved || !followed->client->session.live)
        return;
    for (size_t i = 0; i < followed->count && done; i++) {
        struct followed_thread *thread = &followed->list[i];
        if (thread->read_wanted > thread->read && (thread->read_asked == 0 || flush))
            done = move(followed, thread);
    }
    followed->moved = !done;
}

/* What the broker refused once it would refuse again: only a move beyond that is asked for. */
static void take_moved(struct followed *followed, const unsigned char id[ID_BYTES]) {
    struct followed_thread *thread = followed->active ? find(followed, id) : NULL;
    if (!thread)
        return;
    thread->read = thread->read_asked > thread->read ? thread->read_asked : thread->read;
    thread->read_asked = 0;
    followed->moved |= thread->read_wanted > thread->read;
}

void followed_reply(struct followed *followed, const struct request *request,
                    const Zchat__V1__Reply *reply) {
    switch (request->command) {
    case COMMAND(LIST_FOLLOWED):
        take_list(followed, reply);
        break;
    case COMMAND(SYNC):
        take_fetched(followed, request->id, reply);
        break;
    default: /* ACK */
        take_moved(followed, request->id);
        break;
    }
}

/* ---- the session ---- */

void followed_stop(struct followed *followed) {
    requests_drop(&followed->client->requests, REQUEST_FOLLOWED);
    for (size_t i = 0; i < followed->count; i++)
        free(followed->list[i].title);
    free(followed->list);
    followed_init(followed, followed->client);
}

void followed_start(struct followed *followed) {
    followed_stop(followed);
    followed->active = followed->client->session.login->threads;
    followed_refresh(followed);
}

void followed_resume(struct followed *followed) {
    followed->known = false;
    followed_refresh(followed);
}

static void forget_requests(struct followed *followed, int64_t retry_us) {
    followed->listing = false;
    followed->fetching = 0;
    followed->list_us = NEVER_US;
    for (size_t i = 0; i < followed->count; i++) {
        struct followed_thread *thread = &followed->list[i];
        followed->moved |= thread->read_asked != 0;
        thread->read_asked = 0;
        thread->fetching = false;
        thread->retry_us = retry_us;
    }
}

void followed_lost(struct followed *followed) {
    forget_requests(followed, NEVER_US);
}

void followed_retry(struct followed *followed) {
    forget_requests(followed, followed->client->now_us + RETRY_US);
    followed->list_us = followed->active ? followed->client->now_us + RETRY_US : NEVER_US;
}

/* ---- time ---- */

void followed_tick(struct followed *followed) {
    if (!followed->active || !followed->client->session.live)
        return;
    if (followed->client->now_us >= followed->list_us)
        followed_refresh(followed);
    if (followed->client->now_us >= followed_deadline_us(followed)) {
        for (size_t i = 0; i < followed->count; i++) {
            struct followed_thread *thread = &followed->list[i];
            thread->retry_us =
                followed->client->now_us >= thread->retry_us ? NEVER_US : thread->retry_us;
        }
        fetch_next(followed);
    }
    followed_move(followed, false);
}

/* A list that is to be asked for again waits for the one that is under way. */
int64_t followed_deadline_us(const struct followed *followed) {
    int64_t deadline_us = followed->active && !followed->listing ? followed->list_us : NEVER_US;
    for (size_t i = 0; followed->active && i < followed->count; i++)
        if (followed->list[i].retry_us < deadline_us)
            deadline_us = followed->list[i].retry_us;
    return deadline_us;
}
