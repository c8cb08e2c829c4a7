/* Receiving. The library hands out the inbox in order and without holes; here each message is
 * printed, or handed to the command of --exec, as it comes. `handled` is how far that went,
 * `written` how far it is out of this process, and only that is acknowledged: one acknowledgement
 * at a time, the next one covers all that was written meanwhile. */
#include "recv.h"

#include "child.h"
#include "interrupt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct receiver {
    struct call *call;   /* borrowed: from main */
    const char *command; /* borrowed: from the options; NULL: messages are printed */
    bool ack;
    bool follow;
    bool sent;
    uint64_t count;  /* 0: all */
    int64_t wait_us; /* -1: --wait was not given */

    uint64_t taken; /* messages */
    uint64_t handled;
    uint64_t written;
    uint64_t acked;
    uint64_t ack_asked; /* the acknowledgement under way; 0: none */
    bool ack_done;      /* the last acknowledgement was answered */
    int64_t quiet_since_us;
    bool synced;
    bool stop;
    enum status status; /* why it stopped */
};

static json_t *message_object(const zchat_message *message) {
    char id[ZCHAT_ID_TEXT];
    zchat_id_format(&message->id, id);
    json_t *object =
        json_pack("{s:s, s:o, s:s, s:s, s:s, s:o, s:b}", "id", id, "seq", value_big(message->seq),
                  "from", message->from, "to", message->to, "text", message->text, "time",
                  value_time(message->time_us), "missed", message->missed);
    if (object && message->sent)
        json_object_set_new(object, "sent", json_true());
    return object;
}

/* Lines after the first are indented, so that no text can look like another message. */
static void print_text(struct output *output, const zchat_message *message) {
    char time[TIME_TEXT];
    output_format(output, "%s %s", time_short(message->time_us, time), message->from);
    if (message->sent)
        output_format(output, " to %s", message->to);
    output_text(output, ": ");
    for (const char *line = message->text; *line;) {
        size_t bytes = strcspn(line, "\n");
        output_format(output, "%.*s\n", (int)bytes, line);
        line += bytes + (line[bytes] == '\n');
        if (*line)
            output_text(output, "    ");
    }
}

static enum status print_message(struct receiver *receiver, const zchat_message *message) {
    struct output *output = receiver->call->output;
    if (output->json)
        return output_object(output, message_object(message));
    print_text(output, message);
    return STATUS_DONE;
}

/* What the command finds on its stdin; owned by the caller, NULL where there is no memory. */
static char *command_input(const struct receiver *receiver, const zchat_message *message) {
    if (!receiver->call->output->json) {
        size_t bytes = strlen(message->text) + 2;
        char *input = malloc(bytes);
        if (input)
            snprintf(input, bytes, "%s\n", message->text);
        return input;
    }
    json_t *object = message_object(message);
    char *line = object ? json_dumps(object, JSON_COMPACT) : NULL;
    char *input = line ? realloc(line, strlen(line) + 2) : NULL;
    json_decref(object);
    if (input)
        strcat(input, "\n");
    else
        free(line);
    return input;
}

static int run_command(const struct receiver *receiver, const zchat_message *message,
                       const char *input) {
    char id[ZCHAT_ID_TEXT], seq[24], time[TIME_TEXT];
    zchat_id_format(&message->id, id);
    snprintf(seq, sizeof seq, "%" PRIu64, message->seq);
    const struct child_variable variables[] = {
        {"ZCHAT_ID", id},
        {"ZCHAT_FROM", message->from},
        {"ZCHAT_TO", message->to},
        {"ZCHAT_SEQ", seq},
        {"ZCHAT_TIME", time_precise(message->time_us, time)},
    };
    return child_feed(receiver->command, input, variables, sizeof variables / sizeof variables[0]);
}

static enum status hand_on(struct receiver *receiver, const zchat_message *message) {
    struct output *output = receiver->call->output;
    char *input = command_input(receiver, message);
    if (!input)
        return output_error(output, ZCHAT_NO_MEMORY, 0, "There is not enough memory.");
    int ended = run_command(receiver, message, input);
    int error = errno;
    free(input);
    if (ended == 0)
        return STATUS_DONE;
    if (interrupt_pending())
        return STATUS_INTERRUPTED;
    if (ended < 0)
        return output_error(output, ZCHAT_IO, 0, "Cannot run the command: %s.", strerror(error));
    return output_failure(output, "COMMAND_FAILED",
                          "The command failed with status %d; entry %" PRIu64 " stays unread.",
                          ended, message->seq);
}

static void stop(struct receiver *receiver, enum status status) {
    receiver->stop = true;
    receiver->status = status;
}

