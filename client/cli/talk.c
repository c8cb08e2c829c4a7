/* Verbs about messages: sending, conversations, the inbox. */
#include "app.h"
#include "command.h"
#include "login.h"
#include "mailbox.h"
#include "roster.h"
#include "step.h"
#include "words.h"

#include <string.h>

#define TALK_RECV_SECONDS 5

static void run_send(struct app *app, const struct command_words *words) {
    mailbox_send(app, words->word[0], words->rest);
}

static const struct command send_command = {
    .name = "send",
    .classic = "message",
    .arguments = "USER TEXT...",
    .help = "a message to USER, online or not",
    .example = "send bob see you at nine",
    .words_min = 1,
    .words_max = 1,
    .flags = COMMAND_REST | COMMAND_SAYS,
    .subject = COMMAND_USER,
    .run = run_send,
};

/* A number that tells one connection from the next; 0: there is none. Right after a new connection
 * began it is not known who is online: others are still coming back. */
static uint64_t talk_connection(const struct app *app) {
    return app->connected ? app->losses + 1u : 0;
}

static void talk_broadcasted(struct call *call, const zchat_reply *reply) {
    if (call_failed(call, reply, "not broadcast"))
        return;
    if (call->number != talk_connection(call->app)) {
        app_note(call->app, "sent to all; those who come back in these moments get it, too");
        return;
    }
    if (reply->reached == 0)
        app_note(call->app, "nobody else is there to hear it");
    else
        app_note(call->app, "sent to %u %s", reply->reached,
                 reply->reached == 1 ? "person" : "people");
    if (reply->skipped > 0)
        app_note(call->app, "a block kept it from %u", reply->skipped);
}

static void run_broadcast(struct app *app, const struct command_words *words) {
    struct call *call = call_new(app, talk_broadcasted, "");
    call->number = talk_connection(app);
    call_begun(call, zchat_broadcast(app->z, words->rest, call_answered, call));
}

static const struct command broadcast_command = {
    .name = "broadcast",
    .arguments = "TEXT...",
    .help = "to everyone who is online; not stored",
    .example = "broadcast lunch is ready",
    .flags = COMMAND_REST | COMMAND_SAYS,
    .run = run_broadcast,
};

static void run_close(struct app *app, const struct command_words *words) {
    (void)words;
    if (!conversation_is_open(&app->conversation)) {
        app_fail(app, ZCHAT_NOT_FOUND, "no conversation is open");
        return;
    }
    conversation_close(&app->conversation);
    app_update_prompt(app);
}

static const struct command close_command = {
    .name = "close",
    .arguments = "",
    .help = "leave the conversation",
    .run = run_close,
};

/* --- whether there is such a user --- */

static void talk_close_for(struct app *app, const char *name, const char *why) {
    char user[NAME_BYTES];
    name_copy(user, name); /* first, as it may be the conversation's own */
    if (strcmp(app->conversation.partner, user) == 0)
        conversation_close(&app->conversation);
    app_fail(app, ZCHAT_NOT_FOUND, "no conversation with %s: %s", user, why);
    app_update_prompt(app);
}

/* The broker's answer tells a user who is not blocked from one who does not exist. */
static void talk_found(struct call *call, const zchat_reply *reply) {
    struct app *app = call->app;
    if (reply->code == ZCHAT_NOT_FOUND || reply->code == ZCHAT_INVALID)
        talk_close_for(app, call->user, reply->text);
    else if (reply->code == ZCHAT_OK) /* another device has just blocked them: blocks again */
        zchat_block(app->z, call->user, NULL, NULL);
}

static void talk_blocks_listed(struct call *call, const zchat_reply *reply) {
    struct app *app = call->app;
    if (reply->code != ZCHAT_OK)
        return;
    for (size_t i = 0; i < reply->count; i++)
        if (strcmp(reply->users[i], call->user) == 0)
            return;
    struct call *next = call_new(app, talk_found, call->user);
    call_begun(next, zchat_unblock(app->z, next->user, call_answered, next));
}

/* Finds out if the user exists. No command asks only that. Unblocking somebody who is not blocked
 * does nothing, and fails differently if there is no such user; so the list of blocked users is
 * looked at first. The conversation is open meanwhile: what is typed ahead must not be taken for
 * commands. */
