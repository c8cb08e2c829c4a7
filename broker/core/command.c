#include "command.h"

#include "handlers.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define REASONS_PER_CODE 100 /* the schema numbers them so */

#define ROW(number) [ZCHAT__V1__COMMAND__BODY_##number]

/* clang-format off */
static const struct command_row rows[] = {
    ROW(LOGIN)            = {"login", COMMAND_ANYBODY, 10, true,
                             login_check, login_work, login_run, login_done},
    ROW(LOGOUT)           = {"logout", COMMAND_MEMBER, 1, true,
                             NULL, NULL, logout_run, call_reply_empty},
    ROW(REGISTER_ACCOUNT) = {"register_account", COMMAND_ANYBODY, 10, true,
                             register_check, register_work, register_run, register_done},
    ROW(CHANGE_PASSWORD)  = {"change_password", COMMAND_MEMBER, 10, true,
                             change_password_check, change_password_work, change_password_run, change_password_done},
    ROW(LIST_DEVICES)     = {"list_devices", COMMAND_MEMBER, 2, true,
                             NULL, NULL, list_devices_run, list_devices_done},
    ROW(REVOKE_DEVICE)    = {"revoke_device", COMMAND_MEMBER, 2, true,
                             revoke_device_check, NULL, revoke_device_run, revoke_device_done},
    ROW(SEND_MESSAGE)     = {"send_message", COMMAND_MEMBER, 1, true,
                             send_message_check, NULL, send_message_run, send_message_done},
    ROW(BROADCAST)        = {"broadcast", COMMAND_MEMBER, 10, true,
                             broadcast_check, NULL, NULL, broadcast_done},
    ROW(WHO)              = {"who", COMMAND_MEMBER, 10, true,
                             NULL, NULL, NULL, who_done},
    ROW(SINCE)            = {"since", COMMAND_MEMBER, 10, true,
                             since_check, NULL, NULL, since_done},
    ROW(BLOCK_USER)       = {"block_user", COMMAND_MEMBER, 2, true,
                             block_user_check, NULL, block_user_run, block_user_done},
    ROW(UNBLOCK_USER)     = {"unblock_user", COMMAND_MEMBER, 2, true,
                             unblock_user_check, NULL, unblock_user_run, call_reply_empty},
    ROW(LIST_BLOCKED)     = {"list_blocked", COMMAND_MEMBER, 2, true,
                             NULL, NULL, NULL, list_blocked_done},
    ROW(SYNC)             = {"sync", COMMAND_MEMBER, 10, false,
                             sync_check, NULL, NULL, sync_done},
    ROW(ACK)              = {"ack", COMMAND_MEMBER, 1, false,
                             NULL, NULL, ack_run, ack_done},
    ROW(PING)             = {"ping", COMMAND_ANYBODY, 1, true,
                             NULL, NULL, NULL, ping_done},
    ROW(KEEP_ALIVE)       = {"keep_alive", COMMAND_ANYBODY, 1, false,
                             NULL, NULL, NULL, keep_alive_done},
    ROW(GET_STATS)        = {"get_stats", COMMAND_MEMBER, 2, true,
                             NULL, NULL, NULL, get_stats_done},
    ROW(SHUTDOWN)         = {"shutdown", COMMAND_MEMBER, 10, true,
                             shutdown_check, NULL, shutdown_run, shutdown_done},
    ROW(CREATE_THREAD)    = {"create_thread", COMMAND_MEMBER, 2, true,
                             create_thread_check, NULL, create_thread_run, create_thread_done},
    ROW(LIST_THREADS)     = {"list_threads", COMMAND_MEMBER, 10, true,
                             NULL, NULL, NULL, list_threads_done},
    ROW(POST_TO_THREAD)   = {"post_to_thread", COMMAND_MEMBER, 1, true,
                             post_to_thread_check, NULL, post_to_thread_run, post_to_thread_done},
    ROW(READ_THREAD)      = {"read_thread", COMMAND_MEMBER, 10, true,
                             NULL, NULL, NULL, read_thread_done},
    ROW(EDIT_POST)        = {"edit_post", COMMAND_MEMBER, 2, true,
                             edit_post_check, NULL, edit_post_run, edit_post_done},
    ROW(DELETE_POST)      = {"delete_post", COMMAND_MEMBER, 2, true,
                             delete_post_check, NULL, delete_post_run, delete_post_done},
    ROW(REMOVE_THREAD)    = {"remove_thread", COMMAND_MEMBER, 10, true,
                             NULL, NULL, remove_thread_run, remove_thread_done},
    ROW(FOLLOW_THREAD)    = {"follow_thread", COMMAND_MEMBER, 2, true,
                             NULL, NULL, follow_thread_run, follow_thread_done},
    ROW(UNFOLLOW_THREAD)  = {"unfollow_thread", COMMAND_MEMBER, 2, true,
                             NULL, NULL, unfollow_thread_run, unfollow_thread_done},
    ROW(LIST_FOLLOWED)    = {"list_followed", COMMAND_MEMBER, 2, false,
                             NULL, NULL, NULL, list_followed_done},
    ROW(BEGIN_UPLOAD)     = {"begin_upload", COMMAND_MEMBER, 2, true,
                             begin_upload_check, NULL, begin_upload_run, begin_upload_done},
    ROW(PUT_CHUNK)        = {"put_chunk", COMMAND_MEMBER, 1, true,
                             put_chunk_check, NULL, put_chunk_run, put_chunk_done},
    ROW(CANCEL_UPLOAD)    = {"cancel_upload", COMMAND_MEMBER, 1, true,
                             NULL, NULL, cancel_upload_run, call_reply_empty},
    ROW(GET_CHUNK)        = {"get_chunk", COMMAND_MEMBER, 1, true,
                             NULL, NULL, NULL, get_chunk_done},
    ROW(LIST_FILES)       = {"list_files", COMMAND_MEMBER, 2, true,
                             NULL, NULL, NULL, list_files_done},
    ROW(INVITE_PRIVATE)   = {"invite_private", COMMAND_MEMBER, 10, true,
                             invite_private_check, NULL, invite_private_run, invite_private_done},
    ROW(ANSWER_PRIVATE)   = {"answer_private", COMMAND_MEMBER, 2, true,
                             answer_private_check, NULL, NULL, answer_private_done},
    ROW(OPEN_PRIVATE)     = {"open_private", COMMAND_MEMBER, 2, false,
                             open_private_check, NULL, open_private_run, open_private_done},
    ROW(CLOSE_PRIVATE)    = {"close_private", COMMAND_MEMBER, 2, false,
                             NULL, NULL, NULL, close_private_done},
    ROW(ACTIVE)           = {"active", COMMAND_MEMBER, 1, true,
                             NULL, NULL, NULL, call_reply_empty},
};
/* clang-format on */

