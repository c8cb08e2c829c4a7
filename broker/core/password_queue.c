/* Commands that wait for a password to be checked or hashed, which takes long and is done
 * elsewhere. The queue is fair: next comes the address that had the least work lately, and at that
 * address the key and name that had the least. So whoever floods the queue stands behind everybody
 * else, including others at the same address. Places are bounded for each key, for each address and
 * in all; if they are taken, whoever had the most gives way. An address' budget for guesses is
 * spent when the work begins; what is beyond the budget waits. A name never has more attempts under
 * way than it has left before it is locked, so parallel guesses don't get around the lock. A
 * command waits as its packed bytes; these and the passwords are wiped when it is answered. */
#include "password_queue.h"

#include "claim.h"
#include "command.h"
#include "limit.h"
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* An address from which somebody logged in lately, and the name that they used there, may have so
 * many times more work before they stand behind others; and for how long that counts. */
#define GOOD_WEIGHT 4
#define GOOD_US     (24 * 60 * 60 * 1000000LL)

struct attempt {
    struct attempt *prev;
    struct attempt *next;
    uint64_t peer;         /* number of the peer that asked */
    uint64_t session;      /* number of the session that asked; 0: anonymous */
    uint64_t request;      /* the command's number */
    char name[NAME_BYTES]; /* failures count for it; "": for nobody */
    uint8_t *frame;        /* owned, wiped: the command, alone in a batch */
    size_t frame_bytes;
    struct core_work *work; /* owned, until it is handed out */
    uint64_t number;
    struct claim *address; /* borrowed: the claims', held */
    struct claim *key;     /* likewise */
    bool under_way;
};

struct passwords {
    struct attempt *attempts; /* owned, in order */
    size_t count;
    uint32_t under_way;
    uint64_t number;  /* the last one given */
    bool stuck;       /* none that waits may start until something changes */
    int64_t again_us; /* when some address' budget has room again; INT64_MAX: none waits for that */
};

struct passwords *passwords_new(void) {
    struct passwords *passwords = memory_new(sizeof *passwords);

    passwords->again_us = INT64_MAX;
    return passwords;
}

static void work_free(struct core_work *work) {
    if (!work)
        return;
    memory_wipe_text(work->password);
    memory_wipe_text(work->new_password);
    free(work);
}

static void attempt_free(struct passwords *passwords, struct attempt *attempt) {
    DL_DELETE(passwords->attempts, attempt);
    passwords->count--;
    if (attempt->under_way)
        passwords->under_way--;
    claim_release(attempt->address);
    claim_release(attempt->key);
    memory_wipe(attempt->frame, attempt->frame_bytes);
    free(attempt->frame);
    work_free(attempt->work);
    free(attempt);
}

void passwords_free(struct passwords *passwords) {
    struct attempt *attempt, *next;

    if (!passwords)
        return;
    DL_FOREACH_SAFE(passwords->attempts, attempt, next) {
        attempt_free(passwords, attempt);
    }
    free(passwords);
}

size_t passwords_waiting(const struct passwords *passwords) {
    return passwords->count;
}

static struct core_work *work_new(const char *hash, const char *password,
                                  const char *new_password) {
    struct core_work *work = memory_new(sizeof *work);

    if (hash) {
        work->verify = true;
        strncpy(work->hash, hash, sizeof work->hash - 1);
    }
    work->password = memory_copy_text(password ? password : "");
    if (new_password)
        work->new_password = memory_copy_text(new_password);
    return work;
}

/* ---- who goes first ---- */

/* An address and a name for which somebody there asks, together. */
struct pair {
    char text[ADDRESS_GROUP_BYTES + NAME_BYTES + 2];
    size_t bytes;
};

static struct pair pair_of(const struct peer *peer, const char *name) {
    struct pair pair;
    int bytes = snprintf(pair.text, sizeof pair.text, "%s %s", peer->group, name);

    pair.bytes = (size_t)bytes < sizeof pair.text ? (size_t)bytes : sizeof pair.text - 1;
    return pair;
}

static bool is_good(struct claims *claims, enum claim_kind kind, const char *name, size_t bytes,
                    int64_t now_us) {
    const struct claim *claim = claim_find(claims, kind, name, bytes);

    return claim && now_us - claim_seen_us(claim) < GOOD_US;
}

