/* See core.h: peers, frames, the turn's transaction and the deadlines. The handlers' files have
 * what commands do. */
#include "core.h"

#include "backup.h"
#include "broadcast.h"
#include "command.h"
#include "file.h"
#include "frames.h"
#include "gathered.h"
#include "inbox.h"
#include "memory.h"
#include "password_queue.h"
#include "presence.h"
#include "private.h"
#include "receipt.h"
#include "thread_topic.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* By how much a crash may falsify the end of the sessions that it ended. */
#define ALIVE_EVERY_US (30 * 1000000LL)
/* How much a crash may forget of who came and went, and of when devices were used. */
#define NOTES_EVERY_US (1 * 1000000LL)
/* A correction of the clock by less than this does not count as setting it. */
#define WALL_SET_US (2 * 1000000LL)
/* Far more numbers than a topic can give in ALIVE_EVERY_US. */
#define TOPIC_NUMBERS_NOTED (60 * 1000000ULL)

void core_reconfigure(struct core *core, const struct core_options *options) {
    core->options = *options;
    store_set_quotas(core->store, &options->quotas);
    limits_set(core->limits, LIMIT_KEY, options->rates.key);
    limits_set(core->limits, LIMIT_ADDRESS, options->rates.address);
    limits_set(core->limits, LIMIT_ACCOUNT, options->rates.account);
    limits_set(core->limits, LIMIT_PASSWORDS, options->rates.passwords);
    limits_set(core->limits, LIMIT_REGISTRATIONS, options->rates.registrations);
    /* Commands that reach people have budgets that suit people, unless the broker has no budgets at
     * all. */
    bool limited = options->rates.account > 0;
    limits_set(core->limits, LIMIT_INVITATIONS, limited ? INVITATIONS_A_S : 0);
    limits_set(core->limits, LIMIT_PAIR, limited ? INVITATION_PAIR_UNITS_A_S : 0);
    limits_set(core->limits, LIMIT_BROADCASTS, limited ? BROADCASTS_A_S : 0);
    limits_set(core->limits, LIMIT_ARRIVALS, limited ? ARRIVALS_A_S : 0);
    limits_set(core->limits, LIMIT_EVENTS, options->rates.key > 0 ? EVENTS_UNITS_A_S : 0);
}

struct core *core_new(struct store *store, const struct core_options *options, int64_t now_us) {
    struct core *core = memory_new(sizeof *core);

    core->store = store;
    core->started_us = core->now_us = now_us;
    core->alive_us = core->notes_us = INT64_MAX;
    core->frame_arena = wire_arena_new(DECODE_BYTES_MAX);
    core->reply_arena = wire_arena_new(DECODE_BYTES_MAX);
    core->limits = limits_new();
    core->claims = claims_new();
    core->outbox = outbox_new(&core->stats, &core->options, gathered_catch_up_line, core);
    core->passwords = passwords_new();
    core->privates = privates_new();
    core->receipts = receipts_new(&core->stats);
    core->recent = recent_new();
    core->frames = frames_new();
    core->gathered = gathered_new();
    core->thread_topics = thread_topics_new();
    sessions_init(&core->sessions, core->limits);
    topics_init(&core->topics, now_us);
    turn_init(&core->turn, &core->options, core->outbox);
    core_reconfigure(core, options);
    if (!core->frame_arena || !core->reply_arena) {
        core_free(core);
        return NULL;
    }
    return core;
}

static void peer_forget(struct core *core, struct peer *peer, int64_t now_us) {
    if (peer->session) {
        receipts_session_ends(core->receipts, peer->session);
        backup_session_ends(core, peer->session);
        session_close(&core->sessions, peer->session, now_us);
    }
    passwords_forget(core, peer);
    frames_forget(core, peer);
    outbox_line_release(core->outbox, &peer->line);
    limit_release(core->limits, peer->key_budget, now_us);
    limit_release(core->limits, peer->address_budget, now_us);
    limit_release(core->limits, peer->password_budget, now_us);
    limit_release(core->limits, peer->registration_budget, now_us);
    HASH_DEL(core->peers, peer);
    free(peer);
}

