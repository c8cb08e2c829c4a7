#include "duet.h"

#include "id.h"
#include "outgoing.h"
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SENDS_MAX 8

/* One message on its way, until it is answered. */
struct letter {
    struct player *player; /* borrowed */
    int account;
    unsigned char id[ID_BYTES];
};

/* ---- what the client must see ---- */

static void enter_in_ledger(struct player *player, uint64_t seq, const unsigned char *id) {
    static const unsigned char none[ID_BYTES];
    struct duet *duet = player->duet;
    unsigned char *is;

    if (seq == 0 || seq > MESSAGES_MAX)
        duet_fail(duet, "client %d: entry %llu", player->number, (unsigned long long)seq);
    is = duet->ledgers[player->account].ids[seq - 1];
    if (memcmp(is, none, ID_BYTES) == 0)
        memcpy(is, id, ID_BYTES);
    else if (memcmp(is, id, ID_BYTES) != 0)
        duet_fail(duet, "client %d: entry %llu of u%d's inbox is another message than before",
                  player->number, (unsigned long long)seq, player->account);
}

static void take_message(struct player *player, const zchat_event *event) {
    if (event->seq != player->have + 1)
        duet_fail(player->duet, "client %d is handed entry %llu after %llu", player->number,
                  (unsigned long long)event->seq, (unsigned long long)player->have);
    player->have = event->seq;
    player->duet->handed_out++;
    enter_in_ledger(player, event->seq, event->id.bytes);
}

static void take_post(struct player *player, const zchat_event *event) {
    if (player->followed != 0 && event->seq != player->followed + 1)
        duet_fail(player->duet, "client %d is handed event %llu of the thread after %llu",
                  player->number, (unsigned long long)event->seq,
                  (unsigned long long)player->followed);
    player->followed = event->seq;
}

static void take_news(struct player *player, size_t topic, uint64_t seq) {
    if (seq != 0 && seq <= player->heard[topic])
        duet_fail(player->duet, "client %d hears event %llu of topic %zu after %llu",
                  player->number, (unsigned long long)seq, topic,
                  (unsigned long long)player->heard[topic]);
    if (seq != 0)
        player->heard[topic] = seq;
}

static void on_event(void *arg, const zchat_event *event) {
    struct player *player = arg;

    switch (event->kind) {
    case ZCHAT_EVENT_CONNECTED:
    case ZCHAT_EVENT_SESSION_ENDED:
        player->wants_login = true;
        break;
    case ZCHAT_EVENT_MESSAGE:
        take_message(player, event);
        break;
    case ZCHAT_EVENT_POSTED:
        take_post(player, event);
        break;
    case ZCHAT_EVENT_PRESENCE:
        take_news(player, 0, event->seq);
        break;
    case ZCHAT_EVENT_BROADCAST:
        take_news(player, 1, event->seq);
        break;
    case ZCHAT_EVENT_REFUSED:
    case ZCHAT_EVENT_DAMAGED:
    case ZCHAT_EVENT_THREAD_REMOVED:
        duet_fail(player->duet, "client %d is told event %d: %s", player->number, (int)event->kind,
                  event->text);
    default:
        break;
    }
}

/* ---- the host ---- */

static void notice_loss(struct player *player) {
    struct duet *duet = player->duet;

    player->lost_us = INT64_MAX;
    link_leave(duet, player);
    player->connect_us = duet->now_us + random_between(&duet->random, 1000, 1000000);
    session_lost(&player->core);
}

static void stir(void *arg) {
    (void)arg; /* each act is followed by a turn */
}

static void break_off(void *arg, zchat_code code, const char *reason) {
    struct player *player = arg;

    (void)code;
    (void)reason;
    notice_loss(player);
}

static void expect_end(void *arg) {
    (void)arg;
}

static void stop(void *arg, zchat_code code, const char *text) {
    struct player *player = arg;

    duet_fail(player->duet, "client %d gives up, %d: %s", player->number, (int)code, text);
}

static void listen_soon(void *arg) {
    struct player *player = arg;

    player->listen_us = player->duet->now_us + random_between(&player->duet->random, 100, 50000);
}

static void unlisten(void *arg) {
    struct player *player = arg;

    player->core.client.listening = player->subscribed = false;
    player->listen_us = INT64_MAX;
    lane_clear(&player->published);
}

static bool subscribe(void *arg, const uint8_t *prefix, size_t prefix_bytes) {
    const struct player *player = arg;

    (void)prefix;
    return prefix_bytes > 0 && player->core.client.listening;
}

