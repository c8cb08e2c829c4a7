/* What is asked about the broker itself. */
#include "handlers.h"

#include <string.h>

void ping_done(struct call *call) {
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__PingReply ping = ZCHAT__V1__PING_REPLY__INIT;

    ping.time_us = call->now_us;
    ping.software = (char *)call->core->options.software;
    reply.body_case = ZCHAT__V1__REPLY__BODY_PING;
    reply.ping = &ping;
    call_reply(call, &reply);
}

static void gauges_set(struct core *core, int64_t now_us) {
    struct stats *stats = &core->stats;

    stats->accounts = store_account_count(core->store);
    stats->messages_stored = store_message_count(core->store);
    stats->password_queue = passwords_waiting(core->passwords);
    stats->sessions = core->sessions.count;
    stats->users_online = core->sessions.users_online;
    stats->uptime_s = (uint64_t)(now_us - core->started_us) / 1000000;
}

void get_stats_done(struct call *call) {
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__GetStatsReply got = ZCHAT__V1__GET_STATS_REPLY__INIT;
    size_t count;
    const struct stats_row *rows = stats_rows(&count);
    Zchat__V1__Stat *stats = call_memory(call, count * sizeof *stats);
    Zchat__V1__Stat **pointers = call_memory(call, count * sizeof *pointers);

    if (!stats || !pointers) {
        call_fail(call, ZCHAT__V1__CODE__CODE_BUSY, "no memory for the answer");
        return;
    }
    gauges_set(call->core, call->now_us);
    for (size_t i = 0; i < count; i++) {
        zchat__v1__stat__init(&stats[i]);
        stats[i].name = (char *)rows[i].name;
        stats[i].value = stats_value(&call->core->stats, &rows[i]);
        pointers[i] = &stats[i];
    }
    got.stats = pointers;
    got.n_stats = count;
    reply.body_case = ZCHAT__V1__REPLY__BODY_GET_STATS;
    reply.get_stats = &got;
    call_reply(call, &reply);
}

/* In a time that does not tell where the two differ. */
static bool is_same_secret(const char *a, const char *b) {
    size_t a_bytes = strlen(a), b_bytes = strlen(b);
    unsigned char differ = a_bytes != b_bytes;

    for (size_t i = 0; i < a_bytes; i++)
        differ |= (unsigned char)(a[i] ^ b[b_bytes ? i % b_bytes : 0]);
    return differ == 0;
}

void shutdown_check(struct call *call) {
    const char *password = call->command->shutdown->password;
    const char *admin_password = call->core->options.admin_password;
    uint32_t wait_s = 1;

    if (call->session->admin && !password[0])
        return;
    if (!password[0])
        call_fail(call, ZCHAT__V1__CODE__CODE_FORBIDDEN,
                  "only an administrator, or who knows the admin password, may do this");
    else if (!limit_take(call->core->limits, call->peer->password_budget, 1, call->now_us, &wait_s))
        call_fail_later(call, ZCHAT__V1__CODE__CODE_BUSY, wait_s,
                        "too many passwords were tried: try again in %u s", (unsigned)wait_s);
    else if (!admin_password[0])
        call_fail(call, ZCHAT__V1__CODE__CODE_FORBIDDEN,
                  "this broker has no admin password: an administrator may do this");
    else if (!is_same_secret(password, admin_password))
        call_fail(call, ZCHAT__V1__CODE__CODE_AUTH, "wrong admin password");
}

void shutdown_done(struct call *call) {
    call->core->shutdown_wanted = true;
    call->core->wipe_wanted = call->core->wipe_wanted || call->command->shutdown->wipe;
    call_reply_empty(call);
}
