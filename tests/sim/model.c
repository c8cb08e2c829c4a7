#include "model.h"

#include "core.h"
#include "person.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define OK           ((int)ZCHAT__V1__CODE__CODE_UNSPECIFIED)
#define SCRIPTS_MOST SCRIPT_SESSIONS_MAX

void model_release(struct model *model) {
    free(model->news);
}

static void seat_clear(struct link *link) {
    memset(&link->seat, 0, sizeof link->seat);
}

void model_begin_run(struct world *world) {
    struct link *link;

    world->model.run++;
    LL_FOREACH(world->links, link) {
        seat_clear(link);
    }
}

/* ---- who is there ---- */

static unsigned seats_of(const struct world *world, int account, bool online) {
    const struct link *link;
    unsigned count = 0;

    LL_FOREACH(world->links, link) {
        count += link->seat.open && link->seat.account == account && link->seat.online == online;
    }
    return count;
}

bool model_is_online(const struct world *world, int account) {
    return seats_of(world, account, true) > 0;
}

static struct news *news_add(struct world *world, int stream, int account) {
    struct model *model = &world->model;
    struct news *news;

    if (model->news_count == model->news_max) {
        model->news_max = model->news_max ? 2 * model->news_max : 256;
        model->news = realloc(model->news, model->news_max * sizeof *model->news);
        if (!model->news)
            abort();
    }
    news = &model->news[model->news_count++];
    memset(news, 0, sizeof *news);
    news->stream = stream;
    news->account = account;
    news->time_us = world->now_us;
    news->is_public = !town_blocks_any(&world->town->now, account);
    return news;
}

struct news *model_news(struct world *world, const struct news *like) {
    for (size_t i = world->model.news_count; i-- > 0;) {
        struct news *news = &world->model.news[i];

        if (news->stream == like->stream && news->account == like->account &&
            news->time_us == like->time_us && news->online == like->online &&
            news->item == like->item)
            return news;
    }
    return NULL;
}

bool model_was_told(const struct world *world, uint32_t item, const struct person *person) {
    for (size_t i = world->model.news_count; i-- > 0;) {
        const struct news *news = &world->model.news[i];

        if (news->stream == STREAM_BROADCAST && news->item == item)
            return (news->told >> person->number & 1) != 0;
    }
    return false;
}

static void announce(struct world *world, int account, bool online) {
    news_add(world, STREAM_PRESENCE, account)->online = online;
}

/* `told`: the session itself gets the word that it ended. */
static void seat_end(struct world *world, struct link *link, bool told) {
    struct seat seat = link->seat;

    seat_clear(link);
    link->ends += told && seat.open;
    if (seat.open && seat.online && !model_is_online(world, seat.account))
        announce(world, seat.account, false);
}

void model_close(struct world *world, struct link *link) {
    seat_end(world, link, false);
}

static struct link *longest_idle(struct world *world) {
    struct link *link, *first = NULL;

    LL_FOREACH(world->links, link) {
        if (link->seat.open && (!first || link->seat.active_us < first->seat.active_us))
            first = link;
    }
    return first;
}

void model_tick(struct world *world) {
    int64_t timeout_us = world->broker.options.idle_timeout_us;
    struct link *link;

    while (timeout_us != 0 && (link = longest_idle(world)) &&
           link->seat.active_us + timeout_us <= world->now_us)
        seat_end(world, link, true);
}

void model_shutdown(struct world *world) {
    struct link *link;

    LL_FOREACH(world->links, link) {
        seat_end(world, link, true);
    }
}

/* ---- passwords ---- */

static bool locked(const struct world *world, int name) {
    return world->town->now.locked_until_us[name] > world->now_us;
}

/* What the right or wrong password of a name comes to, and the rule itself once more. */
static int password_code(struct world *world, int name, bool fits) {
    struct town_state *now = &world->town->now;

    if (locked(world, name))
        return CODE(AUTH);
    if (fits)
        return OK;
    if (++world->model.guesses[name] > LOGIN_FAILURES_MAX)
        world_fail(world, "u%d: %u wrong passwords without a lock", name,
                   world->model.guesses[name]);
    if (++now->failures[name] >= LOGIN_FAILURES_MAX) {
        now->failures[name] = 0;
        now->locked_until_us[name] = world->now_us + world->broker.options.block_duration_us;
        world->model.guesses[name] = 0;
        say(world, "name u%lld is locked", name, 0, 0, 0);
    } else {
        now->locked_until_us[name] = 0;
    }
    return CODE(AUTH);
}

/* Whether the work was done with the hash that the account has by now. */
static bool is_up_to_date(const struct world *world, int account, const struct core_work *work) {
    char hash[PASSWORD_TEXT];

    password_hash(world->town->now.password[account], hash, sizeof hash);
    return !strcmp(work->hash, hash);
}

