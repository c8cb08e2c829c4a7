/* One loop: lets the library work, brings out what was taken, asks for the next acknowledgement,
 * and waits. */
#include "receiver.h"

#include "bound.h"
#include "common/clock.h"
#include "interrupt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct receiver_cursor {
    bool of_thread; /* else of the inbox */
    zchat_id thread;
    uint64_t handled; /* taken or passed over */
    uint64_t written;
    uint64_t acked;
    uint64_t asked; /* by the acknowledgement under way; 0: none is */
};

void receiver_init(struct receiver *receiver, struct call *call, const struct receiver_kind *kind,
                   void *arg) {
    const struct options *options = call->options;
    *receiver = (struct receiver){
        .call = call,
        .kind = kind,
        .arg = arg,
        .follow = option_flag(options, OPTION_FOLLOW),
        .count = option_number(options, OPTION_COUNT),
        .wait_us = option_microseconds(options, OPTION_WAIT),
        .bounded = call_is_bounded(call, option_flag(options, OPTION_FOLLOW)),
    };
    handover_init(&receiver->handover, call, receiver->follow);
    receiver->ack = receiver->handover.command || option_flag(options, OPTION_DRAIN) ||
                    option_flag(options, OPTION_ACK);
}

static void stop(struct receiver *receiver, enum status status) {
    receiver->stop = true;
    receiver->status = status;
}

/* ---- cursors ---- */

static bool is_of(const struct receiver_cursor *cursor, const zchat_id *thread) {
    return cursor->of_thread == (thread != NULL) &&
           (!thread || memcmp(cursor->thread.bytes, thread->bytes, sizeof thread->bytes) == 0);
}