static void talk_look_for(struct app *app, const char *user) {
    const struct roster_person *person = roster_get(app->roster, user);
    if (person->online || person->partner || !app->connected)
        return;
    struct call *call = call_new(app, talk_blocks_listed, user);
    call_begun(call, zchat_blocked(app->z, call_answered, call));
}

static void run_chat(struct app *app, const struct command_words *words) {
    if (!words->word[0]) {
        run_close(app, words);
        return;
    }
    if (!app->logged_in) {
        app_fail(app, ZCHAT_AUTH, "you are not logged in");
        return;
    }
    bool first = !conversation_is_open(&app->conversation);
    conversation_open(&app->conversation, words->word[0]);
    app_update_prompt(app);
    if (strcmp(app->conversation.partner, app->login->last_user) == 0)
        talk_close_for(app, app->conversation.partner, "that is you");
    else
        talk_look_for(app, app->conversation.partner);
    if (!conversation_is_open(&app->conversation))
        return;
    if (first && app->line)
        app_note(app, "what you type goes to %s; /close ends that, /help lists commands",
                 app->conversation.partner);
}

static const struct command chat_command = {
    .name = "chat",
    .arguments = "[USER]",
    .help = "a conversation: plain lines go to USER; without USER it ends",
    .example = "chat bob",
    .words_max = 1,
    .subject = COMMAND_USER,
    .run = run_chat,
};

/* --- inbox --- */

static void talk_shown_again(struct call *call, const zchat_reply *reply) {
    struct app *app = call->app;
    if (call_failed(call, reply, NULL))
        return;
    if (reply->count == 0)
        app_note(app, "there are no messages");
    for (size_t i = 0; i < reply->count; i++)
        mailbox_show(app, &reply->messages[i]);
}

static void talk_looked(struct call *call, const zchat_reply *reply) {
    if (!call_failed(call, reply, NULL) && reply->count == 0)
        app_note(call->app, "no new messages");
}

static void run_inbox(struct app *app, const struct command_words *words) {
    uint64_t shown_seq = app->mailbox->shown_seq;
    uint64_t count = !words->word[0] ? 0 : words_number(words->word[0], 500);
    if (words->word[0] && count == 0) {
        app_fail(app, ZCHAT_INVALID, "inbox wants a whole number from 1 to 500, not \"%s\"",
                 words->word[0]);
        return;
    }
    conversation_caught_up(&app->conversation);
    app_update_prompt(app);
    struct call *call = call_new(app, count == 0 ? talk_looked : talk_shown_again, "");
    uint64_t after_seq = count == 0 ? shown_seq : shown_seq > count ? shown_seq - count : 0;
    uint32_t limit = count == 0 ? 1 : (uint32_t)count;
    call_begun(call, zchat_sync(app->z, after_seq, limit, call_answered, call));
}

static const struct command inbox_command = {
    .name = "inbox",
    .arguments = "[N]",
    .help = "what is new; or the last N messages again",
    .example = "inbox 20",
    .words_max = 1,
    .run = run_inbox,
};

static void run_recv(struct app *app, const struct command_words *words) {
    uint64_t count = words_number(words->word[0], 1000000000);
    uint64_t seconds = TALK_RECV_SECONDS;
    if (words->word[1])
        seconds = words_number(words->word[1], 1000000);
    if (!app->script)
        app_fail(app, ZCHAT_INVALID, "recv is for scripts; here messages come by themselves");
    else if (count == 0 || seconds == 0)
        app_fail(app, ZCHAT_INVALID,
                 "recv wants a number of messages and one of seconds, each from 1 on");
    else
        step_wait_messages(app, count, seconds);
}

static const struct command recv_command = {
    .name = "recv",
    .arguments = "N [SECONDS]",
    .help = "for scripts: wait until N more messages came (5 seconds)",
    .example = "recv 1 30",
    .words_min = 1,
    .words_max = 2,
    .run = run_recv,
};

const struct command *const talk_commands[] = {
    &send_command,  &chat_command, &close_command, &broadcast_command,
    &inbox_command, &recv_command, NULL,
};
