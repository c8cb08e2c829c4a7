#include "broker.h"

#include "door.h"
#include "memory.h"
#include "tap.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define WHY_BYTES 256

/* ---- start and end ---- */

static void open_core(struct world *world) {
    struct broker *broker = &world->broker;

    broker->store = disk_open(broker->disk);
    if (!broker->store)
        world_fail(world, "the store can't be opened after a crash");
    if (store_remark(broker->store))
        world_fail(world, "the store lacks something: %s", store_remark(broker->store));
    broker->core = core_new(broker->store, &broker->options, world->now_us);
    broker->restart_us = INT64_MAX;
    broker->busy_until_us = world->now_us;
    broker->started_us = world->now_us;
    for (size_t i = 0; i < sizeof broker->head / sizeof broker->head[0]; i++)
        broker->head[i] = (uint64_t)world->now_us - 1;
    memset(broker->thread_head, 0, sizeof broker->thread_head);
    model_begin_run(world);
}

static void add_accounts(struct world *world) {
    struct town_state *now = &world->town->now;

    store_begin(world->broker.store);
    for (int i = 0; i < ACCOUNTS_MAX; i++) {
        char name[NAME_TEXT], hash[PASSWORD_TEXT];
        bool first = true;
        int64_t account;

        if (!now->exists[i])
            continue;
        account_name(i, name);
        password_hash(now->password[i], hash, sizeof hash);
        for (int key = 0; key < KEYS_MAX; key++) {
            bool trusted;

            if (now->device[i][key] == 0)
                continue;
            now->device[i][key] = ++now->devices_given[i];
            if (first)
                store_account_add(world->broker.store, name, hash, false, world->keys[key], "sim",
                                  world->now_us, &account);
            else
                store_login_succeeded(world->broker.store, account, world->keys[key], "sim", false,
                                      true, world->now_us, &trusted);
            first = false;
        }
    }
    if (store_commit(world->broker.store))
        world_fail(world, "the accounts can't be added");
    world->town->committed = *now;
}

void broker_init(struct world *world) {
    open_core(world);
    add_accounts(world);
}

static void work_drop(struct core_work *work) {
    free(work->password);
    free(work->new_password);
    free(work);
}

static void drop_core(struct broker *broker) {
    struct job *job, *next;

    core_free(broker->core);
    broker->core = NULL;
    LL_FOREACH_SAFE(broker->jobs, job, next) {
        work_drop(job->work);
        free(job);
    }
    broker->jobs = NULL;
}

void broker_release(struct world *world) {
    struct broker *broker = &world->broker;

    drop_core(broker);
    if (broker->store)
        disk_close(broker->disk, broker->store);
    disk_free(broker->disk);
}

bool broker_is_up(const struct broker *broker) {
    return broker->core != NULL;
}

/* All connections break; who holds them notices when they notice. */
static void lose_links(struct world *world) {
    struct link *link;

    LL_FOREACH(world->links, link) {
        link->peer = NULL;
        link->is_new = false;
        link->close_us = INT64_MAX;
        queue_cut(&link->up, 0);
        queue_cut(&link->down, random_below(&world->random, 1 + queue_count(&link->down)));
        link->lost_us = world->now_us + random_between(&world->random, 0, 2000000);
    }
    world_lose_subscriptions(world);
}

/* The town as it must be now; `unknown`: the turn may or may not be on the disk. */
static void compare(struct world *world, bool unknown) {
    struct town *town = world->town;
    char why[WHY_BYTES], why_not[WHY_BYTES];

    if (town_is_in(town, &town->committed, world->broker.store, world->keys, world->now_us, why,
                   sizeof why)) {
        for (int i = 0; i < ACCOUNTS_MAX && unknown; i++)
            town->unsure |= (uint32_t)(town->now.seen[i] != town->committed.seen[i]) << i;
        town->now = town->committed;
        say(world, "what was committed is there", 0, 0, 0, 0);
    } else if (unknown && town_is_in(town, &town->now, world->broker.store, world->keys,
                                     world->now_us, why_not, sizeof why_not)) {
        town->committed = town->now;
        say(world, "the turn whose commit failed is there", 0, 0, 0, 0);
    } else {
        world_fail(world, "the store is not what was committed: %s%s%s", why,
                   unknown ? "; nor is it what the failed turn made of it: " : "",
                   unknown ? why_not : "");
    }
    for (int i = 0; i < ACCOUNTS_MAX; i++)
        world->model.guesses[i] = town->now.failures[i];
}

