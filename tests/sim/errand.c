/* See person.h: what is asked of the client core, and what comes of it. */
#include "person.h"
#include "session.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

static void answered(void *arg, const zchat_reply *reply);

struct errand *errand_new(struct person *person, int kind) {
    struct errand *errand = calloc(1, sizeof *errand);

    if (!errand)
        abort();
    errand->person = person;
    errand->kind = kind;
    errand->account = person_account(person);
    LL_APPEND(person->errands, errand);
    return errand;
}

void errands_drop(struct person *person) {
    struct errand *errand, *next;

    LL_FOREACH_SAFE(person->errands, errand, next) {
        free(errand);
    }
    person->errands = NULL;
}

unsigned errands_under_way(const struct person *person, int kind) {
    const struct errand *errand;
    unsigned count = 0;

    LL_FOREACH(person->errands, errand) {
        count += errand->is_under_way && (kind == 0 || errand->kind == kind);
    }
    return count;
}

/* ---- asking ---- */

static struct request *ask(struct errand *errand, ProtobufCMessage *body) {
    struct request *request =
        client_ask(&errand->person->core.client, REQUEST_CALL, (command_number)errand->kind, body);

    if (!request)
        abort();
    request->fn = answered;
    request->arg = errand;
    errand->is_under_way = true;
    return request;
}

static void ask_message(struct errand *errand) {
    Zchat__V1__SendMessageRequest body = ZCHAT__V1__SEND_MESSAGE_REQUEST__INIT;
    struct message *message = &errand->person->world->town->messages[errand->item];
    char to[NAME_TEXT], text[TEXT_BYTES_MAX + 1];

    account_name(errand->user, to);
    message_text(errand->item, errand->other_text ? 1 : message->text_bytes, text);
    body.id.data = message->id;
    body.id.len = ID_BYTES;
    body.to = to;
    body.text = text;
    body.require_online = errand->require_online;
    if (message->about)
        *(message->about == STORE_CORRECTS ? &body.corrects : &body.retracts) =
            (ProtobufCBinaryData){
                .len = ID_BYTES,
                .data = errand->person->world->town->messages[message->original].id,
            };
    memcpy(ask(errand, &body.base)->id, message->id, ID_BYTES);
    say(errand->person->world, "person %lld sends m%lld to u%lld as u%lld", errand->person->number,
        errand->item, errand->user, errand->account);
}

static void ask_broadcast(struct errand *errand) {
    Zchat__V1__BroadcastRequest body = ZCHAT__V1__BROADCAST_REQUEST__INIT;
    struct broadcast *broadcast = &errand->person->world->town->broadcasts[errand->item];
    char text[TEXT_BYTES_MAX + 1];

    message_text(errand->item, 1, text);
    body.id.data = broadcast->id;
    body.id.len = ID_BYTES;
    body.text = text;
    memcpy(ask(errand, &body.base)->id, broadcast->id, ID_BYTES);
    say(errand->person->world, "person %lld broadcasts m%lld", errand->person->number, errand->item,
        0, 0);
}

static void ask_block(struct errand *errand) {
    Zchat__V1__BlockUserRequest block = ZCHAT__V1__BLOCK_USER_REQUEST__INIT;
    Zchat__V1__UnblockUserRequest unblock = ZCHAT__V1__UNBLOCK_USER_REQUEST__INIT;
    char user[NAME_TEXT];
    bool blocks = errand->kind == KIND(BLOCK_USER);
    struct request *request;

    account_name(errand->user, user);
    block.user = unblock.user = user;
    request = ask(errand, blocks ? &block.base : &unblock.base);
    if (!(request->about = strdup(user)))
        abort();
    say(errand->person->world, "person %lld (u%lld) blocks (1) or unblocks (0): %lld u%lld",
        errand->person->number, errand->account, blocks, errand->user);
}

static void ask_password(struct errand *errand) {
    Zchat__V1__RegisterAccountRequest new = ZCHAT__V1__REGISTER_ACCOUNT_REQUEST__INIT;
    Zchat__V1__ChangePasswordRequest change = ZCHAT__V1__CHANGE_PASSWORD_REQUEST__INIT;
    char user[NAME_TEXT], password[PASSWORD_TEXT], new_password[PASSWORD_TEXT];

    account_name(errand->user, user);
    password_text(errand->password, password);
    password_text(errand->new_password, new_password);
    new.protocol = PROTOCOL_VERSION;
    new.user = user;
    new.password = change.new_password = new_password;
    new.no_trust = errand->no_trust;
    change.old_password = password;
    ask(errand, errand->kind == KIND(REGISTER_ACCOUNT) ? &new.base : &change.base);
}

