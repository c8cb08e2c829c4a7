/* private start, accept, decline, send, stop, file. A chat lives in the process that holds it, so
 * each of these verbs begins one, and none can find one. */

#include "common/clock.h"
#include "input.h"
#include "interrupt.h"
#include "private_chat.h"
#include "verb.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static enum status run_private_start(struct call *call) {
    struct private_chat chat;
    enum status status = private_chat_begin(&chat, call, false);
    if (status == STATUS_DONE)
        status = private_chat_start(&chat, call->words[0]);
    if (status == STATUS_DONE)
        status = private_chat_hold(&chat);
    private_chat_release(&chat);
    return status;
}

static const struct verb private_start_verb = {
    .name = "private start",
    .classic = "startprivate",
    .words = "USER",
    .words_min = 1,
    .words_max = 1,
    .options = VERB_OPTIONS(OPTION_WAIT, OPTION_FILES_TO, OPTION_FILES_MAX, OPTION_FILES_COUNT,
                            OPTION_FILES_TOTAL, OPTION_PRIVATE_ADDRESS),
    .run = run_private_start,
    .examples = VERB_EXAMPLES("echo see you at nine | zmq-cli private start bob"),
    .help = "hold a private chat, direct and encrypted: send each line of stdin, print the lines "
            "of USER",
    .more = "it ends when stdin has ended and all is acknowledged, or when USER ends it; if stdin "
            "is empty it only listens, until nothing came for --wait, --timeout, or 60 s; "
            "--timeout, if set, bounds all of it",
    .exits = "3 unreachable, 6 offline, blocked or declined, 7 one is open, 124 no answer",
};

/* --- whether somebody can invite at all --- */

/* It lives until the chat is released, because answers may come as late as that. */
struct lookup {
    char user[PRIVATE_USER_BYTES];
    bool done;
    bool blocked;
    zchat_code code;
    char text[SENTENCE_BYTES];
};

static void on_looked_up(void *arg, const zchat_reply *reply) {
    struct lookup *lookup = arg;
    lookup->done = true;
    lookup->code = reply->code;
    snprintf(lookup->text, sizeof lookup->text, "%s", reply->text ? reply->text : "");
    for (size_t i = 0; reply->code == ZCHAT_OK && reply->users && i < reply->count; i++)
        lookup->blocked = lookup->blocked || strcmp(reply->users[i], lookup->user) == 0;
}

static enum status await_lookup(struct lookup *lookup, struct call *call, zchat_code queued) {
    lookup->done = false;
    if (queued)
        on_looked_up(lookup, &(zchat_reply){.code = queued, .text = zchat_error(call->z)});
    return call_wait(call, &lookup->done);
}

/* Finds out if the user exists. No command asks only that. Unblocking somebody who is not blocked
 * does nothing, and fails differently if there is no such user; so the list of blocked users is
 * looked at first. */
static enum status look_for(struct lookup *lookup, struct private_chat *chat, const char *user) {
    struct call *call = chat->call;
    private_chat_name(lookup->user, user);
    if (strcmp(lookup->user, chat->self) == 0)
        return output_error(call->output, ZCHAT_INVALID, 0, "%s is yourself", user);
    enum status status = await_lookup(lookup, call, zchat_blocked(call->z, on_looked_up, lookup));
    if (status != STATUS_DONE || lookup->code != ZCHAT_OK || lookup->blocked)
        return status;
    status = await_lookup(lookup, call, zchat_unblock(call->z, user, on_looked_up, lookup));
    if (status == STATUS_DONE && (lookup->code == ZCHAT_INVALID || lookup->code == ZCHAT_NOT_FOUND))
        return output_error(call->output, lookup->code, 0, "%s", lookup->text);
    if (status == STATUS_DONE && lookup->code == ZCHAT_OK)
        zchat_block(call->z, user, NULL, NULL); /* just blocked elsewhere: blocks again */
    return status;
}

/* --- answering --- */

/* Whether another chat may follow after one that ended with this status. */
static bool goes_on(const struct private_chat *chat, enum status status) {
    return status != STATUS_INTERRUPTED && !chat->stop && !chat->call->refused &&
           !chat->call->ended && clock_us() < private_chat_within(chat, NO_DEADLINE);
}

/* *late: nobody invited in time. */
static enum status accept_one(struct private_chat *chat, const char *user, int64_t patience_us,
                              bool *late) {
    enum status status = private_chat_await(chat, user, patience_us);
    *late = status == STATUS_EXPIRED;
    if (status == STATUS_DONE)
        status = private_chat_accept(chat);
    if (status == STATUS_DONE)
        status = private_chat_hold(chat);
    return status;
}

