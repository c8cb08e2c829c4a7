/* Login, logout, resume.
 *
 * If a session was lost with its connection, the handle restores it: with the device key or, if the
 * account does not trust that, with the password, which is kept only for this. If the broker ended
 * a session, the handle does not restore it, but tells the program. The exception is a broker that
 * stops: the one that runs next gets the session again. */
#include "session.h"

#include "chats.h"
#include "limits.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

void session_forget(struct client_core *core) {
    inbox_stop(&core->inbox);
    published_stop(&core->published);
    followed_stop(&core->followed);
    awaited_stop(&core->awaited);
    requests_drop(&core->client.requests, REQUEST_SESSION);
    client_forget_session(&core->client);
}

/* ---- asking ---- */

static struct request *ask_login(struct client_core *core, const struct login *login,
                                 enum request_owner owner) {
    Zchat__V1__LoginRequest body = ZCHAT__V1__LOGIN_REQUEST__INIT;
    body.protocol = PROTOCOL_VERSION;
    body.user = (char *)login->user;
    body.password = (char *)login->password;
    body.no_trust = login->no_trust;
    body.online = login->online;
    body.inbox = login->inbox;
    body.private_chats = login->private_chats;
    body.public_events = login->public_events == ZCHAT_PUBLIC_INLINE;
    body.instance.data = core->client.session.instance;
    body.instance.len = INSTANCE_BYTES;
    body.device_label = (char *)core->client.device;
    body.client = (char *)core->client.program;
    return client_ask(&core->client, owner, COMMAND(LOGIN), &body.base);
}

zchat_code session_login(struct client_core *core, const zchat_login_options *options,
                         const char *user, zchat_reply_fn *fn, void *arg, struct fault *fault) {
    if (core->client.session.intended)
        return fault_set(fault, ZCHAT_CONFLICT, "log out first: this connection has a session");
    struct login *login = login_new(options, user);
    struct request *request = login ? ask_login(core, login, REQUEST_CALL) : NULL;
    if (!request) {
        login_free(login);
        return fault_set(fault, ZCHAT_NO_MEMORY, "no memory for the login");
    }
    request->fn = fn;
    request->arg = arg;
    request->login = login;
    core->client.session.intended = true;
    return ZCHAT_OK;
}

zchat_code session_logout(struct client_core *core, zchat_reply_fn *fn, void *arg,
                          struct fault *fault) {
    if (!core->client.session.intended)
        return fault_set(fault, ZCHAT_AUTH, "nobody is logged in");
    Zchat__V1__LogoutRequest body = ZCHAT__V1__LOGOUT_REQUEST__INIT;
    struct request *request = client_ask(&core->client, REQUEST_CALL, COMMAND(LOGOUT), &body.base);
    if (!request)
        return fault_set(fault, ZCHAT_NO_MEMORY, "no memory for the logout");
    request->fn = fn;
    request->arg = arg;
    core->client.session.intended = false;
    core->inbox.active = false;
    core->published.mode = ZCHAT_PUBLIC_NONE;
    core->followed.active = false;
    transfers_leave(&core->transfers);
    chats_leave(core->chats);
    return ZCHAT_OK;
}

/* ---- answers ---- */

static void enter(struct client_core *core, const Zchat__V1__LoginResponse *reply) {
    struct session *session = &core->client.session;
    if (!name_fold(reply->user, session->user))
        strcpy(session->user, session->login->user);
    if (reply->trusted)
        login_forget_password(session->login);
    session->live = true;
    chats_entered(core->chats, reply->idle_timeout_s);
}

void session_login_done(struct client_core *core, struct request *request,
                        const Zchat__V1__Reply *reply, const zchat_reply *answer) {
    bool wanted = core->client.session.intended &&
                  !requests_have_call(&core->client.requests, COMMAND(LOGOUT));
    if (answer->code != ZCHAT_OK) {
        core->client.session.intended = requests_have_call(&core->client.requests, COMMAND(LOGIN));
        client_answer(request, answer);
        return;
    }
    session_forget(core);
    core->client.session.login = request->login;
    request->login = NULL;
    enter(core, reply->login);
    client_answer(request, answer);
    if (wanted && core->client.session.intended && !core->client.doomed) {
        inbox_start(&core->inbox, reply->login);
        published_start(&core->published, reply->login);
        followed_start(&core->followed);
    }
}

void session_logout_done(struct client_core *core, struct request *request,
                         const Zchat__V1__Reply *reply, const zchat_reply *answer) {
    (void)reply;
    session_forget(core);
    chats_end_all(core->chats, ZCHAT_UNREACHABLE, "you logged out");
    client_answer(request, answer);
}

