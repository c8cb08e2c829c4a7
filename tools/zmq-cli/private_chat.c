/* Holding a private chat. What the library still has, `waiting` lines and `files`, is answered
 * before the chat is given up, so nothing is lost without being reported. A line is written out
 * before the library acknowledges it. */
#include "private_chat.h"

#include "bound.h"
#include "common/clock.h"
#include "common/time_text.h"
#include "interrupt.h"
#include "private_files.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INVITATION_US (60 * 1000000LL)
#define WAITING_MAX   500 /* lines under way: enough to fill any link */

/* --- what was not delivered, or maybe not --- */

static void print_undelivered(const struct output *output, zchat_code code, const char *why,
                              const char *text) {
    bool unknown = code == ZCHAT_UNKNOWN;
    if (!output->json) {
        fprintf(stderr, "zmq-cli: %s: %s (%s)\n",
                unknown ? "may or may not have been seen" : "not delivered", text, why);
        return;
    }
    json_t *error = json_pack("{s:s, s:s}", "code", zchat_code_name(code), "message", why);
    if (error)
        json_object_set_new(error, unknown ? "unknown" : "not_delivered", json_string(text));
    json_t *object = json_pack("{s:o}", "error", error);
    if (object)
        json_dumpf(object, stderr, JSON_COMPACT);
    fputc('\n', stderr);
    json_decref(object);
}

static void tell_undelivered(struct private_chat *chat, zchat_code code, const char *why,
                             char *text) {
    char sentence[SENTENCE_BYTES + 32];
    zchat_text_clean(text);
    bool prefixed = chat->call->output->json && code != ZCHAT_UNKNOWN;
    snprintf(sentence, sizeof sentence, prefixed ? "not delivered: %s" : "%s", why ? why : "");
    print_undelivered(chat->call->output, code, sentence, text);
    chat->undelivered++;
}

/* --- sending --- */

struct said {
    struct private_chat *chat; /* borrowed: lives longer than the handle */
    char *text;                /* owned */
};

static void on_said(void *arg, const zchat_reply *reply) {
    struct said *said = arg;
    said->chat->waiting--;
    if (reply->code)
        tell_undelivered(said->chat, reply->code, reply->text, said->text);
    free(said->text);
    free(said);
}

static void say(struct private_chat *chat, const char *line) {
    zchat *z = chat->call->z;
    struct said *said = malloc(sizeof *said);
    char *text = strdup(line);
    if (!said || !text) {
        free(said);
        free(text);
        chat->stop = true;
        chat->trouble =
            output_error(chat->call->output, ZCHAT_NO_MEMORY, 0, "there is not enough memory");
        return;
    }
    *said = (struct said){.chat = chat, .text = text};
    chat->waiting++;
    zchat_code code = zchat_private_send(z, chat->user, line, on_said, said);
    if (code == ZCHAT_NOT_FOUND) /* it has just ended */
        on_said(said, &(zchat_reply){.code = ZCHAT_UNREACHABLE, .text = "the chat was over"});
    else if (code)
        on_said(said, &(zchat_reply){.code = code, .text = zchat_error(z)});
}

static void say_line(struct private_chat *chat, char *line, size_t bytes) {
    chat->said = true;
    if (strlen(line) != bytes)
        tell_undelivered(chat, ZCHAT_INVALID, "there is a NUL byte in it", line);
    else
        say(chat, line);
}

static void say_lines(struct private_chat *chat) {
    size_t bytes;
    char *line;
    while (!chat->stop && chat->waiting < WAITING_MAX &&
           (line = private_input_next(&chat->input, &bytes)))
        say_line(chat, line, bytes);
}

/* --- receiving --- */

static void take_line(struct private_chat *chat, const zchat_event *event) {
    struct output *output = chat->call->output;
    char id[ZCHAT_ID_TEXT], time[TIME_TEXT];
    zchat_id_format(&event->id, id);
    chat->heard = true;
    chat->heard_us = clock_us();
    if (output->json) {
        output_object(output, json_pack("{s:s, s:s, s:s, s:s, s:o}", "id", id, "from", event->user,
                                        "to", chat->self, "text", event->text, "time",
                                        value_time(event->time_us)));
    } else {
        output_format(output, "%s %s: ", time_short(event->time_us, time), event->user);
        output_indented(output, event->text);
    }
    enum status status = output_flush(output);
    chat->stop = chat->stop || status != STATUS_DONE;
    if (status != STATUS_DONE)
        chat->trouble = status;
}

/* --- invitations --- */

