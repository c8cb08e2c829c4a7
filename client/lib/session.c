/* Login, logout, resume.
 *
 * A session that was lost with its connection is the handle's to restore: with the device key, or,
 * where the account does not trust that, with the password, which is kept for nothing else. A
 * session that the broker ended is not: that is told. The exception is a broker that stops, since
 * its successor will have the session again. */
#include "session.h"

#include "handle.h"
#include "invitation.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

void session_init(struct session *session) {
    memset(session, 0, sizeof *session);
    randombytes_buf(session->instance, sizeof session->instance);
}

void session_release(struct session *session) {
    login_free(session->login);
    session->login = NULL;
    session->live = false;
    session->user[0] = '\0';
}

void session_forget(zchat *z) {
    inbox_stop(z);
    topics_stop(z);
    followed_stop(z);
    requests_drop(&z->requests, REQUEST_SESSION);
    session_release(&z->session);
}

/* ---- asking ---- */

static struct request *ask_login(zchat *z, const struct login *login, enum request_owner owner) {
    Zchat__V1__LoginRequest body = ZCHAT__V1__LOGIN_REQUEST__INIT;
    body.protocol = PROTOCOL_VERSION;
    body.user = (char *)login->user;
    body.password = (char *)login->password;
    body.no_trust = login->no_trust;
    body.online = login->online;
    body.inbox = login->inbox;
    body.private_chats = login->private_chats;
    body.public_events = login->public_events == ZCHAT_PUBLIC_INLINE;
    body.instance.data = z->session.instance;
    body.instance.len = INSTANCE_BYTES;
    body.device_label = z->settings.device;
    body.client = z->settings.client;
    return handle_ask(z, owner, COMMAND(LOGIN), &body.base);
}

zchat_code session_login(zchat *z, const zchat_login_options *options, const char *user,
                         zchat_reply_fn *fn, void *arg) {
    if (z->session.intended) {
        return fault_set(&z->fault, ZCHAT_CONFLICT, "log out first: this connection has a session");
    }
    struct login *login = login_new(options, user);
    struct request *request = login ? ask_login(z, login, REQUEST_CALL) : NULL;
    if (!request) {
        login_free(login);
        return fault_set(&z->fault, ZCHAT_NO_MEMORY, "no memory for the login");
    }
    request->fn = fn;
    request->arg = arg;
    request->login = login;
    z->session.intended = true;
    return ZCHAT_OK;
}

zchat_code session_logout(zchat *z, zchat_reply_fn *fn, void *arg) {
    if (!z->session.intended) {
        return fault_set(&z->fault, ZCHAT_AUTH, "nobody is logged in");
    }
    Zchat__V1__LogoutRequest body = ZCHAT__V1__LOGOUT_REQUEST__INIT;
    struct request *request = handle_ask(z, REQUEST_CALL, COMMAND(LOGOUT), &body.base);
    if (!request) {
        return fault_set(&z->fault, ZCHAT_NO_MEMORY, "no memory for the logout");
    }
    request->fn = fn;
    request->arg = arg;
    z->session.intended = false;
    z->inbox.active = false;
    z->topics.mode = ZCHAT_PUBLIC_NONE;
    z->followed.active = false;
    transfers_leave(z);
    chats_leave(z);
    return ZCHAT_OK;
}

/* ---- answers ---- */

static void enter(zchat *z, const Zchat__V1__LoginResponse *reply) {
    struct session *session = &z->session;
    if (!name_fold(reply->user, session->user)) {
        strcpy(session->user, session->login->user);
    }
    if (reply->trusted) {
        login_forget_password(session->login);
    }
    session->live = true;
    invitations_entered(z, reply->idle_timeout_s);
}

void session_login_done(zchat *z, struct request *request, const Zchat__V1__Reply *reply,
                        const zchat_reply *answer) {
    bool wanted = z->session.intended && !requests_have_call(&z->requests, COMMAND(LOGOUT));
    if (answer->code != ZCHAT_OK) {
        z->session.intended = requests_have_call(&z->requests, COMMAND(LOGIN));
        handle_answer(z, request, answer);
        return;
    }
    session_forget(z);
    z->session.login = request->login;
    request->login = NULL;
    enter(z, reply->login);
    handle_answer(z, request, answer);
    if (wanted && z->session.intended && !z->doomed) {
        inbox_start(z, reply->login);
        topics_start(z, reply->login);
        followed_start(z);
    }
}

