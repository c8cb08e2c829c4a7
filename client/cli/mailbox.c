/* The mailbox. Missed messages are held back until their number is known; beyond MAILBOX_HELD_MAX
 * they are shown as they come, and the header says "more than". The user's own messages from here
 * are on the screen already, as typed lines; those from other devices are shown and marked. */
#include "mailbox.h"

#include "app.h"
#include "attention.h"
#include "memory.h"
#include "roster.h"
#include "screen.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAILBOX_HELD_MAX 500

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
}

void mailbox_reset(struct mailbox *mailbox, uint64_t cursor) {
    mailbox_release(mailbox);
    mailbox->in_missed = false;
    mailbox->shown_seq = cursor;
    mailbox->acked_seq = cursor;
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

void mailbox_show(struct app *app, const zchat_message *message) {
    if (message->damaged) {
        mailbox_show_damaged(app, message);
        return;
    }
    app_begin_line(app, message->time_us);
    if (message->sent)
        screen_putf(app->screen, SCREEN_OWN, "me → %s", message->to);
    else
        screen_put_name(app->screen, message->from);
    screen_put(app->screen, SCREEN_PLAIN, ": ");
    screen_put_text(app->screen, message->text);
    screen_end_line(app->screen);
}

static void mailbox_show_new(struct app *app, const zchat_message *message) {
    app->mailbox->shown_seq = message->seq;
    if (message->damaged) {
        mailbox_show_damaged(app, message);
        return;
    }
    if (message->sent && mailbox_forget_sent(app->mailbox, &message->id))
        return;
    const char *other = message->sent ? message->to : message->from;
    roster_get(app->roster, other)->partner = true;
    if (!message->sent) {
        if (!message->missed)
            app_hear(app, other);
        conversation_heard(&app->conversation, other);
        app->mailbox->received++;
        attention_heard(app, &(struct attention_cause){.kind = ATTENTION_MESSAGE,
                                                       .user = message->from,
                                                       .text = message->text,
                                                       .time_us = message->time_us,
                                                       .missed = message->missed});
    }
    mailbox_show(app, message);
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
        received += app->mailbox->held[i].sent ? 0 : 1;
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
        return;
    }
    person->partner = true;
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
    conversation_answered(&app->conversation, call->user);
    app_update_prompt(app);
    call_begun(call, zchat_send(app->z, call->user, text, &call->id, false, call_answered, call));
}
