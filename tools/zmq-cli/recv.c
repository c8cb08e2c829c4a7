/* Receiving. The library hands out the inbox in order and without holes; here each message is
 * printed, or handed to the command of --exec, as it comes. `handled` is the last message for which
 * that was done, `written` the last one that has left this process, and only that is acknowledged.
 * There is one acknowledgement at a time; the next one covers everything written meanwhile. No
 * message is acknowledged that was not written, or that its command did not accept: if the process
 * is killed in between, the next call gets the message again. */

#include "bound.h"
#include "common/clock.h"
#include "handover.h"
#include "interrupt.h"
#include "print.h"
#include "verb.h"

#include <errno.h>
#include <string.h>

struct receiver {
    struct call *call;        /* borrowed: from main */
    struct handover handover; /* if it has no command messages are printed */
    bool ack;
    bool follow;
    bool sent;
    uint64_t count;  /* 0: all */
    int64_t wait_us; /* -1: --wait was not given */
    bool bounded;    /* the call's limit ends it, whatever comes: --timeout was given */

    uint64_t taken; /* messages */
    uint64_t handled;
    uint64_t written;
    uint64_t acked;
    uint64_t ack_asked; /* the acknowledgement under way; 0: none */
    bool ack_done;      /* the last acknowledgement was answered */
    zchat_code ack_code;
    char ack_text[SENTENCE_BYTES];
    int64_t quiet_since_us;
    bool synced;
    bool stop;
    enum status status; /* why it stopped */
};

static void stop(struct receiver *receiver, enum status status) {
    receiver->stop = true;
    receiver->status = status;
}

static enum status show(struct receiver *receiver, const zchat_message *message) {
    if (receiver->handover.command)
        return handover_run(&receiver->handover, message);
    return message_print(receiver->call->output, message);
}

static enum status take_shown(struct receiver *receiver, const zchat_message *message) {
    enum status status = show(receiver, message);
    if (status != STATUS_DONE)
        return status;
    receiver->taken++;
    receiver->handled = message->seq;
    receiver->quiet_since_us = clock_us();
    if (receiver->handover.command)
        status = handover_ack(&receiver->handover, message->seq);
    if (receiver->handover.command && status == STATUS_DONE)
        receiver->acked = message->seq;
    return status;
}

static void take(struct receiver *receiver, const zchat_message *message) {
    enum status status = STATUS_DONE;
    if (interrupt_pending())
        stop(receiver, STATUS_INTERRUPTED);
    if (receiver->stop)
        return;
    if (!message->sent || receiver->sent)
        status = take_shown(receiver, message);
    else
        receiver->handled = message->seq;
    if (!receiver->bounded)
        call_renew_deadline(receiver->call);
    if (status != STATUS_DONE || (receiver->count && receiver->taken == receiver->count))
        stop(receiver, status);
}

static void on_event(void *arg, const zchat_event *event) {
    struct receiver *receiver = arg;
    switch (event->kind) {
    case ZCHAT_EVENT_MESSAGE:
        take(receiver, event->message);
        break;
    case ZCHAT_EVENT_SYNCED:
        if (!receiver->synced)
            receiver->quiet_since_us = clock_us();
        receiver->synced = true;
        break;
    default:
        call_tell_away(receiver->call, event);
        break;
    }
}

static void on_acked(void *arg, const zchat_reply *reply) {
    struct receiver *receiver = arg;
    if (reply->code == ZCHAT_OK && receiver->acked < receiver->ack_asked)
        receiver->acked = receiver->ack_asked;
    receiver->ack_code = reply->code;
    snprintf(receiver->ack_text, sizeof receiver->ack_text, "%s", reply->text ? reply->text : "");
    receiver->ack_asked = 0;
    receiver->ack_done = true;
}

/* Sends the next acknowledgement if none is under way. */
static void ask_ack(struct receiver *receiver) {
    struct call *call = receiver->call;
    if (!receiver->ack || receiver->ack_asked || receiver->written <= receiver->acked)
        return;
    receiver->ack_done = false;
    receiver->ack_asked = receiver->written;
    zchat_code code = zchat_ack(call->z, receiver->written, on_acked, receiver);
    if (code)
        on_acked(receiver, &(zchat_reply){.code = code, .text = zchat_error(call->z)});
}

static bool can_ack(const struct call *call) {
    return call->z && !call->refused && !call->lost && !call->ended;
}