const struct command_row *command_row(int body_case) {
    if (body_case <= 0 || (size_t)body_case >= sizeof rows / sizeof rows[0])
        return NULL;
    return rows[body_case].name ? &rows[body_case] : NULL;
}

static void call_fail_va(struct call *call, Zchat__V1__Reason reason, uint32_t retry_after_s,
                         const char *format, va_list arguments) {
    call->fault.reason = reason;
    call->fault.retry_after_s = retry_after_s;
    vsnprintf(call->fault.text, sizeof call->fault.text, format, arguments);
}

void call_fail(struct call *call, Zchat__V1__Reason reason, const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    call_fail_va(call, reason, 0, format, arguments);
    va_end(arguments);
}

void call_fail_later(struct call *call, Zchat__V1__Reason reason, uint32_t retry_after_s,
                     const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    call_fail_va(call, reason, retry_after_s, format, arguments);
    va_end(arguments);
}

enum store_status call_store(struct call *call, enum store_status status) {
    if (status == STORE_FULL) {
        call->core->stats.commands_disk_full_total++;
        call_fail_later(call, REASON(DISK_FULL), DISK_FULL_RETRY_S,
                        "the broker's disk is full: try again when there is room");
    }
    return core_store(call->core, status);
}

void call_status_told(const struct call *call, enum store_status status) {
    assert(status == STORE_OK || status == STORE_FAILED || call_failed(call));
}