static void trust(struct town_state *now, int account, int key) {
    if (now->device[account][key] == 0)
        now->device[account][key] = ++now->devices_given[account];
}

/* ---- login ---- */

static struct link *login_replaces(struct world *world, const struct link *link,
                                   const struct asked *asked) {
    struct link *other;

    LL_FOREACH(world->links, other) {
        const struct seat *seat = &other->seat;

        if (asked->instance != 0 && seat->open && seat->account == asked->user &&
            other->key == link->key && seat->instance == asked->instance)
            return other;
    }
    return NULL;
}

/* Where a crash left it open it is as though this were the first time. */
static void model_seen(struct world *world, int account) {
    struct town *town = world->town;
    uint32_t bit = UINT32_C(1) << account;

    if (!town->now.seen[account] || (town->unsure & bit))
        town->seen_us[account] = world->now_us;
    town->now.seen[account] = true;
    town->unsure &= ~bit;
}

static void login_open(struct world *world, struct link *link, struct asked *asked,
                       struct link *replaced) {
    struct town_state *now = &world->town->now;
    bool was_online = model_is_online(world, asked->user);

    if (replaced) {
        seat_clear(replaced);
        replaced->ends++;
    }
    link->seat = (struct seat){
        .open = true,
        .account = asked->user,
        .online = asked->online,
        .inbox = asked->inbox,
        .public_events = asked->public_events,
        .instance = asked->instance,
        .number = ++world->model.seats,
        .active_us = world->now_us,
    };
    link->accounts |= UINT32_C(1) << asked->user;
    asked->value[0] = now->head[asked->user];
    asked->value[1] = now->cursor[asked->user];
    if (was_online != model_is_online(world, asked->user))
        announce(world, asked->user, asked->online);
    if (asked->online)
        model_seen(world, asked->user);
}

static int login(struct world *world, struct link *link, struct asked *asked,
                 const struct core_work *work) {
    struct town_state *now = &world->town->now;
    unsigned most = asked->online ? world->broker.options.sessions_per_user : SCRIPTS_MOST;
    unsigned open = seats_of(world, asked->user, asked->online);
    struct link *replaced = login_replaces(world, link, asked);
    int code;

    if (link->seat.open)
        return CODE(CONFLICT);
    if (work &&
        (code = password_code(world, asked->user,
                              work->verified && is_up_to_date(world, asked->user, work))) != OK)
        return code;
    if (!work && (!now->exists[asked->user] || now->device[asked->user][link->key] == 0))
        return CODE(AUTH);
    if (open - (replaced && replaced->seat.online == asked->online ? 1 : 0) >= most)
        return asked->online ? CODE(CONFLICT) : CODE(BUSY);
    if (work) {
        now->failures[asked->user] = 0;
        now->locked_until_us[asked->user] = 0;
        world->model.guesses[asked->user] = 0;
        if (!asked->no_trust)
            trust(now, asked->user, link->key);
    }
    login_open(world, link, asked, replaced);
    return OK;
}

static int login_begin(struct world *world, struct link *link, struct asked *asked) {
    if (link->seat.open)
        return CODE(CONFLICT);
    if (asked->password == 0)
        return login(world, link, asked, NULL);
    asked->value[0] = locked(world, asked->user);
    if (asked->value[0])
        return CODE(AUTH);
    asked->waits = true;
    return OK;
}

static int change_password_begin(struct world *world, struct link *link, struct asked *asked) {
    asked->value[0] = locked(world, link->seat.account);
    if (asked->value[0])
        return CODE(AUTH);
    asked->waits = true;
    return OK;
}

static int register_begin(struct world *world, struct asked *asked) {
    if (!world->broker.options.registration_open)
        return CODE(FORBIDDEN);
    asked->waits = true;
    return OK;
}

static int register_end(struct world *world, struct link *link, struct asked *asked) {
    struct town_state *now = &world->town->now;

    if (now->exists[asked->user])
        return CODE(CONFLICT);
    now->exists[asked->user] = true;
    now->password[asked->user] = asked->new_password;
    if (!asked->no_trust)
        trust(now, asked->user, link->key);
    return OK;
}

/* All sessions of the link's account but its own. */
static void end_others(struct world *world, struct link *link) {
    struct link *other;

    LL_FOREACH(world->links, other) {
        if (other != link && other->seat.open && other->seat.account == link->seat.account)
            seat_end(world, other, true);
    }
}