/* Attempts go in the order of their ranks, the least first. `address`: how much the attempt's
 * address had lately and has waiting. `own`, which decides between equals: how much its key had and
 * has waiting, and how much its address had for the name. */
struct rank {
    uint32_t address;
    uint32_t own;
};

static uint32_t had_and_has(const struct claim *claim, uint32_t more, int64_t now_us) {
    return claim_used(claim, now_us) + CLAIM_UNIT * ((claim ? claim_held(claim) : 0) + more);
}

/* `more` of the peer's attempts are counted as waiting besides those that do wait. */
static struct rank rank_of(struct core *core, const struct peer *peer, const char *name,
                           uint32_t more, int64_t now_us) {
    struct claims *claims = core->claims;
    const char *group = peer->group;
    struct pair pair = pair_of(peer, name);
    struct rank rank = {
        .address =
            had_and_has(claim_find(claims, CLAIM_ADDRESS, group, strlen(group)), more, now_us),
        .own = had_and_has(claim_find(claims, CLAIM_KEY, peer->key, KEY_BYTES), more, now_us) +
               claim_used(claim_find(claims, CLAIM_PAIR, pair.text, pair.bytes), now_us),
    };

    if (is_good(claims, CLAIM_GOOD_ADDRESS, group, strlen(group), now_us))
        rank.address /= GOOD_WEIGHT;
    if (is_good(claims, CLAIM_GOOD_PAIR, pair.text, pair.bytes, now_us))
        rank.own /= GOOD_WEIGHT;
    return rank;
}

static bool goes_before(struct rank a, struct rank b) {
    return a.address != b.address ? a.address < b.address : a.own < b.own;
}

static struct peer *peer_of(const struct core *core, const struct attempt *attempt) {
    struct peer *peer = NULL;

    HASH_FIND(hh, core->peers, &attempt->peer, sizeof attempt->peer, peer);
    return peer;
}

void passwords_good(struct call *call, const char *name) {
    struct claims *claims = call->core->claims;
    struct pair pair = pair_of(call->peer, name);

    claim_get(claims, CLAIM_GOOD_ADDRESS, call->peer->group, strlen(call->peer->group),
              call->now_us);
    claim_get(claims, CLAIM_GOOD_PAIR, pair.text, pair.bytes, call->now_us);
}

/* ---- places ---- */

#define BUSY_TEXT    "too many passwords are being checked: try again in 1 s"
#define BUSY_RETRY_S 1

static void count_refusal(struct core *core, const struct peer *peer) {
    core->stats.passwords_refused_total++;
    core->stats.commands_busy_total++;
    core_warn_rarely(core, "passwords_busy", peer->group, "address=%s waiting=%zu", peer->address,
                     core->passwords->count);
}

static void give_up(struct core *core, struct attempt *attempt) {
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__CommandError error = ZCHAT__V1__COMMAND_ERROR__INIT;
    struct peer *peer = peer_of(core, attempt);

    count_refusal(core, peer);
    core->stats.commands_refused_total++;
    error_fill(&error, REASON(RATE), BUSY_TEXT, BUSY_RETRY_S);
    reply.request = attempt->request;
    reply.error = &error;
    if (attempt->request != 0)
        outbox_reply(core->outbox, &peer->line, &reply);
    attempt_free(core->passwords, attempt);
}

/* The waiting attempt with the least claim; NULL: none waits. */
static struct attempt *last_of(struct core *core, const struct claim *address, int64_t now_us) {
    struct attempt *attempt, *last = NULL;
    struct rank last_rank = {0};

    DL_FOREACH(core->passwords->attempts, attempt) {
        struct rank rank;

        if (attempt->under_way || (address && attempt->address != address))
            continue;
        rank = rank_of(core, peer_of(core, attempt), attempt->name, 0, now_us);
        if (!last || !goes_before(rank, last_rank)) {
            last = attempt;
            last_rank = rank;
        }
    }
    return last;
}

/* Takes the place of the waiting attempt with the least claim, if the newcomer has a better one.
 * The newcomer is ranked as if it waited already, so between equals the one that came first
 * stays. */
