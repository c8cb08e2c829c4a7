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

struct recv {
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
        json_pack("{s:s, s:o, s:s, s:s, s:s, s:o, s:b}", "id", id, "seq", json_big(message->seq),
                  "from", message->from, "to", message->to, "text", message->text, "time",
                  json_time(message->time_us), "missed", message->missed);
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

static enum status print_message(struct recv *recv, const zchat_message *message) {
    struct output *output = recv->call->output;
    if (output->json)
        return output_object(output, message_object(message));
    print_text(output, message);
    return STATUS_DONE;
}

/* What the command finds on its stdin; owned by the caller, NULL where there is no memory. */
static char *command_input(const struct recv *recv, const zchat_message *message) {
    if (!recv->call->output->json) {
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

static int run_command(const struct recv *recv, const zchat_message *message, const char *input) {
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
    return child_feed(recv->command, input, variables, sizeof variables / sizeof variables[0]);
}

static enum status hand_on(struct recv *recv, const zchat_message *message) {
    struct output *output = recv->call->output;
    char *input = command_input(recv, message);
    if (!input)
        return output_error(output, ZCHAT_NO_MEMORY, 0, "There is not enough memory.");
    int ended = run_command(recv, message, input);
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

static void stop(struct recv *recv, enum status status) {
    recv->stop = true;
    recv->status = status;
}

static void take(struct recv *recv, const zchat_message *message) {
    enum status status = STATUS_DONE;
    if (interrupt_pending())
        stop(recv, STATUS_INTERRUPTED);
    if (recv->stop)
        return;
    call_renew_deadline(recv->call);
    if (!message->sent || recv->sent) {
        status = recv->command ? hand_on(recv, message) : print_message(recv, message);
        recv->taken += status == STATUS_DONE;
        recv->quiet_since_us = clock_us();
    }
    if (status != STATUS_DONE) {
        stop(recv, status);
        return;
    }
    recv->handled = message->seq;
    if (recv->count && recv->taken == recv->count)
        stop(recv, STATUS_DONE);
}

static void on_event(void *arg, const zchat_event *event) {
    struct recv *recv = arg;
    switch (event->kind) {
    case ZCHAT_EVENT_MESSAGE:
        take(recv, event->message);
        break;
    case ZCHAT_EVENT_SYNCED:
        if (!recv->synced)
            recv->quiet_since_us = clock_us();
        recv->synced = true;
        break;
    case ZCHAT_EVENT_LOST:
        output_notice(recv->call->output, "Lost the broker, trying again. %s", event->text);
        break;
    case ZCHAT_EVENT_RESUMED:
        output_notice(recv->call->output, "The broker is back.");
        break;
    default:
        break;
    }
}

static void on_acked(void *arg, const zchat_reply *reply) {
    struct recv *recv = arg;
    if (reply->code == ZCHAT_OK)
        recv->acked = recv->ack_asked;
    recv->ack_asked = 0;
    recv->ack_done = true;
}

/* Asks for the next acknowledgement when none is under way. */
static void ask_ack(struct recv *recv) {
    if (!recv->ack || recv->ack_asked || recv->written <= recv->acked)
        return;
    recv->ack_done = false;
    if (zchat_ack(recv->call->z, recv->written, on_acked, recv) == ZCHAT_OK)
        recv->ack_asked = recv->written;
}

/* Sees to it that all that was written is acknowledged, and says so where it could not be. */
static enum status finish_acks(struct recv *recv) {
    struct call *call = recv->call;
    enum status status = STATUS_DONE;
    call_renew_deadline(call);
    while (recv->ack && recv->acked < recv->written && status == STATUS_DONE) {
        ask_ack(recv);
        if (!recv->ack_asked)
            return output_error(call->output, ZCHAT_UNREACHABLE, 0,
                                "What was read could not be acknowledged: %s",
                                zchat_error(call->z));
        status = call_wait(call, &recv->ack_done);
    }
    return status;
}

/* What was taken so far must be out of this process before it can be acknowledged. */
static enum status write_out(struct recv *recv) {
    enum status status = output_flush(recv->call->output);
    if (status == STATUS_DONE)
        recv->written = recv->handled;
    return status;
}

static bool is_finished(const struct recv *recv) {
    if (!recv->synced || recv->follow)
        return false;
    return recv->wait_us < 0 || (recv->count == 0 && recv->taken > 0);
}

static int64_t wait_until(const struct recv *recv) {
    if (!recv->synced)
        return recv->call->deadline_us;
    return recv->wait_us < 0 ? NO_DEADLINE : recv->quiet_since_us + recv->wait_us;
}

static enum status on_quiet(struct recv *recv) {
    if (!recv->synced)
        return call_timed_out(recv->call);
    if (recv->count == 0 && recv->taken > 0)
        return STATUS_DONE;
    return output_error(recv->call->output, ZCHAT_EXPIRED, 0,
                        recv->taken ? "No further message came within %s s."
                                    : "No message came within %s s.",
                        option_text(recv->call->options, OPTION_WAIT));
}

/* One turn; *more is whether another one follows. */
static enum status turn(struct recv *recv, bool *more) {
    struct call *call = recv->call;
    enum status status = call_work(call), written = write_out(recv);
    *more = false;
    if (written != STATUS_DONE || recv->stop)
        return written != STATUS_DONE ? written : recv->status;
    if (status != STATUS_DONE || is_finished(recv))
        return status;
    if (call->ended)
        return output_error(call->output, ZCHAT_AUTH, 0, "%s", call->why);
    ask_ack(recv);
    switch (interrupt_wait(zchat_fd(call->z), wait_until(recv))) {
    case WAIT_EXPIRED:
        return on_quiet(recv);
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

static enum status receive(struct recv *recv, uint64_t from_seq) {
    const struct call_login how = {.inbox = true, .from_seq = from_seq};
    bool more = true;
    recv->call->on_event = on_event;
    recv->call->arg = recv;
    enum status status = call_login(recv->call, &how);
    if (status != STATUS_DONE)
        return status;
    while (more)
        status = turn(recv, &more);
    if (status == STATUS_INTERRUPTED)
        interrupt_accept();
    recv->stop = true;
    enum status acked = status == STATUS_CONNECTION ? STATUS_DONE : finish_acks(recv);
    return status == STATUS_DONE ? acked : status;
}

enum status recv_inbox(struct call *call) {
    struct recv recv = {.call = call, .wait_us = -1};
    recv.sent = option_flag(call->options, OPTION_SENT);
    return receive(&recv, 0);
}

enum status recv_run(struct call *call) {
    const struct options *options = call->options;
    bool drain = option_flag(options, OPTION_DRAIN);
    struct recv recv = {
        .call = call,
        .command = option_text(options, OPTION_EXEC),
        .follow = option_flag(options, OPTION_FOLLOW),
        .sent = option_flag(options, OPTION_SENT),
        .count = option_number(options, OPTION_COUNT),
        .wait_us = option_microseconds(options, OPTION_WAIT),
    };
    recv.ack = drain || recv.command || option_flag(options, OPTION_ACK);
    if (drain && (recv.follow || recv.count || recv.wait_us >= 0))
        return output_error(call->output, ZCHAT_INVALID, 0,
                            "--drain ends when all is read: --follow, --count and --wait don't go "
                            "with it.");
    return receive(&recv, option_number(options, OPTION_FROM_SEQ));
}