/* What logins leave behind may wait for so long until it is written, and a busy broker writes it
 * later. */
#define NOTES_WAIT_US (2 * 1000000LL)

static void forget_notes(struct world *world) {
    struct town *town = world->town;

    for (int i = 0; i < ACCOUNTS_MAX; i++)
        if (town->seen_us[i] > world->now_us - NOTES_WAIT_US)
            town->unsure |= UINT32_C(1) << i;
}

static void die(struct world *world, bool unknown) {
    struct broker *broker = &world->broker;

    forget_notes(world);
    drop_core(broker);
    disk_power_failure(broker->disk, broker->store, &world->random);
    broker->store = NULL;
    broker->restart_us = world->now_us + random_between(&world->random, 10000, 3000000);
    broker->is_unknown = unknown;
    lose_links(world);
    world->crashes++;
}

static void start(struct world *world) {
    say(world, "the broker starts", 0, 0, 0, 0);
    open_core(world);
    compare(world, world->broker.is_unknown);
    world->model.news_checked = world->model.news_count;
}

void broker_cut_power(struct world *world) {
    say(world, "the power fails", 0, 0, 0, 0);
    die(world, false);
}

void broker_reconfigure(struct world *world) {
    core_reconfigure(world->broker.core, &world->broker.options);
}

/* ---- what goes in ---- */

/* Each input has a moment of its own, so that an event's time tells what caused it. */
static int64_t moment(struct world *world) {
    return ++world->now_us;
}

static void take_parcel(struct world *world, struct link *link) {
    struct parcel *parcel = queue_take(&link->up);
    int64_t now_us = moment(world);

    if (link->is_new) {
        link->is_new = false;
        link->peer =
            core_peer_open(world->broker.core, world->keys[link->key], "10.0.0.1", link, now_us);
    }
    door_take(world, link, parcel);
    core_frame(world->broker.core, link->peer, parcel->bytes, parcel->length, now_us);
    link_forget_silent(link);
    parcel_free(parcel);
}

static void take_close(struct world *world, struct link *link) {
    int64_t now_us = moment(world);

    say(world, "the broker notices that link %lld is gone", (long long)link->number, 0, 0, 0);
    link->close_us = INT64_MAX;
    link->is_new = false;
    if (!link->peer)
        return;
    model_close(world, link);
    core_peer_close(world->broker.core, link->peer, now_us);
    link->peer = NULL;
}

/* What is due on a link: what it was sent before its end comes first. */
static int64_t link_due(const struct link *link) {
    int64_t due_us = INT64_MAX;

    if (link->peer || link->is_new)
        due_us = queue_due(&link->up);
    return due_us < link->close_us ? due_us : link->close_us;
}

static void take_link(struct world *world, struct link *link) {
    if (link->up.first && queue_due(&link->up) <= world->now_us && (link->peer || link->is_new))
        take_parcel(world, link);
    else
        take_close(world, link);
}

/* Any of the links that have something now; NULL: none. */
static struct link *link_pick(struct world *world) {
    struct link *link, *picked = NULL;
    uint64_t count = 0;

    LL_FOREACH(world->links, link) {
        if (link_due(link) <= world->now_us && random_below(&world->random, ++count) == 0)
            picked = link;
    }
    return picked;
}

static void take_job(struct world *world, struct job *job) {
    struct core_work *work = job->work;
    const char *tagged = work->new_password ? work->new_password : work->password;
    int64_t now_us = moment(world);
    uint64_t link_number, number;
    struct asked *asked;
    struct link *link;
    int password;

    LL_DELETE(world->broker.jobs, job);
    free(job);
    if (!password_read(tagged, &password, &link_number, &number))
        world_fail(world, "the core hands out a password that nobody sent");
    link = world_link(world, link_number);
    asked = link && link->peer ? link_find(link, number) : NULL;
    if (asked) {
        if (!asked->waits)
            world_fail(world, "link %llu: password work for request %llu, which does not wait",
                       (unsigned long long)link_number, (unsigned long long)number);
        model_resume(world, link, asked, work);
    }
    core_work_done(world->broker.core, work, now_us);
}

