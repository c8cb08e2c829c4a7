/* Public topics and their holes.
 *
 * As with the inbox, an event is taken only where it is next in its topic; one beyond it raises the
 * head, and the events between are fetched. The broker keeps only the newest: a page that begins
 * later than asked, or a broker that started anew, moves the position on. */
#include "topic.h"

#include "limits.h"

#include <stdlib.h>
#include <string.h>

#define RETRY_US (1000 * INT64_C(1000))

static const char *const NAMES[TOPICS] = {"presence", "broadcast", "notice"};

void topics_init(struct topics *topics, struct client *client) {
    memset(topics, 0, sizeof *topics);
    topics->client = client;
    for (size_t i = 0; i < TOPICS; i++) {
        topics->list[i].retry_us = NEVER_US;
    }
}

void topics_release(struct topics *topics) {
    client_unlisten(topics->client);
    free(topics->blocked);
    topics_init(topics, topics->client);
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

void topics_block(struct topics *topics, const char *user) {
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

void topics_unblock(struct topics *topics, const char *user) {
    bool found;
    size_t place = blocked_place(topics, user, &found);
    if (found) {
        topics->blocked_count--;
        memmove(&topics->blocked[place], &topics->blocked[place + 1],
                (topics->blocked_count - place) * sizeof *topics->blocked);
    }
}

/* ---- handing out ---- */

static void tell_from(struct topics *topics, zchat_event *event, char *user) {
    text_clean_line(user, strlen(user));
    if (strcmp(user, topics->client->session.user) != 0 && !is_blocked(topics, user)) {
        event->user = user;
        client_tell(topics->client, event);
    }
}

static void tell_broadcast(struct topics *topics, zchat_event *event,
                           const Zchat__V1__BroadcastEvent *body) {
    text_clean(body->text, strlen(body->text));
    event->kind = ZCHAT_EVENT_BROADCAST;
    event->text = body->text;
    if (body->id.len == ID_BYTES) {
        memcpy(event->id.bytes, body->id.data, ID_BYTES);
    }
    tell_from(topics, event, body->sender);
}

static void hand_out(struct topics *topics, const Zchat__V1__ServerEvent *event) {
    zchat_event told = {.seq = event->seq, .time_us = event->time_us};
    switch (event->body_case) {
    case ZCHAT__V1__SERVER_EVENT__BODY_PRESENCE:
        told.kind = ZCHAT_EVENT_PRESENCE;
        told.online = event->presence->online;
        tell_from(topics, &told, event->presence->user);
        break;
    case ZCHAT__V1__SERVER_EVENT__BODY_BROADCAST:
        tell_broadcast(topics, &told, event->broadcast);
        break;
    case ZCHAT__V1__SERVER_EVENT__BODY_NOTICE:
        text_clean(event->notice->text, strlen(event->notice->text));
        told.kind = ZCHAT_EVENT_NOTICE;
        told.text = event->notice->text;
        client_tell(topics->client, &told);
        break;
    default:
        break;
    }
}

/* ---- positions ---- */

static void fetch(struct topics *topics, size_t index) {
    struct topic *topic = &topics->list[index];
    if (topics->mode == ZCHAT_PUBLIC_NONE || topic->fetching || !topics->client->session.live ||
        topic->position >= topic->head || topic->retry_us != NEVER_US) {
        return;
    }
    Zchat__V1__SyncRequest sync = ZCHAT__V1__SYNC_REQUEST__INIT;
    sync.stream = (char *)NAMES[index];
    sync.after_seq = topic->position;
    sync.limit = SYNC_ENTRIES_MAX;
    struct request *request = client_ask(topics->client, REQUEST_TOPICS, COMMAND(SYNC), &sync.base);
    if (!request) {
        topic->retry_us = topics->client->now_us + RETRY_US;
        return;
    }
    request->topic = index;
    topic->fetching = true;
}

static void raise_head(struct topics *topics, size_t index, uint64_t head) {
    if (head > topics->list[index].head) {
        topics->list[index].head = head;
    }
    fetch(topics, index);
}

static void take(struct topics *topics, size_t index, const Zchat__V1__ServerEvent *event) {
    struct topic *topic = &topics->list[index];
    if (event->seq == topic->position + 1) {
        topic->position = event->seq;
        hand_out(topics, event);
    }
    raise_head(topics, index, event->seq);
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

void topics_event(struct topics *topics, const Zchat__V1__ServerEvent *event) {
    size_t index = topic_of(event);
    if (topics->mode == ZCHAT_PUBLIC_NONE || index == TOPICS) {
        return;
    }
    if (event->seq == 0) {
        hand_out(topics, event);
    } else {
        take(topics, index, event);
    }
}

static void take_heads(struct topics *topics, Zchat__V1__TopicHead *const *heads, size_t count) {
    for (size_t i = 0; i < count; i++) {
        size_t index = topic_named(heads[i]->topic);
        if (index < TOPICS) {
            raise_head(topics, index, heads[i]->head);
        }
    }
}

void topics_heads(struct topics *topics, const Zchat__V1__Heads *heads) {
    take_heads(topics, heads->topics, heads->n_topics);
}

/* Beyond a page's end nothing is kept: the position follows it, also where the page is empty. */
void topics_page(struct topics *topics, size_t index, const Zchat__V1__Reply *reply) {
    struct topic *topic = &topics->list[index];
    topic->fetching = false;
    if (reply->error || reply->body_case != ZCHAT__V1__REPLY__BODY_SYNC) {
        topic->retry_us = topics->client->now_us + RETRY_US;
        return;
    }
    const Zchat__V1__SyncResponse *page = reply->sync;
    for (size_t i = 0; i < page->n_events && topics->mode != ZCHAT_PUBLIC_NONE; i++) {
        if (page->events[i]->seq > topic->position) {
            topic->position = page->events[i]->seq;
            hand_out(topics, page->events[i]);
        }
    }
    if (!page->more && topic->position < page->head) {
        topic->position = page->head;
    }
    if (page->n_events == 0 && topic->position < topic->head) {
        topic->head = topic->position;
    }
    raise_head(topics, index, page->head);
}

/* ---- the session ---- */

static void open_soon(struct topics *topics) {
    if (topics->mode == ZCHAT_PUBLIC_SUB) {
        client_listen(topics->client);
    }
}

void topics_start(struct topics *topics, const Zchat__V1__LoginResponse *reply) {
    topics_stop(topics);
    topics->mode = topics->client->session.login->public_events;
    for (size_t i = 0; i < reply->n_topics; i++) {
        size_t index = topic_named(reply->topics[i]->topic);
        if (index < TOPICS) {
            topics->list[index].position = topics->list[index].head = reply->topics[i]->head;
        }
    }
    open_soon(topics);
}

/* A head below the position: the broker's clock was set back before it started anew. */
void topics_resume(struct topics *topics, const Zchat__V1__LoginResponse *reply) {
    for (size_t i = 0; i < reply->n_topics; i++) {
        size_t index = topic_named(reply->topics[i]->topic);
        if (index < TOPICS && reply->topics[i]->head < topics->list[index].position) {
            topics->list[index].position = reply->topics[i]->head;
            topics->list[index].head = reply->topics[i]->head;
        }
    }
    take_heads(topics, reply->topics, reply->n_topics);
    open_soon(topics);
}

void topics_stop(struct topics *topics) {
    requests_drop(&topics->client->requests, REQUEST_TOPICS);
    topics_release(topics);
}

void topics_lost(struct topics *topics) {
    client_unlisten(topics->client);
    for (size_t i = 0; i < TOPICS; i++) {
        topics->list[i].fetching = false;
        topics->list[i].retry_us = NEVER_US;
    }
}

void topics_retry(struct topics *topics) {
    for (size_t i = 0; i < TOPICS; i++) {
        topics->list[i].fetching = false;
        topics->list[i].retry_us = topics->client->now_us + RETRY_US;
    }
}

/* ---- what is published ---- */

bool topics_subscribe(struct topics *topics) {
    bool done = true;
    for (size_t i = 0; i < TOPICS && done; i++) {
        uint8_t prefix[64];
        done = client_subscribe(topics->client, prefix, wire_subscription(NAMES[i], prefix));
    }
    return done;
}

bool topics_publication(struct topics *topics, const Zchat__V1__Publication *publication) {
    size_t index = topic_named(publication->topic);
    if (index == TOPICS) {
        return false;
    }
    for (size_t i = 0; i < publication->n_events && topics->mode != ZCHAT_PUBLIC_NONE; i++) {
        take(topics, index, publication->events[i]);
    }
    raise_head(topics, index, publication->head);
    return true;
}

/* ---- time ---- */

void topics_tick(struct topics *topics) {
    for (size_t i = 0; i < TOPICS; i++) {
        if (topics->client->now_us >= topics->list[i].retry_us) {
            topics->list[i].retry_us = NEVER_US;
            fetch(topics, i);
        }
    }
}

int64_t topics_deadline_us(const struct topics *topics) {
    int64_t deadline_us = NEVER_US;
    for (size_t i = 0; i < TOPICS; i++) {
        if (topics->list[i].retry_us < deadline_us) {
            deadline_us = topics->list[i].retry_us;
        }
    }
    return deadline_us;
}
