#include "tap.h"

#include "person.h"
#include "world.h"

#include <string.h>

#define AUTH CODE(AUTH)
#define BUSY CODE(BUSY)

_Noreturn void tap_wrong(struct world *world, const struct link *link, const struct asked *asked,
                         const char *what, uint64_t is, uint64_t should) {
    world_fail(world, "link %llu, request %llu (command %d): %s is %llu, should be %llu",
               (unsigned long long)link->number, (unsigned long long)asked->number, asked->kind,
               what, (unsigned long long)is, (unsigned long long)should);
}

/* ---- entries of an inbox ---- */

static bool about_fits(const struct town *town, const struct message *message,
                       const Zchat__V1__MessageEvent *event) {
    const unsigned char *original = town->messages[message->original].id;
    const ProtobufCBinaryData *is =
        message->about == STORE_CORRECTS ? &event->corrects : &event->retracts;

    if (!message->about)
        return event->corrects.len + event->retracts.len == 0;
    return event->corrects.len + event->retracts.len == ID_BYTES && is->len == ID_BYTES &&
           !memcmp(is->data, original, ID_BYTES);
}

/* Whether the event is what stands at that place of that account's inbox. */
static bool entry_fits(const struct world *world, int account,
                       const Zchat__V1__ServerEvent *event) {
    const struct town *town = world->town;
    char text[TEXT_BYTES_MAX + 1];
    const struct message *message;
    uint32_t item;

    if (event->body_case != ZCHAT__V1__SERVER_EVENT__BODY_MESSAGE || event->seq == 0 ||
        event->seq > town->committed.head[account])
        return false;
    if (!town_item_of(event->message->id.data, event->message->id.len, &item) ||
        item != town->inbox[account][event->seq - 1])
        return false;
    message = &town->messages[item];
    message_text(item, message->text_bytes, text);
    return !memcmp(event->message->id.data, message->id, ID_BYTES) &&
           event->time_us == message->time_us && !strcmp(event->message->text, text) &&
           account_of_name(event->message->sender) == message->author &&
           account_of_name(event->message->to) == message->to &&
           about_fits(town, message, event->message);
}

static void check_page(struct world *world, const struct link *link, const struct asked *asked,
                       const Zchat__V1__SyncResponse *page) {
    uint64_t next = asked->after_seq + 1;

    if (strcmp(page->stream, stream_names[asked->stream]) != 0)
        world_fail(world, "a page of %s instead of %s", page->stream, stream_names[asked->stream]);
    for (size_t i = 0; i < page->n_events; i++, next++) {
        if (i == 0 && asked->stream != STREAM_INBOX && page->events[0]->seq > next)
            next = page->events[0]->seq;
        if (page->events[i]->seq != next)
            tap_wrong(world, link, asked, "a page's number", page->events[i]->seq, next);
        if (asked->stream == STREAM_INBOX && !entry_fits(world, asked->account, page->events[i]))
            tap_wrong(world, link, asked, "the message of a page differs; its number", next, next);
    }
    if (asked->stream != STREAM_INBOX)
        return;
    if (page->head != asked->value[0])
        tap_wrong(world, link, asked, "a page's head", page->head, asked->value[0]);
    if ((page->more != 0) != (page->n_events > 0 && next <= page->head))
        tap_wrong(world, link, asked, "a page's more", page->more ? 1 : 0, page->more ? 0 : 1);
    if (page->n_events == 0 && next <= page->head)
        tap_wrong(world, link, asked, "an empty page's first number", 0, next);
}

/* ---- replies ---- */

static void check_login(struct world *world, const struct link *link, const struct asked *asked,
                        const Zchat__V1__LoginResponse *login) {
    if (account_of_name(login->user) != asked->user || login->session == 0)
        tap_wrong(world, link, asked, "the user", 0, (uint64_t)asked->user);
    if (login->inbox_head != asked->value[0])
        tap_wrong(world, link, asked, "the head", login->inbox_head, asked->value[0]);
    if (login->inbox_cursor != asked->value[1])
        tap_wrong(world, link, asked, "the cursor", login->inbox_cursor, asked->value[1]);
}