static void take_jobs(struct world *world) {
    struct job *job, *next;

    LL_FOREACH_SAFE(world->broker.jobs, job, next) {
        if (job->done_us <= world->now_us)
            take_job(world, job);
    }
}

static void tick(struct world *world) {
    int64_t now_us = moment(world);

    model_tick(world);
    core_tick(world->broker.core, now_us);
}

static void take_inputs(struct world *world) {
    size_t most = random_chance(&world->random, 100) ? 1 + random_below(&world->random, 4) : 256;
    struct link *link;
    bool tick_first = random_chance(&world->random, 200);

    if (tick_first)
        tick(world);
    take_jobs(world);
    for (size_t i = 0; i < most && (link = link_pick(world)); i++)
        take_link(world, link);
    if (!tick_first && world->now_us >= core_deadline(world->broker.core))
        tick(world);
}

/* ---- what goes out ---- */

static bool pipe_is_full(struct world *world, struct link *link) {
    if (link->is_left && ++link->unread > 3)
        return true;
    if (link->full_until_us > world->now_us)
        return true;
    if (!link->is_left && world_chance(world, world->plan.full)) {
        link->full_until_us = world->now_us + random_between(&world->random, 1, 3000000);
        return true;
    }
    return false;
}

/* The broker ends a connection; who holds it notices when they notice. */
static void cut(struct world *world, struct link *link) {
    say(world, "the broker cuts link %lld", (long long)link->number, 0, 0, 0);
    link->close_us = world->now_us;
    if (!link->is_left)
        link->lost_us = world->now_us + random_between(&world->random, 0, 100000);
}

static void send_frame(struct world *world, struct core_frame *frame) {
    struct link *link = core_peer_owner(frame->peer);
    bool spare;

    if (pipe_is_full(world, link)) {
        say(world, "link %lld is full", (long long)link->number, 0, 0, 0);
        if (!core_frame_refused(world->broker.core, frame, world->now_us))
            cut(world, link);
        return;
    }
    say(world, "%lld bytes to link %lld", (long long)frame->length, (long long)link->number, 0, 0);
    spare = tap_frame(world, link, frame->bytes, frame->length);
    if (link->is_left || (spare && world_loses(world))) {
        free(frame->bytes);
        return;
    }
    queue_put(&link->down, parcel_new(frame->bytes, frame->length), world_arrival(world, link));
}

static void publish(struct world *world, struct core_frame *frame) {
    bool holds_events;

    say(world, "%lld bytes published", (long long)frame->length, 0, 0, 0);
    holds_events = tap_publication(world, frame->bytes, frame->length);
    world_publish(world, frame->bytes, frame->length, holds_events);
    free(frame->bytes);
}

/* false: the power failed meanwhile. */
static bool send_frames(struct world *world) {
    struct core_frame frame;

    while (core_next_frame(world->broker.core, &frame)) {
        if (frame.peer)
            send_frame(world, &frame);
        else
            publish(world, &frame);
        if (world_chance(world, world->plan.cut_sending)) {
            broker_cut_power(world);
            return false;
        }
    }
    return true;
}

/* The hash function of the simulation. */
static void hash(struct core_work *work) {
    char should[PASSWORD_TEXT];
    uint64_t link, number;
    int password;

    if (work->verify && password_read(work->password, &password, &link, &number)) {
        password_hash(password, should, sizeof should);
        work->verified = !strcmp(work->hash, should);
    }
    if (work->new_password && (!work->verify || work->verified) &&
        password_read(work->new_password, &password, &link, &number))
        password_hash(password, work->new_hash, sizeof work->new_hash);
}

/* Whose wrong password this would be; -1: nobody's, or of somebody who has left. */
static int guessed_name(const struct world *world, const struct core_work *work) {
    uint64_t link_number, number;
    const struct asked *asked;
    const struct link *link;
    int password;

    if (!work->verify || !password_read(work->password, &password, &link_number, &number) ||
        !(link = world_link(world, link_number)) || !(asked = link_find(link, number)))
        return -1;
    return asked->kind == KIND(LOGIN) ? asked->user : asked->account;
}