static bool take_place(struct call *call, const char *name, const struct claim *address) {
    struct core *core = call->core;
    struct attempt *last = last_of(core, address, call->now_us);
    struct rank rank = rank_of(core, call->peer, name, 1, call->now_us), last_rank;

    if (!last)
        return false;
    last_rank = rank_of(core, peer_of(core, last), last->name, 0, call->now_us);
    if (!strcmp(peer_of(core, last)->group, call->peer->group))
        rank.address = last_rank.address;
    if (!goes_before(rank, last_rank))
        return false;
    give_up(core, last);
    return true;
}

static bool has_place(struct call *call, const char *name, const struct claim *address,
                      const struct claim *key) {
    if (claim_held(key) >= PASSWORDS_PER_KEY_MAX)
        return false;
    if (claim_held(address) >= PASSWORDS_PER_ADDRESS_MAX)
        return take_place(call, name, address);
    return call->core->passwords->count < PASSWORD_QUEUE_MAX || take_place(call, name, NULL);
}

bool passwords_hashed(struct call *call) {
    if (call->work->failed)
        call_fail_later(call, REASON(NO_MEMORY), 1,
                        "the broker had no memory to hash the password: try again");
    return !call->work->failed;
}

void passwords_queue(struct call *call, const char *name, const char *hash, const char *password,
                     const char *new_password) {
    struct passwords *passwords = call->core->passwords;
    struct claims *claims = call->core->claims;
    const char *group = call->peer->group;
    struct claim *address = claim_get(claims, CLAIM_ADDRESS, group, strlen(group), call->now_us);
    struct claim *key = claim_get(claims, CLAIM_KEY, call->peer->key, KEY_BYTES, call->now_us);
    struct attempt *attempt;

    if (!has_place(call, name ? name : "", address, key)) {
        count_refusal(call->core, call->peer);
        call_fail_later(call, REASON(RATE), BUSY_RETRY_S, BUSY_TEXT);
        return;
    }
    attempt = memory_new(sizeof *attempt);
    attempt->peer = call->peer->number;
    attempt->session = call->session ? call->session->number : 0;
    attempt->request = call->command->request;
    attempt->number = ++passwords->number;
    attempt->address = address;
    attempt->key = key;
    claim_hold(address);
    claim_hold(key);
    if (name)
        strcpy(attempt->name, name);
    attempt->frame_bytes = wire_element_size(&call->command->base);
    attempt->frame = memory_new(attempt->frame_bytes);
    wire_element_pack(WIRE_COMMANDS, &call->command->base, attempt->frame);
    attempt->work = work_new(hash, password, new_password);
    attempt->work->number = attempt->number;
    DL_APPEND(passwords->attempts, attempt);
    passwords->count++;
    passwords->stuck = false;
}

/* A peer that left gets no answer, so no work is done for it. */
void passwords_forget(struct core *core, const struct peer *peer) {
    struct attempt *attempt, *next;

    DL_FOREACH_SAFE(core->passwords->attempts, attempt, next) {
        if (attempt->peer == peer->number && !attempt->under_way)
            attempt_free(core->passwords, attempt);
    }
}

/* ---- names that are locked ---- */

uint32_t passwords_locked_s(const struct call *call, int64_t locked_until_us) {
    return (uint32_t)((locked_until_us - core_wall_us(call->core, call->now_us) + 999999) /
                      1000000);
}

bool passwords_locked_until(struct call *call, const char *name, int64_t *locked_until_us) {
    struct core *core = call->core;
    int64_t wall_us = core_wall_us(core, call->now_us);
    int64_t latest_us = wall_us + core->options.block_duration_us;
    uint32_t failures;

    if (call_store(call, store_login_state(core->store, name, wall_us, &failures,
                                           locked_until_us)) != STORE_OK)
        return false;
    if (*locked_until_us <= latest_us)
        return true;
    *locked_until_us = latest_us;
    return call_store(call, store_login_shorten(core->store, name, wall_us, latest_us)) == STORE_OK;
}

/* ---- what is done next ---- */

static uint32_t attempts_under_way(const struct passwords *passwords, const char *name) {
    const struct attempt *attempt;
    uint32_t count = 0;

    DL_FOREACH(passwords->attempts, attempt) {
        if (attempt->under_way && !strcmp(attempt->name, name))
            count++;
    }
    return count;
}

/* Whether the name has a guess left that is not under way. An attempt for a locked name may start:
 * it is refused when it comes back. */
