/* Login, logout, and what follows from a session and its connection. */
#ifndef SESSION_H
#define SESSION_H

#include "client_state.h"
#include "fault.h"

/* Queues a login or logout; see zchat_login. */
zchat_code session_login(struct client_core *core, const zchat_login_options *options,
                         const char *user, zchat_reply_fn *fn, void *arg, struct fault *fault);
zchat_code session_logout(struct client_core *core, zchat_reply_fn *fn, void *arg,
                          struct fault *fault);

/* Takes the broker's answer to a login call; calls the caller's function in between. */
void session_login_done(struct client_core *core, struct request *request,
                        const Zchat__V1__Reply *reply, const zchat_reply *answer);
/* ... to a logout call; `reply` may be NULL. */
void session_logout_done(struct client_core *core, struct request *request,
                         const Zchat__V1__Reply *reply, const zchat_reply *answer);
/* ... to the library's own login after a lost connection. */
void session_resume_done(struct client_core *core, const Zchat__V1__Reply *reply);

/* The connection is there: resumes the session, or tells the program that it may log in. */
void session_connected(struct client_core *core);
/* The connection is lost: what can be repeated waits, all other calls are answered. */
void session_lost(struct client_core *core);
/* The broker ended the session. */
void session_ended(struct client_core *core, const Zchat__V1__ServerEvent *event);
/* Nobody is logged in any longer; secrets are wiped. */
void session_forget(struct client_core *core);

/* Ends the client for ever: answers all open calls, and tells REFUSED. */
void session_give_up(struct client_core *core, zchat_code code, const char *text);

#endif
