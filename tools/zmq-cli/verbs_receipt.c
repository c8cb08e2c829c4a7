/* receipt, receipts; and the wait of send --wait-read. */

#include "bound.h"
#include "receipt.h"
#include "verb.h"

#include <stdio.h>
#include <string.h>

/* ---- waiting ---- */

struct waiting {
    struct call *call;       /* borrowed */
    struct receipt *receipt; /* borrowed: the caller's */
    bool over;               /* it was read, or the session ended */
};

static enum status take_answer(struct call *call, const zchat_reply *reply) {
    struct waiting *waiting = call->arg;
    waiting->receipt->id = reply->id;
    waiting->receipt->read = reply->read;
    snprintf(waiting->receipt->user, sizeof waiting->receipt->user, "%s", reply->user);
    return STATUS_DONE;
}

static void on_event(void *arg, const zchat_event *event) {
    struct waiting *waiting = arg;
    if (event->kind == ZCHAT_EVENT_MESSAGE_READ &&
        memcmp(&event->id, &waiting->receipt->id, sizeof event->id) == 0)
        waiting->receipt->read = waiting->over = true;
    else if (event->kind == ZCHAT_EVENT_SESSION_ENDED)
        waiting->over = true;
}

static enum status wait_until_read(struct waiting *waiting, int64_t wait_us) {
    struct call *call = waiting->call;
    bool bounded = call_is_bounded(call, false);
    int64_t until_us = clock_us() + wait_us;
    char awaited[SENTENCE_BYTES];
    bool sooner = bounded && call->limit_us < until_us;
    if (!bounded)
        bound_each_step(true, NULL);
    if (sooner)
        snprintf(awaited, sizeof awaited, "the %s s of --timeout are over, and it was not read",
                 option_text(call->options, OPTION_TIMEOUT));
    else
        snprintf(awaited, sizeof awaited, "it was not read within %g s", (double)wait_us / 1e6);
    call->deadline_us = sooner ? call->limit_us : until_us;
    call->awaited = awaited;
    enum status status = call_wait(call, &waiting->over);
    call->awaited = NULL;
    if (status == STATUS_DONE && !waiting->receipt->read)
        return output_error(call->output, ZCHAT_AUTH, 0, "%s", call->why);
    return status;
}

enum status receipt_await(struct call *call, const zchat_id *id, uint64_t seq, int64_t wait_us,
                          struct receipt *receipt) {
    struct waiting waiting = {.call = call, .receipt = receipt};
    *receipt = (struct receipt){0};
    call->on_event = on_event;
    call->arg = &waiting;
    enum status status = call_answer(
        call, zchat_receipt(call->z, id, seq, wait_us > 0, call_replied, call), take_answer);
    if (status == STATUS_DONE && !receipt->read && wait_us >= 0)
        status = wait_until_read(&waiting, wait_us);
    call->on_event = NULL;
    call->arg = NULL;
    return status;
}

/* ---- receipt ---- */

static enum status print_receipt(struct call *call, const struct receipt *receipt) {
    char id[ZCHAT_ID_TEXT];
    zchat_id_format(&receipt->id, id);
    if (call->output->json)
        return output_object(call->output, json_pack("{s:s, s:s, s:b}", "id", id, "user",
                                                     receipt->user, "read", receipt->read));
    output_format(call->output, "%s %s by %s\n", receipt->read ? "read" : "unread", id,
                  receipt->user);
    return STATUS_DONE;
}

static enum status run_receipt(struct call *call) {
    struct receipt receipt;
    zchat_id id;
    uint64_t seq = 0;
    bool by_id = zchat_id_parse(call->words[0], &id);
    if (!by_id && !option_parse_number(call->words[0], &seq))
        return output_error(call->output, ZCHAT_INVALID, 0,
                            "ID is a message's id, or its seq, not \"%s\"", call->words[0]);
    enum status status = call_start(call);
    if (status == STATUS_DONE)
        status = receipt_await(call, by_id ? &id : NULL, seq,
                               option_microseconds(call->options, OPTION_WAIT), &receipt);
    return status == STATUS_DONE ? print_receipt(call, &receipt) : status;
}

static const struct verb receipt_verb = {
    .name = "receipt",
    .words = "ID",
    .words_min = 1,
    .words_max = 1,
    .options = VERB_OPTIONS(OPTION_WAIT),
    .run = run_receipt,
    .examples = VERB_EXAMPLES("zmq-cli receipt 3", "zmq-cli --json receipt --wait 60 3"),
    .help =
        "tell whether its recipient has read what you sent; ID is what send printed, or the seq",
    .more = "with --wait it waits for that, else it exits 0 either way",
    .exits = "6 they tell nobody what they have read; 124 not read within --wait",
};

/* ---- receipts ---- */

static enum status print_settings(struct call *call, const zchat_reply *reply) {
    if (call->output->json)
        return output_object(call->output, json_pack("{s:b}", "receipts", reply->receipts));
    output_format(call->output, "receipts are %s\n", reply->receipts ? "on" : "off");
    return STATUS_DONE;
}

static enum status run_receipts(struct call *call) {
    const char *word = call->word_count > 0 ? call->words[0] : "";
    zchat_choice choice = strcmp(word, "on") == 0    ? ZCHAT_CHOICE_ON
                          : strcmp(word, "off") == 0 ? ZCHAT_CHOICE_OFF
                                                     : ZCHAT_CHOICE_KEEP;
    if (choice == ZCHAT_CHOICE_KEEP && call->word_count > 0)
        return output_error(call->output, ZCHAT_INVALID, 0, "receipts are on or off, not \"%s\"",
                            word);
    enum status status = call_start(call);
    return status == STATUS_DONE
               ? call_answer(call, zchat_settings(call->z, choice, call_replied, call),
                             print_settings)
               : status;
}

static const struct verb receipts_verb = {
    .name = "receipts",
    .words = "[on|off]",
    .words_max = 1,
    .run = run_receipts,
    .examples = VERB_EXAMPLES("zmq-cli receipts", "zmq-cli receipts off", "zmq-cli receipts on"),
    .help = "choose whether others may learn that you have read their messages",
    .more = "without a word tell what is chosen; it is kept with the account",
};

const struct verb *const receipt_verbs[] = {&receipt_verb, &receipts_verb, NULL};