void core_free(struct core *core) {
    struct peer *peer, *next;

    if (!core)
        return;
    HASH_ITER(hh, core->peers, peer, next) {
        peer_forget(core, peer, core->started_us);
    }
    gathered_free(core->gathered);
    thread_topics_free(core->thread_topics, core->outbox);
    frames_free(core->frames);
    topics_release(&core->topics);
    privates_free(core->privates);
    receipts_free(core->receipts);
    recent_free(core->recent);
    passwords_free(core->passwords);
    outbox_free(core->outbox);
    limits_free(core->limits);
    claims_free(core->claims);
    wire_arena_free(core->reply_arena);
    wire_arena_free(core->frame_arena);
    free(core);
}

/* A topic's numbers begin at the time of the start or, if the clock was set back since the last
 * start, beyond the numbers given then. */
static void begin_topics(struct core *core, int64_t wall_us) {
    uint64_t noted = 0;

    core_store(core, store_topics_state(core->store, &noted));
    topics_init(&core->topics, noted > (uint64_t)wall_us ? (int64_t)noted : wall_us);
}

/* Notes a number beyond those that can be given until the next note. */
static void note_topics(struct core *core) {
    uint64_t head = 0;

    for (size_t i = 0; i < TOPICS; i++)
        head = core->topics.topic[i].head > head ? core->topics.topic[i].head : head;
    core_store(core, store_topics_note(core->store, head + TOPIC_NUMBERS_NOTED));
}

void core_set_wall(struct core *core, int64_t ahead_us) {
    int64_t by_us = core->wall_known ? ahead_us - core->wall_ahead_us : 0;

    if (!core->wall_known)
        begin_topics(core, core->now_us + ahead_us);
    core->wall_was_set =
        core->wall_was_set || !core->wall_known || by_us > WALL_SET_US || by_us < -WALL_SET_US;
    core->wall_set_by_us += by_us;
    core->wall_known = true;
    core->wall_ahead_us = ahead_us;
}

/* If the disk is full now, the stored times stay as they are: whoever reads them clamps them. */
static void tick_wall(struct core *core, int64_t now_us) {
    if (!core->wall_was_set || !core_begin(core))
        return;
    core_store(core,
               store_clock_set(core->store, core_wall_us(core, now_us), core->wall_set_by_us));
    core->wall_was_set = false;
    core->wall_set_by_us = 0;
}

struct stats *core_stats(struct core *core) {
    return &core->stats;
}

const char *core_error(const struct core *core) {
    return store_error(core->store);
}

bool core_key_is_live(const struct core *core, const unsigned char key[KEY_BYTES]) {
    return session_key_is_live(&core->sessions, key);
}

bool core_key_may_listen(struct core *core, const unsigned char key[KEY_BYTES], int64_t now_us) {
    uint32_t wait_s;

    return limit_spend(core->limits, LIMIT_EVENTS, key, KEY_BYTES, EVENTS_CONNECTION_COST, now_us,
                       &wait_s);
}

void core_key_subscribed(struct core *core, const unsigned char key[KEY_BYTES], uint32_t count,
                         int64_t now_us) {
    limit_owe(core->limits, LIMIT_EVENTS, key, KEY_BYTES, count, now_us);
}

struct peer *core_peer_open(struct core *core, const unsigned char key[KEY_BYTES],
                            const char *address, void *owner, int64_t now_us) {
    struct peer *peer = memory_new(sizeof *peer);

    peer->number = ++core->peer_number;
    peer->owner = owner;
    snprintf(peer->address, sizeof peer->address, "%s", address);
    address_group(address, peer->group);
    memcpy(peer->key, key, KEY_BYTES);
    outbox_line_init(&peer->line, peer, owner);
    peer->key_budget = limit_use(core->limits, LIMIT_KEY, key, KEY_BYTES, now_us);
    peer->address_budget =
        limit_use(core->limits, LIMIT_ADDRESS, peer->group, strlen(peer->group), now_us);
    peer->password_budget =
        limit_use(core->limits, LIMIT_PASSWORDS, peer->group, strlen(peer->group), now_us);
    peer->registration_budget =
        limit_use(core->limits, LIMIT_REGISTRATIONS, peer->group, strlen(peer->group), now_us);
    HASH_ADD(hh, core->peers, number, sizeof peer->number, peer);
    core->stats.connections++;
    return peer;
}

void *core_peer_owner(const struct peer *peer) {
    return peer->owner;
}

bool core_peer_has_session(const struct peer *peer) {
    return peer->session != NULL;
}

int64_t core_peer_account(const struct peer *peer) {
    return peer->session ? peer->session->member->account : 0;
}

bool core_peer_lost_replies(const struct peer *peer) {
    return peer->line.lost_replies;
}