static void ask_stream(struct errand *errand) {
    Zchat__V1__SyncRequest sync = ZCHAT__V1__SYNC_REQUEST__INIT;
    Zchat__V1__AckRequest ack = ZCHAT__V1__ACK_REQUEST__INIT;

    sync.stream = (char *)stream_names[errand->stream];
    sync.after_seq = errand->after_seq;
    sync.limit = errand->limit;
    ack.read = errand->read;
    ask(errand, errand->kind == KIND(SYNC) ? &sync.base : &ack.base);
}

static void ask_thread(struct errand *errand) {
    Zchat__V1__CreateThreadRequest create = ZCHAT__V1__CREATE_THREAD_REQUEST__INIT;
    Zchat__V1__FollowThreadRequest follow = ZCHAT__V1__FOLLOW_THREAD_REQUEST__INIT;
    Zchat__V1__RemoveThreadRequest remove = ZCHAT__V1__REMOVE_THREAD_REQUEST__INIT;
    const char *title = forum_titles[errand->thread];

    create.id.data = errand->id;
    create.id.len = ID_BYTES;
    create.title = follow.thread = remove.thread = (char *)title;
    if (errand->kind == KIND(FOLLOW_THREAD))
        ask(errand, &follow.base);
    else if (errand->kind == KIND(REMOVE_THREAD))
        ask(errand, &remove.base);
    else
        memcpy(ask(errand, &create.base)->id, errand->id, ID_BYTES);
}

static void ask_post(struct errand *errand) {
    Zchat__V1__PostToThreadRequest body = ZCHAT__V1__POST_TO_THREAD_REQUEST__INIT;
    struct post *post = &errand->person->world->town->forum.posts[errand->item];
    char text[TEXT_BYTES_MAX + 1];

    message_text(errand->item, 1, text);
    body.id.data = post->id;
    body.id.len = ID_BYTES;
    body.thread = (char *)forum_titles[errand->thread];
    body.text = text;
    memcpy(ask(errand, &body.base)->id, post->id, ID_BYTES);
    say(errand->person->world, "person %lld posts m%lld to thread %lld", errand->person->number,
        errand->item, errand->thread, 0);
}

static void ask_small(struct errand *errand) {
    Zchat__V1__WhoRequest who = ZCHAT__V1__WHO_REQUEST__INIT;
    Zchat__V1__SinceRequest since = ZCHAT__V1__SINCE_REQUEST__INIT;
    Zchat__V1__RevokeDeviceRequest revoke = ZCHAT__V1__REVOKE_DEVICE_REQUEST__INIT;
    Zchat__V1__ListBlockedRequest blocked = ZCHAT__V1__LIST_BLOCKED_REQUEST__INIT;
    Zchat__V1__ListDevicesRequest devices = ZCHAT__V1__LIST_DEVICES_REQUEST__INIT;
    Zchat__V1__PingRequest ping = ZCHAT__V1__PING_REQUEST__INIT;
    Zchat__V1__GetStatsRequest stats = ZCHAT__V1__GET_STATS_REQUEST__INIT;
    int kind = errand->kind;

    since.seconds = INT64_MAX;
    revoke.device = errand->device;
    ask(errand, kind == KIND(WHO)             ? &who.base
                : kind == KIND(SINCE)         ? &since.base
                : kind == KIND(REVOKE_DEVICE) ? &revoke.base
                : kind == KIND(LIST_BLOCKED)  ? &blocked.base
                : kind == KIND(LIST_DEVICES)  ? &devices.base
                : kind == KIND(PING)          ? &ping.base
                                              : &stats.base);
}

void errand_ask(struct errand *errand) {
    switch (errand->kind) {
    case KIND(SEND_MESSAGE):
        ask_message(errand);
        break;
    case KIND(BROADCAST):
        ask_broadcast(errand);
        break;
    case KIND(BLOCK_USER):
    case KIND(UNBLOCK_USER):
        ask_block(errand);
        break;
    case KIND(REGISTER_ACCOUNT):
    case KIND(CHANGE_PASSWORD):
        ask_password(errand);
        break;
    case KIND(SYNC):
    case KIND(ACK):
        ask_stream(errand);
        break;
    case KIND(CREATE_THREAD):
    case KIND(FOLLOW_THREAD):
    case KIND(REMOVE_THREAD):
        ask_thread(errand);
        break;
    case KIND(POST_TO_THREAD):
        ask_post(errand);
        break;
    default:
        ask_small(errand);
        break;
    }
}

