/* inbox and recv: what was not read yet, and what arrives. */
#include "common/time_text.h"
#include "print.h"
#include "receiver.h"
#include "verb.h"

#include <inttypes.h>
#include <stdio.h>

struct wanted {
    bool sent; /* one's own, too */
};

static bool look(void *arg, const zchat_event *event, struct receiver_item *item) {
    const struct wanted *wanted = arg;
    if (event->kind != ZCHAT_EVENT_MESSAGE)
        return false;
    item->shown = wanted->sent || !event->message->sent;
    item->seq = event->message->seq;
    return true;
}

static enum status print(struct output *output, const zchat_event *event) {
    return message_print(output, event->message);
}

static enum status hand_over(struct handover *handover, const zchat_event *event) {
    const zchat_message *message = event->message;
    char id[ZCHAT_ID_TEXT], original[ZCHAT_ID_TEXT], seq[24], time[TIME_TEXT], stays[40];
    zchat_id_format(&message->id, id);
    zchat_id_format(&message->original, original);
    snprintf(seq, sizeof seq, "%" PRIu64, message->seq);
    snprintf(stays, sizeof stays, "entry %" PRIu64, message->seq);
    const struct child_variable variables[] = {
        {"ZCHAT_ID", id},
        {"ZCHAT_FROM", message->from},
        {"ZCHAT_TO", message->to},
        {"ZCHAT_SEQ", seq},
        {"ZCHAT_TIME", time_precise(message->time_us, time)},
        {"ZCHAT_CORRECTS", message->about == ZCHAT_ABOUT_CORRECTS ? original : ""},
        {"ZCHAT_RETRACTS", message->about == ZCHAT_ABOUT_RETRACTS ? original : ""},
    };
    return handover_run(handover, &(struct handover_item){
                                      .line = message_line(handover->call.output, message),
                                      .stays = stays,
                                      .variables = variables,
                                      .variable_count = sizeof variables / sizeof variables[0],
                                  });
}

static const struct receiver_kind messages = {
    .synced = ZCHAT_EVENT_SYNCED,
    .nothing = "no message came",
    .no_more = "no further message came",
    .look = look,
    .print = print,
    .hand_over = hand_over,
};

static enum status receive(struct call *call) {
    struct wanted wanted = {.sent = option_flag(call->options, OPTION_SENT)};
    const struct call_login how = {.inbox = true,
                                   .from_seq = option_number(call->options, OPTION_FROM_SEQ)};
    struct receiver receiver;
    receiver_init(&receiver, call, &messages, &wanted);
    return receiver_run(&receiver, &how);
}

static const struct verb inbox_verb = {
    .name = "inbox",
    .words = "",
    .options = VERB_OPTIONS(OPTION_SENT),
    .run = receive,
    .examples = VERB_EXAMPLES("zmq-cli inbox"),
    .help = "print what was not read yet, and leave it unread",
};

static enum status run_recv(struct call *call) {
    const struct options *options = call->options;
    bool waits = option_flag(options, OPTION_FOLLOW) || option_is_set(options, OPTION_COUNT) ||
                 option_is_set(options, OPTION_WAIT);
    if (waits && option_flag(options, OPTION_DRAIN))
        return output_error(call->output, ZCHAT_INVALID, 0,
                            "--drain ends when all is read: --follow, --count and --wait don't go "
                            "with it");
    return receive(call);
}

static const struct verb recv_verb = {
    .name = "recv",
    .words = "",
    .options = VERB_OPTIONS(OPTION_ACK, OPTION_EXEC, OPTION_FOLLOW, OPTION_COUNT, OPTION_WAIT,
                            OPTION_FROM_SEQ, OPTION_DRAIN, OPTION_SENT),
    .run = run_recv,
    .examples = VERB_EXAMPLES("zmq-cli recv --ack", "zmq-cli --json recv --drain",
                              "zmq-cli recv --follow --exec ./answer"),
    .help = "print or hand on what was not read yet; it stays unread unless an option says "
            "otherwise",
    .exits = "124 not all that --wait waits for came",
};

const struct verb *const recv_verbs[] = {&inbox_verb, &recv_verb, NULL};
