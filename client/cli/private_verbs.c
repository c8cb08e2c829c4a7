/* The verbs of private chats. Where a person would come back later, a script waits: for the
 * invitation, the file, the lines. */
#include "app.h"
#include "command.h"
#include "private.h"
#include "words.h"

#include <string.h>

/* As long as an invitation lives. */
#define PRIVATE_AWAIT_SECONDS 60
#define PRIVATE_RECV_SECONDS  5

/* --- beginning and end --- */

static void private_look(struct app *app, const char *user, unsigned rounds);

/* The broker answers in order: if it has not refused the invitation by now, the invitee is being
 * asked. */
static void private_passed(struct call *call, const zchat_reply *reply) {
    struct app *app = call->app;
    if (reply->code != ZCHAT_OK || strcmp(app->privates->asked, call->user) != 0)
        return;
    if (call->number > 1)
        private_look(app, call->user, (unsigned)call->number - 1);
    else
        app_note(app, "%s is asked", call->user);
}

static void private_look(struct app *app, const char *user, unsigned rounds) {
    struct call *call = call_new(app, private_passed, user);
    call->number = rounds;
    call_begun(call, zchat_ping(app->z, call_answered, call));
}

/* The library sends the invitation itself in its next turn, before the second ping. */
static void private_ask(struct app *app, const char *user) {
    name_copy(app->privates->asked, user);
    private_look(app, user, 2);
}

static void private_started(struct call *call, const zchat_reply *reply) {
    call->app->privates->patient--;
    if (strcmp(call->app->privates->asked, call->user) == 0)
        call->app->privates->asked[0] = '\0';
    if (reply->code == ZCHAT_CANCELLED && call->app->line)
        app_note(call->app, "the invitation to %s is taken back", call->user);
    else
        call_failed(call, reply, NULL);
}

static void run_private_start(struct app *app, const struct command_words *words) {
    struct peer *peer = peers_find(&app->privates->peers, words->word[0]);
    bool invited = peer && peer->invites;
    struct call *call = call_new(app, private_started, words->word[0]);
    app->privates->patient++;
    zchat_code code = zchat_private_start(app->z, call->user, call_answered, call);
    if (invited && code == ZCHAT_OK) /* which that accepts */
        peer->invites = false;
    else if (code == ZCHAT_OK && app->line && app->connected)
        private_ask(app, call->user);
    call_begun(call, code);
}

static const struct command private_start_command = {
    .name = "private start",
    .classic = "startprivate",
    .arguments = "USER",
    .help = "ask USER for a private chat, direct and encrypted",
    .example = "private start bob",
    .words_min = 1,
    .words_max = 1,
    .subject = COMMAND_USER,
    .run = run_private_start,
};

static void private_stopped(struct call *call, const zchat_reply *reply) {
    struct peer *peer = peers_find(&call->app->privates->peers, call->user);
    if (call_failed(call, reply, NULL) || !peer || !peer->open)
        return;
    peer->open = false;
    peers_drop_offers(&call->app->privates->peers, peer->user);
    app_note(call->app, "the private chat with %s is over", call->user);
}

static void run_private_stop(struct app *app, const struct command_words *words) {
    struct call *call = call_new(app, private_stopped, words->word[0]);
    call_begun(call, zchat_private_stop(app->z, call->user, call_answered, call));
}

static const struct command private_stop_command = {
    .name = "private stop",
    .classic = "stopprivate",
    .arguments = "USER",
    .help = "end the private chat with USER",
    .example = "private stop bob",
    .words_min = 1,
    .words_max = 1,
    .flags = COMMAND_PRIVATE,
    .subject = COMMAND_PEER,
    .run = run_private_stop,
};

/* Whether a script has to wait for what the command needs. If not, the command is done now. */
static bool private_waits(struct app *app, enum private_awaited awaited,
                          const struct command_words *words) {
    if (!app->script)
        return false;
    private_await(app, awaited, words->word[0], words->word[1], PRIVATE_AWAIT_SECONDS);
    return true;
}

static void run_private_accept(struct app *app, const struct command_words *words) {
    const struct peer *peer = peers_find(&app->privates->peers, words->word[0]);
    if (private_waits(app, PRIVATE_ACCEPT, words))
        return;
    if (peer && peer->invites)
        private_accept(app, words->word[0]);
    else
        app_fail(app, ZCHAT_NOT_FOUND, "%s has not invited you", words->word[0]);
}

static const struct command private_accept_command = {
    .name = "private accept",
    .classic = "accept",
    .arguments = "USER",
    .help = "take USER's invitation; a bare y takes the only one",
    .example = "private accept alice",
    .words_min = 1,
    .words_max = 1,
    .subject = COMMAND_INVITING,
    .run = run_private_accept,
};

static void run_private_decline(struct app *app, const struct command_words *words) {
    const struct peer *peer = peers_find(&app->privates->peers, words->word[0]);
    if (private_waits(app, PRIVATE_DECLINE, words))
        return;
    if (peer && peer->invites)
        private_decline(app, words->word[0]);
    else
        app_fail(app, ZCHAT_NOT_FOUND, "%s has not invited you", words->word[0]);
}

