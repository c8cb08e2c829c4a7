/* private start, accept, decline, send, stop, file. A chat lives in the process that holds it, so
 * each of them begins one, and none of them finds one. */
#include "verbs_private.h"

#include "input.h"
#include "interrupt.h"
#include "private_chat.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum status private_start(struct call *call) {
    struct private_chat chat;
    enum status status = private_chat_begin(&chat, call);
    if (status == STATUS_DONE)
        status = private_chat_start(&chat, call->words[0]);
    if (status == STATUS_DONE)
        status = private_chat_hold(&chat);
    private_chat_release(&chat);
    return status;
}

/* --- answering --- */

/* Whether another chat may follow after one ended so. */
static bool goes_on(const struct private_chat *chat, enum status status) {
    return status != STATUS_INTERRUPTED && !chat->stop && !chat->call->refused &&
           !chat->call->ended;
}

static enum status accept_one(struct private_chat *chat, const char *user, int64_t patience_us) {
    enum status status = private_chat_await(chat, user, patience_us);
    if (status == STATUS_DONE)
        status = private_chat_accept(chat);
    if (status == STATUS_DONE)
        status = private_chat_hold(chat);
    return status;
}

enum status private_accept(struct call *call) {
    struct private_chat chat;
    const char *user = call->word_count > 0 ? call->words[0] : NULL;
    bool once = option_flag(call->options, OPTION_ONCE);
    enum status status = private_chat_begin(&chat, call);
    bool more = status == STATUS_DONE;
    chat.more_follow = !once;
    while (more) {
        status = accept_one(&chat, user, once ? private_chat_patience_us(call) : -1);
        more = !once && goes_on(&chat, status);
        chat.trouble = more ? STATUS_DONE : chat.trouble;
    }
    private_chat_release(&chat);
    return status;
}

static enum status decline_all(struct private_chat *chat) {
    struct call *call = chat->call;
    int64_t until_us = clock_us() + option_microseconds(call->options, OPTION_TIMEOUT);
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

enum status private_decline(struct call *call) {
    struct private_chat chat;
    bool all = option_flag(call->options, OPTION_ALL);
    if (all == (call->word_count > 0))
        return output_error(call->output, ZCHAT_INVALID, 0, "Give USER or --all.");
    enum status status = private_chat_begin(&chat, call);
    if (status == STATUS_DONE && all)
        status = decline_all(&chat);
    else if (status == STATUS_DONE)
        status = private_chat_await(&chat, call->words[0], private_chat_patience_us(call));
    if (status == STATUS_DONE && !all)
        status = private_chat_decline(&chat);
    private_chat_release(&chat);
    return status;
}

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

/* Starts the chat; what is waited for then is the other one's program. */
static enum status begin_for(struct private_chat *chat, struct call *call) {
    enum status status = private_chat_begin(chat, call);
    if (status == STATUS_DONE)
        status = private_chat_start(chat, call->words[0]);
    return status;
}

static enum status finish(struct private_chat *chat, enum status status) {
    enum status stopped = status == STATUS_DONE ? private_chat_stop(chat) : STATUS_DONE;
    private_chat_release(chat);
    return status == STATUS_DONE ? stopped : status;
}

enum status private_send(struct call *call) {
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
                            "It is not known whether the line was seen: no acknowledgement came");
        status = call_answer(call, zchat_private_send(call->z, chat.user, text, call_replied, call),
                             print_sent);
    }
    free(text);
    return finish(&chat, status);
}

enum status private_stop(struct call *call) {
    return output_error(call->output, ZCHAT_NOT_FOUND, 0,
                        "There is no private chat with %s here: a chat lives in the process that "
                        "holds it, and ends with it.",
                        call->words[0]);
}

/* --- a file --- */

static void on_progress(void *arg, uint64_t bytes, uint64_t total) {
    struct call *call = arg;
    struct private_chat *chat = call->arg;
    if (!chat)
        return;
    private_chat_expect(chat, option_microseconds(call->options, OPTION_TIMEOUT),
                        "Nothing of the file moved");
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

enum status private_file(struct call *call) {
    struct private_chat chat;
    char why[SENTENCE_BYTES];
    zchat_code code = zchat_private_file_check(call->words[1], why, sizeof why);
    if (code != ZCHAT_OK) /* before anybody is asked */
        return output_error(call->output, code, 0, "%s", why);
    enum status status = begin_for(&chat, call);
    bar_init(&chat.bar, call->output);
    if (status == STATUS_DONE) {
        call->output->bar = &chat.bar;
        private_chat_expect(&chat, private_chat_patience_us(call), "The file was not taken");
        status = call_answer(
            call,
            zchat_private_file(call->z, chat.user, call->words[1], on_progress, call_replied, call),
            print_file_sent);
        bar_end(&chat.bar);
        call->output->bar = NULL;
    }
    return finish(&chat, status);
}