static void remember_invitation(struct private_chat *chat, const char *user) {
    void *grown = realloc(chat->inviting, (chat->inviting_count + 1) * sizeof *chat->inviting);
    if (!grown) {
        chat->stop = true;
        chat->trouble =
            output_error(chat->call->output, ZCHAT_NO_MEMORY, 0, "there is not enough memory");
        return;
    }
    chat->inviting = grown;
    snprintf(chat->inviting[chat->inviting_count++], PRIVATE_USER_BYTES, "%s", user);
}

static void forget_invitation(struct private_chat *chat, const char *user) {
    size_t kept = 0;
    for (size_t i = 0; i < chat->inviting_count; i++)
        if (strcmp(chat->inviting[i], user) != 0)
            memmove(chat->inviting[kept++], chat->inviting[i], PRIVATE_USER_BYTES);
    chat->inviting_count = kept;
}

/* The place of the invitation that we wait for; inviting_count: it is not there. */
static size_t find_invitation(const struct private_chat *chat) {
    size_t i = 0;
    while (i < chat->inviting_count && chat->wanted[0] &&
           strcmp(chat->inviting[i], chat->wanted) != 0)
        i++;
    return i;
}

static void note_invitation(struct private_chat *chat) {
    chat->invited = chat->stop || chat->call->ended || find_invitation(chat) < chat->inviting_count;
}

/* --- events --- */

static void note_closed(struct private_chat *chat, const zchat_event *event) {
    if (!event->online) {
        forget_invitation(chat, event->user);
        return;
    }
    if (chat->closed || strcmp(event->user, chat->user) != 0)
        return;
    chat->closed = true;
    output_notice(chat->call->output, "the private chat with %s is over: %s", event->user,
                  event->text);
}

static void note_link(const struct private_chat *chat, const zchat_event *event) {
    if (event->kind == ZCHAT_EVENT_PRIVATE_OPEN)
        output_notice(chat->call->output, "a private chat with %s; the key's fingerprint is %s%s",
                      event->user, event->text, event->online ? ", pinned just now" : "");
    else
        output_notice(chat->call->output, "%s; it is made anew, lines wait meanwhile", event->text);
}

static void on_event(void *arg, const zchat_event *event) {
    struct private_chat *chat = arg;
    switch (event->kind) {
    case ZCHAT_EVENT_PRIVATE_INVITED:
        forget_invitation(chat, event->user);
        remember_invitation(chat, event->user);
        break;
    case ZCHAT_EVENT_PRIVATE_OPEN:
    case ZCHAT_EVENT_PRIVATE_BROKEN:
        note_link(chat, event);
        break;
    case ZCHAT_EVENT_PRIVATE_LINE:
        take_line(chat, event);
        break;
    case ZCHAT_EVENT_PRIVATE_OFFERED:
        private_files_take(chat, event);
        break;
    case ZCHAT_EVENT_PRIVATE_CLOSED:
        note_closed(chat, event);
        break;
    case ZCHAT_EVENT_NOTICE:
        call_tell_notice(chat->call, event);
        break;
    default:
        break;
    }
    note_invitation(chat);
}

/* --- beginning --- */

