/* The mailbox. Missed messages are held back until their number is known; beyond MAILBOX_HELD_MAX
 * they are shown as they come, and the header says "more than". The user's own messages from here
 * are on the screen already, as typed lines; those from other devices are shown and marked. */
#include "mailbox.h"

#include "app.h"
#include "attention.h"
#include "fit.h"
#include "memory.h"
#include "receipts.h"
#include "roster.h"
#include "screen.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAILBOX_HELD_MAX 500
/* Of an earlier text that is shown once more. */
#define MAILBOX_QUOTE_COLUMNS 60

static void mailbox_drop_held(struct mailbox *mailbox) {
    for (size_t i = 0; i < mailbox->held_count; i++) {
        free((char *)mailbox->held[i].from);
        free((char *)mailbox->held[i].to);
        free((char *)mailbox->held[i].text);
    }
    free(mailbox->held);
    mailbox->held = NULL;
    mailbox->held_count = 0;
}

void mailbox_release(struct mailbox *mailbox) {
    mailbox_drop_held(mailbox);
    free(mailbox->sent);
    mailbox->sent = NULL;
    mailbox->sent_count = 0;
    said_release(&mailbox->said);
}

void mailbox_reset(struct mailbox *mailbox, uint64_t cursor) {
    mailbox_release(mailbox);
    mailbox->in_missed = false;
    mailbox->shown_seq = cursor;
    mailbox->acked_seq = cursor;
    mailbox->last_writer[0] = '\0';
}

/* --- what one sent from here --- */

static void mailbox_remember_sent(struct mailbox *mailbox, const zchat_id *id) {
    mailbox->sent = memory_grow(mailbox->sent, mailbox->sent_count + 1, sizeof *mailbox->sent);
    mailbox->sent[mailbox->sent_count++] = *id;
}

/* The newest is last and they are echoed in order, so the search ends at once. */
static bool mailbox_forget_sent(struct mailbox *mailbox, const zchat_id *id) {
    for (size_t i = 0; i < mailbox->sent_count; i++) {
        if (memcmp(&mailbox->sent[i], id, sizeof *id) != 0)
            continue;
        mailbox->sent_count--;
        memmove(mailbox->sent + i, mailbox->sent + i + 1,
                (mailbox->sent_count - i) * sizeof *mailbox->sent);
        return true;
    }
    return false;
}

/* --- showing --- */

static void mailbox_show_damaged(struct app *app, const zchat_message *message) {
    app_note(app, "message %" PRIu64 " can't be read: damaged at the broker", message->seq);
}

static void mailbox_put_who(struct app *app, const zchat_message *message) {
    if (message->sent)
        screen_putf(app->screen, SCREEN_OWN, "me → %s", message->to);
    else
        screen_put_name(app->screen, message->from);
}

/* Who is meant is clear in a conversation with them. */
static void mailbox_show_action(struct app *app, const zchat_message *message, const char *action) {
    screen_put(app->screen, SCREEN_PLAIN, "* ");
    screen_put_name(app->screen, message->from);
    if (message->sent && strcmp(app->conversation.partner, message->to) != 0)
        screen_putf(app->screen, SCREEN_OWN, " → %s", message->to);
    screen_put(app->screen, SCREEN_PLAIN, " ");
    screen_put_text(app->screen, action);
}

/* That an earlier message was corrected, or taken back: with its text, if that is known. */
static void mailbox_show_about(struct app *app, const zchat_message *message) {
    const struct said_message *original = said_find(&app->mailbox->said, &message->original);
    screen_putf(app->screen, SCREEN_DIM, message->sent ? "me → %s" : "%s",
                message->sent ? message->to : message->from);
    if (message->about == ZCHAT_ABOUT_CORRECTS) {
        screen_put(app->screen, SCREEN_DIM, " corrected: ");
        screen_put_text(app->screen, message->text);
    } else if (original) {
        char *quote = fit_text(original->text, MAILBOX_QUOTE_COLUMNS);
        screen_putf(app->screen, SCREEN_DIM, " took back: \"%s\"", quote);
        free(quote);
    } else {
        screen_put(app->screen, SCREEN_DIM, " took a message back");
    }
}

