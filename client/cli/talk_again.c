/* Verbs about what was said before: correcting it, taking it back, answering it; and saying what
 * one does. */
#include "app.h"
#include "command.h"
#include "mailbox.h"
#include "memory.h"
#include "private.h"
#include "words.h"

#include <stdlib.h>
#include <string.h>

/* ---- one's last message ---- */

/* How far back in a conversation it is looked for. */
#define AGAIN_LOOKED_MAX 100

static void again_none(struct app *app, const char *user) {
    app_fail(app, ZCHAT_NOT_FOUND, "you have written nothing%s%s lately that stands",
             *user != '\0' ? " to " : "", user);
}

static void again_looked(struct call *call, const zchat_reply *reply) {
    struct mailbox *mailbox = call->app->mailbox;
    if (call_failed(call, reply, call->text ? "not corrected" : "not taken back"))
        return;
    for (size_t i = 0; i < reply->count; i++)
        if (!reply->messages[i].damaged)
            mailbox_remember(mailbox, &reply->messages[i]);
    struct said_message *message = said_last_own(&mailbox->said, call->user);
    if (message)
        mailbox_amend(call->app, message, call->text);
    else
        again_none(call->app, call->user);
}

/* What was written in an earlier session has to be looked for. */
static void again_look(struct app *app, const char *user, const char *text) {
    struct call *call = call_new(app, again_looked, user);
    call->text = memory_text(text);
    call_begun(call,
               zchat_history(app->z, call->user, 0, 0, 0, AGAIN_LOOKED_MAX, call_answered, call));
}

/* The last one of the conversation or, where none is open, to anybody; `text` NULL: takes it
 * back. */
static void again_amend(struct app *app, const char *text) {
    const struct conversation *conversation = &app->conversation;
    bool open = conversation_is_open(conversation);
    struct said_message *message =
        said_last_own(&app->mailbox->said, open ? conversation->partner : NULL);
    if (!app->logged_in)
        app_fail(app, ZCHAT_AUTH, "you are not logged in");
    else if (conversation->is_private)
        app_fail(app, ZCHAT_INVALID, "what was said in a private chat can't be changed");
    else if (message)
        mailbox_amend(app, message, text);
    else if (open)
        again_look(app, conversation->partner, text);
    else
        again_none(app, "");
}

static void run_correct(struct app *app, const struct command_words *words) {
    again_amend(app, words->rest);
}

static const struct command correct_command = {
    .name = "correct",
    .arguments = "TEXT...",
    .help = "TEXT instead of your last message",
    .example = "correct see you at ten",
    .flags = COMMAND_REST | COMMAND_SAYS,
    .run = run_correct,
};

static void run_retract(struct app *app, const struct command_words *words) {
    (void)words;
    again_amend(app, NULL);
}

static const struct command retract_command = {
    .name = "retract",
    .arguments = "",
    .help = "take your last message back",
    .run = run_retract,
};

/* ---- to whom one writes ---- */

static void run_reply(struct app *app, const struct command_words *words) {
    char user[NAME_BYTES];
    name_copy(user, app->mailbox->last_writer); /* whoever may write meanwhile */
    if (!app->logged_in) {
        app_fail(app, ZCHAT_AUTH, "you are not logged in");
    } else if (user[0] == '\0') {
        app_fail(app, ZCHAT_NOT_FOUND, "nobody has written to you since you logged in");
    } else {
        if (strcmp(user, app->conversation.partner) != 0)
            app_note(app, "to %s:", user);
        mailbox_send(app, user, words->rest);
    }
}

static const struct command reply_command = {
    .name = "reply",
    .arguments = "TEXT...",
    .help = "a message to whoever wrote last",
    .example = "reply I am on my way",
    .flags = COMMAND_REST | COMMAND_SAYS,
    .run = run_reply,
};

static void run_me(struct app *app, const struct command_words *words) {
    const struct conversation *conversation = &app->conversation;
    size_t bytes = strlen(words->rest) + sizeof "/me ";
    char *text = memory_take(bytes);
    (void)snprintf(text, bytes, "/me %s", words->rest);
    if (!conversation_is_open(conversation))
        app_fail(app, ZCHAT_INVALID, "me is for conversations: open one with chat USER");
    else if (!app->logged_in)
        app_fail(app, ZCHAT_AUTH, "you are not logged in");
    else if (conversation->is_private)
        private_say(app, conversation->partner, text);
    else
        mailbox_send(app, conversation->partner, text);
    free(text);
}

static const struct command me_command = {
    .name = "me",
    .arguments = "TEXT...",
    .help = "in a conversation: what you do",
    .example = "me waves",
    .flags = COMMAND_REST | COMMAND_SAYS | COMMAND_HERE,
    .run = run_me,
};

const struct command *const talk_again_commands[] = {
    &correct_command, &retract_command, &reply_command, &me_command, NULL,
};