/* ---- the session ---- */

void errand_login(struct person *person) {
    struct world *world = person->world;
    const struct box *box = person_box(person, person_account(person));
    char name[NAME_TEXT], password[PASSWORD_TEXT];
    zchat_login_options options = {.online = person->online,
                                   .inbox = person->inbox,
                                   .from_seq_set = box->begun && !world_chance(world, 100),
                                   .from_seq = box->have + 1,
                                   .threads = person->events != ZCHAT_PUBLIC_NONE,
                                   .public_events = person->events};
    struct errand *errand;
    struct fault fault;

    if (person->core.client.session.intended)
        return;
    account_name(person_account(person), name);
    if (person->by_password) {
        password_text(world->town->now.password[person_account(person)], password);
        options.password = password;
        options.no_trust = random_chance(&world->random, 100);
    }
    errand = errand_new(person, KIND(LOGIN));
    errand->is_under_way = true;
    errand->from_set = options.from_seq_set;
    if (session_login(&person->core, &options, name, answered, errand, &fault) != ZCHAT_OK)
        world_fail(world, "person %d can't ask for a login: %s", person->number, fault.text);
    say(world, "person %lld logs in as u%lld, by password (1): %lld", person->number,
        errand->account, person->by_password, 0);
}

void errand_logout(struct person *person) {
    struct errand *errand = errand_new(person, KIND(LOGOUT));
    struct fault fault;

    errand->is_under_way = true;
    if (session_logout(&person->core, answered, errand, &fault) != ZCHAT_OK)
        world_fail(person->world, "person %d can't ask for a logout: %s", person->number,
                   fault.text);
    say(person->world, "person %lld logs out", person->number, 0, 0, 0);
}

static bool is_letter(const struct errand *errand) {
    return errand->kind == KIND(SEND_MESSAGE) || errand->kind == KIND(BROADCAST) ||
           errand->kind == KIND(POST_TO_THREAD);
}

static void letters_again(struct person *person) {
    struct errand *errand;

    LL_FOREACH(person->errands, errand) {
        if (is_letter(errand) && !errand->is_under_way && errand->account == person_account(person))
            errand_ask(errand);
    }
}

/* The inbox begins elsewhere: a page that was asked for before does not go on from there. */
static void begin_at(struct person *person, struct box *box, uint64_t cursor) {
    struct errand *errand;

    box->have = cursor;
    LL_FOREACH(person->errands, errand) {
        errand->goes_on = false;
    }
}

static void logged_in(struct errand *errand, const zchat_reply *reply) {
    struct person *person = errand->person;
    struct box *box = person_box(person, errand->account);

    if (!errand->from_set)
        begin_at(person, box, reply->cursor);
    box->begun = true;
    if (box->have > reply->head)
        world_fail(person->world, "person %d has %llu of an inbox whose head is %llu",
                   person->number, (unsigned long long)box->have, (unsigned long long)reply->head);
    if (account_of_name(reply->user) != errand->account)
        world_fail(person->world, "person %d is logged in as %s", person->number, reply->user);
    person->by_password = false;
    person->backoff_us = 0;
    person->session_as = errand->account;
    person->session++;
    person->run = person->link->run;
    person->missed = reply->head;
    person->blocked = 0;
    memset(person->told, 0, sizeof person->told);
    memset(person->followed, 0, sizeof person->followed);
    say(person->world, "person %lld is logged in as u%lld, head %lld, has %lld", person->number,
        errand->account, reply->head, box->have);
    if (errand->account == person_account(person) && errands_under_way(person, KIND(LOGOUT)) == 0)
        letters_again(person);
}

static void login_refused(struct person *person, zchat_code code) {
    struct world *world = person->world;

    if (code == ZCHAT_AUTH)
        person->by_password = world->town->now.password[person_account(person)] != 0;
    person->login_us = world->now_us + random_between(&world->random, 1000, 2000000);
}

static void logged_out(struct person *person) {
    if (errands_under_way(person, KIND(LOGIN)) == 0)
        person->login_us =
            person->world->now_us + random_between(&person->world->random, 0, 200000);
}

/* ---- answers ---- */