static void check_sent(struct world *world, const struct link *link, const struct asked *asked,
                       const Zchat__V1__SendMessageResponse *sent) {
    const struct message *message = &world->town->messages[asked->item];

    if (memcmp(sent->id.data, message->id, ID_BYTES) != 0)
        tap_wrong(world, link, asked, "the message's id differs; its number", 0, asked->item);
    if (!town_is_stored(world->town, &world->town->committed, asked->item))
        tap_wrong(world, link, asked, "a message that is not committed", asked->item, 0);
    if (sent->seq != message->author_seq)
        tap_wrong(world, link, asked, "the message's place", sent->seq, message->author_seq);
    if (sent->time_us != message->time_us)
        tap_wrong(world, link, asked, "the message's time", (uint64_t)sent->time_us,
                  (uint64_t)message->time_us);
}

static void check_people(struct world *world, const struct link *link, const struct asked *asked,
                         Zchat__V1__Person **people, size_t count) {
    uint32_t is = 0;

    for (size_t i = 0; i < count; i++) {
        uint32_t bit = UINT32_C(1) << account_of_name(people[i]->user);

        if (is & bit)
            tap_wrong(world, link, asked, "somebody twice in a list", 2, 1);
        is |= bit;
    }
    if (((is ^ asked->accounts) & ~asked->open) != 0)
        tap_wrong(world, link, asked, "the set of people", is, asked->accounts);
}

static void check_blocked(struct world *world, const struct link *link, const struct asked *asked,
                          const Zchat__V1__ListBlockedResponse *list) {
    uint32_t is = 0;

    for (size_t i = 0; i < list->n_users; i++)
        is |= UINT32_C(1) << account_of_name(list->users[i]);
    if (is != asked->accounts)
        tap_wrong(world, link, asked, "the set of the blocked", is, asked->accounts);
}

static void check_body(struct world *world, const struct link *link, const struct asked *asked,
                       const Zchat__V1__Reply *reply) {
    switch (asked->kind) {
    case KIND(LOGIN):
        check_login(world, link, asked, reply->login);
        break;
    case KIND(SEND_MESSAGE):
        check_sent(world, link, asked, reply->send_message);
        break;
    case KIND(BROADCAST):
        if (reply->broadcast->reached != asked->value[0])
            tap_wrong(world, link, asked, "reached", reply->broadcast->reached, asked->value[0]);
        if (reply->broadcast->skipped != asked->value[1])
            tap_wrong(world, link, asked, "skipped", reply->broadcast->skipped, asked->value[1]);
        break;
    case KIND(WHO):
        check_people(world, link, asked, reply->who->people, reply->who->n_people);
        break;
    case KIND(SINCE):
        check_people(world, link, asked, reply->since->people, reply->since->n_people);
        break;
    case KIND(LIST_BLOCKED):
        check_blocked(world, link, asked, reply->list_blocked);
        break;
    case KIND(SYNC):
        if (asked->stream >= STREAMS)
            tap_thread_page(world, link, asked, reply->sync);
        else
            check_page(world, link, asked, reply->sync);
        break;
    case KIND(CREATE_THREAD):
    case KIND(FOLLOW_THREAD):
    case KIND(POST_TO_THREAD):
    case KIND(LIST_FOLLOWED):
        tap_thread_reply(world, link, asked, reply);
        break;
    case KIND(ACK):
        if (reply->ack->cursor != asked->value[0])
            tap_wrong(world, link, asked, "the cursor", reply->ack->cursor, asked->value[0]);
        break;
    case KIND(KEEP_ALIVE):
        if (reply->keep_alive->heads->inbox != asked->value[0])
            tap_wrong(world, link, asked, "the head", reply->keep_alive->heads->inbox,
                      asked->value[0]);
        if (reply->keep_alive->heads->cursor != asked->value[1])
            tap_wrong(world, link, asked, "the cursor", reply->keep_alive->heads->cursor,
                      asked->value[1]);
        break;
    case KIND(REVOKE_DEVICE):
        if (reply->revoke_device->sessions != asked->value[0])
            tap_wrong(world, link, asked, "the ended sessions", reply->revoke_device->sessions,
                      asked->value[0]);
        break;
    default:
        break;
    }
}