void session_logout_done(zchat *z, struct request *request, const Zchat__V1__Reply *reply,
                         const zchat_reply *answer) {
    (void)reply;
    session_forget(z);
    chats_end_all(z, ZCHAT_UNREACHABLE, "you logged out");
    handle_answer(z, request, answer);
}

static void resume_refused(zchat *z, const Zchat__V1__CommandError *error) {
    char reason[400];
    text_clean_line(error->message, strlen(error->message));
    snprintf(reason, sizeof reason, "the broker no longer accepts the login of %s: %s",
             z->session.user, error->message);
    if (error->code == ZCHAT__V1__CODE__CODE_BUSY) {
        handle_news(z, connection_break(&z->connection, z->now_us, ZCHAT_BUSY, reason));
    } else {
        handle_give_up(z, (zchat_code)error->code, reason);
    }
}

void session_resume_done(zchat *z, const Zchat__V1__Reply *reply) {
    if (!z->session.login) {
        return;
    }
    if (reply->error) {
        resume_refused(z, reply->error);
        return;
    }
    if (reply->body_case != ZCHAT__V1__REPLY__BODY_LOGIN) {
        handle_give_up(z, ZCHAT_UNIMPLEMENTED, "the broker's answer to a login can't be read");
        return;
    }
    enter(z, reply->login);
    handle_tell(z, &(zchat_event){.kind = ZCHAT_EVENT_RESUMED});
    inbox_resume(z, reply->login);
    topics_resume(z, reply->login);
    followed_resume(z);
    invitations_resume(z);
}

/* ---- the connection comes and goes ---- */

/* Whose login waits already need not be told to log in. */
void session_connected(zchat *z) {
    struct session *session = &z->session;
    if (session->login) {
        if (!ask_login(z, session->login, REQUEST_SESSION)) {
            handle_news(z, connection_break(&z->connection, z->now_us, ZCHAT_NO_MEMORY,
                                            "no memory for the login"));
        }
        return;
    }
    if (!session->greeted || !requests_have_call(&z->requests, COMMAND(LOGIN))) {
        session->greeted = true;
        handle_tell(z, &(zchat_event){.kind = ZCHAT_EVENT_CONNECTED});
    }
}

static void answer_unknown(zchat *z, struct request_list *unknown) {
    const zchat_reply reply = {
        .code = ZCHAT_UNREACHABLE,
        .text = "the connection broke before the answer: look whether it happened",
    };
    for (struct request *request; (request = request_list_pop(unknown));) {
        handle_answer(z, request, &reply);
    }
}

/* The lost connection ended the session, and nothing else was asked before the logout. */
static void logout_by_loss(zchat *z) {
    struct request *first = z->requests.waiting.first;
    if (first && first->command == COMMAND(LOGOUT)) {
        requests_take(&z->requests, first);
        session_logout_done(z, first, NULL, &(zchat_reply){.code = ZCHAT_OK, .text = ""});
    }
}

void session_lost(zchat *z) {
    struct request_list unknown = {0};
    z->session.live = false;
    inbox_lost(z);
    topics_lost(z);
    followed_lost(z);
    transfers_lost(z);
    invitations_lost(z);
    requests_requeue(&z->requests, &unknown);
    answer_unknown(z, &unknown);
    logout_by_loss(z);
}

void session_ended(zchat *z, const Zchat__V1__ServerEvent *event) {
    Zchat__V1__SessionEnded *body = event->session_ended;
    text_clean(body->text, strlen(body->text));
    zchat_event told = {
        .kind = ZCHAT_EVENT_SESSION_ENDED, .text = body->text, .time_us = event->time_us};
    if (body->reason == ZCHAT__V1__END_REASON__END_REASON_SHUTDOWN) {
        told.kind = ZCHAT_EVENT_NOTICE;
        connection_expect_end(&z->connection, z->now_us);
        z->session.live = false;
    } else {
        chats_end_all(z, ZCHAT_UNREACHABLE, "the broker ended the session");
        session_forget(z);
        z->session.intended = requests_have_call(&z->requests, COMMAND(LOGIN));
    }
    handle_tell(z, &told);
}