size_t core_peer_queued(const struct peer *peer) {
    return outbox_line_queued(&peer->line);
}

size_t core_queued(const struct core *core) {
    return outbox_queued(core->outbox);
}

void core_peer_close(struct core *core, struct peer *peer, int64_t now_us) {
    peer->closing = true;
    turn_begin_work(&core->turn);
    if (peer->session)
        presence_end_session(core, peer->session, 0, NULL, now_us);
    peer_forget(core, peer, now_us);
    turn_has_room(&core->turn);
    core->stats.connections--;
}

bool core_is_in_turn(const struct core *core) {
    return core->in_turn;
}

/* A slice of the store's own work shares the turn's commit; work that can't be in a transaction
 * comes after it. */
static void commit_turn(struct core *core) {
    bool more;

    if (!core_store(core, store_maintain(core->store, &more)) &&
        !core_store(core, store_commit_begin(core->store, &core->committing)))
        core_store(core, store_maintain(core->store, &more));
}

static void await_notes(struct core *core) {
    if (!store_notes_wait(core->store))
        core->notes_us = INT64_MAX;
    else if (core->notes_us == INT64_MAX)
        core->notes_us = core->now_us + NOTES_EVERY_US;
}

bool core_commit(struct core *core) {
    assert(!core->committing);
    if (core->in_turn && !core->failed)
        commit_turn(core);
    await_notes(core);
    core->in_turn = false;
    core->stats.turns_total++;
    thread_topics_end_turn(core);
    outbox_seal(core->outbox);
    turn_end(&core->turn);
    return !core->failed;
}

bool core_is_committing(const struct core *core) {
    return core->committing;
}

bool core_commit_end(struct core *core) {
    core->committing = false;
    core_store(core, store_commit_end(core->store));
    return !core->failed;
}

void core_frame(struct core *core, struct peer *peer, const void *frame, size_t frame_bytes,
                int64_t now_us) {
    core->now_us = now_us;
    if (!core_begin(core))
        return;
    core->stats.frames_in_total++;
    frames_take(core, peer, frame, frame_bytes);
}

void core_frame_dropped(struct core *core, struct peer *peer, size_t frame_bytes, int64_t now_us) {
    command_charge_frame(core, peer, frame_bytes, now_us);
}

bool core_is_full(const struct core *core) {
    return frames_are_full(core);
}

bool core_has_waiting(const struct core *core) {
    return frames_wait(core);
}

bool core_next_frame(struct core *core, struct core_frame *out) {
    assert(!core->committing);
    return outbox_next(core->outbox, out);
}

bool core_frame_refused(struct core *core, struct core_frame *frame, int64_t now_us) {
    struct outbox_line *line = &frame->peer->line;

    outbox_refused(core->outbox, line, frame, now_us);
    return !line->lost_replies;
}

struct core_work *core_next_work(struct core *core) {
    return passwords_next(core, core->now_us);
}

void core_work_done(struct core *core, struct core_work *work, int64_t now_us) {
    core->now_us = now_us;
    if (core_begin(core))
        passwords_done(core, work, now_us);
}

void core_backup_made(struct core *core, const struct core_backup *made, int64_t now_us) {
    backup_made(core, made, now_us);
}

static int64_t idle_deadline(const struct core *core) {
    const struct session *first = core->sessions.idle;

    if (core->options.idle_timeout_us == 0 || !first)
        return INT64_MAX;
    return first->command_us + core->options.idle_timeout_us;
}

/* How often a full disk is looked at. */
#define FULL_EVERY_US 1000000LL

static int64_t full_deadline(const struct core *core) {
    return store_is_full(core->store) != core->full ? 0 : core->full ? core->full_us : INT64_MAX;
}

/* A turn that has begun already removes some of it, too. */
static int64_t rubbish_deadline(const struct core *core) {
    return store_has_rubbish(core->store) && !core->in_turn ? 0 : INT64_MAX;
}

static int64_t alive_deadline(const struct core *core) {
    if (core->sessions.users_online == 0)
        return INT64_MAX;
    return core->alive_us == INT64_MAX ? 0 : core->alive_us;
}