static bool asks_password(const struct asked *asked) {
    return asked_is_slow(asked) && asked->kind != KIND(REGISTER_ACCOUNT);
}

static void check_error(struct world *world, const struct link *link, const struct asked *asked,
                        const Zchat__V1__CommandError *error) {
    if (!error->message[0])
        tap_wrong(world, link, asked, "an error's text", 0, 1);
    if (error->code == AUTH && asks_password(asked) && asked->account < 0 &&
        (error->retry_after_s != 0) != (asked->value[0] != 0))
        tap_wrong(world, link, asked, "whether it says that the name is locked",
                  error->retry_after_s, asked->value[0]);
}

/* All in the order of the commands, but what waits for a password. */
static void check_order(struct world *world, struct link *link, const struct asked *asked) {
    if (asked_is_slow(asked))
        return;
    if (asked->order < link->answered)
        tap_wrong(world, link, asked, "the reply is late; the last one", link->answered,
                  asked->order);
    link->answered = asked->order;
}

static void check_reply(struct world *world, const struct link *link, const struct asked *asked,
                        const Zchat__V1__Reply *reply) {
    int code = reply->error ? (int)reply->error->code : 0;

    if (code == BUSY && asked->kind == KIND(SYNC))
        return;
    if (code != asked->code)
        tap_wrong(world, link, asked, "the code", (uint64_t)code, (uint64_t)asked->code);
    if (reply->error)
        check_error(world, link, asked, reply->error);
    else if ((int)reply->body_case != asked->kind)
        tap_wrong(world, link, asked, "the reply's body", (uint64_t)reply->body_case,
                  (uint64_t)asked->kind);
    else
        check_body(world, link, asked, reply);
}

/* From then on nothing older of those whom it blocked comes on this connection. */
static void note_silence(struct link *link, const struct asked *asked,
                         int64_t silent_from_us[ACCOUNTS_MAX]) {
    if (asked->kind == KIND(BLOCK_USER))
        silent_from_us[asked->user] = asked->time_us;
    else if (asked->kind == KIND(LOGIN))
        memset(link->silent_from_us, 0, sizeof link->silent_from_us);
}

/* Slow ones stay, so that their work is known when it comes back. */
static void tap_reply(struct world *world, struct link *link, const Zchat__V1__Reply *reply,
                      int64_t silent_from_us[ACCOUNTS_MAX]) {
    struct asked *asked = link_find(link, reply->request);
    int code = reply->error ? (int)reply->error->code : 0;

    if (reply->request == 0 && link->noise > 0 && code == CODE(INVALID)) {
        link->noise--;
        return;
    }
    if (asked && asked->waits && code == BUSY) { /* the queue of passwords is full */
        asked->waits = false;
        asked->answered = true;
        return;
    }
    if (!asked || !asked->carried_out)
        world_fail(world, "link %llu: a reply to %llu, which waits for none",
                   (unsigned long long)link->number, (unsigned long long)reply->request);
    if (asked->answered)
        tap_wrong(world, link, asked, "the number of replies", 2, 1);
    asked->answered = true;
    check_order(world, link, asked);
    check_reply(world, link, asked, reply);
    if (!reply->error)
        note_silence(link, asked, silent_from_us);
    if (!asked_is_slow(asked))
        link_forget(link, asked);
}

/* ---- events ---- */

static void tap_message(struct world *world, const struct link *link,
                        const Zchat__V1__ServerEvent *event) {
    for (int account = 0; account < ACCOUNTS_MAX; account++)
        if ((link->accounts & (UINT32_C(1) << account)) != 0 && entry_fits(world, account, event))
            return;
    world_fail(world, "link %llu: message event %llu is in no inbox of its accounts",
               (unsigned long long)link->number, (unsigned long long)event->seq);
}

/* The account of a link that had one only; -1: it had several. */
static int only_account(const struct link *link) {
    for (int account = 0; account < ACCOUNTS_MAX; account++)
        if (link->accounts == UINT32_C(1) << account)
            return account;
    return -1;
}

