/* Public topics and their holes.
 *
 * As with the inbox, an event is taken only where it is next in its topic; one beyond it raises the
 * head, and the events between are fetched. The broker keeps only the newest: a page that begins
 * later than asked, or a broker that started anew, moves the position on. */
#include "topic.h"

#include "handle.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_US      (1000 * INT64_C(1000))
#define REOPEN_MS_MAX 5000
#define FRAMES_A_TURN 256

static const char *const NAMES[TOPICS] = {"presence", "broadcast", "notice"};

void topics_init(struct topics *topics) {
    memset(topics, 0, sizeof *topics);
    topics->reopen_us = WAKE_NEVER;
    for (size_t i = 0; i < TOPICS; i++) {
        topics->list[i].retry_us = WAKE_NEVER;
    }
}

static void close_socket(struct topics *topics) {
    channel_free(topics->channel, 0);
    topics->channel = NULL;
    topics->subscribed = false;
    topics->reopen_us = WAKE_NEVER;
}

void topics_release(struct topics *topics) {
    close_socket(topics);
    free(topics->blocked);
    topics_init(topics);
}

static size_t topic_named(const char *name) {
    size_t i = 0;
    while (i < TOPICS && strcmp(NAMES[i], name) != 0) {
        i++;
    }
    return i;
}

/* ---- whom one does not hear ---- */

/* The place of the name, or the one that it would have. */
static size_t blocked_place(const struct topics *topics, const char *user, bool *found) {
    size_t low = 0;
    size_t high = topics->blocked_count;
    *found = false;
    while (low < high && !*found) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(topics->blocked[middle], user);
        *found = order == 0;
        low = order < 0 ? middle + 1 : order == 0 ? middle : low;
        high = order > 0 ? middle : high;
    }
    return low;
}

static bool is_blocked(const struct topics *topics, const char *user) {
    bool found;
    blocked_place(topics, user, &found);
    return found;
}

void topics_block(zchat *z, const char *user) {
    struct topics *topics = &z->topics;
    bool found;
    size_t place = blocked_place(topics, user, &found);
    if (found || topics->mode == ZCHAT_PUBLIC_NONE) {
        return;
    }
    if (topics->blocked_count == topics->blocked_room) {
        size_t room = topics->blocked_room ? 2 * topics->blocked_room : 16;
        void *grown = realloc(topics->blocked, room * sizeof *topics->blocked);
        if (!grown) {
            return; /* what was under way may still show; the broker sends no more */
        }
        topics->blocked = grown;
        topics->blocked_room = room;
    }
    memmove(&topics->blocked[place + 1], &topics->blocked[place],
            (topics->blocked_count - place) * sizeof *topics->blocked);
    memcpy(topics->blocked[place], user, strlen(user) + 1);
    topics->blocked_count++;
}

void topics_unblock(zchat *z, const char *user) {
    struct topics *topics = &z->topics;
    bool found;
    size_t place = blocked_place(topics, user, &found);
    if (found) {
        topics->blocked_count--;
        memmove(&topics->blocked[place], &topics->blocked[place + 1],
                (topics->blocked_count - place) * sizeof *topics->blocked);
    }
}

/* ---- handing out ---- */

static void tell_from(zchat *z, zchat_event *event, char *user) {
    text_clean_line(user, strlen(user));
    if (strcmp(user, z->session.user) != 0 && !is_blocked(&z->topics, user)) {
        event->user = user;
        handle_tell(z, event);
    }
}

static void tell_broadcast(zchat *z, zchat_event *event, const Zchat__V1__BroadcastEvent *body) {
    text_clean(body->text, strlen(body->text));
    event->kind = ZCHAT_EVENT_BROADCAST;
    event->text = body->text;
    if (body->id.len == ID_BYTES) {
        memcpy(event->id.bytes, body->id.data, ID_BYTES);
    }
    tell_from(z, event, body->sender);
}

static void hand_out(zchat *z, const Zchat__V1__ServerEvent *event) {
    zchat_event told = {.seq = event->seq, .time_us = event->time_us};
    switch (event->body_case) {
    case ZCHAT__V1__SERVER_EVENT__BODY_PRESENCE:
        told.kind = ZCHAT_EVENT_PRESENCE;
        told.online = event->presence->online;
        tell_from(z, &told, event->presence->user);
        break;
    case ZCHAT__V1__SERVER_EVENT__BODY_BROADCAST:
        tell_broadcast(z, &told, event->broadcast);
        break;
    case ZCHAT__V1__SERVER_EVENT__BODY_NOTICE:
        text_clean(event->notice->text, strlen(event->notice->text));
        told.kind = ZCHAT_EVENT_NOTICE;
        told.text = event->notice->text;
        handle_tell(z, &told);
        break;
    default:
        break;
    }
}