/* How long to wait for an invitation; -1: until interrupted. */
static int64_t accept_patience_us(const struct private_chat *chat, bool once) {
    return once || chat->bounded ? private_chat_patience_us(chat->call) : -1;
}

static enum status run_private_accept(struct call *call) {
    struct private_chat chat;
    struct lookup lookup = {0};
    const char *user = call->word_count > 0 ? call->words[0] : NULL;
    bool once = option_flag(call->options, OPTION_ONCE), late = false;
    enum status status = private_chat_begin(&chat, call, !once);
    if (status == STATUS_DONE && user)
        status = look_for(&lookup, &chat, user);
    bool more = status == STATUS_DONE;
    chat.more_follow = !once;
    while (more) {
        status = accept_one(&chat, user, accept_patience_us(&chat, once), &late);
        more = !once && !late && goes_on(&chat, status);
        chat.trouble = more ? STATUS_DONE : chat.trouble;
    }
    private_chat_release(&chat);
    return status;
}

static const struct verb private_accept_verb = {
    .name = "private accept",
    .classic = "accept",
    .words = "[USER]",
    .words_max = 1,
    .options = VERB_OPTIONS(OPTION_ONCE, OPTION_WAIT, OPTION_FILES_TO, OPTION_FILES_MAX,
                            OPTION_FILES_COUNT, OPTION_FILES_TOTAL, OPTION_PRIVATE_ADDRESS),
    .run = run_private_accept,
    .examples = VERB_EXAMPLES("zmq-cli private accept --once",
                              "zmq-cli --timeout 60 private accept bob --once --files-to copies"),
    .help = "wait for an invitation, from USER or from anybody, and hold the chat the same way",
    .exits = "124 nobody invited in time",
};

static enum status decline_all(struct private_chat *chat) {
    struct call *call = chat->call;
    int64_t until_us =
        private_chat_within(chat, clock_us() + option_microseconds(call->options, OPTION_TIMEOUT));
    enum status status = STATUS_DONE;
    while (status == STATUS_DONE && clock_us() < until_us) {
        status = call_work(call);
        if (status == STATUS_DONE && chat->inviting_count > 0) {
            status = private_chat_await(chat, NULL, 0);
            if (status == STATUS_DONE)
                status = private_chat_decline(chat);
        } else if (status == STATUS_DONE &&
                   interrupt_wait(zchat_fd(call->z), until_us) == WAIT_INTERRUPTED) {
            status = STATUS_INTERRUPTED;
        }
    }
    return status;
}

static enum status run_private_decline(struct call *call) {
    struct private_chat chat;
    struct lookup lookup = {0};
    bool all = option_flag(call->options, OPTION_ALL);
    if (all == (call->word_count > 0))
        return output_error(call->output, ZCHAT_INVALID, 0, "give USER or --all");
    enum status status = private_chat_begin(&chat, call, false);
    if (status == STATUS_DONE && all)
        status = decline_all(&chat);
    else if (status == STATUS_DONE)
        status = look_for(&lookup, &chat, call->words[0]);
    if (status == STATUS_DONE && !all)
        status = private_chat_await(&chat, call->words[0], private_chat_patience_us(call));
    if (status == STATUS_DONE && !all)
        status = private_chat_decline(&chat);
    private_chat_release(&chat);
    return status;
}

static const struct verb private_decline_verb = {
    .name = "private decline",
    .classic = "decline",
    .words = "[USER]",
    .words_max = 1,
    .options = VERB_OPTIONS(OPTION_ALL),
    .run = run_private_decline,
    .examples = VERB_EXAMPLES("zmq-cli private decline bob"),
    .help = "wait for an invitation from USER, and decline it",
    .exits = "124 nobody invited in time",
};

/* --- one thing --- */

static enum status print_sent(struct call *call, const zchat_reply *reply) {
    const struct private_chat *chat = call->arg;
    (void)reply;
    if (call->output->json)
        return output_object(call->output,
                             json_pack("{s:s, s:s}", "to", chat->user, "status", "delivered"));
    output_format(call->output, "delivered to %s\n", chat->user);
    return STATUS_DONE;
}

/* Starts the chat; after that the call waits for the other one's program. */
static enum status begin_for(struct private_chat *chat, struct call *call) {
    enum status status = private_chat_begin(chat, call, false);
    if (status == STATUS_DONE)
        status = private_chat_start(chat, call->words[0]);
    return status;
}

static enum status finish(struct private_chat *chat, enum status status) {
    enum status stopped = status == STATUS_DONE ? private_chat_stop(chat) : STATUS_DONE;
    private_chat_release(chat);
    return status == STATUS_DONE ? stopped : status;
}