/* The news that an event tells; ends the world where nothing of that happened. */
static struct news *news_of(struct world *world, const Zchat__V1__ServerEvent *event) {
    bool presence = event->body_case == ZCHAT__V1__SERVER_EVENT__BODY_PRESENCE;
    const char *user = presence ? event->presence->user : event->broadcast->sender;
    struct news like = {
        .stream = presence ? STREAM_PRESENCE : STREAM_BROADCAST,
        .account = account_of_name(user),
        .online = presence && event->presence->online,
        .time_us = event->time_us,
    };
    struct news *news;

    if (!presence &&
        (!town_item_of(event->broadcast->id.data, event->broadcast->id.len, &like.item) ||
         like.item >= world->town->broadcast_count))
        world_fail(world, "a broadcast of %s that nobody sent", user);
    news = model_news(world, &like);
    if (!news)
        world_fail(world, "%s is told to have %s, which did not happen", user,
                   !presence     ? "sent a broadcast"
                   : like.online ? "come"
                                 : "gone");
    return news;
}

/* After the frame with the reply to a block nothing older of that user comes on the connection. */
static void check_silence(struct world *world, const struct link *link, const char *user,
                          int64_t time_us) {
    if (time_us < link->silent_from_us[account_of_name(user)])
        world_fail(world, "link %llu hears of %s after the reply to its block",
                   (unsigned long long)link->number, user);
}

static void tap_news(struct world *world, const struct link *link,
                     const Zchat__V1__ServerEvent *event) {
    struct news *news = news_of(world, event);
    int account = only_account(link);

    if (news->is_public != (event->seq != 0))
        world_fail(world, "link %llu: news of u%d that are %spublic, as event %llu",
                   (unsigned long long)link->number, news->account, news->is_public ? "" : "not ",
                   (unsigned long long)event->seq);
    if (account >= 0 && town_was_hidden(&world->town->now, account, news->account, event->time_us))
        world_fail(world, "link %llu: u%d hears of u%d through a block",
                   (unsigned long long)link->number, account, news->account);
    if (link->person && event->seq == 0)
        news->told |= UINT32_C(1) << link->person->number;
}

static void tap_heads(struct world *world, const struct link *link, const Zchat__V1__Heads *heads) {
    int account = only_account(link);

    if (account < 0)
        return;
    if (heads->inbox > world->town->committed.head[account] || heads->cursor > heads->inbox)
        world_fail(world, "link %llu: heads say %llu, cursor %llu; the head is %llu",
                   (unsigned long long)link->number, (unsigned long long)heads->inbox,
                   (unsigned long long)heads->cursor,
                   (unsigned long long)world->town->committed.head[account]);
}

static void tap_event(struct world *world, struct link *link, const Zchat__V1__ServerEvent *event) {
    switch (event->body_case) {
    case ZCHAT__V1__SERVER_EVENT__BODY_MESSAGE:
        check_silence(world, link, event->message->sender, event->time_us);
        tap_message(world, link, event);
        break;
    case ZCHAT__V1__SERVER_EVENT__BODY_PRESENCE:
        check_silence(world, link, event->presence->user, event->time_us);
        tap_news(world, link, event);
        break;
    case ZCHAT__V1__SERVER_EVENT__BODY_BROADCAST:
        check_silence(world, link, event->broadcast->sender, event->time_us);
        tap_news(world, link, event);
        break;
    case ZCHAT__V1__SERVER_EVENT__BODY_HEADS:
        tap_heads(world, link, event->heads);
        break;
    case ZCHAT__V1__SERVER_EVENT__BODY_THREAD:
        tap_thread_event(world, event);
        break;
    case ZCHAT__V1__SERVER_EVENT__BODY_SESSION_ENDED:
        if (link->ends-- == 0)
            world_fail(world, "link %llu: a session is told to have ended, but did not",
                       (unsigned long long)link->number);
        break;
    default:
        world_fail(world, "link %llu: an event of kind %d", (unsigned long long)link->number,
                   (int)event->body_case);
    }
}