/* The session must be the one that asked, not just one on the same connection. */
static int change_password_end(struct world *world, struct link *link, struct asked *asked,
                               const struct core_work *work) {
    int *password;
    int code = OK;

    if (!link->seat.open || link->seat.number != asked->session) {
        asked->other_session = true;
        return CODE(AUTH);
    }
    if (work->verify)
        code = password_code(world, link->seat.account, work->verified);
    password = &world->town->now.password[link->seat.account];
    if (code == OK && !is_up_to_date(world, link->seat.account, work))
        code = CODE(CONFLICT); /* another session was faster */
    if (code == OK) {
        *password = asked->new_password;
        end_others(world, link);
    }
    return code;
}

void model_resume(struct world *world, struct link *link, struct asked *asked,
                  const struct core_work *work) {
    asked->waits = false;
    asked->carried_out = true;
    asked->time_us = world->now_us;
    if (asked->kind == KIND(LOGIN))
        asked->code = login(world, link, asked, work);
    else if (asked->kind == KIND(REGISTER_ACCOUNT))
        asked->code = register_end(world, link, asked);
    else
        asked->code = change_password_end(world, link, asked, work);
    if (asked->code == CODE(AUTH))
        asked->value[0] = locked(world, asked->kind == KIND(LOGIN) ? asked->user : asked->account);
}

/* ---- devices ---- */

static int revoke(struct world *world, struct link *link, struct asked *asked) {
    struct town_state *now = &world->town->now;
    int account = link->seat.account, key = 0;
    struct link *other;

    while (key < KEYS_MAX && now->device[account][key] != asked->device)
        key++;
    if (asked->device == 0)
        return CODE(INVALID);
    if (key == KEYS_MAX)
        return CODE(NOT_FOUND);
    now->device[account][key] = 0;
    LL_FOREACH(world->links, other) {
        if (other->seat.open && other->seat.account == account && other->key == key) {
            seat_end(world, other, true);
            asked->value[0]++;
        }
    }
    return OK;
}

/* ---- between people ---- */

/* Whether what it is about may be changed by it. */
static int about_code(const struct town *town, const struct message *message, int author, int to) {
    const struct message *original = &town->messages[message->original];

    if (!message->about)
        return OK;
    if (!town_is_stored(town, &town->now, message->original) ||
        (original->author != author && original->to != author))
        return CODE(NOT_FOUND);
    if (original->author != author || original->to != to)
        return CODE(FORBIDDEN);
    if (original->about)
        return CODE(INVALID);
    return town_is_gone(town, &town->now, message->original) ? CODE(CONFLICT) : OK;
}

static int message_code(struct world *world, const struct link *link, struct asked *asked) {
    struct town *town = world->town;
    struct message *message = &town->messages[asked->item];
    int author = link->seat.account, to = asked->user;
    uint64_t unread, of_author, most = world->plan.unread_max;

    if (!town->now.exists[to])
        return CODE(NOT_FOUND);
    if (to == author)
        return CODE(INVALID);
    if (town_is_stored(town, &town->now, asked->item)) {
        asked->again = true;
        return message->author != author || message->to != to || asked->other_text ? CODE(CONFLICT)
                                                                                   : OK;
    }
    if (town_hidden(&town->now, author, to))
        return CODE(FORBIDDEN);
    if (about_code(town, message, author, to) != OK)
        return about_code(town, message, author, to);
    if (asked->require_online && !model_is_online(world, to))
        return CODE(FORBIDDEN);
    town_unread(town, to, author, &unread, &of_author);
    if (most != 0 && (unread >= most || of_author >= world->plan.unread_per_sender_max))
        return CODE(BUSY);
    return OK;
}

static int send_message(struct world *world, const struct link *link, struct asked *asked) {
    int code = message_code(world, link, asked);

    if (code != OK)
        world->town->messages[asked->item].in_disorder = true;
    else if (!asked->again)
        town_store(world->town, asked->item, world->now_us);
    return code;
}

static int broadcast(struct world *world, const struct link *link, struct asked *asked) {
    struct broadcast *sent = &world->town->broadcasts[asked->item];
    int author = link->seat.account;

    if (sent->run != world->model.run) {
        sent->run = world->model.run;
        sent->reached = sent->skipped = 0;
        for (int i = 0; i < ACCOUNTS_MAX; i++) {
            if (i == author || !model_is_online(world, i))
                continue;
            if (town_hidden(&world->town->now, author, i))
                sent->skipped++;
            else
                sent->reached++;
        }
        news_add(world, STREAM_BROADCAST, author)->item = asked->item;
    }
    asked->value[0] = sent->reached;
    asked->value[1] = sent->skipped;
    return OK;
}

