/* Public topics and their holes.
 *
 * As with the inbox, an event is taken only if it is the next one in its topic; a later one raises
 * the head, and the events between are fetched. The broker keeps only the newest events: if a page
 * begins later than asked, or the broker was restarted, the position moves on. */
#include "published.h"

#include "limits.h"

#include <stdlib.h>
#include <string.h>

#define RETRY_US (1000 * INT64_C(1000))

static const char *const NAMES[TOPICS] = {"presence", "broadcast", "notice"};

void published_init(struct published *published, struct client *client) {
    memset(published, 0, sizeof *published);
    published->client = client;
    for (size_t i = 0; i < TOPICS; i++)
        published->list[i].retry_us = NEVER_US;
}

void published_release(struct published *published) {
    client_unlisten(published->client);
    free(published->blocked);
    published_init(published, published->client);
}

static size_t topic_named(const char *name) {
    size_t i = 0;
    while (i < TOPICS && strcmp(NAMES[i], name) != 0)
        i++;
    return i;
}

/* ---- whom one does not hear ---- */

/* The place of the name, or the place that it would have. */
static size_t blocked_place(const struct published *published, const char *user, bool *found) {
    size_t low = 0;
    size_t high = published->blocked_count;
    *found = false;
    while (low < high && !*found) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(published->blocked[middle], user);
        *found = order == 0;
        low = order < 0 ? middle + 1 : order == 0 ? middle : low;
        high = order > 0 ? middle : high;
    }
    return low;
}

static bool is_blocked(const struct published *published, const char *user) {
    bool found;
    blocked_place(published, user, &found);
    return found;
}

void published_block(struct published *published, const char *user) {
    bool found;
    size_t place = blocked_place(published, user, &found);
    if (found || published->mode == ZCHAT_PUBLIC_NONE)
        return;
    if (published->blocked_count == published->blocked_room) {
        size_t room = published->blocked_room ? 2 * published->blocked_room : 16;
        void *grown = realloc(published->blocked, room * sizeof *published->blocked);
        if (!grown)
            return; /* events under way may still be shown; the broker sends no more */
        published->blocked = grown;
        published->blocked_room = room;
    }
    memmove(&published->blocked[place + 1], &published->blocked[place],
            (published->blocked_count - place) * sizeof *published->blocked);
    memcpy(published->blocked[place], user, strlen(user) + 1);
    published->blocked_count++;
}

void published_unblock(struct published *published, const char *user) {
    bool found;
    size_t place = blocked_place(published, user, &found);
    if (found) {
        published->blocked_count--;
        memmove(&published->blocked[place], &published->blocked[place + 1],
                (published->blocked_count - place) * sizeof *published->blocked);
    }
}

/* ---- handing out ---- */

static void tell_from(struct published *published, zchat_event *event, char *user) {
    text_clean_line(user, strlen(user));
    if (strcmp(user, published->client->session.user) != 0 && !is_blocked(published, user)) {
        event->user = user;
        client_tell(published->client, event);
    }
}

static void tell_broadcast(struct published *published, zchat_event *event,
                           const Zchat__V1__BroadcastEvent *body) {
    text_clean(body->text, strlen(body->text));
    event->kind = ZCHAT_EVENT_BROADCAST;
    event->text = body->text;
    if (body->id.len == ID_BYTES)
        memcpy(event->id.bytes, body->id.data, ID_BYTES);
    tell_from(published, event, body->sender);
}

/* Also one's own notices, and those of somebody whom one has blocked: they are meant for
 * everybody. */
static void tell_notice(struct published *published, zchat_event *event,
                        const Zchat__V1__NoticeEvent *body) {
    text_clean(body->text, strlen(body->text));
    text_clean_line(body->sender, strlen(body->sender));
    event->kind = ZCHAT_EVENT_NOTICE;
    event->text = body->text;
    event->user = body->sender;
    client_tell(published->client, event);
}

static void hand_out(struct published *published, const Zchat__V1__ServerEvent *event) {
    zchat_event told = {.seq = event->seq, .time_us = event->time_us};
    switch (event->body_case) {
    case ZCHAT__V1__SERVER_EVENT__BODY_PRESENCE:
        told.kind = ZCHAT_EVENT_PRESENCE;
        told.online = event->presence->online;
        tell_from(published, &told, event->presence->user);
        break;
    case ZCHAT__V1__SERVER_EVENT__BODY_BROADCAST:
        tell_broadcast(published, &told, event->broadcast);
        break;
    case ZCHAT__V1__SERVER_EVENT__BODY_NOTICE:
        tell_notice(published, &told, event->notice);
        break;
    default:
        break;
    }
}

/* ---- positions ---- */

static void fetch(struct published *published, size_t index) {
    struct topic *topic = &published->list[index];
    if (published->mode == ZCHAT_PUBLIC_NONE || topic->fetching ||
        !published->client->session.live || topic->position >= topic->head ||
        topic->retry_us != NEVER_US)
        return;
    Zchat__V1__SyncRequest sync = ZCHAT__V1__SYNC_REQUEST__INIT;
    sync.stream = (char *)NAMES[index];
    sync.after_seq = topic->position;
    sync.limit = SYNC_ENTRIES_MAX;
    struct request *request =
        client_ask(published->client, REQUEST_TOPICS, COMMAND(SYNC), &sync.base);
    if (!request) {
        topic->retry_us = published->client->now_us + RETRY_US;
        return;
    }
    request->topic = index;
    topic->fetching = true;
}

