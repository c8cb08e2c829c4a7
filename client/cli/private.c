/* Private chats: events, answers to invitations, lines, and a script's waiting. If the library
 * tells of the end of an invitation or a chat that is not known here, an answer has told it
 * already. */
#include "private.h"

#include "app.h"
#include "attention.h"
#include "common/clock.h"
#include "fit.h"
#include "memory.h"
#include "said.h"
#include "screen.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PRIVATE_SOON_MS       2000
#define PRIVATE_START_COLUMNS 30

static void private_forget_wait(struct privates *privates) {
    free(privates->wait.place);
    memset(&privates->wait, 0, sizeof privates->wait);
}

void privates_release(struct privates *privates) {
    peers_release(&privates->peers);
    private_forget_wait(privates);
}

/* What a command begins with at the moment: a slash in a conversation. */
static const char *private_slash(const struct app *app) {
    return conversation_is_open(&app->conversation) ? "/" : "";
}

/* --- events --- */

static void private_call(struct app *app, enum attention_kind kind, const zchat_event *event) {
    attention_heard(app, &(struct attention_cause){.kind = kind,
                                                   .user = event->user,
                                                   .text = event->text,
                                                   .time_us = clock_wall_us()});
}

static void private_invited(struct app *app, const zchat_event *event) {
    const char *slash = private_slash(app);
    app_hear(app, event->user);
    peers_get(&app->privates->peers, event->user)->invites = true;
    app_begin_line(app, clock_wall_us());
    screen_put_name(app->screen, event->user);
    screen_putf(app->screen, SCREEN_PLAIN,
                " invites you to a private chat; the key's fingerprint is %s", event->text);
    screen_end_line(app->screen);
    private_call(app, ATTENTION_INVITATION, event);
    if (!app->line)
        return;
    if (peers_inviting(&app->privates->peers) > 1)
        app_note(app, "%saccept %s or %sdecline %s answers", slash, event->user, slash,
                 event->user);
    else if (*slash != '\0')
        app_note(app, "/accept %s or /decline %s answers; what has no slash goes to %s",
                 event->user, event->user, app->conversation.partner);
    else
        app_note(app, "y or n alone on the line answers; or accept %s, decline %s", event->user,
                 event->user);
}

static void private_opened(struct app *app, const zchat_event *event) {
    struct peer *peer = peers_get(&app->privates->peers, event->user);
    bool again = peer->open;
    peer->open = true;
    app_hear(app, event->user);
    if (again)
        app_note(app, "the private chat with %s goes on; the key's fingerprint is %s", event->user,
                 event->text);
    else
        app_note(app, "the private chat with %s is open; the key's fingerprint is %s%s",
                 event->user, event->text,
                 event->online ? ", seen for the first time and pinned" : "");
}

static void private_heard(struct app *app, const zchat_event *event) {
    const char *action = said_action(event->text);
    peers_get(&app->privates->peers, event->user)->received++;
    app_hear(app, event->user);
    conversation_heard(&app->conversation, event->user);
    private_call(app, ATTENTION_PRIVATE, event);
    app_begin_line(app, clock_wall_us());
    screen_put(app->screen, SCREEN_PLAIN, action ? "* " : "");
    screen_put_name(app->screen, event->user);
    screen_put(app->screen, SCREEN_OWN, "(private)");
    screen_put(app->screen, SCREEN_PLAIN, action ? " " : ": ");
    screen_put_text(app->screen, action ? action : event->text);
    screen_end_line(app->screen);
    app_update_prompt(app);
}

static void private_closed(struct app *app, const zchat_event *event) {
    struct peer *peer = peers_find(&app->privates->peers, event->user);
    if (!peer || (event->online ? !peer->open : !peer->invites))
        return;
    if (!event->online) { /* an invitation, perhaps beside a chat */
        peer->invites = false;
        app_note(app, "%s", event->text);
        return;
    }
    peer->open = false;
    app_note(app, "the private chat with %s is over: %s", event->user, event->text);
    peers_drop_offers(&app->privates->peers, peer->user);
}