static void resume_refused(struct client_core *core, const Zchat__V1__CommandError *error) {
    char reason[400];
    text_clean_line(error->message, strlen(error->message));
    snprintf(reason, sizeof reason, "the broker no longer accepts the login of %s: %s",
             core->client.session.user, error->message);
    if (error->code == ZCHAT__V1__CODE__CODE_BUSY)
        client_break_off(&core->client, ZCHAT_BUSY, reason);
    else
        session_give_up(core, (zchat_code)error->code, reason);
}

void session_resume_done(struct client_core *core, const Zchat__V1__Reply *reply) {
    if (!core->client.session.login)
        return;
    if (reply->error) {
        resume_refused(core, reply->error);
        return;
    }
    if (reply->body_case != ZCHAT__V1__REPLY__BODY_LOGIN) {
        session_give_up(core, ZCHAT_UNIMPLEMENTED, "the broker's answer to a login can't be read");
        return;
    }
    enter(core, reply->login);
    client_tell(&core->client, &(zchat_event){.kind = ZCHAT_EVENT_RESUMED});
    inbox_resume(&core->inbox, reply->login);
    published_resume(&core->published, reply->login);
    followed_resume(&core->followed);
    awaited_resume(&core->awaited);
    chats_resume(core->chats);
}

/* ---- the connection comes and goes ---- */

/* A program whose login waits already is not told to log in. */
void session_connected(struct client_core *core) {
    core->client.connected = true;
    core->unasked_bytes = 0;
    core->client.last_sent_us = core->client.now_us;
    struct session *session = &core->client.session;
    if (session->login) {
        if (!ask_login(core, session->login, REQUEST_SESSION))
            client_break_off(&core->client, ZCHAT_NO_MEMORY, "no memory for the login");
        return;
    }
    if (!session->greeted || !requests_have_call(&core->client.requests, COMMAND(LOGIN))) {
        session->greeted = true;
        client_tell(&core->client, &(zchat_event){.kind = ZCHAT_EVENT_CONNECTED});
    }
}

static void answer_unknown(struct request_list *unknown) {
    const zchat_reply reply = {
        .code = ZCHAT_UNREACHABLE,
        .text = "the connection broke before the answer: look whether it happened",
    };
    for (struct request *request; (request = request_list_pop(unknown));)
        client_answer(request, &reply);
}

/* The lost connection has ended the session, so the logout is done, as nothing else was asked
 * before it. */
static void logout_by_loss(struct client_core *core) {
    struct request *first = core->client.requests.waiting.first;
    if (first && first->command == COMMAND(LOGOUT)) {
        requests_take(&core->client.requests, first);
        session_logout_done(core, first, NULL, &(zchat_reply){.code = ZCHAT_OK, .text = ""});
    }
}

void session_lost(struct client_core *core) {
    struct request_list unknown = {0};
    core->client.connected = false;
    core->client.session.live = false;
    inbox_lost(&core->inbox);
    published_lost(&core->published);
    followed_lost(&core->followed);
    transfers_lost(&core->transfers);
    chats_lost(core->chats);
    requests_requeue(&core->client.requests, &unknown);
    answer_unknown(&unknown);
    logout_by_loss(core);
}

void session_ended(struct client_core *core, const Zchat__V1__ServerEvent *event) {
    Zchat__V1__SessionEnded *body = event->session_ended;
    text_clean(body->text, strlen(body->text));
    zchat_event told = {
        .kind = ZCHAT_EVENT_SESSION_ENDED, .text = body->text, .time_us = event->time_us};
    if (body->reason == ZCHAT__V1__END_REASON__END_REASON_SHUTDOWN) {
        told.kind = ZCHAT_EVENT_NOTICE;
        client_expect_end(&core->client);
        core->client.session.live = false;
    } else {
        chats_end_all(core->chats, ZCHAT_UNREACHABLE, "the broker ended the session");
        session_forget(core);
        core->client.session.intended = requests_have_call(&core->client.requests, COMMAND(LOGIN));
    }
    client_tell(&core->client, &told);
}

void session_give_up(struct client_core *core, zchat_code code, const char *text) {
    struct fault told;
    fault_set(&told, code, "%s", text);
    client_stop(&core->client, code, told.text);
    chats_end_all(core->chats, ZCHAT_UNREACHABLE, told.text);
    session_forget(core);
    core->client.session.intended = false;
    client_answer_all(&core->client, code, told.text);
    transfers_end_all(&core->transfers, code, told.text);
    client_tell(&core->client,
                &(zchat_event){.kind = ZCHAT_EVENT_REFUSED, .code = code, .text = told.text});
}