/* NULL: no memory. */
static struct receiver_cursor *add_cursor(struct receiver *receiver, const zchat_id *thread) {
    struct receiver_cursor *grown =
        realloc(receiver->cursors, (receiver->cursor_count + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    receiver->cursors = grown;
    struct receiver_cursor *cursor = &grown[receiver->cursor_count++];
    *cursor = (struct receiver_cursor){.of_thread = thread != NULL};
    if (thread)
        cursor->thread = *thread;
    return cursor;
}

static struct receiver_cursor *find_cursor(struct receiver *receiver, const zchat_id *thread) {
    for (size_t i = 0; i < receiver->cursor_count; i++)
        if (is_of(&receiver->cursors[i], thread))
            return &receiver->cursors[i];
    return add_cursor(receiver, thread);
}

/* It was taken, or passed over; with --exec the command has accepted it, and it is acknowledged. */
static enum status move(struct receiver *receiver, const struct receiver_item *item) {
    if (item->seq == 0 || !receiver->ack)
        return STATUS_DONE;
    struct receiver_cursor *cursor = find_cursor(receiver, item->thread);
    if (!cursor)
        return output_error(receiver->call->output, ZCHAT_NO_MEMORY, 0,
                            "there is not enough memory");
    cursor->handled = item->seq;
    if (!receiver->handover.command || !item->shown)
        return STATUS_DONE;
    enum status status = handover_ack(&receiver->handover, item->thread, item->seq);
    if (status == STATUS_DONE)
        cursor->acked = item->seq;
    return status;
}

/* ---- what comes ---- */

static enum status show(struct receiver *receiver, const zchat_event *event) {
    enum status status = receiver->handover.command
                             ? receiver->kind->hand_over(&receiver->handover, event)
                             : receiver->kind->print(receiver->call->output, event);
    if (status == STATUS_DONE) {
        receiver->taken++;
        receiver->quiet_since_us = clock_us();
    }
    return status;
}

static void take(struct receiver *receiver, const zchat_event *event,
                 const struct receiver_item *item) {
    enum status status = STATUS_DONE;
    if (interrupt_pending())
        stop(receiver, STATUS_INTERRUPTED);
    if (receiver->stop)
        return;
    if (item->shown)
        status = show(receiver, event);
    if (status == STATUS_DONE)
        status = move(receiver, item);
    if (!receiver->bounded)
        call_renew_deadline(receiver->call);
    if (status != STATUS_DONE || (receiver->count && receiver->taken == receiver->count))
        stop(receiver, status);
}

static void on_event(void *arg, const zchat_event *event) {
    struct receiver *receiver = arg;
    struct receiver_item item = {0};
    if (event->kind == receiver->kind->synced) {
        if (!receiver->synced)
            receiver->quiet_since_us = clock_us();
        receiver->synced = true;
    } else if (receiver->kind->look(receiver->arg, event, &item))
        take(receiver, event, &item);
    else
        call_tell_away(receiver->call, event);
}

/* ---- acknowledgements ---- */

/* What is not followed any more, or is gone, has no cursor to move. */
static bool is_settled(const struct receiver_cursor *cursor, const zchat_reply *reply) {
    return reply->code == ZCHAT_OK || (cursor->of_thread && reply->code == ZCHAT_NOT_FOUND);
}

static void on_acked(void *arg, const zchat_reply *reply) {
    struct receiver *receiver = arg;
    struct receiver_cursor *cursor = &receiver->cursors[receiver->ack_at];
    bool settled = is_settled(cursor, reply);
    if (settled && cursor->acked < cursor->asked)
        cursor->acked = cursor->asked;
    receiver->ack_code = settled ? ZCHAT_OK : reply->code;
    snprintf(receiver->ack_text, sizeof receiver->ack_text, "%s", reply->text ? reply->text : "");
    cursor->asked = 0;
    receiver->ack_asked = false;
    receiver->ack_done = true;
}

/* The next one of which something is written and not acknowledged; false: there is none. */
static bool next_cursor(const struct receiver *receiver, size_t *at) {
    for (size_t i = 1; i <= receiver->cursor_count; i++) {
        *at = (receiver->ack_at + i) % receiver->cursor_count;
        if (receiver->cursors[*at].written > receiver->cursors[*at].acked)
            return true;
    }
    return false;
}

static zchat_code ask(struct receiver *receiver, const struct receiver_cursor *cursor) {
    zchat *z = receiver->call->z;
    if (cursor->of_thread)
        return zchat_thread_ack(z, &cursor->thread, cursor->asked, on_acked, receiver);
    return zchat_ack(z, cursor->asked, on_acked, receiver);
}

/* Sends the next acknowledgement if none is under way. */
static void ask_ack(struct receiver *receiver) {
    size_t at;
    if (!receiver->ack || receiver->ack_asked || !next_cursor(receiver, &at))
        return;
    receiver->ack_at = at;
    receiver->ack_done = false;
    receiver->ack_asked = true;
    receiver->cursors[at].asked = receiver->cursors[at].written;
    zchat_code code = ask(receiver, &receiver->cursors[at]);
    if (code)
        on_acked(receiver, &(zchat_reply){.code = code, .text = zchat_error(receiver->call->z)});
}

static bool can_ack(const struct call *call) {
    return call->z && !call->refused && !call->lost && !call->ended;
}

static bool has_acks(const struct receiver *receiver) {
    size_t at;
    return receiver->ack && (receiver->ack_asked || next_cursor(receiver, &at));
}

/* Makes sure that everything written is acknowledged, and reports if that is not possible. */
static enum status finish_acks(struct receiver *receiver) {
    struct call *call = receiver->call;
    enum status status = STATUS_DONE;
    if (receiver->bounded)
        call_last_deadline(call);
    else
        call_renew_deadline(call);
    while (status == STATUS_DONE && has_acks(receiver)) {
        ask_ack(receiver);
        status = call_wait(call, &receiver->ack_done);
        if (status == STATUS_DONE && receiver->ack_code)
            status =
                output_error(call->output, receiver->ack_code, 0,
                             "what was read could not be acknowledged: %s", receiver->ack_text);
    }
    return status;
}

/* What was handled must leave this process before it can be acknowledged. */
static enum status write_out(struct receiver *receiver) {
    enum status status = output_flush(receiver->call->output);
    for (size_t i = 0; i < receiver->cursor_count && status == STATUS_DONE; i++)
        receiver->cursors[i].written = receiver->cursors[i].handled;
    return status;
}

/* ---- the end ---- */

static bool is_finished(const struct receiver *receiver) {
    if (!receiver->synced || receiver->follow)
        return false;
    return receiver->wait_us < 0 || (receiver->count == 0 && receiver->taken > 0);
}

static int64_t wait_until(const struct receiver *receiver) {
    int64_t until_us = NO_DEADLINE, limit_us = receiver->call->limit_us;
    if (!receiver->synced)
        until_us = receiver->call->deadline_us;
    else if (receiver->wait_us >= 0)
        until_us = receiver->quiet_since_us + receiver->wait_us;
    return receiver->bounded && limit_us < until_us ? limit_us : until_us;
}

static bool is_out_of_time(const struct receiver *receiver) {
    return receiver->bounded && clock_us() >= receiver->call->limit_us;
}

static enum status on_limit(struct receiver *receiver) {
    struct call *call = receiver->call;
    if (call->lost || !receiver->synced)
        return call_timed_out(call);
    return output_error(call->output, ZCHAT_EXPIRED, 0, "the %s s of --timeout are over%s%s",
                        option_text(call->options, OPTION_TIMEOUT), receiver->taken ? "" : ", and ",
                        receiver->taken ? "" : receiver->kind->nothing);
}

static enum status on_quiet(struct receiver *receiver) {
    if (!receiver->synced || is_out_of_time(receiver))
        return on_limit(receiver);
    if (receiver->count == 0 && receiver->taken > 0)
        return STATUS_DONE;
    return output_error(receiver->call->output, ZCHAT_EXPIRED, 0, "%s within %s s",
                        receiver->taken ? receiver->kind->no_more : receiver->kind->nothing,
                        option_text(receiver->call->options, OPTION_WAIT));
}

/* One turn; *more: whether another one follows. */
static enum status turn(struct receiver *receiver, bool *more) {
    struct call *call = receiver->call;
    enum status status = call_work(call), written = write_out(receiver);
    *more = false;
    if (written != STATUS_DONE || receiver->stop)
        return written != STATUS_DONE ? written : receiver->status;
    if (status != STATUS_DONE || is_finished(receiver))
        return status;
    if (call->ended)
        return output_error(call->output, ZCHAT_AUTH, 0, "%s", call->why);
    if (is_out_of_time(receiver))
        return on_limit(receiver);
    ask_ack(receiver);
    switch (interrupt_wait(zchat_fd(call->z), wait_until(receiver))) {
    case WAIT_EXPIRED:
        return on_quiet(receiver);
    case WAIT_INTERRUPTED:
        return STATUS_INTERRUPTED;
    case WAIT_FAILED:
        return output_error(call->output, ZCHAT_IO, 0, "cannot wait: %s", strerror(errno));
    case WAIT_READY:
        break;
    }
    *more = true;
    return STATUS_DONE;
}

/* The command's connection comes first, so that the whole call has one limit. */
static enum status begin(struct receiver *receiver, const struct call_login *how) {
    enum status status = STATUS_DONE;
    receiver->call->on_event = on_event;
    receiver->call->arg = receiver;
    if (receiver->handover.command)
        status = handover_open(&receiver->handover);
    if (receiver->handover.command && status == STATUS_DONE) {
        receiver->call->limit_us = receiver->handover.call.limit_us;
        receiver->call->deadline_us = receiver->call->limit_us;
    }
    if (status == STATUS_DONE)
        status = call_login(receiver->call, how);
    receiver->quiet_since_us = receiver->synced ? clock_us() : receiver->quiet_since_us;
    if (!receiver->bounded)
        bound_each_step(true, NULL);
    return status;
}

/* An answer that is still to come would find nothing here. */
static void end(struct receiver *receiver) {
    handover_release(&receiver->handover);
    receiver->call->on_event = NULL;
    receiver->call->arg = NULL;
    if (receiver->ack_asked)
        call_close(receiver->call);
    free(receiver->cursors);
    receiver->cursors = NULL;
    receiver->cursor_count = 0;
}

enum status receiver_run(struct receiver *receiver, const struct call_login *how) {
    enum status status = begin(receiver, how);
    bool more = status == STATUS_DONE;
    while (more)
        status = turn(receiver, &more);
    if (status == STATUS_INTERRUPTED)
        interrupt_accept();
    receiver->stop = true;
    enum status acked = can_ack(receiver->call) ? finish_acks(receiver) : STATUS_DONE;
    end(receiver);
    return status == STATUS_DONE ? acked : status;
}