/* What is promised is on the disk. */
static void message_sent(const struct errand *errand, const zchat_reply *reply) {
    const struct town *town = errand->person->world->town;
    const struct message *message = &town->messages[errand->item];

    if (!town_is_stored(town, &town->committed, errand->item) ||
        reply->seq != message->author_seq || reply->time_us != message->time_us ||
        memcmp(reply->id.bytes, message->id, ID_BYTES) != 0)
        world_fail(errand->person->world,
                   "person %d is told that m%u is entry %llu, but it is %llu",
                   errand->person->number, (unsigned)errand->item, (unsigned long long)reply->seq,
                   (unsigned long long)message->author_seq);
}

static void posted(const struct errand *errand, const zchat_reply *reply) {
    const struct town *town = errand->person->world->town;
    const struct forum_state *state = &town->committed.forum;
    uint64_t seq = forum_seq(&town->forum, state, errand->item);

    if (errand->thread == DUST) /* which may have gone on its way here */
        return;
    if (seq == 0 || reply->seq != seq ||
        reply->time_us != forum_time(&town->forum, state, errand->thread, seq))
        world_fail(errand->person->world, "person %d is told that post m%u is event %llu",
                   errand->person->number, (unsigned)errand->item, (unsigned long long)reply->seq);
}

void errand_read_on(struct person *person) {
    struct errand *errand;

    LL_SEARCH_SCALAR(person->errands, errand, goes_on, true);
    if (errand)
        return;
    errand = errand_new(person, KIND(SYNC));
    errand->goes_on = true;
    errand->stream = STREAM_INBOX;
    errand->after_seq = person_box(person, errand->account)->have;
    if (random_chance(&person->world->random, 300))
        errand->limit = 1 + (uint32_t)random_below(&person->world->random, 20);
    errand_ask(errand);
}

static void page_read(struct errand *errand, const zchat_reply *page) {
    struct person *person = errand->person;

    errand->goes_on = false;
    for (size_t i = 0; i < page->count; i++)
        seen_entry(person, errand->account, &page->messages[i]);
    if (person_box(person, errand->account)->have < page->head &&
        errand->account == person_account(person) && person->core.client.session.live &&
        person->core.client.session.intended)
        errand_read_on(person);
}

static void done(struct errand *errand, const zchat_reply *reply) {
    struct person *person = errand->person;

    switch (errand->kind) {
    case KIND(LOGIN):
        logged_in(errand, reply);
        break;
    case KIND(SEND_MESSAGE):
        message_sent(errand, reply);
        break;
    case KIND(POST_TO_THREAD):
        posted(errand, reply);
        break;
    case KIND(BLOCK_USER):
        person->blocked |= UINT32_C(1) << errand->user;
        break;
    case KIND(UNBLOCK_USER):
        person->blocked &= ~(UINT32_C(1) << errand->user);
        break;
    case KIND(LIST_DEVICES):
        act_revoke(person, reply);
        break;
    case KIND(SYNC):
        if (errand->goes_on)
            page_read(errand, reply);
        break;
    default:
        break;
    }
}

/* Whether it must be asked again: the session was over before it was carried out, or the core gave
 * up. */
static bool stays(const struct errand *errand, zchat_code code) {
    return is_letter(errand) &&
           (code == ZCHAT_AUTH || errand->person->core.client.over != ZCHAT_OK);
}

static void check_code(const struct errand *errand, const zchat_reply *reply) {
    bool repeats = errand->kind != KIND(REGISTER_ACCOUNT) &&
                   errand->kind != KIND(CHANGE_PASSWORD) && errand->kind != KIND(FOLLOW_THREAD) &&
                   errand->kind != KIND(REMOVE_THREAD);

    if (reply->code == ZCHAT_UNIMPLEMENTED || reply->code == ZCHAT_NO_MEMORY ||
        (reply->code == ZCHAT_UNREACHABLE && repeats))
        world_fail(errand->person->world, "person %d is answered %d to command %d: %s",
                   errand->person->number, (int)reply->code, errand->kind, reply->text);
}

static void answered(void *arg, const zchat_reply *reply) {
    struct errand *errand = arg;
    struct person *person = errand->person;

    errand->is_under_way = false;
    check_code(errand, reply);
    person->world->answers++;
    if (reply->code == ZCHAT_OK)
        done(errand, reply);
    else if (errand->kind == KIND(LOGIN))
        login_refused(person, reply->code);
    if (errand->kind == KIND(LOGOUT))
        logged_out(person);
    if (stays(errand, reply->code))
        return;
    LL_DELETE(person->errands, errand);
    free(errand);
}
