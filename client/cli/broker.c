/* Verbs about the broker itself. */
#include "app.h"
#include "call.h"
#include "clock.h"
#include "command.h"
#include "screen.h"
#include "verbs.h"

#include <inttypes.h>

static void broker_ponged(struct call *call, const zchat_reply *reply) {
    if (!call_failed(call, reply, NULL))
        app_note(call->app, "%s answered in %" PRId64 " ms", reply->software,
                 clock_now_ms() - call->asked_ms);
}

void verb_ping(struct app *app, const struct command_words *words) {
    (void)words;
    struct call *call = call_new(app, broker_ponged, "");
    call_begun(call, zchat_ping(app->z, call_answered, call));
}

static void broker_counted(struct call *call, const zchat_reply *reply) {
    struct app *app = call->app;
    if (call_failed(call, reply, NULL))
        return;
    for (size_t i = 0; i < reply->count; i++) {
        screen_putf(app->screen, SCREEN_PLAIN, "%s %" PRIu64, reply->stats[i].name,
                    reply->stats[i].value);
        screen_end_line(app->screen);
    }
}

void verb_stats(struct app *app, const struct command_words *words) {
    (void)words;
    struct call *call = call_new(app, broker_counted, "");
    call_begun(call, zchat_stats(app->z, call_answered, call));
}