static void unsubscribe(void *arg, const uint8_t *prefix, size_t prefix_bytes) {
    (void)arg;
    (void)prefix;
    (void)prefix_bytes;
}

static const struct client_host host = {
    stir, break_off, expect_end, stop, listen_soon, unlisten, subscribe, unsubscribe,
};

/* The event socket admits only keys with a session. */
static void listen_now(struct player *player) {
    struct duet *duet = player->duet;

    player->listen_us = INT64_MAX;
    if (!duet->core || !core_key_is_live(duet->core, player->key)) {
        player->listen_us = duet->now_us + 300000;
        return;
    }
    player->core.client.listening = player->subscribed = true;
    client_core_subscribe(&player->core);
    client_keep_alive(&player->core.client);
}

/* ---- made and freed ---- */

/* The program begins: it may begin anew, and then has all to see again. */
static void begin(struct player *player) {
    struct client *client = &player->core.client;

    memset(&player->core, 0, sizeof player->core);
    client_core_init(&player->core, NULL);
    client->program = "duet";
    client->device = "duet";
    client->host = &host;
    client->host_arg = client->arg = player;
    client->on_event = on_event;
    client->arena = player->duet->arena;
    client->now_us = player->duet->now_us;
    random_fill(&player->duet->random, client->session.instance, INSTANCE_BYTES);
    player->have = player->followed = 0;
    player->wants_login = false;
    memset(player->heard, 0, sizeof player->heard);
}

void player_init(struct duet *duet, int number) {
    struct player *player = &duet->players[number];

    player->duet = duet;
    player->number = number;
    player->account = number < duet->account_count
                          ? number
                          : (int)random_below(&duet->random, (uint64_t)duet->account_count);
    random_fill(&duet->random, player->key, KEY_BYTES);
    player->inbox = random_chance(&duet->random, 900);
    player->events = (zchat_public_events)random_below(&duet->random, 3);
    player->threads = player->events != ZCHAT_PUBLIC_NONE;
    player->lost_us = player->listen_us = INT64_MAX;
    player->connect_us = player->act_us = duet->now_us + random_between(&duet->random, 1, 200000);
    begin(player);
}

static void end(struct player *player) {
    client_core_leave(&player->core);
    client_core_close(&player->core);
    client_core_release(&player->core);
    lane_clear(&player->published);
    player->subscribed = false;
    player->listen_us = INT64_MAX;
}

void player_release(struct player *player) {
    end(player);
    link_leave(player->duet, player);
}

/* ---- acts ---- */

static void new_id(struct player *player, unsigned char id[ID_BYTES]) {
    unsigned char random[10];

    random_fill(&player->duet->random, random, sizeof random);
    id_make(id, (uint64_t)(player->duet->now_us / 1000), random);
}

/* A call that was made without a session, or whose end the program did not wait for. */
static bool may_fail(zchat_code code) {
    return code == ZCHAT_AUTH || code == ZCHAT_CANCELLED;
}

static void letter_answered(void *arg, const zchat_reply *reply) {
    struct letter *letter = arg;
    struct duet *duet = letter->player->duet;
    struct ledger *ledger = &duet->ledgers[letter->account];

    if (reply->code == ZCHAT_OK) {
        enter_in_ledger(letter->player, reply->seq, letter->id);
        ledger->promised = reply->seq > ledger->promised ? reply->seq : ledger->promised;
        duet->answered++;
    } else if (!may_fail(reply->code)) {
        duet_fail(duet, "client %d: a message is refused, %d: %s", letter->player->number,
                  (int)reply->code, reply->text);
    }
    free(letter);
}

static struct request *ask(struct player *player, command_number command, ProtobufCMessage *body,
                           zchat_reply_fn *fn) {
    struct request *request = client_ask(&player->core.client, REQUEST_CALL, command, body);

    if (!request)
        abort();
    request->fn = fn;
    request->arg = player;
    return request;
}

static void send_message(struct player *player) {
    struct duet *duet = player->duet;
    Zchat__V1__SendMessageRequest body = ZCHAT__V1__SEND_MESSAGE_REQUEST__INIT;
    struct letter *letter = malloc(sizeof *letter);
    struct request *request;
    char to[NAME_TEXT];

    if (!letter)
        abort();
    *letter = (struct letter){.player = player, .account = player->account};
    new_id(player, letter->id);
    snprintf(to, sizeof to, "u%d",
             (player->account + 1 +
              (int)random_below(&duet->random, (uint64_t)duet->account_count - 1)) %
                 duet->account_count);
    body.id.data = letter->id;
    body.id.len = ID_BYTES;
    body.to = to;
    body.text = (char *)"hello";
    request = ask(player, COMMAND(SEND_MESSAGE), &body.base, letter_answered);
    request->arg = letter;
    memcpy(request->id, letter->id, ID_BYTES);
    duet->sent++;
}

