/* Commands about the broker itself. */
#include "command.h"
#include "memory.h"
#include "password_queue.h"
#include "unicode.h"

#include <stdio.h>
#include <string.h>

#define FORM_BYTES (3 * PASSWORD_BYTES_MAX + 1)

static void ping_done(struct call *call) {
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__PingResponse ping = ZCHAT__V1__PING_RESPONSE__INIT;

    ping.time_us = core_wall_us(call->core, call->now_us);
    ping.software = (char *)call->core->options.software;
    reply.body_case = ZCHAT__V1__REPLY__BODY_PING;
    reply.ping = &ping;
    call_reply(call, &reply);
}

const struct command_row ping_row = {
    .state = COMMAND_ANYBODY,
    .cost = 1,
    .done = ping_done,
};

static void gauges_set(struct core *core, int64_t now_us) {
    struct stats *stats = &core->stats;

    stats->accounts = store_account_count(core->store);
    stats->disk_full = store_is_full(core->store);
    stats->messages_stored = store_message_count(core->store);
    stats->password_queue = passwords_waiting(core->passwords);
    stats->sessions = core->sessions.count;
    stats->users_online = core->sessions.users_online;
    stats->uptime_s = (uint64_t)(now_us - core->started_us) / 1000000;
}

/* The names of the counters, made from the same list as the struct. */
static const struct {
    const char *name;
    size_t offset;
} counters[] = {
#define COUNTER(name) {#name, offsetof(struct stats, name)},
    STATS(COUNTER)
#undef COUNTER
};
#define COUNTERS (sizeof counters / sizeof counters[0])

static uint64_t counted(const struct stats *stats, size_t offset) {
    uint64_t value;

    memcpy(&value, (const char *)stats + offset, sizeof value);
    return value;
}

static void get_stats_done(struct call *call) {
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__GetStatsResponse got = ZCHAT__V1__GET_STATS_RESPONSE__INIT;
    Zchat__V1__Stat *stats = call_memory(call, COUNTERS * sizeof *stats);
    Zchat__V1__Stat **pointers = call_memory(call, COUNTERS * sizeof *pointers);

    if (!stats || !pointers) {
        call_fail(call, REASON(NO_MEMORY), "no memory for the answer");
        return;
    }
    gauges_set(call->core, call->now_us);
    for (size_t i = 0; i < COUNTERS; i++) {
        zchat__v1__stat__init(&stats[i]);
        stats[i].name = (char *)counters[i].name;
        stats[i].value = counted(&call->core->stats, counters[i].offset);
        pointers[i] = &stats[i];
    }
    got.stats = pointers;
    got.n_stats = COUNTERS;
    reply.body_case = ZCHAT__V1__REPLY__BODY_GET_STATS;
    reply.get_stats = &got;
    call_reply(call, &reply);
}

const struct command_row get_stats_row = {
    .cost = 2,
    .done = get_stats_done,
};

/* Takes a time that does not tell where the two differ. */
static bool is_same_secret(const char *a, const char *b) {
    size_t a_bytes = strlen(a), b_bytes = strlen(b);
    unsigned char differ = a_bytes != b_bytes;

    for (size_t i = 0; i < a_bytes; i++)
        differ |= (unsigned char)(a[i] ^ b[b_bytes ? i % b_bytes : 0]);
    return differ == 0;
}

/* ---- the admin password: it locks as a login does, for the account and for the address ---- */

/* Failures are counted under these two names, which no account can have. */
enum { LOCK_ACCOUNT, LOCK_ADDRESS, LOCKS };
struct lock_names {
    char of[LOCKS][ADDRESS_GROUP_BYTES + 16];
};

static struct lock_names lock_names(const struct call *call) {
    struct lock_names names;

    snprintf(names.of[LOCK_ACCOUNT], sizeof names.of[0], "shutdown:%s",
             call->session->member->name);
    snprintf(names.of[LOCK_ADDRESS], sizeof names.of[0], "shutdown@%s", call->peer->group);
    return names;
}