static void who(const struct world *world, const struct link *link, struct asked *asked) {
    const struct town_state *now = &world->town->now;

    asked->open = asked->kind == KIND(SINCE) ? world->town->unsure : 0;
    for (int i = 0; i < ACCOUNTS_MAX; i++) {
        bool there = asked->kind == KIND(WHO) ? model_is_online(world, i) : now->seen[i];

        if (there && i != link->seat.account && !town_blocks(now, i, link->seat.account))
            asked->accounts |= UINT32_C(1) << i;
    }
}

static int block(struct world *world, const struct link *link, const struct asked *asked) {
    struct town_state *now = &world->town->now;
    int account = link->seat.account, other = asked->user;
    bool blocks = asked->kind == KIND(BLOCK_USER);

    if (account == other)
        return CODE(INVALID);
    if (!now->exists[other])
        return CODE(NOT_FOUND);
    if (town_blocks(now, account, other) == blocks)
        return CODE(CONFLICT);
    if (blocks) {
        now->block_from_us[account][other] = world->now_us;
        now->block_until_us[account][other] = INT64_MAX;
    } else {
        now->block_until_us[account][other] = world->now_us;
    }
    return OK;
}

static void list_blocked(const struct world *world, const struct link *link, struct asked *asked) {
    for (int i = 0; i < ACCOUNTS_MAX; i++)
        if (town_blocks(&world->town->now, link->seat.account, i))
            asked->accounts |= UINT32_C(1) << i;
}

/* ---- streams ---- */

static void ack(struct world *world, const struct link *link, struct asked *asked) {
    uint64_t *cursor = &world->town->now.cursor[link->seat.account];
    uint64_t head = world->town->now.head[link->seat.account];
    uint64_t read = asked->read < head ? asked->read : head;

    if (read > *cursor)
        *cursor = read;
    asked->value[0] = *cursor;
}

static void heads(const struct world *world, const struct link *link, struct asked *asked) {
    if (!link->seat.open)
        return;
    asked->value[0] = world->town->now.head[link->seat.account];
    asked->value[1] = world->town->now.cursor[link->seat.account];
}

static int forum(struct world *world, struct asked *asked) {
    return forum_carry_out(&world->town->forum, &world->town->now.forum, asked, world->now_us);
}

/* ---- the table ---- */

static bool anybody_may(int kind) {
    return kind == KIND(LOGIN) || kind == KIND(REGISTER_ACCOUNT) || kind == KIND(PING) ||
           kind == KIND(KEEP_ALIVE);
}

static bool is_activity(int kind) {
    return kind != KIND(SYNC) && kind != KIND(ACK) && kind != KIND(KEEP_ALIVE) &&
           kind != KIND(LIST_FOLLOWED);
}

static int carry_out(struct world *world, struct link *link, struct asked *asked) {
    switch (asked->kind) {
    case KIND(LOGIN):
        return login_begin(world, link, asked);
    case KIND(LOGOUT):
        seat_end(world, link, false);
        return OK;
    case KIND(REGISTER_ACCOUNT):
        return register_begin(world, asked);
    case KIND(CHANGE_PASSWORD):
        return change_password_begin(world, link, asked);
    case KIND(REVOKE_DEVICE):
        return revoke(world, link, asked);
    case KIND(SEND_MESSAGE):
        return send_message(world, link, asked);
    case KIND(BROADCAST):
        return broadcast(world, link, asked);
    case KIND(WHO):
    case KIND(SINCE):
        who(world, link, asked);
        return OK;
    case KIND(BLOCK_USER):
    case KIND(UNBLOCK_USER):
        return block(world, link, asked);
    case KIND(LIST_BLOCKED):
        list_blocked(world, link, asked);
        return OK;
    case KIND(ACK):
        ack(world, link, asked);
        return OK;
    case KIND(CREATE_THREAD):
    case KIND(FOLLOW_THREAD):
    case KIND(POST_TO_THREAD):
    case KIND(REMOVE_THREAD):
    case KIND(LIST_FOLLOWED):
        return forum(world, asked);
    case KIND(SYNC):
        if (asked->stream >= STREAMS)
            return forum(world, asked);
        heads(world, link, asked);
        return OK;
    default:
        heads(world, link, asked);
        return OK;
    }
}

void model_request(struct world *world, struct link *link, struct asked *asked) {
    asked->time_us = world->now_us;
    asked->account = link->seat.open ? link->seat.account : -1;
    asked->session = link->seat.number;
    if (link->seat.open && is_activity(asked->kind))
        link->seat.active_us = world->now_us;
    if (!link->seat.open && !anybody_may(asked->kind))
        asked->code = CODE(AUTH);
    else
        asked->code = carry_out(world, link, asked);
    asked->carried_out = !asked->waits;
}