/* Makes sure that everything written is acknowledged, and reports if that is not possible. */
static enum status finish_acks(struct receiver *receiver) {
    struct call *call = receiver->call;
    enum status status = STATUS_DONE;
    if (receiver->bounded)
        call_last_deadline(call);
    else
        call_renew_deadline(call);
    while (receiver->ack && receiver->acked < receiver->written && status == STATUS_DONE) {
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
    if (status == STATUS_DONE)
        receiver->written = receiver->handled;
    return status;
}

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
    return output_error(call->output, ZCHAT_EXPIRED, 0,
                        receiver->taken ? "the %s s of --timeout are over"
                                        : "the %s s of --timeout are over, and no message came",
                        option_text(call->options, OPTION_TIMEOUT));
}

static enum status on_quiet(struct receiver *receiver) {
    if (!receiver->synced || is_out_of_time(receiver))
        return on_limit(receiver);
    if (receiver->count == 0 && receiver->taken > 0)
        return STATUS_DONE;
    return output_error(receiver->call->output, ZCHAT_EXPIRED, 0,
                        receiver->taken ? "no further message came within %s s"
                                        : "no message came within %s s",
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

static enum status receive(struct receiver *receiver, uint64_t from_seq) {
    const struct call_login how = {.inbox = true, .from_seq = from_seq};
    receiver->call->on_event = on_event;
    receiver->call->arg = receiver;
    enum status status = STATUS_DONE;
    if (receiver->handover.command)
        status = handover_open(&receiver->handover);
    if (receiver->handover.command && status == STATUS_DONE) {
        receiver->call->limit_us = receiver->handover.call.limit_us;
        receiver->call->deadline_us = receiver->call->limit_us;
    }
    if (status == STATUS_DONE)
        status = call_login(receiver->call, &how);
    if (!receiver->bounded)
        bound_each_step(true, NULL);
    bool more = status == STATUS_DONE;
    while (more)
        status = turn(receiver, &more);
    if (status == STATUS_INTERRUPTED)
        interrupt_accept();
    receiver->stop = true;
    enum status acked = can_ack(receiver->call) ? finish_acks(receiver) : STATUS_DONE;
    handover_release(&receiver->handover);
    return status == STATUS_DONE ? acked : status;
}

static enum status run_inbox(struct call *call) {
    struct receiver receiver = {.call = call, .wait_us = -1};
    receiver.sent = option_flag(call->options, OPTION_SENT);
    receiver.bounded = option_is_given(call->options, OPTION_TIMEOUT);
    return receive(&receiver, 0);
}

static const struct verb inbox_verb = {
    .name = "inbox",
    .words = "",
    .options = VERB_OPTIONS(OPTION_SENT),
    .run = run_inbox,
    .help = "print what was not read yet, and leave it unread",
};

static enum status run_recv(struct call *call) {
    const struct options *options = call->options;
    bool drain = option_flag(options, OPTION_DRAIN);
    struct receiver receiver = {
        .call = call,
        .follow = option_flag(options, OPTION_FOLLOW),
        .sent = option_flag(options, OPTION_SENT),
        .count = option_number(options, OPTION_COUNT),
        .wait_us = option_microseconds(options, OPTION_WAIT),
        .bounded = option_is_given(options, OPTION_TIMEOUT),
    };
    handover_init(&receiver.handover, call, receiver.follow);
    receiver.ack = drain || receiver.handover.command || option_flag(options, OPTION_ACK);
    if (drain && (receiver.follow || receiver.count || receiver.wait_us >= 0))
        return output_error(call->output, ZCHAT_INVALID, 0,
                            "--drain ends when all is read: --follow, --count and --wait don't go "
                            "with it");
    return receive(&receiver, option_number(options, OPTION_FROM_SEQ));
}

static const struct verb recv_verb = {
    .name = "recv",
    .words = "",
    .options = VERB_OPTIONS(OPTION_ACK, OPTION_EXEC, OPTION_FOLLOW, OPTION_COUNT, OPTION_WAIT,
                            OPTION_FROM_SEQ, OPTION_DRAIN, OPTION_SENT),
    .run = run_recv,
    .help = "print or hand on what was not read yet; it stays unread unless an option says "
            "otherwise",
};

const struct verb *const recv_verbs[] = {&inbox_verb, &recv_verb, NULL};