static bool attempt_may_start(struct core *core, const struct attempt *attempt, int64_t now_us) {
    uint32_t failures = 0;
    int64_t locked_until_us = 0;

    if (attempt->name[0] == '\0')
        return true;
    if (core_store(core, store_login_state(core->store, attempt->name, core_wall_us(core, now_us),
                                           &failures, &locked_until_us)))
        return false;
    return locked_until_us > 0 ||
           failures + attempts_under_way(core->passwords, attempt->name) < LOGIN_FAILURES_MAX;
}

/* Whether the address has something left of its budget; if not, notes when it will have. */
static bool budget_allows(struct core *core, const struct attempt *attempt, int64_t now_us) {
    uint32_t wait_s = 0;

    if (limit_take(core->limits, peer_of(core, attempt)->password_budget, 1, now_us, &wait_s))
        return true;
    if (now_us + wait_s * 1000000LL < core->passwords->again_us)
        core->passwords->again_us = now_us + wait_s * 1000000LL;
    return false;
}

struct candidate {
    struct attempt *attempt;
    struct rank rank;
};

static int compare_candidates(const void *first, const void *second) {
    const struct candidate *a = first, *b = second;

    if (goes_before(a->rank, b->rank))
        return -1;
    if (goes_before(b->rank, a->rank))
        return 1;
    return a->attempt->number < b->attempt->number ? -1 : 1;
}

/* Lists the attempts that wait, the best claim first; returns how many. */
static size_t list_candidates(struct core *core, struct candidate candidates[PASSWORD_QUEUE_MAX],
                              int64_t now_us) {
    struct attempt *attempt;
    size_t count = 0;

    DL_FOREACH(core->passwords->attempts, attempt) {
        if (attempt->under_way || count == PASSWORD_QUEUE_MAX)
            continue;
        candidates[count].attempt = attempt;
        candidates[count++].rank = rank_of(core, peer_of(core, attempt), attempt->name, 0, now_us);
    }
    qsort(candidates, count, sizeof *candidates, compare_candidates);
    return count;
}

static struct core_work *start(struct core *core, struct attempt *attempt, int64_t now_us) {
    struct pair pair = pair_of(peer_of(core, attempt), attempt->name);
    struct core_work *work = attempt->work;

    claim_use(attempt->address, now_us);
    claim_use(attempt->key, now_us);
    claim_use(claim_get(core->claims, CLAIM_PAIR, pair.text, pair.bytes, now_us), now_us);
    attempt->under_way = true;
    attempt->work = NULL;
    core->passwords->under_way++;
    return work;
}

struct core_work *passwords_next(struct core *core, int64_t now_us) {
    struct candidate candidates[PASSWORD_QUEUE_MAX];
    struct passwords *passwords = core->passwords;
    size_t count;

    if (passwords->stuck || passwords->under_way >= core->options.password_workers)
        return NULL;
    count = list_candidates(core, candidates, now_us);
    for (size_t i = 0; i < count && !core->failed; i++) {
        struct attempt *attempt = candidates[i].attempt;

        if (attempt_may_start(core, attempt, now_us) && budget_allows(core, attempt, now_us))
            return start(core, attempt, now_us);
    }
    passwords->stuck = true;
    return NULL;
}

int64_t passwords_deadline(const struct core *core) {
    return core->passwords->again_us;
}

void passwords_tick(struct core *core, int64_t now_us) {
    if (now_us < core->passwords->again_us)
        return;
    core->passwords->again_us = INT64_MAX;
    core->passwords->stuck = false;
}

void passwords_done(struct core *core, struct core_work *work, int64_t now_us) {
    Zchat__V1__CommandBatch *batch;
    struct attempt *attempt = NULL;
    struct peer *peer;

    core->passwords->stuck = false;
    DL_SEARCH_SCALAR(core->passwords->attempts, attempt, number, work->number);
    peer = attempt ? peer_of(core, attempt) : NULL;
    if (peer) {
        wire_arena_reset(core->frame_arena);
        if (wire_read_commands(core->frame_arena, attempt->frame, attempt->frame_bytes, &batch) ==
            WIRE_FINE)
            command_resume(core, peer, attempt->session, batch->commands[0], work, now_us);
        wire_arena_wipe(core->frame_arena);
    }
    if (attempt)
        attempt_free(core->passwords, attempt);
    work_free(work);
}