void private_chat_name(char name[PRIVATE_USER_BYTES], const char *user) {
    snprintf(name, PRIVATE_USER_BYTES, "%s", user);
    for (char *c = name; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
}

int64_t private_chat_patience_us(const struct call *call) {
    return option_is_set(call->options, OPTION_TIMEOUT)
               ? option_microseconds(call->options, OPTION_TIMEOUT)
               : INVITATION_US;
}

int64_t private_chat_within(const struct private_chat *chat, int64_t until_us) {
    int64_t limit_us = chat->bounded ? chat->call->limit_us : NO_DEADLINE;
    return limit_us < until_us ? limit_us : until_us;
}

/* Gives the call time again for what is left to do, as its time may be over. */
static void renew_deadline(struct private_chat *chat) {
    if (chat->bounded)
        call_last_deadline(chat->call);
    else
        call_renew_deadline(chat->call);
}

void private_chat_expect(struct private_chat *chat, int64_t patience_us, const char *text) {
    struct call *call = chat->call;
    snprintf(chat->awaited, sizeof chat->awaited, "%s within %g s", text,
             (double)patience_us / 1e6);
    call->awaited = chat->awaited;
    call->deadline_us =
        private_chat_within(chat, patience_us < 0 ? NO_DEADLINE : clock_us() + patience_us);
}

enum status private_chat_begin(struct private_chat *chat, struct call *call, bool endless) {
    const struct call_login how = {.private_chats = true};
    *chat = (struct private_chat){
        .call = call,
        .files_to = option_text(call->options, OPTION_FILES_TO),
        .bounds = private_files_bounds(call->options),
        .linger_us = option_microseconds(call->options, OPTION_WAIT),
        .bounded = call_is_bounded(call, endless),
    };
    call->on_event = on_event;
    call->arg = chat;
    enum status status = private_files_check(call, chat->files_to);
    if (status == STATUS_DONE)
        status = call_login(call, &how);
    if (!chat->bounded)
        bound_each_step(!option_is_set(call->options, OPTION_TIMEOUT), NULL);
    if (status == STATUS_DONE)
        private_chat_name(chat->self, zchat_user(call->z));
    return status;
}

void private_chat_release(struct private_chat *chat) {
    call_close(chat->call);
    chat->call->awaited = NULL;
    chat->call->arg = NULL;
    private_input_release(&chat->input);
    free(chat->inviting);
    chat->inviting = NULL;
}

static void begin_with(struct private_chat *chat, const char *user) {
    private_chat_name(chat->user, user);
    chat->closed = false;
    chat->said = false;
    chat->heard = false;
    chat->undelivered = 0;
    chat->heard_us = clock_us();
}

enum status private_chat_start(struct private_chat *chat, const char *user) {
    struct call *call = chat->call;
    char text[PRIVATE_USER_BYTES + 32];
    begin_with(chat, user);
    snprintf(text, sizeof text, "%s did not answer", chat->user);
    private_chat_expect(chat, private_chat_patience_us(call), text);
    if (!option_is_set(call->options, OPTION_TIMEOUT))
        call->deadline_us = NO_DEADLINE; /* the invitation expires by itself */
    return call_answer(call, zchat_private_start(call->z, user, call_replied, call), NULL);
}

enum status private_chat_await(struct private_chat *chat, const char *user, int64_t patience_us) {
    struct call *call = chat->call;
    char text[PRIVATE_USER_BYTES + 32];
    snprintf(text, sizeof text, user ? "%s did not invite" : "%sobody invited", user ? user : "n");
    private_chat_name(chat->wanted, user ? user : "");
    note_invitation(chat);
    if (!chat->invited)
        output_notice(call->output, "waiting for an invitation%s%s", user ? " of " : "",
                      user ? user : "");
    private_chat_expect(chat, patience_us, text);
    enum status status = call_wait(call, &chat->invited);
    if (status != STATUS_DONE)
        return status;
    if (chat->stop)
        return chat->trouble;
    size_t place = find_invitation(chat);
    if (place == chat->inviting_count)
        return output_error(call->output, ZCHAT_AUTH, 0, "%s", call->why);
    begin_with(chat, chat->inviting[place]);
    forget_invitation(chat, chat->user);
    return STATUS_DONE;
}

enum status private_chat_accept(struct private_chat *chat) {
    struct call *call = chat->call;
    char text[PRIVATE_USER_BYTES + 48];
    snprintf(text, sizeof text, "no link to %s was made", chat->user);
    private_chat_expect(chat, private_chat_patience_us(call), text);
    call->deadline_us =
        private_chat_within(chat, NO_DEADLINE); /* the link is made within 10 s, or fails */
    return call_answer(call, zchat_private_accept(call->z, chat->user, call_replied, call), NULL);
}

static enum status print_declined(struct call *call, const zchat_reply *reply) {
    const struct private_chat *chat = call->arg;
    (void)reply;
    if (call->output->json)
        return output_object(call->output, json_pack("{s:s}", "declined", chat->user));
    output_format(call->output, "declined %s\n", chat->user);
    return STATUS_DONE;
}

enum status private_chat_decline(struct private_chat *chat) {
    struct call *call = chat->call;
    call->awaited = NULL;
    renew_deadline(chat);
    return call_answer(call, zchat_private_decline(call->z, chat->user, call_replied, call),
                       print_declined);
}

/* --- holding --- */

static int64_t linger_until(const struct private_chat *chat) {
    return chat->linger_us < 0 ? 0 : chat->heard_us + chat->linger_us;
}

/* Whether all that stdin brought was delivered, or reported as not delivered. */
static bool is_said(const struct private_chat *chat) {
    return chat->input.exhausted && chat->said && chat->waiting == 0 && chat->files == 0;
}

/* With an empty stdin it only listens, as long as something comes. */
static bool only_listens(const struct private_chat *chat) {
    return chat->input.exhausted && !chat->said && chat->files == 0 && !chat->closed;
}

static int64_t listen_until(const struct private_chat *chat) {
    int64_t patience_us =
        chat->linger_us < 0 ? private_chat_patience_us(chat->call) : chat->linger_us;
    return chat->heard_us + patience_us;
}

static bool is_silent(const struct private_chat *chat) {
    return only_listens(chat) && clock_us() >= listen_until(chat);
}

static enum status tell_silence(const struct private_chat *chat) {
    if (chat->heard)
        return STATUS_DONE;
    return output_error(chat->call->output, ZCHAT_EXPIRED, 0, "nothing came from %s within %g s",
                        chat->user, (double)(clock_us() - chat->heard_us) / 1e6);
}

static bool is_out_of_time(const struct private_chat *chat) {
    return clock_us() >= private_chat_within(chat, NO_DEADLINE);
}

/* If it only listened, it has received what there was, so this is no failure. */
static enum status tell_out_of_time(const struct private_chat *chat) {
    const struct call *call = chat->call;
    if (only_listens(chat))
        return tell_silence(chat);
    return output_error(call->output, ZCHAT_EXPIRED, 0,
                        "the private chat with %s was not over within --timeout, %s s", chat->user,
                        option_text(call->options, OPTION_TIMEOUT));
}

static bool is_over(const struct private_chat *chat) {
    if (chat->closed)
        return chat->waiting == 0 && chat->files == 0;
    return is_said(chat) && clock_us() >= linger_until(chat);
}

static bool wants_input(const struct private_chat *chat) {
    return !chat->closed && !chat->input.ended && chat->waiting < WAITING_MAX;
}

static void read_input(struct private_chat *chat) {
    const char *wrong = private_input_read(&chat->input);
    if (wrong)
        chat->trouble = output_error(chat->call->output, ZCHAT_INVALID, 0, "%s", wrong);
}

static enum status wait_for_more(struct private_chat *chat) {
    int input_fd = wants_input(chat) ? STDIN_FILENO : -1;
    bool input_ready;
    int64_t until_us = is_said(chat)        ? linger_until(chat)
                       : only_listens(chat) ? listen_until(chat)
                                            : NO_DEADLINE;
    until_us = private_chat_within(chat, until_us);
    switch (interrupt_wait_either(zchat_fd(chat->call->z), input_fd, until_us, &input_ready)) {
    case WAIT_READY:
        if (input_ready)
            read_input(chat);
        return STATUS_DONE;
    case WAIT_EXPIRED:
        return STATUS_DONE;
    case WAIT_INTERRUPTED:
        return STATUS_INTERRUPTED;
    case WAIT_FAILED:
        break;
    }
    return output_error(chat->call->output, ZCHAT_IO, 0, "cannot wait: %s", strerror(errno));
}

static enum status hold(struct private_chat *chat) {
    for (;;) {
        enum status status = call_work(chat->call);
        if (status != STATUS_DONE || chat->stop)
            return status;
        if (!chat->closed)
            say_lines(chat);
        if (is_over(chat))
            return STATUS_DONE;
        if (is_silent(chat))
            return tell_silence(chat);
        if (is_out_of_time(chat))
            return tell_out_of_time(chat);
        status = wait_for_more(chat);
        if (status != STATUS_DONE)
            return status;
    }
}

/* The chat is over: reports line by line what stdin brought and was not sent. */
static void tell_unsent(struct private_chat *chat) {
    size_t bytes;
    char *line;
    bool ready = false;
    if (!chat->input.ended && !chat->more_follow)
        interrupt_wait_either(-1, STDIN_FILENO, clock_us(), &ready);
    if (ready)
        read_input(chat);
    while ((line = private_input_next(&chat->input, &bytes)))
        tell_undelivered(chat, ZCHAT_UNREACHABLE, "the chat was over", line);
}

enum status private_chat_stop(struct private_chat *chat) {
    struct call *call = chat->call;
    if (chat->closed || !call->z)
        return STATUS_DONE;
    chat->closed = true;
    call->awaited = NULL;
    renew_deadline(chat);
    return call_answer(call, zchat_private_stop(call->z, chat->user, call_replied, call), NULL);
}

enum status private_chat_hold(struct private_chat *chat) {
    chat->call->awaited = NULL;
    enum status status = hold(chat);
    if (status == STATUS_INTERRUPTED)
        interrupt_accept();
    if (chat->closed)
        tell_unsent(chat);
    enum status stopped = chat->call->refused ? STATUS_DONE : private_chat_stop(chat);
    if (status == STATUS_DONE && chat->call->ended)
        status = output_error(chat->call->output, ZCHAT_AUTH, 0, "%s", chat->call->why);
    if (status == STATUS_DONE)
        status = chat->trouble != STATUS_DONE ? chat->trouble : stopped;
    if (status == STATUS_DONE && chat->undelivered > 0)
        status = STATUS_FAILED;
    return status;
}