static void posted(void *arg, const zchat_reply *reply) {
    struct player *player = arg;

    if (reply->code == ZCHAT_OK && reply->seq > player->duet->posted)
        player->duet->posted = reply->seq;
    else if (reply->code != ZCHAT_OK && reply->code != ZCHAT_NOT_FOUND && !may_fail(reply->code))
        duet_fail(player->duet, "client %d: a post is refused, %d: %s", player->number,
                  (int)reply->code, reply->text);
}

static void post(struct player *player) {
    Zchat__V1__PostToThreadRequest body = ZCHAT__V1__POST_TO_THREAD_REQUEST__INIT;
    unsigned char id[ID_BYTES];

    new_id(player, id);
    body.id.data = id;
    body.id.len = ID_BYTES;
    body.thread = (char *)THREAD_TITLE;
    body.text = (char *)"look up";
    ask(player, COMMAND(POST_TO_THREAD), &body.base, posted);
}

static void create_thread(struct player *player) {
    Zchat__V1__CreateThreadRequest body = ZCHAT__V1__CREATE_THREAD_REQUEST__INIT;
    unsigned char id[ID_BYTES];

    new_id(player, id);
    body.id.data = id;
    body.id.len = ID_BYTES;
    body.title = (char *)THREAD_TITLE;
    ask(player, COMMAND(CREATE_THREAD), &body.base, NULL);
}

static void follow(struct player *player) {
    Zchat__V1__FollowThreadRequest body = ZCHAT__V1__FOLLOW_THREAD_REQUEST__INIT;

    body.thread = (char *)THREAD_TITLE;
    ask(player, COMMAND(FOLLOW_THREAD), &body.base, NULL);
}

static void broadcast(struct player *player) {
    Zchat__V1__BroadcastRequest body = ZCHAT__V1__BROADCAST_REQUEST__INIT;
    unsigned char id[ID_BYTES];

    new_id(player, id);
    body.id.data = id;
    body.id.len = ID_BYTES;
    body.text = (char *)"hear, hear";
    ask(player, COMMAND(BROADCAST), &body.base, NULL);
}

static void logged_in(void *arg, const zchat_reply *reply) {
    struct player *player = arg;

    if (reply->code != ZCHAT_OK && reply->code != ZCHAT_CANCELLED)
        duet_fail(player->duet, "client %d can't log in, %d: %s", player->number, (int)reply->code,
                  reply->text);
}

static void logged_out(void *arg, const zchat_reply *reply) {
    struct player *player = arg;

    player->wants_login |= reply->code == ZCHAT_OK;
}

static void login(struct player *player) {
    struct fault fault;
    char name[NAME_TEXT];
    zchat_login_options options = {.online = random_chance(&player->duet->random, 800),
                                   .inbox = player->inbox,
                                   .from_seq_set = true,
                                   .from_seq = player->have + 1,
                                   .threads = player->threads,
                                   .public_events = player->events};

    snprintf(name, sizeof name, "u%d", player->account);
    options.user = name;
    player->wants_login = false;
    player->followed = 0; /* what nobody was logged in for is handed out from the cursor on */
    memset(player->heard, 0, sizeof player->heard);
    if (session_login(&player->core, &options, name, logged_in, player, &fault) != ZCHAT_OK)
        duet_fail(player->duet, "client %d: %s", player->number, fault.text);
}

static void logout(struct player *player) {
    struct fault fault;

    if (session_logout(&player->core, logged_out, player, &fault) != ZCHAT_OK)
        duet_fail(player->duet, "client %d: %s", player->number, fault.text);
}

static void begin_anew(struct player *player) {
    end(player);
    link_leave(player->duet, player);
    player->lost_us = INT64_MAX;
    player->connect_us = player->duet->now_us + random_between(&player->duet->random, 1, 500000);
    begin(player);
}