int64_t core_deadline(const struct core *core) {
    int64_t deadlines[] = {
        idle_deadline(core),
        alive_deadline(core),
        core->notes_us,
        full_deadline(core),
        rubbish_deadline(core),
        session_lag_deadline(&core->sessions),
        topics_deadline(&core->topics),
        thread_topics_deadline(core),
        gathered_deadline(core),
        outbox_deadline(core->outbox),
        frames_deadline(core),
        file_deadline(core),
        private_deadline(core),
        passwords_deadline(core),
        core->wall_was_set ? 0 : INT64_MAX,
    };
    int64_t first = INT64_MAX;

    for (size_t i = 0; i < sizeof deadlines / sizeof deadlines[0]; i++)
        first = deadlines[i] < first ? deadlines[i] : first;
    return first;
}

static void tick_idle(struct core *core, int64_t now_us) {
    while (now_us >= idle_deadline(core) && turn_has_room(&core->turn) && core_begin(core)) {
        char text[96];

        if (backup_is_awaited(core, core->sessions.idle)) {
            session_active(&core->sessions, core->sessions.idle, now_us);
            continue;
        }
        snprintf(text, sizeof text, "logged out after %lld s without a command",
                 (long long)(core->options.idle_timeout_us / 1000000));
        core->stats.sessions_idle_ended_total++;
        presence_end_session(core, core->sessions.idle, ZCHAT__V1__END_REASON__END_REASON_IDLE,
                             text, now_us);
    }
}

static void tick_alive(struct core *core, int64_t now_us) {
    if (core->sessions.users_online == 0)
        return;
    if (core->alive_us != INT64_MAX && now_us < core->alive_us)
        return;
    core->alive_us = now_us + ALIVE_EVERY_US;
    if (core_begin(core))
        core_store(core, store_alive(core->store, core_wall_us(core, now_us)));
    if (core->wall_known && !core->failed && core->in_turn)
        note_topics(core);
}

static void tick_notes(struct core *core, int64_t now_us) {
    if (now_us < core->notes_us)
        return;
    core->notes_us = now_us + NOTES_EVERY_US; /* and then again, if the disk is full */
    if (core_begin(core))
        core_store(core, store_notes_write(core->store));
}

static void tick_full(struct core *core, int64_t now_us) {
    if (now_us < full_deadline(core))
        return;
    if (core->full)
        core_store(core, store_look_for_room(core->store));
    core->full_us = now_us + FULL_EVERY_US;
    if (store_is_full(core->store) == core->full)
        return;
    core->full = !core->full;
    if (core->full)
        core_warn(core, "disk_full", "%s", "result=\"nothing is stored until there is room\"");
    else
        core_warn(core, "disk_has_room", "%s", "result=\"all is stored again\"");
}

/* Each turn's commit removes a slice. */
static void tick_rubbish(struct core *core) {
    if (store_has_rubbish(core->store))
        core_begin(core);
}

static void tick_drained(void *arg, struct peer *peer) {
    struct core *core = arg;

    if (peer->session)
        inbox_tell_heads(core, peer->session, true, core->now_us);
}

void core_tick(struct core *core, int64_t now_us) {
    struct session *session;

    core->now_us = now_us;
    tick_wall(core, now_us);
    turn_begin_work(&core->turn);
    tick_idle(core, now_us);
    tick_alive(core, now_us);
    tick_notes(core, now_us);
    tick_full(core, now_us);
    tick_rubbish(core);
    gathered_tick(core, now_us);
    topics_tick(&core->topics, core->outbox, now_us);
    thread_topics_tick(core, now_us);
    file_tick(core, now_us);
    private_tick(core, now_us);
    passwords_tick(core, now_us);
    outbox_tick(core->outbox, now_us, tick_drained, core);
    while (turn_has_room(&core->turn) && (session = session_lag_due(&core->sessions, now_us)) &&
           core_begin(core))
        inbox_tell_heads(core, session, false, now_us);
    frames_go_on(core);
}

bool core_has_work(const struct core *core) {
    return passwords_waiting(core->passwords) > 0;
}

bool core_wants_shutdown(const struct core *core, bool *wipe) {
    *wipe = core->wipe_wanted;
    return core->shutdown_wanted;
}

void core_shutdown(struct core *core, const char *text, int64_t now_us) {
    struct peer *peer, *next;

    if (!core_begin(core))
        return;
    core->now_us = now_us;
    gathered_end(core);
    thread_topics_tell(core);
    HASH_ITER(hh, core->peers, peer, next) {
        if (peer->session)
            presence_end_session(core, peer->session, ZCHAT__V1__END_REASON__END_REASON_SHUTDOWN,
                                 text, now_us);
    }
    gathered_publish(core);
    core_store(core, store_notes_write(core->store));
}