/* ---- positions ---- */

static void fetch(zchat *z, size_t index) {
    struct topic *topic = &z->topics.list[index];
    if (z->topics.mode == ZCHAT_PUBLIC_NONE || topic->fetching || !z->session.live ||
        topic->position >= topic->head || topic->retry_us != WAKE_NEVER) {
        return;
    }
    Zchat__V1__SyncRequest sync = ZCHAT__V1__SYNC_REQUEST__INIT;
    sync.stream = (char *)NAMES[index];
    sync.after_seq = topic->position;
    sync.limit = SYNC_ENTRIES_MAX;
    struct request *request = handle_ask(z, REQUEST_TOPICS, COMMAND(SYNC), &sync.base);
    if (!request) {
        topic->retry_us = z->now_us + RETRY_US;
        return;
    }
    request->topic = index;
    topic->fetching = true;
}

static void raise_head(zchat *z, size_t index, uint64_t head) {
    if (head > z->topics.list[index].head) {
        z->topics.list[index].head = head;
    }
    fetch(z, index);
}

static void take(zchat *z, size_t index, const Zchat__V1__ServerEvent *event) {
    struct topic *topic = &z->topics.list[index];
    if (event->seq == topic->position + 1) {
        topic->position = event->seq;
        hand_out(z, event);
    }
    raise_head(z, index, event->seq);
}

static size_t topic_of(const Zchat__V1__ServerEvent *event) {
    switch (event->body_case) {
    case ZCHAT__V1__SERVER_EVENT__BODY_PRESENCE:
        return 0;
    case ZCHAT__V1__SERVER_EVENT__BODY_BROADCAST:
        return 1;
    case ZCHAT__V1__SERVER_EVENT__BODY_NOTICE:
        return 2;
    default:
        return TOPICS;
    }
}

void topics_event(zchat *z, const Zchat__V1__ServerEvent *event) {
    size_t index = topic_of(event);
    if (z->topics.mode == ZCHAT_PUBLIC_NONE || index == TOPICS) {
        return;
    }
    if (event->seq == 0) {
        hand_out(z, event);
    } else {
        take(z, index, event);
    }
}

static void take_heads(zchat *z, Zchat__V1__TopicHead *const *heads, size_t count) {
    for (size_t i = 0; i < count; i++) {
        size_t index = topic_named(heads[i]->topic);
        if (index < TOPICS) {
            raise_head(z, index, heads[i]->head);
        }
    }
}

void topics_heads(zchat *z, const Zchat__V1__Heads *heads) {
    take_heads(z, heads->topics, heads->n_topics);
}

/* Beyond a page's end nothing is kept: the position follows it, also where the page is empty. */
void topics_page(zchat *z, size_t index, const Zchat__V1__Reply *reply) {
    struct topic *topic = &z->topics.list[index];
    topic->fetching = false;
    if (reply->error || reply->body_case != ZCHAT__V1__REPLY__BODY_SYNC) {
        topic->retry_us = z->now_us + RETRY_US;
        return;
    }
    const Zchat__V1__SyncResponse *page = reply->sync;
    for (size_t i = 0; i < page->n_events && z->topics.mode != ZCHAT_PUBLIC_NONE; i++) {
        if (page->events[i]->seq > topic->position) {
            topic->position = page->events[i]->seq;
            hand_out(z, page->events[i]);
        }
    }
    if (!page->more && topic->position < page->head) {
        topic->position = page->head;
    }
    if (page->n_events == 0 && topic->position < topic->head) {
        topic->head = topic->position;
    }
    raise_head(z, index, page->head);
}

/* ---- the session ---- */

static void open_soon(zchat *z) {
    if (z->topics.mode == ZCHAT_PUBLIC_SUB) {
        z->topics.reopen_us = z->now_us;
    }
}

void topics_start(zchat *z, const Zchat__V1__LoginResponse *reply) {
    topics_stop(z);
    z->topics.mode = z->session.login->public_events;
    for (size_t i = 0; i < reply->n_topics; i++) {
        size_t index = topic_named(reply->topics[i]->topic);
        if (index < TOPICS) {
            z->topics.list[index].position = z->topics.list[index].head = reply->topics[i]->head;
        }
    }
    open_soon(z);
}