static void act_as_member(struct player *player) {
    struct duet *duet = player->duet;
    uint64_t chosen = random_below(&duet->random, 100);

    if (player->threads && player->core.followed.known && player->core.followed.count == 0)
        follow(player);
    if (chosen < 60)
        for (uint64_t n = 1 + random_below(&duet->random, SENDS_MAX); n > 0; n--)
            send_message(player);
    else if (chosen < 80)
        post(player);
    else if (chosen < 90)
        broadcast(player);
    else if (chosen < 95)
        inbox_want_read(&player->core.inbox, player->have);
    else if (chosen < 98)
        logout(player);
    else
        begin_anew(player);
}

static void act(struct player *player) {
    struct duet *duet = player->duet;

    player->act_us = duet->now_us + random_between(&duet->random, 1000, 400000);
    if (!duet->rough)
        return;
    duet->steps++;
    if (player->core.client.session.live && player->core.client.session.intended)
        act_as_member(player);
    if (player->link && player->lost_us == INT64_MAX && duet_chance(duet, duet->breaks))
        player->lost_us = duet->now_us;
}

/* ---- a turn ---- */

static void connect(struct player *player) {
    struct duet *duet = player->duet;

    player->connect_us = INT64_MAX;
    if (!link_open(duet, player)) {
        player->connect_us = duet->now_us + random_between(&duet->random, 1000, 500000);
        return;
    }
    session_connected(&player->core);
}

static void receive(struct player *player) {
    while (player->link && lane_due(&player->link->down) <= player->duet->now_us) {
        struct parcel *parcel = lane_take(&player->link->down);

        client_core_frame(&player->core, parcel->bytes, parcel->length);
        free(parcel);
    }
    while (lane_due(&player->published) <= player->duet->now_us) {
        struct parcel *parcel = lane_take(&player->published);

        client_core_publication(&player->core, parcel->bytes, parcel->length);
        free(parcel);
    }
}

static void send_all(struct player *player) {
    struct duet *duet = player->duet;
    struct outgoing next;

    while (player->link && outgoing_next(&player->core, false, &next)) {
        uint8_t *frame = malloc(next.bytes);

        if (!frame)
            abort();
        outgoing_pack(&player->core, &next, frame);
        lane_put(&player->link->up, frame, next.bytes, link_arrival(duet));
        outgoing_sent(&player->core, &next);
        free(frame);
    }
}

static int64_t sooner(int64_t a, int64_t b) {
    return a < b ? a : b;
}

int64_t player_due(const struct player *player) {
    int64_t due_us = sooner(sooner(player->connect_us, player->lost_us), player->act_us);

    if (player->link)
        due_us = sooner(due_us, lane_due(&player->link->down));
    due_us = sooner(due_us, sooner(lane_due(&player->published), player->listen_us));
    return sooner(due_us, client_core_deadline_us(&player->core));
}

void player_run(struct player *player) {
    struct duet *duet = player->duet;

    player->core.client.now_us = duet->now_us;
    player->core.client.running = true;
    receive(player);
    if (player->lost_us <= duet->now_us)
        notice_loss(player);
    if (player->connect_us <= duet->now_us)
        connect(player);
    if (player->listen_us <= duet->now_us)
        listen_now(player);
    client_core_tick(&player->core);
    player->core.client.running = false;
    if (player->act_us <= duet->now_us)
        act(player);
    if (player->wants_login)
        login(player);
    send_all(player);
    if (!player->created && player->number == 0 && player->core.client.session.live) {
        player->created = true;
        create_thread(player);
    }
}

/* ---- the end ---- */

static bool streams_are_settled(const struct player *player) {
    const struct duet *duet = player->duet;
    const struct followed *followed = &player->core.followed;

    for (size_t i = 0; i < TOPICS_OF_ALL && player->events != ZCHAT_PUBLIC_NONE; i++)
        if (player->core.published.list[i].position < duet->heads[i])
            return false;
    return !player->threads || (followed->known && (followed->count == 0 ||
                                                    followed->list[0].position >= duet->posted));
}

bool player_is_settled(struct player *player, char *why, size_t why_bytes) {
    const struct client *client = &player->core.client;
    uint64_t head = broker_head(player->duet, player->account);
    const char *what = NULL;

    if (!player->link || !client->session.live)
        what = "has no session";
    else if (client_core_pending(&player->core) > 0 || client->requests.open > 0)
        what = "waits for answers";
    else if (player->inbox && player->have != head)
        what = "lacks entries of its inbox";
    else if (player->core.inbox.position > head)
        what = "has entries that are not there";
    else if (!streams_are_settled(player))
        what = "lacks events of a topic or thread";
    if (what)
        snprintf(why, why_bytes, "client %d %s", player->number, what);
    return !what;
}
