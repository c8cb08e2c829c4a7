/* The session as the broker tells it: the library's events, and what begins and ends with a
 * login. */
#ifndef SESSION_H
#define SESSION_H

#include "zchat.h"

struct app;

/* The zchat_event_fn; `app` is the struct app. */
void session_event(void *app, const zchat_event *event);

/* A login was answered. */
void session_begin(struct app *app, const zchat_reply *reply);
/* The session has ended, for whatever reason. */
void session_end(struct app *app);

/* Compares the roster with the broker's list, when that is due. */
void session_tick(struct app *app, int64_t now_ms);

#endif
