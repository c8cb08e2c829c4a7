/* Who this handle is logged in as, and how to be so again after a lost connection. */
#ifndef SESSION_H
#define SESSION_H

#include "login.h"
#include "request.h"
#include "wire.h"
#include "zchat.h"

struct session {
    unsigned char instance[INSTANCE_BYTES]; /* random, of this handle */
    bool intended;                          /* a login was called, and no logout after it */
    bool greeted;                           /* CONNECTED was told once */
    bool live;                              /* the broker has the session on this connection */
    struct login *login;   /* owned; NULL: no session. Set and not live: it is to be resumed */
    char user[NAME_BYTES]; /* "": no session */
};

void session_init(struct session *session);
void session_release(struct session *session);

/* Queues a login or logout; see zchat_login. */
zchat_code session_login(zchat *z, const zchat_login_options *options, const char *user,
                         zchat_reply_fn *fn, void *arg);
zchat_code session_logout(zchat *z, zchat_reply_fn *fn, void *arg);

/* The broker's answer to a login call; the caller's function is called in between. */
void session_login_done(zchat *z, struct request *request, const Zchat__V1__Reply *reply,
                        const zchat_reply *answer);
/* ... to a logout call; `reply` may be NULL. */
void session_logout_done(zchat *z, struct request *request, const Zchat__V1__Reply *reply,
                         const zchat_reply *answer);
/* ... to the library's own login after a lost connection. */
void session_resume_done(zchat *z, const Zchat__V1__Reply *reply);

/* The connection is there: resumes the session, or tells that one may log in. */
void session_connected(zchat *z);
/* The connection is lost: what can be repeated waits, the rest is answered. */
void session_lost(zchat *z);
/* The broker ended the session. */
void session_ended(zchat *z, const Zchat__V1__ServerEvent *event);
/* Nobody is logged in any longer; secrets are wiped. */
void session_forget(zchat *z);

#endif