static void take(struct receiver *receiver, const zchat_message *message) {
    enum status status = STATUS_DONE;
    if (interrupt_pending())
        stop(receiver, STATUS_INTERRUPTED);
    if (receiver->stop)
        return;
    call_renew_deadline(receiver->call);
    if (!message->sent || receiver->sent) {
        status = receiver->command ? hand_on(receiver, message) : print_message(receiver, message);
        receiver->taken += status == STATUS_DONE;
        receiver->quiet_since_us = clock_us();
    }
    if (status != STATUS_DONE) {
        stop(receiver, status);
        return;
    }
    receiver->handled = message->seq;
    if (receiver->count && receiver->taken == receiver->count)
        stop(receiver, STATUS_DONE);
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
    case ZCHAT_EVENT_LOST:
        output_notice(receiver->call->output, "Lost the broker, trying again. %s", event->text);
        break;
    case ZCHAT_EVENT_RESUMED:
        output_notice(receiver->call->output, "The broker is back.");
        break;
    default:
        break;
    }
}

static void on_acked(void *arg, const zchat_reply *reply) {
    struct receiver *receiver = arg;
    if (reply->code == ZCHAT_OK)
        receiver->acked = receiver->ack_asked;
    receiver->ack_asked = 0;
    receiver->ack_done = true;
}

/* Asks for the next acknowledgement when none is under way. */
static void ask_ack(struct receiver *receiver) {
    if (!receiver->ack || receiver->ack_asked || receiver->written <= receiver->acked)
        return;
    receiver->ack_done = false;
    if (zchat_ack(receiver->call->z, receiver->written, on_acked, receiver) == ZCHAT_OK)
        receiver->ack_asked = receiver->written;
}

/* Sees to it that all that was written is acknowledged, and says so where it could not be. */
static enum status finish_acks(struct receiver *receiver) {
    struct call *call = receiver->call;
    enum status status = STATUS_DONE;
    call_renew_deadline(call);
    while (receiver->ack && receiver->acked < receiver->written && status == STATUS_DONE) {
        ask_ack(receiver);
        if (!receiver->ack_asked)
            return output_error(call->output, ZCHAT_UNREACHABLE, 0,
                                "What was read could not be acknowledged: %s",
                                zchat_error(call->z));
        status = call_wait(call, &receiver->ack_done);
    }
    return status;
}

/* What was taken so far must be out of this process before it can be acknowledged. */
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
    if (!receiver->synced)
        return receiver->call->deadline_us;
    return receiver->wait_us < 0 ? NO_DEADLINE : receiver->quiet_since_us + receiver->wait_us;
}

static enum status on_quiet(struct receiver *receiver) {
    if (!receiver->synced)
        return call_timed_out(receiver->call);
    if (receiver->count == 0 && receiver->taken > 0)
        return STATUS_DONE;
    return output_error(receiver->call->output, ZCHAT_EXPIRED, 0,
                        receiver->taken ? "No further message came within %s s."
                                        : "No message came within %s s.",
                        option_text(receiver->call->options, OPTION_WAIT));
}

/* One turn; *more is whether another one follows. */
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
    ask_ack(receiver);
    switch (interrupt_wait(zchat_fd(call->z), wait_until(receiver))) {
    case WAIT_EXPIRED:
        return on_quiet(receiver);
    case WAIT_INTERRUPTED:
        return STATUS_INTERRUPTED;
    case WAIT_FAILED:
        return output_error(call->output, ZCHAT_IO, 0, "Cannot wait: %s.", strerror(errno));
    case WAIT_READY:
        break;
    }
    *more = true;
    return STATUS_DONE;
}

static enum status receive(struct receiver *receiver, uint64_t from_seq) {
    const struct call_login how = {.inbox = true, .from_seq = from_seq};
    bool more = true;
    receiver->call->on_event = on_event;
    receiver->call->arg = receiver;
    enum status status = call_login(receiver->call, &how);
    if (status != STATUS_DONE)
        return status;
    while (more)
        status = turn(receiver, &more);
    if (status == STATUS_INTERRUPTED)
        interrupt_accept();
    receiver->stop = true;
    enum status acked = status == STATUS_CONNECTION ? STATUS_DONE : finish_acks(receiver);
    return status == STATUS_DONE ? acked : status;
}

enum status recv_inbox(struct call *call) {
    struct receiver receiver = {.call = call, .wait_us = -1};
    receiver.sent = option_flag(call->options, OPTION_SENT);
    return receive(&receiver, 0);
}

enum status recv_run(struct call *call) {
    const struct options *options = call->options;
    bool drain = option_flag(options, OPTION_DRAIN);
    struct receiver receiver = {
        .call = call,
        .command = option_text(options, OPTION_EXEC),
        .follow = option_flag(options, OPTION_FOLLOW),
        .sent = option_flag(options, OPTION_SENT),
        .count = option_number(options, OPTION_COUNT),
        .wait_us = option_microseconds(options, OPTION_WAIT),
    };
    receiver.ack = drain || receiver.command || option_flag(options, OPTION_ACK);
    if (drain && (receiver.follow || receiver.count || receiver.wait_us >= 0))
        return output_error(call->output, ZCHAT_INVALID, 0,
                            "--drain ends when all is read: --follow, --count and --wait don't go "
                            "with it.");
    return receive(&receiver, option_number(options, OPTION_FROM_SEQ));
}
