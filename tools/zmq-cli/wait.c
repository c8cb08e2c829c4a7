/* wait: the first message that fits, of those that were not read yet and those that arrive.
 *
 * The expression is matched by the C library, which may take long over one that looks for what it
 * found before (\1): a text has 16 KiB at most, and --timeout ends that, too. */
#define _GNU_SOURCE /* newlocale, strcasecmp */
#include "print.h"
#include "receiver.h"
#include "verb.h"

#include <locale.h>
#include <regex.h>
#include <string.h>
#include <strings.h>

struct wanted {
    const char *from; /* borrowed: from the options; NULL: anybody */
    bool by_text;
    regex_t text;
};

static bool is_wanted(const struct wanted *wanted, const zchat_message *message) {
    if (message->sent || message->damaged ||
        (wanted->from && strcasecmp(wanted->from, message->from) != 0))
        return false;
    return !wanted->by_text || regexec(&wanted->text, message->text, 0, NULL, 0) == 0;
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

/* glibc compiles nested groups one inside the other, on the stack. */
#define MATCH_BYTES_MAX 1024

static enum status compile(struct call *call, struct wanted *wanted) {
    const char *text = option_text(call->options, OPTION_MATCH);
    char fault[SENTENCE_BYTES / 2];
    if (!text)
        return STATUS_DONE;
    if (strlen(text) > MATCH_BYTES_MAX)
        return output_error(call->output, ZCHAT_INVALID, 0,
                            "--match takes an expression of at most %d bytes", MATCH_BYTES_MAX);
    int error = regcomp(&wanted->text, text, REG_EXTENDED | REG_NOSUB | REG_NEWLINE);
    wanted->by_text = error == 0;
    if (error == 0)
        return STATUS_DONE;
    regerror(error, &wanted->text, fault, sizeof fault);
    if (fault[0] >= 'A' && fault[0] <= 'Z')
        fault[0] = (char)(fault[0] - 'A' + 'a');
    return output_error(call->output, ZCHAT_INVALID, 0,
                        "--match is no extended regular expression: %s", fault);
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

/* Texts are UTF-8 whatever the environment says: a dot is a character. */
static enum status run_wait(struct call *call) {
    struct wanted wanted = {.from = option_text(call->options, OPTION_FROM)};
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (utf8)
        uselocale(utf8);
    enum status status = compile(call, &wanted);
    if (status == STATUS_DONE)
        status = wait_for(call, &wanted);
    if (wanted.by_text)
        regfree(&wanted.text);
    if (utf8) {
        uselocale(LC_GLOBAL_LOCALE);
        freelocale(utf8);
    }
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