/* What is numbered in a topic shows as lost only by the next one, or by a keep-alive. */
static bool may_be_lost(const Zchat__V1__ServerEvent *event) {
    return event->body_case == ZCHAT__V1__SERVER_EVENT__BODY_MESSAGE ||
           (event->body_case == ZCHAT__V1__SERVER_EVENT__BODY_HEADS && event->heads->n_topics == 0);
}

static void tap_batch(struct world *world, struct link *link, const Zchat__V1__ServerBatch *batch) {
    int64_t silent_from_us[ACCOUNTS_MAX] = {0};

    for (size_t i = 0; i < batch->n_replies; i++)
        tap_reply(world, link, batch->replies[i], silent_from_us);
    for (size_t i = 0; i < batch->n_events; i++)
        tap_event(world, link, batch->events[i]);
    for (int i = 0; i < ACCOUNTS_MAX; i++)
        if (silent_from_us[i] > link->silent_from_us[i])
            link->silent_from_us[i] = silent_from_us[i];
    world->broker.unasked += batch->n_replies == 0 || batch->n_events > 0;
}

bool tap_frame(struct world *world, struct link *link, const uint8_t *bytes, size_t length) {
    Zchat__V1__ServerBatch *batch;
    bool spare;

    wire_arena_reset(world->arena);
    if (length > FRAME_BYTES_MAX)
        world_fail(world, "a frame of %zu bytes", length);
    if (wire_read_server(world->arena, bytes, length, &batch) != WIRE_FINE)
        world_fail(world, "a frame that can't be read");
    tap_batch(world, link, batch);
    spare = batch->n_replies == 0;
    for (size_t i = 0; i < batch->n_events; i++)
        spare = spare && may_be_lost(batch->events[i]);
    return spare;
}

/* ---- publications ---- */

static void tap_published(struct world *world, int stream, const Zchat__V1__ServerEvent *event) {
    uint64_t *head = &world->broker.head[stream];
    struct news *news;

    if (event->seq != *head + 1)
        world_fail(world, "event %llu of %s after %llu", (unsigned long long)event->seq,
                   stream_names[stream], (unsigned long long)*head);
    *head = event->seq;
    news = news_of(world, event);
    if (news->stream != stream || news->published || !news->is_public)
        world_fail(world, "news of u%d on %s: %s", news->account, stream_names[stream],
                   news->published ? "twice" : "they are not public");
    news->published = true;
}

static void tap_topic(struct world *world, const Zchat__V1__Publication *publication) {
    int stream = stream_of_name(publication->topic);

    if (stream == STREAM_INBOX)
        world_fail(world, "a publication of %s", publication->topic);
    for (size_t i = 0; i < publication->n_events; i++)
        tap_published(world, stream, publication->events[i]);
    if (publication->head != 0 && publication->head != world->broker.head[stream])
        world_fail(world, "%s tells the head %llu", publication->topic,
                   (unsigned long long)publication->head);
}

bool tap_publication(struct world *world, const uint8_t *bytes, size_t length) {
    Zchat__V1__Publication *publication;

    world->broker.unasked++;
    wire_arena_reset(world->arena);
    if (length > FRAME_BYTES_MAX ||
        wire_read_publication(world->arena, bytes, length, &publication) != WIRE_FINE)
        world_fail(world, "a publication of %zu bytes that can't be read", length);
    if (is_thread_name(publication->topic))
        tap_thread_publication(world, publication);
    else
        tap_topic(world, publication);
    return publication->n_events > 0;
}

/* What is public is told a little later. */
static bool may_wait(const struct world *world, const struct news *news) {
    int64_t for_us = news->stream == STREAM_PRESENCE ? GATHER_US : BROADCAST_US_MAX;

    return world->now_us < news->time_us + for_us;
}

void tap_turn(struct world *world) {
    struct model *model = &world->model;
    bool all = true;

    for (size_t i = model->news_checked; i < model->news_count; i++) {
        const struct news *news = &model->news[i];
        bool done = !news->is_public || news->published;

        if (!done && !may_wait(world, news))
            world_fail(world, "news of u%d that all may see were not published (%s)", news->account,
                       stream_names[news->stream]);
        all = all && done;
        model->news_checked += all;
    }
}
