/* One question to the broker, from the verb that asks to the function that shows the answer:
 *
 *     struct call *call = call_new(app, who_done, "");
 *     call_begun(call, zchat_who(app->z, NULL, 0, call_answered, call));
 *
 * A script waits for all calls that are open before it takes its next line. */
#ifndef CALL_H
#define CALL_H

#include "app.h"

struct call;
/* Gets every answer, good or bad; call_failed() deals with the bad ones. */
typedef void call_done_fn(struct call *call, const zchat_reply *reply);

struct call {
    struct app *app; /* borrowed: from the verb */
    call_done_fn *done;
    char user[NAME_BYTES]; /* whom it is about; "": nobody */
    char *title;           /* owned: of the thread that it is about; NULL: none */
    char *name;            /* owned: of the file that it is about; NULL: none */
    char *path;            /* owned: where that goes to; NULL: nowhere, or stdout */
    char *text;            /* owned: of a private line or a post; NULL: none */
    zchat_id id;           /* of a message or a post */
    uint64_t number;       /* what else the verb wants to remember */
    int64_t asked_ms;
};

struct call *call_new(struct app *app, call_done_fn *done, const char *user);
/* About a thread and, unless `name` is NULL, a file in it. */
struct call *call_new_in(struct app *app, call_done_fn *done, const char *title, const char *name);
/* The zchat_reply_fn of all calls; frees the call. */
void call_answered(void *call, const zchat_reply *reply);
/* Takes what the library's function returned: a call that failed at once ends here. */
void call_begun(struct call *call, zchat_code code);
/* Shows a failure, with `what` before it ("not sent to bob"; NULL: nothing). false: none. */
bool call_failed(const struct call *call, const zchat_reply *reply, const char *what);

#endif
