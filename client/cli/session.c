/* Events of the library, one function each. After a lost connection everybody else reconnects, too:
 * it is no news if somebody is online who was online before, and who is missing is looked up a
 * little later. */
#include "session.h"

#include "app.h"
#include "attention.h"
#include "common/clock.h"
#include "find.h"
#include "history.h"
#include "learn.h"
#include "line.h"
#include "login.h"
#include "mailbox.h"
#include "news.h"
#include "presence.h"
#include "private.h"
#include "receipts.h"
#include "roster.h"
#include "screen.h"

#include <string.h>

#define SESSION_RECONCILE_MS 10000
#define SESSION_NAMES_SHOWN  10
#define SESSION_HEARD_MS     2000

/* --- the roster --- */

static void session_show_online(struct app *app, const zchat_reply *reply) {
    char names[(NAME_BYTES + 2) * SESSION_NAMES_SHOWN] = "";
    size_t shown = reply->count < SESSION_NAMES_SHOWN ? reply->count : SESSION_NAMES_SHOWN;
    for (size_t i = 0; i < shown; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", i == 0 ? "" : ", ",
                 reply->people[i].user);
    }
    if (shown == 0 || app->options->presence == OPTIONS_OFF)
        return;
    if (reply->count > shown)
        app_note(app, "online: %s and %zu more", names, reply->count - shown);
    else
        app_note(app, "online: %s", names);
}

static void session_first_list(struct call *call, const zchat_reply *reply) {
    if (call_failed(call, reply, NULL))
        return;
    for (size_t i = 0; i < reply->count; i++)
        roster_set_online(call->app->roster, reply->people[i].user, true);
    session_show_online(call->app, reply);
}

static void session_blocked_list(struct call *call, const zchat_reply *reply) {
    if (reply->code != ZCHAT_OK)
        return;
    for (size_t i = 0; i < reply->count; i++)
        roster_get(call->app->roster, reply->users[i])->blocked = true;
}

static void session_ask_lists(struct app *app) {
    struct call *call = call_new(app, session_first_list, "");
    call_begun(call, zchat_who(app->z, NULL, 0, call_answered, call));
    call = call_new(app, session_blocked_list, "");
    call_begun(call, zchat_blocked(app->z, call_answered, call));
}

/* Presence and messages come over two sockets: if somebody was heard already, their coming is not
 * announced. */
static void session_changed(struct app *app, const char *user, bool online) {
    int64_t now_ms = clock_ms();
    int64_t heard_ms = roster_get(app->roster, user)->heard_ms;
    bool heard = online && app->options->presence != OPTIONS_ON && heard_ms > 0 &&
                 now_ms - heard_ms < SESSION_HEARD_MS;
    if (roster_set_online(app->roster, user, online) && !heard)
        presence_changed(app->presence, user, online, now_ms);
}

static void session_second_list(struct call *call, const zchat_reply *reply) {
    struct app *app = call->app;
    if (reply->code != ZCHAT_OK || !app->logged_in)
        return;
    for (size_t i = 0; i < roster_count(app->roster); i++)
        roster_at(app->roster, i)->listed = false;
    for (size_t i = 0; i < reply->count; i++) {
        session_changed(app, reply->people[i].user, true);
        roster_get(app->roster, reply->people[i].user)->listed = true;
    }
    for (size_t i = 0; i < roster_count(app->roster); i++) {
        struct roster_person *person = roster_at(app->roster, i);
        if (person->online && !person->listed)
            session_changed(app, person->user, false);
    }
}

void session_tick(struct app *app, int64_t now_ms) {
    if (app->reconcile_ms == 0 || now_ms < app->reconcile_ms)
        return;
    app->reconcile_ms = 0;
    struct call *call = call_new(app, session_second_list, "");
    call_begun(call, zchat_who(app->z, NULL, 0, call_answered, call));
}

/* --- beginning and end --- */

static void session_open_history(struct app *app, const char *user) {
    const char *why = NULL;
    if (app->history)
        why = history_open(app->history, user, zchat_fingerprint(app->z));
    if (why)
        app_note(app, "what you type is not kept for the next time: %s", why);
}

/* A login that waited for the connection is the only sign that it is back. */
static void session_back(struct app *app) {
    app->connected = true;
    app->told_refused = ZCHAT_OK;
    app->stop = APP_STOP_NONE;
    app_warn(app, "connected again");
}

void session_begin(struct app *app, const zchat_reply *reply) {
    if (strcmp(app->login->last_user, reply->user) != 0) {
        conversation_close(&app->conversation);
        privates_release(app->privates);
        find_forget(app->find);
    }
    name_copy(app->login->last_user, reply->user);
    if (!app->connected)
        session_back(app);
    app->logged_in = true;
    screen_set_user(app->screen, reply->user);
    app->synced = false;
    roster_clear(app->roster);
    learn_release(app->learn);
    presence_clear(app->presence);
    mailbox_reset(app->mailbox, reply->cursor);
    receipts_release(app->receipts);
    app->admin = reply->admin;
    session_open_history(app, reply->user);
    news_begin(app);
    if (!app->line)
        return;
    app_note(app, "you are %s at %s; help lists the commands", reply->user, zchat_server(app->z));
    session_ask_lists(app);
}

void session_end(struct app *app) {
    app->logged_in = false;
    app->reconcile_ms = 0;
    if (app->history)
        history_close(app->history);
    peers_forget_invitations(&app->privates->peers);
    presence_clear(app->presence);
    app_update_prompt(app);
}