static void fail_locked(struct call *call, int64_t locked_until_us) {
    uint32_t left_s = passwords_locked_s(call, locked_until_us);

    core_warn_rarely(call->core, "admin_password_locked", call->peer->group,
                     "user=%s address=%s left_s=%u", call->session->member->name,
                     call->peer->address, (unsigned)left_s);
    call_fail_later(call, REASON(ADMIN_PASSWORD_LOCKED), left_s,
                    "the admin password is locked after %d wrong ones: try again in %u s",
                    LOGIN_FAILURES_MAX, (unsigned)left_s);
}

/* Whether neither of the two is locked; else the call fails. */
static bool locks_are_open(struct call *call, const struct lock_names *names) {
    int64_t until_us[LOCKS] = {0};

    for (int i = 0; i < LOCKS; i++) {
        if (!passwords_locked_until(call, names->of[i], &until_us[i]))
            return false;
        if (until_us[i] > core_wall_us(call->core, call->now_us)) {
            fail_locked(call, until_us[i]);
            return false;
        }
    }
    return true;
}

static void refuse_password(struct call *call, const struct lock_names *names) {
    struct core *core = call->core;
    int64_t until_us = 0, latest_us = 0;

    core->stats.admin_passwords_wrong_total++;
    core_warn(core, "admin_password_wrong", "user=%s address=%s", call->session->member->name,
              call->peer->address);
    for (int i = 0; i < LOCKS; i++) {
        if (call_store(call, store_login_failed(core->store, names->of[i],
                                                core_wall_us(core, call->now_us),
                                                core->options.block_duration_us, &until_us)))
            return;
        latest_us = until_us > latest_us ? until_us : latest_us;
    }
    if (latest_us > core_wall_us(core, call->now_us))
        fail_locked(call, latest_us);
    else
        call_fail(call, REASON(WRONG_ADMIN_PASSWORD), "wrong admin password");
}

static void shutdown_check(struct call *call) {
    const char *password = call->command->shutdown->password;
    uint32_t wait_s = 1;

    if (call->session->admin && !password[0])
        return;
    if (!password[0])
        call_fail(call, REASON(NOT_ADMIN),
                  "only an administrator, or who knows the admin password, may do this");
    else if (!limit_take(call->core->limits, call->peer->password_budget, 1, call->now_us, &wait_s))
        call_fail_later(call, REASON(RATE), wait_s,
                        "too many passwords were tried: try again in %u s", (unsigned)wait_s);
    else if (!call->core->options.admin_password[0])
        call_fail(call, REASON(NO_ADMIN_PASSWORD),
                  "this broker has no admin password: an administrator may do this");
}

/* Compares in the form that passwords are brought to; one that is too long for that form does not
 * fit. */
static bool is_admin_password(const struct call *call) {
    char typed[FORM_BYTES], known[FORM_BYTES];
    bool is = unicode_password(call->command->shutdown->password, typed, sizeof typed) &&
              unicode_password(call->core->options.admin_password, known, sizeof known) &&
              is_same_secret(typed, known);

    memory_wipe(typed, sizeof typed);
    memory_wipe(known, sizeof known);
    return is;
}

static enum store_status shutdown_run(struct call *call) {
    const char *password = call->command->shutdown->password;
    struct lock_names names = lock_names(call);

    if (!password[0] || !locks_are_open(call, &names))
        return STORE_OK;
    if (!is_admin_password(call)) {
        refuse_password(call, &names);
        return STORE_OK;
    }
    for (int i = 0; i < LOCKS; i++)
        call_store(call, store_login_forget(call->core->store, names.of[i]));
    return STORE_OK;
}

static void shutdown_done(struct call *call) {
    call->core->shutdown_wanted = true;
    call->core->wipe_wanted = call->core->wipe_wanted || call->command->shutdown->wipe;
    call_reply_response(call);
}

const struct command_row shutdown_row = {
    .cost = 10,
    .secret = true,
    .check = shutdown_check,
    .run = shutdown_run,
    .done = shutdown_done,
};
