#include "command.h"

#define ROW(number, command) [ZCHAT__V1__COMMAND__BODY_##number] = &command##_row,

static const struct command_row *const rows[] = {COMMANDS(ROW)};

const struct command_row *command_row(int body_case) {
    if (body_case <= 0 || (size_t)body_case >= sizeof rows / sizeof rows[0])
        return NULL;
    return rows[body_case];
}

static void call_allow(struct call *call) {
    if (call->row->state == COMMAND_ANYBODY)
        return;
    if (!call->session)
        call_fail(call, REASON(NOT_LOGGED_IN), "not logged in: log in first");
    else if (call->row->state == COMMAND_ADMIN && !call->session->admin)
        call_fail(call, REASON(NOT_ADMIN), "only an administrator may do this");
}

static bool take_of_all(const struct call *call, uint32_t cost, uint32_t *wait_s) {
    struct limits *limits = call->core->limits;

    return limit_take(limits, call->peer->key_budget, cost, call->now_us, wait_s) &&
           limit_take(limits, call->peer->address_budget, cost, call->now_us, wait_s) &&
           (!call->session ||
            limit_take(limits, call->session->member->budget, cost, call->now_us, wait_s));
}

static void charge_all(struct core *core, const struct peer *peer, uint32_t cost, int64_t now_us) {
    limit_charge(core->limits, peer->key_budget, cost, now_us);
    limit_charge(core->limits, peer->address_budget, cost, now_us);
    if (peer->session)
        limit_charge(core->limits, peer->session->member->budget, cost, now_us);
}

static void call_charge(struct call *call, uint32_t cost) {
    uint32_t wait_s = 0;

    if (take_of_all(call, cost, &wait_s))
        return;
    call->core->stats.commands_busy_total++;
    call_fail_later(call, REASON(RATE), wait_s,
                    "too many commands in a short time: try again in %u s", (unsigned)wait_s);
}

/* Charges what the command took besides its flat cost. */
static void call_charge_work(struct call *call) {
    struct core *core = call->core;
    uint64_t read = core->turn.rows - call->rows_before;
    size_t made = outbox_made(core->outbox) - call->made_before;
    uint32_t cost = (uint32_t)(read / ROWS_PER_UNIT + made / BYTES_PER_UNIT);

    if (cost > 0)
        charge_all(core, call->peer, cost, call->now_us);
}

uint32_t command_charge_frame(struct core *core, struct peer *peer, size_t frame_bytes,
                              int64_t now_us) {
    struct call call = {.core = core, .peer = peer, .session = peer->session, .now_us = now_us};
    uint32_t cost = 1 + (uint32_t)(frame_bytes / BYTES_PER_UNIT), wait_s = 0;

    if (take_of_all(&call, cost, &wait_s))
        return 0;
    core->stats.commands_busy_total++;
    charge_all(core, peer, cost, now_us);
    return wait_s;
}

static void call_begin(struct call *call, struct core *core, struct peer *peer,
                       Zchat__V1__Command *command, int64_t now_us) {
    wire_arena_reset(core->reply_arena);
    call->core = core;
    call->peer = peer;
    call->session = peer->session;
    call->command = command;
    call->row = command_row((int)command->body_case);
    call->now_us = now_us;
    call->rows_before = core->turn.rows;
    call->made_before = outbox_made(core->outbox);
    call->work = NULL;
    call->fault.reason = REASON(UNSPECIFIED);
    call->fault.retry_after_s = 0;
    call->response = NULL;
}

static void call_finish(struct call *call) {
    if (!call_failed(call) && call->row->run) {
        enum store_status status = call->row->run(call);

        if (status != STORE_OK)
            call_refused(call, call->row->refusals, status);
    }
    if (call->core->failed)
        return;
    if (!call_failed(call))
        call->row->done(call);
    if (call_failed(call))
        call_refuse(call);
    call_charge_work(call);
}

/* A refusal is an answer, too, so it is charged like the cheapest command. */
static void refuse_unknown(struct call *call) {
    call->core->stats.commands_unknown_total++;
    call_charge(call, 1);
    if (!call_failed(call))
        call_fail(call, REASON(UNKNOWN_COMMAND), "this broker does not know the command; it is %s",
                  call->core->options.software);
    call_refuse(call);
}

void command_refuse_faulty(struct core *core, struct peer *peer, Zchat__V1__Command *command,
                           enum wire_fault fault, int64_t now_us) {
    struct call call;

    call_begin(&call, core, peer, command, now_us);
    core->stats.commands_total++;
    core->stats.commands_faulty_total++;
    call_charge(&call, 1);
    if (!call_failed(&call))
        call_fail(&call, REASON(MALFORMED), "%s", wire_fault_text(fault));
    call_refuse(&call);
}

void command_dispatch(struct core *core, struct peer *peer, Zchat__V1__Command *command,
                      int64_t now_us) {
    struct call call;

    call_begin(&call, core, peer, command, now_us);
    core->stats.commands_total++;
    if (!call.row) {
        refuse_unknown(&call);
        return;
    }
    if (call.session && !call.row->passive)
        session_active(&core->sessions, call.session, now_us);
    call_allow(&call);
    if (!call_failed(&call))
        call_charge(&call, call.row->cost);
    if (!call_failed(&call) && call.row->check)
        call.row->check(&call);
    if (!call_failed(&call) && call.row->work && call.row->work(&call) && !call_failed(&call))
        return;
    call_finish(&call);
}

bool command_is_secret(const Zchat__V1__Command *command) {
    const struct command_row *row = command_row((int)command->body_case);

    return row && row->secret;
}

void command_refuse_busy(struct core *core, struct peer *peer, Zchat__V1__Command *command,
                         int64_t now_us) {
    struct call call;

    call_begin(&call, core, peer, command, now_us);
    core->stats.commands_total++;
    core->stats.commands_busy_total++;
    charge_all(core, peer, 1, now_us);
    call_fail_later(&call, REASON(QUEUE_FULL), 1,
                    "too many of your commands wait: read the answers, then try again");
    call_refuse(&call);
}

void command_resume(struct core *core, struct peer *peer, uint64_t session,
                    Zchat__V1__Command *command, const struct core_work *work, int64_t now_us) {
    struct call call;

    call_begin(&call, core, peer, command, now_us);
    call.work = work;
    if (call.row->state != COMMAND_ANYBODY && call.session && call.session->number != session)
        call.session = NULL; /* who asked has logged out, and somebody logged in anew */
    call_allow(&call);
    call_finish(&call);
}