/* --- events --- */

static void session_connected(struct app *app) {
    bool back = app->greeted && !app->connected;
    app->connected = true;
    app->stop = APP_STOP_NONE;
    if (back)
        app_warn(app, "connected again");
    app_update_prompt(app);
    if (app->greeted)
        return;
    app->greeted = true;
    if (app->line)
        login_begin(app, !app->options->user ? "" : app->options->user, true);
}

static void session_heard_stop(struct app *app) {
    if (app->stop == APP_STOP_BEGUN)
        app->stop = APP_STOP_TOLD;
}

/* Another key or protocol: somebody has to look at that, so it is told once. What waits is kept
 * meanwhile. */
static bool session_tell_refused(struct app *app, zchat_code code, const char *why) {
    if (code != ZCHAT_WRONG_KEY && code != ZCHAT_WRONG_PROTOCOL)
        return false;
    if (app->told_refused != code)
        app_warn(app, "%s; nothing is sent there, trying again now and then", why);
    app->told_refused = code;
    return true;
}

static void session_lost(struct app *app, zchat_code code, const char *why) {
    bool told = !app->connected;
    app->losses += app->connected ? 1 : 0;
    app->connected = false;
    session_heard_stop(app);
    if (!app->greeted) {
        app_fail(app, code, "%s", why);
        app_leave(app, 3);
        return;
    }
    app->reconcile_ms = 0;
    if (!session_tell_refused(app, code, why) && !told && (app->line || app->stop == APP_STOP_NONE))
        app_warn(app, "connection lost (%s); reconnecting", why);
    app_update_prompt(app);
}

static void session_resumed(struct app *app) {
    session_back(app);
    app_update_prompt(app);
    if (app->line)
        app->reconcile_ms = clock_ms() + SESSION_RECONCILE_MS;
}

static void session_broadcast(struct app *app, const zchat_event *event) {
    app_hear(app, event->user);
    app_begin_line(app, event->time_us);
    screen_put_name(app->screen, event->user);
    screen_put(app->screen, SCREEN_DIM, " (to all)");
    screen_put(app->screen, SCREEN_PLAIN, ": ");
    screen_put_text(app->screen, event->text);
    screen_end_line(app->screen);
    attention_heard(app, &(struct attention_cause){.kind = ATTENTION_BROADCAST,
                                                   .user = event->user,
                                                   .text = event->text,
                                                   .time_us = event->time_us});
}

static void session_notice(struct app *app, const zchat_event *event) {
    bool announced = event->user[0] != '\0';
    if (!announced)
        session_heard_stop(app);
    app_begin_line(app, event->time_us);
    screen_putf(app->screen, SCREEN_BOLD, "%s%s: ", announced ? "announcement from " : "the broker",
                event->user);
    screen_put_text(app->screen, event->text);
    screen_end_line(app->screen);
}

static void session_ended(struct app *app, const char *why) {
    app_fail(app, ZCHAT_AUTH, "%s", why);
    if (app->line)
        app_note(app, "login lets you in again");
    session_end(app);
}

void session_event(void *arg, const zchat_event *event) {
    struct app *app = arg;
    if (app->done)
        return;
    switch (event->kind) {
    case ZCHAT_EVENT_UNKNOWN_KEY:
        login_ask_trust(app, event->text);
        break;
    case ZCHAT_EVENT_CONNECTED:
        session_connected(app);
        break;
    case ZCHAT_EVENT_LOST:
        session_lost(app, event->code, event->text);
        break;
    case ZCHAT_EVENT_RESUMED:
        session_resumed(app);
        break;
    case ZCHAT_EVENT_REFUSED:
        app_fail(app, event->code, "%s", event->text);
        app_leave(app, zchat_exit_status(event->code));
        break;
    case ZCHAT_EVENT_SYNCED:
        mailbox_synced(app);
        break;
    case ZCHAT_EVENT_MESSAGE:
        mailbox_take(app, event->message);
        break;
    case ZCHAT_EVENT_READ: /* on another device, where the lines were shown, too */
        break;
    case ZCHAT_EVENT_MESSAGE_READ:
        receipts_read(app, event->user, &event->id);
        break;
    case ZCHAT_EVENT_PRESENCE:
        session_changed(app, event->user, event->online);
        break;
    case ZCHAT_EVENT_BROADCAST:
        session_broadcast(app, event);
        break;
    case ZCHAT_EVENT_NOTICE:
        session_notice(app, event);
        break;
    case ZCHAT_EVENT_POSTED:
    case ZCHAT_EVENT_EDITED:
    case ZCHAT_EVENT_DELETED:
    case ZCHAT_EVENT_UPLOADED:
    case ZCHAT_EVENT_FILE_DELETED:
    case ZCHAT_EVENT_THREAD_REMOVED:
    case ZCHAT_EVENT_DAMAGED:
        news_take(app, event);
        break;
    case ZCHAT_EVENT_THREADS_SYNCED: /* which news finds out for each thread */
        break;
    case ZCHAT_EVENT_PRIVATE_INVITED:
    case ZCHAT_EVENT_PRIVATE_OPEN:
    case ZCHAT_EVENT_PRIVATE_LINE:
    case ZCHAT_EVENT_PRIVATE_OFFERED:
    case ZCHAT_EVENT_PRIVATE_BROKEN:
    case ZCHAT_EVENT_PRIVATE_CLOSED:
        private_event(app, event);
        break;
    case ZCHAT_EVENT_SESSION_ENDED:
        session_ended(app, event->text);
        break;
    }
}