static enum status run_private_send(struct call *call) {
    struct private_chat chat;
    char *text = NULL;
    enum status status = input_text(call, 1, &text);
    if (status != STATUS_DONE) {
        free(text);
        return status;
    }
    status = begin_for(&chat, call);
    if (status == STATUS_DONE) {
        private_chat_expect(&chat, option_microseconds(call->options, OPTION_TIMEOUT),
                            "it is not known whether the line was seen: no acknowledgement came");
        status = call_answer(call, zchat_private_send(call->z, chat.user, text, call_replied, call),
                             print_sent);
    }
    free(text);
    return finish(&chat, status);
}

static const struct verb private_send_verb = {
    .name = "private send",
    .words = "USER TEXT...",
    .words_min = 2,
    .words_max = VERB_WORDS_ANY,
    .options = VERB_OPTIONS(OPTION_PRIVATE_ADDRESS),
    .run = run_private_send,
    .examples = VERB_EXAMPLES("zmq-cli private send bob the code is 4711"),
    .help = "a private chat for one line: start it, send, wait for the acknowledgement, stop",
    .exits = "3 unreachable, 6 offline, blocked or declined, 124 no answer",
};

static enum status run_private_stop(struct call *call) {
    return output_error(call->output, ZCHAT_NOT_FOUND, 0,
                        "there is no private chat with %s here: a chat lives in the process that "
                        "holds it, and ends with it",
                        call->words[0]);
}

static const struct verb private_stop_verb = {
    .name = "private stop",
    .classic = "stopprivate",
    .words = "USER",
    .words_min = 1,
    .words_max = 1,
    .run = run_private_stop,
    .examples = VERB_EXAMPLES("zmq-cli private stop bob"),
    .help = "not possible from here: a chat lives in the process that holds it",
    .exits = "5 always",
};

/* --- a file --- */

static void on_progress(void *arg, uint64_t bytes, uint64_t total) {
    struct call *call = arg;
    struct private_chat *chat = call->arg;
    if (!chat)
        return;
    private_chat_expect(chat, option_microseconds(call->options, OPTION_TIMEOUT),
                        chat->bounded ? "the file was not whole on the other side"
                                      : "nothing of the file moved");
    bar_move(&chat->bar, bytes, total);
}

static enum status print_file_sent(struct call *call, const zchat_reply *reply) {
    struct private_chat *chat = call->arg;
    const char *path = call->words[1], *slash = strrchr(path, '/');
    (void)reply;
    bar_end(&chat->bar);
    if (!call->output->json) {
        output_format(call->output, "sent %s\n", slash ? slash + 1 : path);
        return STATUS_DONE;
    }
    json_t *object = json_pack("{s:s, s:s}", "to", chat->user, "status", "delivered");
    json_t *file = json_string(slash ? slash + 1 : path);
    if (object && file)
        json_object_set_new(object, "file", file);
    return output_object(call->output, object);
}

static enum status run_private_file(struct call *call) {
    struct private_chat chat;
    char why[SENTENCE_BYTES];
    zchat_code code = zchat_private_file_check(call->words[1], why, sizeof why);
    if (code != ZCHAT_OK) /* before anybody is asked */
        return output_error(call->output, code, 0, "%s", why);
    enum status status = begin_for(&chat, call);
    bar_init(&chat.bar, call->output->quiet);
    if (status == STATUS_DONE) {
        call->output->bar = &chat.bar;
        private_chat_expect(&chat, private_chat_patience_us(call), "the file was not taken");
        status = call_answer(
            call,
            zchat_private_file(call->z, chat.user, call->words[1], on_progress, call_replied, call),
            print_file_sent);
        bar_end(&chat.bar);
        call->output->bar = NULL;
    }
    return finish(&chat, status);
}

static const struct verb private_file_verb = {
    .name = "private file",
    .words = "USER PATH",
    .words_min = 2,
    .words_max = 2,
    .options = VERB_OPTIONS(OPTION_PRIVATE_ADDRESS),
    .run = run_private_file,
    .examples = VERB_EXAMPLES("zmq-cli private file bob report.pdf"),
    .help = "a private chat for one file: start it, send the file when it is taken, stop",
    .exits = "3 unreachable, 6 offline, blocked or refused, 124 no answer",
};

const struct verb *const private_verbs[] = {
    &private_start_verb,
    &private_accept_verb,
    &private_decline_verb,
    &private_send_verb,
    &private_stop_verb,
    &private_file_verb,
    NULL,
};
