/* Calls: each is freed where it ends, and it ends once: answered by the library, or refused at
 * once. While the program leaves, answers are of no interest any more. */
#include "call.h"

#include "common/clock.h"
#include "memory.h"

#include <stdlib.h>

struct call *call_new(struct app *app, call_done_fn *done, const char *user) {
    struct call *call = memory_take(sizeof *call);
    call->app = app;
    call->done = done;
    name_copy(call->user, user);
    call->asked_ms = clock_ms();
    app->calls++;
    return call;
}

struct call *call_new_in(struct app *app, call_done_fn *done, const char *title, const char *name) {
    struct call *call = call_new(app, done, "");
    call->title = memory_text(title);
    call->name = memory_text(name);
    return call;
}

void call_answered(void *arg, const zchat_reply *reply) {
    struct call *call = arg;
    call->app->calls--;
    if (!call->app->done)
        call->done(call, reply);
    free(call->title);
    free(call->name);
    free(call->path);
    free(call->text);
    free(call);
}

void call_begun(struct call *call, zchat_code code) {
    if (code == ZCHAT_OK)
        return;
    zchat_reply reply = {.code = code, .text = zchat_error(call->app->z)};
    call_answered(call, &reply);
}

bool call_failed(const struct call *call, const zchat_reply *reply, const char *what) {
    if (reply->code == ZCHAT_OK)
        return false;
    if (!what)
        app_fail(call->app, reply->code, "%s", reply->text);
    else
        app_fail(call->app, reply->code, "%s: %s", what, reply->text);
    return true;
}
