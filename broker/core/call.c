/* See call.h. */
#include "call.h"

#include "text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define REASONS_PER_CODE 100 /* as the schema numbers them */

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

/* ---- refusals ---- */

static void refuse_by_row(struct call *call, const struct refusal *row) {
    const char *place = strstr(row->text, "%s");

    if (!row->about)
        call_fail(call, row->reason, "%s", row->text);
    else
        call_fail(call, row->reason, "%.*s%s%s", (int)(place - row->text), row->text,
                  row->about(call), place + 2);
}

bool call_refused(struct call *call, const struct refusal *refusals, enum store_status status) {
    const struct refusal *row = refusals;

    if (status == STORE_OK)
        return false;
    if (status == STORE_FAILED || call_failed(call))
        return true;
    while (row && row->text && row->status != status)
        row++;
    assert(row && row->text && !row->about == !strstr(row->text, "%s"));
    refuse_by_row(call, row);
    return true;
}

bool call_store_fails(struct call *call, enum store_status status) {
    return call_refused(call, NULL, call_store(call, status));
}

const char *call_about_number(struct call *call, uint64_t number) {
    snprintf(call->fault.about, sizeof call->fault.about, "%llu", (unsigned long long)number);
    return call->fault.about;
}

const char *call_about_title(struct call *call, const char *title) {
    char *about = call->fault.about;
    size_t bytes = strnlen(title, sizeof call->fault.about - 1);

    memcpy(about, title, bytes);
    about[text_clean_line(about, bytes)] = '\0';
    return about;
}

/* ---- answers ---- */

void *call_memory(struct call *call, size_t bytes) {
    void *memory = wire_arena_take(call->core->reply_arena, bytes);

    if (memory)
        memset(memory, 0, bytes);
    return memory;
}

void *call_need(struct call *call, size_t bytes) {
    void *memory = call_memory(call, bytes);

    if (!memory)
        call_fail(call, REASON(NO_MEMORY), "the answer is too long: ask for less at a time");
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

void *call_response(struct call *call) {
    const ProtobufCMessageDescriptor *type =
        protobuf_c_message_descriptor_get_field(&zchat__v1__reply__descriptor,
                                                (unsigned)call->command->body_case)
            ->descriptor;

    if (call->response)
        return call->response;
    call->response = call_memory(call, type->sizeof_message);
    assert(call->response); /* little else is in the memory yet */
    protobuf_c_message_init(type, call->response);
    return call->response;
}

void call_reply_response(struct call *call) {
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;

    reply.body_case = (Zchat__V1__Reply__BodyCase)call->command->body_case;
    reply.login = call_response(call); /* sets the union's pointer, whatever its type */
    call_reply(call, &reply);
}

void error_fill(Zchat__V1__CommandError *error, Zchat__V1__Reason reason, const char *text,
                uint32_t retry_after_s) {
    error->code = (Zchat__V1__Code)(reason / REASONS_PER_CODE);
    error->reason = reason;
    error->message = (char *)(uintptr_t)text;
    error->retry_after_s = retry_after_s;
}

void call_refuse(struct call *call) {
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__CommandError error = ZCHAT__V1__COMMAND_ERROR__INIT;

    error_fill(&error, call->fault.reason, call->fault.text, call->fault.retry_after_s);
    reply.error = &error;
    call->core->stats.commands_refused_total++;
    call_reply(call, &reply);
}

void call_read(struct call *call, uint64_t count) {
    call->core->turn.rows += count;
}