/* No more guesses are under way than the name has left; of a locked one any number may be. */
static void check_guesses(struct world *world, int name) {
    const struct town_state *now = &world->town->now;
    uint32_t guesses = now->failures[name];
    const struct job *job;

    LL_FOREACH(world->broker.jobs, job) {
        guesses += job->name == name && !job->while_locked;
    }
    if (guesses > LOGIN_FAILURES_MAX)
        world_fail(world, "u%d: %u passwords are or were checked without a lock", name,
                   (unsigned)guesses);
}

static void give_work(struct world *world) {
    struct core_work *work;
    unsigned count = 0;
    struct job *job;

    while ((work = core_next_work(world->broker.core))) {
        job = memory_new(sizeof *job);
        hash(work);
        job->work = work;
        job->name = guessed_name(world, work);
        job->while_locked =
            job->name >= 0 && world->town->now.locked_until_us[job->name] > world->now_us;
        job->done_us = world->now_us + random_between(&world->random, 1000, 400000);
        LL_APPEND(world->broker.jobs, job);
        if (job->name >= 0 && !job->while_locked)
            check_guesses(world, job->name);
    }
    LL_COUNT(world->broker.jobs, job, count);
    if (count > world->broker.options.password_workers)
        world_fail(world, "%u passwords are under way", count);
}

/* ---- the turn ---- */

static int64_t earlier(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t input_due(const struct world *world) {
    int64_t due_us = core_deadline(world->broker.core);
    const struct link *link;
    const struct job *job;

    LL_FOREACH(world->links, link) {
        due_us = earlier(due_us, link_due(link));
    }
    LL_FOREACH(world->broker.jobs, job) {
        due_us = earlier(due_us, job->done_us);
    }
    return due_us;
}

int64_t broker_due(const struct world *world) {
    const struct broker *broker = &world->broker;
    int64_t due_us;

    if (!broker->core)
        return broker->restart_us;
    due_us = input_due(world);
    return due_us < broker->busy_until_us ? broker->busy_until_us : due_us;
}

/* false: the broker died. */
static bool finish(struct world *world) {
    if (world_chance(world, world->plan.cut_before_commit)) {
        say(world, "in the middle of a turn", 0, 0, 0, 0);
        broker_cut_power(world);
        return false;
    }
    if (!core_commit(world->broker.core)) {
        say(world, "the disk fails", 0, 0, 0, 0);
        if (!world->disk_broken)
            world_fail(world, "the core failed: %s", core_error(world->broker.core));
        world->disk_broken = false;
        die(world, true);
        return false;
    }
    world->town->committed = world->town->now;
    if (world_chance(world, world->plan.cut_after_commit)) {
        broker_cut_power(world);
        return false;
    }
    if (!send_frames(world))
        return false;
    give_work(world);
    tap_turn(world);
    return true;
}

static void turn(struct world *world) {
    if (world_chance(world, world->plan.disk_breaks) && !world->disk_broken) {
        world->disk_broken = true;
        disk_break(world->broker.disk, &world->random);
    }
    take_inputs(world);
    if (finish(world))
        world->broker.busy_until_us =
            world->now_us + (world_chance(world, 20) ? random_between(&world->random, 1, 200000)
                                                     : random_between(&world->random, 1, 3000));
}

void broker_run(struct world *world) {
    if (world->broker.core)
        turn(world);
    else
        start(world);
}

void broker_stop(struct world *world) {
    struct broker *broker = &world->broker;
    int64_t now_us = moment(world);

    say(world, "the broker shuts down", 0, 0, 0, 0);
    model_shutdown(world);
    core_shutdown(broker->core, "the broker is shutting down", now_us);
    if (!finish(world))
        return;
    drop_core(broker);
    disk_close(broker->disk, broker->store);
    broker->store = NULL;
    disk_mend(broker->disk);
    world->disk_broken = false;
    broker->is_unknown = false;
    broker->restart_us = world->now_us + random_between(&world->random, 1000000, 3000000);
    lose_links(world);
}