/* A head below the position: the broker's clock was set back before it started anew. */
void topics_resume(zchat *z, const Zchat__V1__LoginResponse *reply) {
    for (size_t i = 0; i < reply->n_topics; i++) {
        size_t index = topic_named(reply->topics[i]->topic);
        if (index < TOPICS && reply->topics[i]->head < z->topics.list[index].position) {
            z->topics.list[index].position = reply->topics[i]->head;
            z->topics.list[index].head = reply->topics[i]->head;
        }
    }
    take_heads(z, reply->topics, reply->n_topics);
    open_soon(z);
}

void topics_stop(zchat *z) {
    requests_drop(&z->requests, REQUEST_TOPICS);
    topics_release(&z->topics);
}

void topics_lost(zchat *z) {
    close_socket(&z->topics);
    for (size_t i = 0; i < TOPICS; i++) {
        z->topics.list[i].fetching = false;
        z->topics.list[i].retry_us = WAKE_NEVER;
    }
}

void topics_retry(zchat *z) {
    for (size_t i = 0; i < TOPICS; i++) {
        z->topics.list[i].fetching = false;
        z->topics.list[i].retry_us = z->now_us + RETRY_US;
    }
}

/* ---- the SUB socket ---- */

void topics_reopen(zchat *z) {
    struct topics *topics = &z->topics;
    unsigned shift = topics->failures < 5 ? topics->failures : 5;
    uint32_t most_ms = 200u << shift;
    most_ms = most_ms < REOPEN_MS_MAX ? most_ms : REOPEN_MS_MAX;
    close_socket(topics);
    topics->failures++;
    topics->reopen_us = z->now_us + (100 + (int64_t)randombytes_uniform(most_ms)) * 1000;
}

static bool subscribe(struct channel *channel) {
    bool done = true;
    for (size_t i = 0; i < TOPICS && done; i++) {
        uint8_t prefix[64];
        done = channel_subscribe(channel, prefix, wire_subscription(NAMES[i], prefix));
    }
    return done;
}

static void open_socket(zchat *z) {
    struct connection *connection = &z->connection;
    struct channel_keys keys = {.server_key = connection->key,
                                .public_key = z->device->public_key,
                                .secret_key = z->device->secret_key};
    close_socket(&z->topics);
    z->topics.channel =
        channel_new(connection->context, z->wake, CHANNEL_SUB, connection->greeting.events, &keys);
    if (!z->topics.channel || !subscribe(z->topics.channel) ||
        !followed_subscribe(z, z->topics.channel)) {
        topics_reopen(z);
    }
}

/* What was published before the subscription came through shows in the heads. */
static void watch_socket(zchat *z) {
    enum channel_state state = channel_state(z->topics.channel);
    if (state == CHANNEL_READY && !z->topics.subscribed) {
        z->topics.subscribed = true;
        z->topics.failures = 0;
        handle_keep_alive(z);
    } else if (state > CHANNEL_READY) {
        topics_reopen(z);
    }
}

static void take_publication(zchat *z, const void *frame, size_t frame_bytes) {
    Zchat__V1__Publication *publication = NULL;
    wire_arena_reset(z->arena);
    if (wire_read_publication(z->arena, frame, frame_bytes, &publication) != WIRE_FINE) {
        return;
    }
    size_t index = topic_named(publication->topic);
    if (index == TOPICS) {
        followed_publication(z, publication);
        return;
    }
    for (size_t i = 0; i < publication->n_events && z->topics.channel; i++) {
        take(z, index, publication->events[i]);
    }
    raise_head(z, index, publication->head);
}

bool topics_receive(zchat *z) {
    const void *frame;
    size_t frame_bytes;
    for (int i = 0; i < FRAMES_A_TURN; i++) {
        if (!z->topics.channel || !channel_receive(z->topics.channel, &frame, &frame_bytes)) {
            break;
        }
        take_publication(z, frame, frame_bytes);
    }
    if (z->topics.channel) {
        watch_socket(z);
    }
    return z->topics.channel && channel_is_ready(z->topics.channel);
}

void topics_tick(zchat *z) {
    if (z->now_us >= z->topics.reopen_us && z->session.live) {
        open_socket(z);
    }
    for (size_t i = 0; i < TOPICS; i++) {
        if (z->now_us >= z->topics.list[i].retry_us) {
            z->topics.list[i].retry_us = WAKE_NEVER;
            fetch(z, i);
        }
    }
}

int64_t topics_deadline_us(const struct topics *topics) {
    int64_t deadline_us = topics->reopen_us;
    for (size_t i = 0; i < TOPICS; i++) {
        if (topics->list[i].retry_us < deadline_us) {
            deadline_us = topics->list[i].retry_us;
        }
    }
    return deadline_us;
}