void mailbox_show(struct app *app, const zchat_message *message) {
    const char *action = said_action(message->text);
    if (message->damaged) {
        mailbox_show_damaged(app, message);
        return;
    }
    app_begin_line(app, message->time_us);
    if (message->about) {
        mailbox_show_about(app, message);
    } else if (action) {
        mailbox_show_action(app, message, action);
    } else {
        mailbox_put_who(app, message);
        screen_put(app->screen, SCREEN_PLAIN, ": ");
        screen_put_text(app->screen, message->text);
    }
    screen_end_line(app->screen);
}

void mailbox_remember(struct mailbox *mailbox, const zchat_message *message) {
    struct said_message *original =
        message->about ? said_find(&mailbox->said, &message->original) : NULL;
    if (!message->about)
        said_add(&mailbox->said, &message->id, message->sent ? message->to : message->from,
                 message->sent, message->text);
    else if (original && message->about == ZCHAT_ABOUT_CORRECTS)
        said_set_text(original, message->text);
    else if (original)
        original->gone = true;
}

static void mailbox_hear(struct app *app, const zchat_message *message) {
    if (!message->missed)
        app_hear(app, message->from);
    if (message->about == ZCHAT_ABOUT_RETRACTS)
        return;
    conversation_heard(&app->conversation, message->from);
    name_copy(app->mailbox->last_writer, message->from);
    app->mailbox->received++;
    attention_heard(app, &(struct attention_cause){.kind = ATTENTION_MESSAGE,
                                                   .user = message->from,
                                                   .text = message->text,
                                                   .time_us = message->time_us,
                                                   .missed = message->missed});
}

static void mailbox_show_new(struct app *app, const zchat_message *message) {
    app->mailbox->shown_seq = message->seq;
    if (message->damaged) {
        mailbox_show_damaged(app, message);
        return;
    }
    if (message->sent && mailbox_forget_sent(app->mailbox, &message->id)) {
        if (!message->about && said_action(message->text))
            mailbox_show(app, message);
        return;
    }
    roster_get(app->roster, message->sent ? message->to : message->from)->partner = true;
    if (!message->sent)
        mailbox_hear(app, message);
    mailbox_show(app, message);
    mailbox_remember(app->mailbox, message);
    app_update_prompt(app);
}

/* --- what was missed --- */

static void mailbox_hold(struct mailbox *mailbox, const zchat_message *message) {
    mailbox->held = memory_grow(mailbox->held, mailbox->held_count + 1, sizeof *mailbox->held);
    zchat_message *copy = &mailbox->held[mailbox->held_count++];
    *copy = *message;
    copy->from = memory_text(message->from);
    copy->to = memory_text(message->to);
    copy->text = memory_text(message->text);
}

static void mailbox_begin_missed(struct app *app, bool all_here) {
    size_t received = 0;
    for (size_t i = 0; i < app->mailbox->held_count; i++)
        received +=
            !app->mailbox->held[i].sent && app->mailbox->held[i].about != ZCHAT_ABOUT_RETRACTS;
    if (received == 0)
        return;
    app->mailbox->in_missed = true;
    app_note(app, "— while you were away: %s%zu message%s —", all_here ? "" : "more than ",
             received, received == 1 && all_here ? "" : "s");
}

static void mailbox_release_held(struct app *app, bool all_here) {
    if (!app->mailbox->in_missed)
        mailbox_begin_missed(app, all_here);
    for (size_t i = 0; i < app->mailbox->held_count; i++)
        mailbox_show_new(app, &app->mailbox->held[i]);
    mailbox_drop_held(app->mailbox);
}

static void mailbox_end_missed(struct app *app) {
    mailbox_release_held(app, true);
    if (app->mailbox->in_missed)
        app_note(app, "— end of what you missed —");
    app->mailbox->in_missed = false;
}

