#include "model.h"

#include "core.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define OK           ((int)ZCHAT__V1__CODE__CODE_UNSPECIFIED)
#define CODE(name)   ((int)ZCHAT__V1__CODE__CODE_##name)
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
                                   const struct request *request) {
    struct link *other;

    LL_FOREACH(world->links, other) {
        const struct seat *seat = &other->seat;

        if (request->instance != 0 && seat->open && seat->account == request->user &&
            other->key == link->key && seat->instance == request->instance)
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

static void login_open(struct world *world, struct link *link, struct request *request,
                       struct link *replaced) {
    struct town_state *now = &world->town->now;
    bool was_online = model_is_online(world, request->user);

    if (replaced) {
        seat_clear(replaced);
        replaced->ends++;
    }
    link->seat = (struct seat){
        .open = true,
        .account = request->user,
        .online = request->online,
        .inbox = request->inbox,
        .public_events = request->public_events,
        .instance = request->instance,
        .number = ++world->model.seats,
        .active_us = world->now_us,
    };
    link->accounts |= UINT32_C(1) << request->user;
    request->value[0] = now->head[request->user];
    request->value[1] = now->cursor[request->user];
    if (was_online != model_is_online(world, request->user))
        announce(world, request->user, request->online);
    if (request->online)
        model_seen(world, request->user);
}

static int login(struct world *world, struct link *link, struct request *request,
                 const struct core_work *work) {
    struct town_state *now = &world->town->now;
    unsigned most = request->online ? world->broker.options.sessions_per_user : SCRIPTS_MOST;
    unsigned open = seats_of(world, request->user, request->online);
    struct link *replaced = login_replaces(world, link, request);
    int code;

    if (link->seat.open)
        return CODE(CONFLICT);
    if (work &&
        (code = password_code(world, request->user,
                              work->verified && is_up_to_date(world, request->user, work))) != OK)
        return code;
    if (!work && (!now->exists[request->user] || now->device[request->user][link->key] == 0))
        return CODE(AUTH);
    if (open - (replaced && replaced->seat.online == request->online ? 1 : 0) >= most)
        return request->online ? CODE(CONFLICT) : CODE(BUSY);
    if (work) {
        now->failures[request->user] = 0;
        now->locked_until_us[request->user] = 0;
        world->model.guesses[request->user] = 0;
        if (!request->no_trust)
            trust(now, request->user, link->key);
    }
    login_open(world, link, request, replaced);
    return OK;
}

static int login_begin(struct world *world, struct link *link, struct request *request) {
    if (link->seat.open)
        return CODE(CONFLICT);
    if (request->password == 0)
        return login(world, link, request, NULL);
    request->value[0] = locked(world, request->user);
    if (request->value[0])
        return CODE(AUTH);
    request->waits = true;
    return OK;
}

static int change_password_begin(struct world *world, struct link *link, struct request *request) {
    request->value[0] = locked(world, link->seat.account);
    if (request->value[0])
        return CODE(AUTH);
    request->waits = true;
    return OK;
}

static int register_begin(struct world *world, struct request *request) {
    if (!world->broker.options.registration_open)
        return CODE(FORBIDDEN);
    request->waits = true;
    return OK;
}

static int register_end(struct world *world, struct link *link, struct request *request) {
    struct town_state *now = &world->town->now;

    if (now->exists[request->user])
        return CODE(CONFLICT);
    now->exists[request->user] = true;
    now->password[request->user] = request->new_password;
    if (!request->no_trust)
        trust(now, request->user, link->key);
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
static int change_password_end(struct world *world, struct link *link, struct request *request,
                               const struct core_work *work) {
    int *password;
    int code = OK;

    if (!link->seat.open || link->seat.number != request->session) {
        request->other_session = true;
        return CODE(AUTH);
    }
    if (work->verify)
        code = password_code(world, link->seat.account, work->verified);
    password = &world->town->now.password[link->seat.account];
    if (code == OK && !is_up_to_date(world, link->seat.account, work))
        code = CODE(CONFLICT); /* another session was faster */
    if (code == OK) {
        *password = request->new_password;
        end_others(world, link);
    }
    return code;
}

void model_resume(struct world *world, struct link *link, struct request *request,
                  const struct core_work *work) {
    request->waits = false;
    request->carried_out = true;
    request->time_us = world->now_us;
    if (request->kind == KIND(LOGIN))
        request->code = login(world, link, request, work);
    else if (request->kind == KIND(REGISTER_ACCOUNT))
        request->code = register_end(world, link, request);
    else
        request->code = change_password_end(world, link, request, work);
    if (request->code == CODE(AUTH))
        request->value[0] =
            locked(world, request->kind == KIND(LOGIN) ? request->user : request->account);
}

/* ---- devices ---- */

static int revoke(struct world *world, struct link *link, struct request *request) {
    struct town_state *now = &world->town->now;
    int account = link->seat.account, key = 0;
    struct link *other;

    while (key < KEYS_MAX && now->device[account][key] != request->device)
        key++;
    if (request->device == 0)
        return CODE(INVALID);
    if (key == KEYS_MAX)
        return CODE(NOT_FOUND);
    now->device[account][key] = 0;
    LL_FOREACH(world->links, other) {
        if (other->seat.open && other->seat.account == account && other->key == key) {
            seat_end(world, other, true);
            request->value[0]++;
        }
    }
    return OK;
}

/* ---- between people ---- */

static int message_code(struct world *world, const struct link *link, struct request *request) {
    struct town *town = world->town;
    struct message *message = &town->messages[request->item];
    int author = link->seat.account, to = request->user;
    uint64_t unread, of_author, most = world->plan.unread_max;

    if (!town->now.exists[to])
        return CODE(NOT_FOUND);
    if (to == author)
        return CODE(INVALID);
    if (town_is_stored(town, &town->now, request->item)) {
        request->again = true;
        return message->author != author || message->to != to || request->other_text
                   ? CODE(CONFLICT)
                   : OK;
    }
    if (town_hidden(&town->now, author, to))
        return CODE(FORBIDDEN);
    if (request->require_online && !model_is_online(world, to))
        return CODE(FORBIDDEN);
    town_unread(town, to, author, &unread, &of_author);
    if (most != 0 && (unread >= most || of_author >= world->plan.unread_per_sender_max))
        return CODE(BUSY);
    return OK;
}

static int send_message(struct world *world, const struct link *link, struct request *request) {
    int code = message_code(world, link, request);

    if (code != OK)
        world->town->messages[request->item].in_disorder = true;
    else if (!request->again)
        town_store(world->town, request->item, world->now_us);
    return code;
}

static int broadcast(struct world *world, const struct link *link, struct request *request) {
    struct broadcast *sent = &world->town->broadcasts[request->item];
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
        news_add(world, STREAM_BROADCAST, author)->item = request->item;
    }
    request->value[0] = sent->reached;
    request->value[1] = sent->skipped;
    return OK;
}

static void who(const struct world *world, const struct link *link, struct request *request) {
    const struct town_state *now = &world->town->now;

    for (int i = 0; i < ACCOUNTS_MAX; i++) {
        bool there = request->kind == KIND(WHO) ? model_is_online(world, i) : now->seen[i];

        if (there && i != link->seat.account && !town_blocks(now, i, link->seat.account))
            request->accounts |= UINT32_C(1) << i;
    }
}

static int block(struct world *world, const struct link *link, const struct request *request) {
    struct town_state *now = &world->town->now;
    int account = link->seat.account, other = request->user;
    bool blocks = request->kind == KIND(BLOCK_USER);

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

static void list_blocked(const struct world *world, const struct link *link,
                         struct request *request) {
    for (int i = 0; i < ACCOUNTS_MAX; i++)
        if (town_blocks(&world->town->now, link->seat.account, i))
            request->accounts |= UINT32_C(1) << i;
}

/* ---- streams ---- */

static void ack(struct world *world, const struct link *link, struct request *request) {
    uint64_t *cursor = &world->town->now.cursor[link->seat.account];
    uint64_t head = world->town->now.head[link->seat.account];
    uint64_t read = request->read < head ? request->read : head;

    if (read > *cursor)
        *cursor = read;
    request->value[0] = *cursor;
}

static void heads(const struct world *world, const struct link *link, struct request *request) {
    if (!link->seat.open)
        return;
    request->value[0] = world->town->now.head[link->seat.account];
    request->value[1] = world->town->now.cursor[link->seat.account];
}

/* ---- the table ---- */

static bool anybody_may(int kind) {
    return kind == KIND(LOGIN) || kind == KIND(REGISTER_ACCOUNT) || kind == KIND(PING) ||
           kind == KIND(KEEP_ALIVE);
}

static bool is_activity(int kind) {
    return kind != KIND(SYNC) && kind != KIND(ACK) && kind != KIND(KEEP_ALIVE);
}

static int carry_out(struct world *world, struct link *link, struct request *request) {
    switch (request->kind) {
    case KIND(LOGIN):
        return login_begin(world, link, request);
    case KIND(LOGOUT):
        seat_end(world, link, false);
        return OK;
    case KIND(REGISTER_ACCOUNT):
        return register_begin(world, request);
    case KIND(CHANGE_PASSWORD):
        return change_password_begin(world, link, request);
    case KIND(REVOKE_DEVICE):
        return revoke(world, link, request);
    case KIND(SEND_MESSAGE):
        return send_message(world, link, request);
    case KIND(BROADCAST):
        return broadcast(world, link, request);
    case KIND(WHO):
    case KIND(SINCE):
        who(world, link, request);
        return OK;
    case KIND(BLOCK_USER):
    case KIND(UNBLOCK_USER):
        return block(world, link, request);
    case KIND(LIST_BLOCKED):
        list_blocked(world, link, request);
        return OK;
    case KIND(ACK):
        ack(world, link, request);
        return OK;
    default:
        heads(world, link, request);
        return OK;
    }
}

void model_request(struct world *world, struct link *link, struct request *request) {
    request->time_us = world->now_us;
    request->account = link->seat.open ? link->seat.account : -1;
    request->session = link->seat.number;
    if (link->seat.open && is_activity(request->kind))
        link->seat.active_us = world->now_us;
    if (!link->seat.open && !anybody_may(request->kind))
        request->code = CODE(AUTH);
    else
        request->code = carry_out(world, link, request);
    request->carried_out = !request->waits;
}