void private_event(struct app *app, const zchat_event *event) {
    if (event->kind == ZCHAT_EVENT_PRIVATE_INVITED)
        private_invited(app, event);
    else if (event->kind == ZCHAT_EVENT_PRIVATE_OPEN)
        private_opened(app, event);
    else if (event->kind == ZCHAT_EVENT_PRIVATE_LINE)
        private_heard(app, event);
    else if (event->kind == ZCHAT_EVENT_PRIVATE_OFFERED)
        private_offered(app, event);
    else if (event->kind == ZCHAT_EVENT_PRIVATE_CLOSED)
        private_closed(app, event);
    else
        app_warn(app, "%s; it is made anew, lines wait meanwhile", event->text);
}

/* --- invitations --- */

static void private_accepted(struct call *call, const zchat_reply *reply) {
    call->app->privates->patient--;
    call_failed(call, reply, NULL);
}

void private_accept(struct app *app, const char *user) {
    struct call *call = call_new(app, private_accepted, user);
    peers_get(&app->privates->peers, user)->invites = false;
    app->privates->patient++;
    call_begun(call, zchat_private_accept(app->z, call->user, call_answered, call));
}

static void private_declined(struct call *call, const zchat_reply *reply) {
    if (!call_failed(call, reply, NULL))
        app_note(call->app, "the invitation of %s is declined", call->user);
}

void private_decline(struct app *app, const char *user) {
    struct call *call = call_new(app, private_declined, user);
    peers_get(&app->privates->peers, user)->invites = false;
    call_begun(call, zchat_private_decline(app->z, call->user, call_answered, call));
}

/* Whether the line is only a yes or a no. */
static bool private_is_answer(const char *line, bool *yes) {
    static const char *const words[] = {"y", "yes", "n", "no"};
    const char *start = line + strspn(line, " \t");
    size_t bytes = strcspn(start, " \t");
    if (start[bytes + strspn(start + bytes, " \t")] != '\0')
        return false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        *yes = i < 2;
        if (strlen(words[i]) == bytes && strncasecmp(words[i], start, bytes) == 0)
            return true;
    }
    return false;
}

bool private_answers(struct app *app, const char *line) {
    char user[NAME_BYTES];
    bool yes;
    const char *answer = line + strspn(line, " \t");
    size_t inviting = peers_inviting(&app->privates->peers);
    if (inviting == 0 || conversation_is_open(&app->conversation) || !private_is_answer(line, &yes))
        return false;
    if (inviting > 1) {
        app_fail(app, ZCHAT_INVALID,
                 "there is no command \"%.*s\"; %zu people invite you: accept USER, decline USER",
                 (int)strcspn(answer, " \t"), answer, inviting);
        return true;
    }
    name_copy(user, peers_only_inviting(&app->privates->peers)->user);
    (yes ? private_accept : private_decline)(app, user);
    return true;
}

/* --- lines --- */

/* A line that was on its way for so long is named, because others may have been shown since. */
static void private_tell_line(const struct call *call) {
    char *start = fit_text(call->text, PRIVATE_START_COLUMNS);
    if (clock_ms() - call->asked_ms < PRIVATE_SOON_MS)
        app_note(call->app, "delivered to %s", call->user);
    else
        app_note(call->app, "delivered to %s: \"%s\"", call->user, start);
    free(start);
}

/* Says what was delivered up to this answer: at a terminal, and once for lines that went close
 * after each other. */
static void private_tell_delivered(const struct call *call, bool delivered) {
    struct peer *peer = peers_find(&call->app->privates->peers, call->user);
    if (!peer || !call->app->line)
        return;
    peer->under_way -= peer->under_way > 0 ? 1 : 0;
    peer->delivered += delivered ? 1 : 0;
    if (peer->delivered == 0 || (delivered && peer->under_way > 0))
        return;
    if (peer->delivered == 1 && delivered)
        private_tell_line(call);
    else
        app_note(call->app, "%u line%s delivered to %s", peer->delivered,
                 peer->delivered == 1 ? "" : "s", call->user);
    peer->delivered = 0;
}

static void private_said(struct call *call, const zchat_reply *reply) {
    struct app *app = call->app;
    app->privates->patient--;
    private_tell_delivered(call, reply->code == ZCHAT_OK);
    if (reply->code == ZCHAT_UNKNOWN)
        app_fail(app, reply->code, "%s may or may not have seen \"%s\" (%s)", call->user,
                 call->text, reply->text);
    else if (reply->code != ZCHAT_OK)
        app_fail(app, reply->code, "not delivered to %s: \"%s\" (%s)", call->user, call->text,
                 reply->text);
}