static const struct command private_decline_command = {
    .name = "private decline",
    .classic = "decline",
    .arguments = "USER",
    .help = "decline USER's invitation; a bare n declines the only one",
    .example = "private decline alice",
    .words_min = 1,
    .words_max = 1,
    .subject = COMMAND_INVITING,
    .run = run_private_decline,
};

/* --- lines --- */

static void run_private_send(struct app *app, const struct command_words *words) {
    private_say(app, words->word[0], words->rest);
}

static const struct command private_send_command = {
    .name = "private send",
    .classic = "private",
    .arguments = "USER TEXT...",
    .help = "a private line; a USER who is named like one of these words needs \"private send\"",
    .example = "private send bob only for you",
    .words_min = 1,
    .words_max = 1,
    .flags = COMMAND_REST | COMMAND_PRIVATE | COMMAND_SAYS,
    .subject = COMMAND_PEER,
    .run = run_private_send,
};

/* Whether a chat is open; if not, says so. */
static bool private_is_open(struct app *app, const char *user) {
    bool open = peers_is_open(&app->privates->peers, user);
    if (!open)
        app_fail(app, ZCHAT_NOT_FOUND, "there is no private chat with %s; private start %s", user,
                 user);
    return open;
}

static void run_private_chat(struct app *app, const struct command_words *words) {
    bool first = !conversation_is_open(&app->conversation);
    if (!private_is_open(app, words->word[0]))
        return;
    conversation_open(&app->conversation, words->word[0]);
    app->conversation.is_private = true;
    app_update_prompt(app);
    if (first && app->line)
        app_note(app, "what you type goes to %s, privately; /close ends that, /help lists commands",
                 app->conversation.partner);
}

static const struct command private_chat_command = {
    .name = "private chat",
    .arguments = "USER",
    .help = "a conversation whose plain lines go privately",
    .example = "private chat bob",
    .words_min = 1,
    .words_max = 1,
    .subject = COMMAND_PEER,
    .run = run_private_chat,
};

static void run_private_recv(struct app *app, const struct command_words *words) {
    struct peer *peer = peers_find(&app->privates->peers, words->word[0]);
    uint64_t count = words_number(words->word[1], 1000000000);
    uint64_t seconds = PRIVATE_RECV_SECONDS;
    if (words->word[2])
        seconds = words_number(words->word[2], 1000000);
    if (!app->script) {
        app_fail(app, ZCHAT_INVALID, "private recv is for scripts; here lines come by themselves");
    } else if (count == 0 || seconds == 0) {
        app_fail(app, ZCHAT_INVALID,
                 "private recv wants a number of lines and one of seconds, each from 1 on");
    } else if (!peer || (!peer->open && peer->received < peer->awaited + count)) {
        app_fail(app, ZCHAT_NOT_FOUND, "there is no private chat with %s", words->word[0]);
    } else {
        peer->awaited += count;
        private_await(app, PRIVATE_LINES, peer->user, NULL, seconds);
    }
}

static const struct command private_recv_command = {
    .name = "private recv",
    .arguments = "USER N [SECONDS]",
    .help = "for scripts: wait until N more private lines of USER came (5 seconds)",
    .example = "private recv bob 1 30",
    .words_min = 2,
    .words_max = 3,
    .flags = COMMAND_PRIVATE,
    .subject = COMMAND_PEER,
    .run = run_private_recv,
};

/* --- offered files --- */

static void private_answer_offer(struct app *app, enum private_awaited awaited,
                                 const struct command_words *words) {
    if (private_waits(app, awaited, words))
        return;
    if (!private_is_open(app, words->word[0]))
        return;
    if (!peers_offer(&app->privates->peers, words->word[0]))
        app_fail(app, ZCHAT_NOT_FOUND, "%s offers no file", words->word[0]);
    else if (awaited == PRIVATE_TAKE)
        private_take(app, words->word[0], words->word[1]);
    else
        private_refuse(app, words->word[0]);
}

static void run_private_take(struct app *app, const struct command_words *words) {
    private_answer_offer(app, PRIVATE_TAKE, words);
}

static const struct command private_take_command = {
    .name = "private take",
    .arguments = "USER [PATH]",
    .help = "fetch the file that USER offers, to here or to PATH",
    .example = "private take alice /tmp/plan.pdf",
    .words_min = 1,
    .words_max = 2,
    .flags = COMMAND_QUOTED | COMMAND_PRIVATE,
    .subject = COMMAND_OFFERING_PATH,
    .run = run_private_take,
};

static void run_private_refuse(struct app *app, const struct command_words *words) {
    private_answer_offer(app, PRIVATE_REFUSE, words);
}

static const struct command private_refuse_command = {
    .name = "private refuse",
    .arguments = "USER",
    .help = "refuse the file that USER offers",
    .example = "private refuse alice",
    .words_min = 1,
    .words_max = 1,
    .flags = COMMAND_PRIVATE,
    .subject = COMMAND_OFFERING,
    .run = run_private_refuse,
};

const struct command *const private_commands[] = {
    &private_start_command,   &private_accept_command,
    &private_decline_command, &private_chat_command,
    &private_stop_command,    &private_take_command,
    &private_refuse_command,  &private_recv_command,
    &private_send_command,    NULL,
};
