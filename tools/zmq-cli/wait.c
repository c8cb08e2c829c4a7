/* wait: the first message that fits, of those that were not read yet and those that arrive. */
#include "pattern.h"
#include "print.h"
#include "receiver.h"
#include "verb.h"

#include <strings.h>

struct wanted {
    const char *from;        /* borrowed: from the options; NULL: anybody */
    struct pattern *pattern; /* owned; NULL: any text */
};

/* What could not be looked at, for lack of memory, fits: better shown than missed. */
static bool is_wanted(const struct wanted *wanted, const zchat_message *message) {
    if (message->sent || message->damaged || message->about == ZCHAT_ABOUT_RETRACTS ||
        (wanted->from && strcasecmp(wanted->from, message->from) != 0))
        return false;
    return !wanted->pattern || pattern_match(wanted->pattern, message->text) != PATTERN_FITS_NOT;
}

/* What is passed over moves no cursor before one that fits does. */
static bool look(void *arg, const zchat_event *event, struct receiver_item *item) {
    if (event->kind != ZCHAT_EVENT_MESSAGE)
        return false;
    item->shown = is_wanted(arg, event->message);
    item->seq = item->shown ? event->message->seq : 0;
    return true;
}

static enum status print(struct output *output, const zchat_event *event) {
    return message_print(output, event->message);
}

static const struct receiver_kind fitting = {
    .synced = ZCHAT_EVENT_SYNCED,
    .nothing = "no message that fits came",
    .look = look,
    .print = print,
};

static enum status compile(struct call *call, struct wanted *wanted) {
    const char *text = option_text(call->options, OPTION_MATCH);
    char fault[PATTERN_FAULT_BYTES];
    if (!text)
        return STATUS_DONE;
    wanted->pattern = pattern_new(text, fault);
    if (wanted->pattern)
        return STATUS_DONE;
    if (!fault[0])
        return output_error(call->output, ZCHAT_NO_MEMORY, 0, "there is not enough memory");
    return output_error(call->output, ZCHAT_INVALID, 0,
                        "--match is no regular expression that RE2 takes: %s", fault);
}

static enum status wait_for(struct call *call, struct wanted *wanted) {
    const struct call_login how = {.inbox = true,
                                   .from_seq = option_number(call->options, OPTION_FROM_SEQ)};
    struct receiver receiver;
    receiver_init(&receiver, call, &fitting, wanted);
    receiver.follow = receiver.bounded = true;
    receiver.count = 1;
    return receiver_run(&receiver, &how);
}

static enum status run_wait(struct call *call) {
    struct wanted wanted = {.from = option_text(call->options, OPTION_FROM)};
    enum status status = compile(call, &wanted);
    if (status == STATUS_DONE)
        status = wait_for(call, &wanted);
    pattern_free(wanted.pattern);
    return status;
}

static const struct verb wait_verb = {
    .name = "wait",
    .words = "",
    .options = VERB_OPTIONS(OPTION_FROM, OPTION_MATCH, OPTION_ACK, OPTION_FROM_SEQ),
    .run = run_wait,
    .examples = VERB_EXAMPLES("zmq-cli --timeout 3600 wait --from bob --match '^(yes|no)' --ack"),
    .help = "print the first message that fits, unread or yet to come; within --timeout, else exit "
            "124; it stays unread, with --ack it and all before it count as read",
    .exits = "124 none that fits came in time",
};

const struct verb *const wait_verbs[] = {&wait_verb, NULL};