void mailbox_take(struct app *app, const zchat_message *message) {
    struct mailbox *mailbox = app->mailbox;
    if (!message->missed) {
        mailbox_end_missed(app);
        mailbox_show_new(app, message);
    } else if (mailbox->in_missed) {
        mailbox_show_new(app, message);
    } else {
        mailbox_hold(mailbox, message);
        if (mailbox->held_count == MAILBOX_HELD_MAX)
            mailbox_release_held(app, false);
    }
}

void mailbox_synced(struct app *app) {
    app->synced = true;
    mailbox_end_missed(app);
}

void mailbox_acknowledge(struct app *app) {
    struct mailbox *mailbox = app->mailbox;
    if (!app->logged_in || !app->connected || mailbox->shown_seq <= mailbox->acked_seq)
        return;
    if (zchat_ack(app->z, mailbox->shown_seq, NULL, NULL) == ZCHAT_OK)
        mailbox->acked_seq = mailbox->shown_seq;
}

/* --- sending --- */

static void mailbox_sent(struct call *call, const zchat_reply *reply) {
    struct app *app = call->app;
    struct roster_person *person = roster_get(app->roster, call->user);
    char what[NAME_BYTES + 16];
    snprintf(what, sizeof what, "not sent to %s", call->user);
    if (call_failed(call, reply, what)) {
        mailbox_forget_sent(app->mailbox, &call->id);
        said_drop(&app->mailbox->said, &call->id);
        return;
    }
    person->partner = true;
    receipts_sent(app, call->user, &call->id);
    if (reply->delivered)
        person->told_away = false;
    else if (!person->told_away) {
        person->told_away = true;
        app_note(app, "%s is away; stored for later", call->user);
    }
}

void mailbox_send(struct app *app, const char *to, const char *text) {
    struct call *call = call_new(app, mailbox_sent, to);
    zchat_id_new(&call->id);
    mailbox_remember_sent(app->mailbox, &call->id);
    said_add(&app->mailbox->said, &call->id, to, true, text);
    conversation_answered(&app->conversation, call->user);
    app_update_prompt(app);
    call_begun(call, zchat_send(app->z, call->user, text, &call->id, false, call_answered, call));
}

/* --- correcting and taking back --- */

/* The answer is about the message of that number, whose earlier text the call has. */
static void mailbox_corrected(struct call *call, const zchat_reply *reply) {
    struct said_message *message = said_numbered(&call->app->mailbox->said, call->number);
    if (!call_failed(call, reply, "not corrected")) {
        char *quote = fit_text(call->text, MAILBOX_QUOTE_COLUMNS);
        app_note(call->app, "corrected what you wrote to %s: it was \"%s\"", call->user, quote);
        free(quote);
        return;
    }
    mailbox_forget_sent(call->app->mailbox, &call->id);
    if (message)
        said_set_text(message, call->text);
}

static void mailbox_retracted(struct call *call, const zchat_reply *reply) {
    struct said_message *message = said_numbered(&call->app->mailbox->said, call->number);
    if (!call_failed(call, reply, "not taken back")) {
        char *quote = fit_text(call->text, MAILBOX_QUOTE_COLUMNS);
        app_note(call->app, "took back what you wrote to %s: \"%s\"", call->user, quote);
        free(quote);
        return;
    }
    mailbox_forget_sent(call->app->mailbox, &call->id);
    if (message)
        message->gone = reply->reason == ZCHAT_REASON_MESSAGE_RETRACTED;
}

void mailbox_amend(struct app *app, struct said_message *message, const char *text) {
    struct call *call = call_new(app, text ? mailbox_corrected : mailbox_retracted, message->user);
    const zchat_send_options how = {.id = &call->id,
                                    .about = text ? ZCHAT_ABOUT_CORRECTS : ZCHAT_ABOUT_RETRACTS,
                                    .original = message->id};
    zchat_id_new(&call->id);
    call->number = message->number;
    call->text = memory_text(message->text);
    mailbox_remember_sent(app->mailbox, &call->id);
    if (text)
        said_set_text(message, text);
    else
        message->gone = true;
    call_begun(call, zchat_send_with(app->z, call->user, text, &how, call_answered, call));
}