void private_say(struct app *app, const char *user, const char *text) {
    struct call *call = call_new(app, private_said, user);
    struct peer *peer = peers_find(&app->privates->peers, user);
    call->text = memory_text(text);
    app->privates->patient++;
    if (peer)
        peer->under_way++;
    conversation_answered(&app->conversation, call->user);
    app_update_prompt(app);
    call_begun(call, zchat_private_send(app->z, call->user, call->text, call_answered, call));
}

void private_stop_all(struct app *app) {
    for (size_t i = 0; i < app->privates->peers.count; i++) {
        struct peer *peer = &app->privates->peers.list[i];
        bool open = peer->open;
        peer->open = false;
        if (open)
            zchat_private_stop(app->z, peer->user, NULL, NULL);
    }
}

/* --- what a script waits for --- */

void private_await(struct app *app, enum private_awaited awaited, const char *user,
                   const char *place, uint64_t seconds) {
    struct private_wait *wait = &app->privates->wait;
    private_forget_wait(app->privates);
    wait->awaited = awaited;
    name_copy(wait->user, user);
    wait->place = memory_text(place);
    wait->until_ms = clock_ms() + (int64_t)seconds * 1000;
}

/* Whether what the script waits for is there. */
static bool private_is_there(const struct app *app) {
    const struct private_wait *wait = &app->privates->wait;
    const struct peer *peer = peers_find(&app->privates->peers, wait->user);
    switch (wait->awaited) {
    case PRIVATE_ACCEPT:
    case PRIVATE_DECLINE:
        return peer && peer->invites;
    case PRIVATE_TAKE:
    case PRIVATE_REFUSE:
        return peers_offer(&app->privates->peers, wait->user) != NULL;
    case PRIVATE_LINES:
        return peer && peer->received >= peer->awaited;
    case PRIVATE_NOTHING:
        break;
    }
    return true;
}

static void private_go_on(struct app *app, const struct private_wait *wait) {
    if (wait->awaited == PRIVATE_ACCEPT)
        private_accept(app, wait->user);
    else if (wait->awaited == PRIVATE_DECLINE)
        private_decline(app, wait->user);
    else if (wait->awaited == PRIVATE_TAKE)
        private_take(app, wait->user, wait->place);
    else if (wait->awaited == PRIVATE_REFUSE)
        private_refuse(app, wait->user);
}

static void private_give_up(struct app *app, const struct private_wait *wait) {
    struct peer *peer = peers_get(&app->privates->peers, wait->user);
    uint64_t missing = peer->awaited > peer->received ? peer->awaited - peer->received : 0;
    if (wait->awaited == PRIVATE_ACCEPT || wait->awaited == PRIVATE_DECLINE)
        app_fail(app, ZCHAT_EXPIRED, "%s has not invited you", wait->user);
    else if (!peer->open)
        app_fail(app, ZCHAT_NOT_FOUND, "there is no private chat with %s", wait->user);
    else if (wait->awaited == PRIVATE_LINES)
        app_fail(app, ZCHAT_EXPIRED, "%" PRIu64 " more lines of %s were waited for in vain",
                 missing, wait->user);
    else
        app_fail(app, ZCHAT_EXPIRED, "%s has not offered a file", wait->user);
    peer->awaited -= missing;
}

/* Whether it is useless to go on waiting. */
static bool private_is_in_vain(const struct app *app, int64_t now_ms) {
    const struct private_wait *wait = &app->privates->wait;
    bool in_chat = wait->awaited != PRIVATE_ACCEPT && wait->awaited != PRIVATE_DECLINE;
    return now_ms >= wait->until_ms ||
           (in_chat && !peers_is_open(&app->privates->peers, wait->user));
}

bool private_step(struct app *app, int64_t now_ms) {
    struct private_wait *wait = &app->privates->wait;
    bool there = private_is_there(app);
    if (wait->awaited == PRIVATE_NOTHING)
        return true;
    if (!there && !private_is_in_vain(app, now_ms))
        return false;
    struct private_wait done = *wait;
    memset(wait, 0, sizeof *wait);
    if (there)
        private_go_on(app, &done);
    else
        private_give_up(app, &done);
    free(done.place);
    return true;
}