static void raise_head(struct published *published, size_t index, uint64_t head) {
    if (head > published->list[index].head)
        published->list[index].head = head;
    fetch(published, index);
}

static void take(struct published *published, size_t index, const Zchat__V1__ServerEvent *event) {
    struct topic *topic = &published->list[index];
    if (event->seq == topic->position + 1) {
        topic->position = event->seq;
        hand_out(published, event);
    }
    raise_head(published, index, event->seq);
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

void published_event(struct published *published, const Zchat__V1__ServerEvent *event) {
    size_t index = topic_of(event);
    if (published->mode == ZCHAT_PUBLIC_NONE || index == TOPICS)
        return;
    if (event->seq == 0)
        hand_out(published, event);
    else
        take(published, index, event);
}

static void take_heads(struct published *published, Zchat__V1__TopicHead *const *heads,
                       size_t count) {
    for (size_t i = 0; i < count; i++) {
        size_t index = topic_named(heads[i]->topic);
        if (index < TOPICS)
            raise_head(published, index, heads[i]->head);
    }
}

void published_heads(struct published *published, const Zchat__V1__Heads *heads) {
    take_heads(published, heads->topics, heads->n_topics);
}

/* Beyond the last page the broker keeps nothing, so the position moves to that page's head, even if
 * the page is empty. */
void published_page(struct published *published, size_t index, const Zchat__V1__Reply *reply) {
    struct topic *topic = &published->list[index];
    topic->fetching = false;
    if (reply->error || reply->body_case != ZCHAT__V1__REPLY__BODY_SYNC) {
        topic->retry_us = published->client->now_us + RETRY_US;
        return;
    }
    const Zchat__V1__SyncResponse *page = reply->sync;
    for (size_t i = 0; i < page->n_events && published->mode != ZCHAT_PUBLIC_NONE; i++) {
        if (page->events[i]->seq > topic->position) {
            topic->position = page->events[i]->seq;
            hand_out(published, page->events[i]);
        }
    }
    if (!page->more && topic->position < page->head)
        topic->position = page->head;
    if (page->n_events == 0 && topic->position < topic->head)
        topic->head = topic->position;
    raise_head(published, index, page->head);
}

/* ---- the session ---- */

static void open_soon(struct published *published) {
    if (published->mode == ZCHAT_PUBLIC_SUB)
        client_listen(published->client);
}

void published_start(struct published *published, const Zchat__V1__LoginResponse *reply) {
    published_stop(published);
    published->mode = published->client->session.login->public_events;
    for (size_t i = 0; i < reply->n_topics; i++) {
        size_t index = topic_named(reply->topics[i]->topic);
        if (index < TOPICS)
            published->list[index].position = published->list[index].head = reply->topics[i]->head;
    }
    open_soon(published);
}

/* If the head is below the position, the broker's clock was set back before it was restarted. */
void published_resume(struct published *published, const Zchat__V1__LoginResponse *reply) {
    for (size_t i = 0; i < reply->n_topics; i++) {
        size_t index = topic_named(reply->topics[i]->topic);
        if (index < TOPICS && reply->topics[i]->head < published->list[index].position) {
            published->list[index].position = reply->topics[i]->head;
            published->list[index].head = reply->topics[i]->head;
        }
    }
    take_heads(published, reply->topics, reply->n_topics);
    open_soon(published);
}

void published_stop(struct published *published) {
    requests_drop(&published->client->requests, REQUEST_TOPICS);
    published_release(published);
}

void published_lost(struct published *published) {
    client_unlisten(published->client);
    for (size_t i = 0; i < TOPICS; i++) {
        published->list[i].fetching = false;
        published->list[i].retry_us = NEVER_US;
    }
}

void published_retry(struct published *published) {
    for (size_t i = 0; i < TOPICS; i++) {
        published->list[i].fetching = false;
        published->list[i].retry_us = published->client->now_us + RETRY_US;
    }
}

/* ---- what is published ---- */

bool published_subscribe(struct published *published) {
    bool done = true;
    for (size_t i = 0; i < TOPICS && done; i++) {
        uint8_t prefix[64];
        done = client_subscribe(published->client, prefix, wire_subscription(NAMES[i], prefix));
    }
    return done;
}

bool published_publication(struct published *published, const Zchat__V1__Publication *publication) {
    size_t index = topic_named(publication->topic);
    if (index == TOPICS)
        return false;
    for (size_t i = 0; i < publication->n_events && published->mode != ZCHAT_PUBLIC_NONE; i++)
        take(published, index, publication->events[i]);
    raise_head(published, index, publication->head);
    return true;
}

/* ---- time ---- */

void published_tick(struct published *published) {
    for (size_t i = 0; i < TOPICS; i++) {
        if (published->client->now_us >= published->list[i].retry_us) {
            published->list[i].retry_us = NEVER_US;
            fetch(published, i);
        }
    }
}

int64_t published_deadline_us(const struct published *published) {
    int64_t deadline_us = NEVER_US;
    for (size_t i = 0; i < TOPICS; i++)
        if (published->list[i].retry_us < deadline_us)
            deadline_us = published->list[i].retry_us;
    return deadline_us;
}