void *call_memory(struct call *call, size_t bytes) {
    void *memory = wire_arena_take(call->core->reply_arena, bytes);

    if (memory)
        memset(memory, 0, bytes);
    return memory;
}

void call_reply(struct call *call, Zchat__V1__Reply *reply) {
    if (call->command->request == 0)
        return;
    reply->request = call->command->request;
    if (!outbox_reply(call->core->outbox, &call->peer->line, reply))
        call_fail(call, REASON(BAD_VALUE),
                  "the answer is too long for one frame: ask for less at a time");
}

void call_reply_empty(struct call *call) {
    const ProtobufCMessageDescriptor *type =
        protobuf_c_message_descriptor_get_field(&zchat__v1__reply__descriptor,
                                                (unsigned)call->command->body_case)
            ->descriptor;
    ProtobufCMessage *body = call_memory(call, type->sizeof_message);
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;

    assert(body); /* the reply's memory is empty before it */
    protobuf_c_message_init(type, body);
    reply.body_case = (Zchat__V1__Reply__BodyCase)call->command->body_case;
    reply.login = (Zchat__V1__LoginResponse *)body; /* the union's pointer, of whichever type */
    call_reply(call, &reply);
}

void error_fill(Zchat__V1__CommandError *error, Zchat__V1__Reason reason, const char *text,
                uint32_t retry_after_s) {
    error->code = (Zchat__V1__Code)(reason / REASONS_PER_CODE);
    error->reason = reason;
    error->message = (char *)(uintptr_t)text;
    error->retry_after_s = retry_after_s;
}

static void call_refuse(struct call *call) {
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__CommandError error = ZCHAT__V1__COMMAND_ERROR__INIT;

    error_fill(&error, call->fault.reason, call->fault.text, call->fault.retry_after_s);
    reply.error = &error;
    call->core->stats.commands_refused_total++;
    call_reply(call, &reply);
}

bool call_failed(const struct call *call) {
    return call->fault.reason != REASON(UNSPECIFIED);
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

void call_read(struct call *call, uint64_t count) {
    call->core->turn.rows += count;
}

/* What it took besides its flat cost. */
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
}

static void call_finish(struct call *call) {
    if (!call_failed(call) && call->row->run)
        call->row->run(call);
    if (call->core->failed)
        return;
    if (!call_failed(call))
        call->row->done(call);
    if (call_failed(call))
        call_refuse(call);
    call_charge_work(call);
}

/* A refusal is an answer, too, and is charged as the cheapest command. */
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
    if (call.session && call.row->activity)
        session_active(&core->sessions, call.session, now_us);
    call_allow(&call);
    if (!call_failed(&call))
        call_charge(&call, call.row->cost);
    title_form_all(&call);
    if (!call_failed(&call) && call.row->check)
        call.row->check(&call);
    if (!call_failed(&call) && call.row->work && call.row->work(&call) && !call_failed(&call))
        return;
    call_finish(&call);
}

bool command_is_secret(const Zchat__V1__Command *command) {
    switch (command->body_case) {
    case ZCHAT__V1__COMMAND__BODY_LOGIN:
    case ZCHAT__V1__COMMAND__BODY_REGISTER_ACCOUNT:
    case ZCHAT__V1__COMMAND__BODY_CHANGE_PASSWORD:
    case ZCHAT__V1__COMMAND__BODY_SHUTDOWN:
        return true;
    default:
        return false;
    }
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
        call.session = NULL; /* who asked logged out meanwhile, and somebody in again */
    call_allow(&call);
    call_finish(&call);
}
