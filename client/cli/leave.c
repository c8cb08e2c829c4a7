/* Writing what is on the screen and telling the broker so, and leaving: both concern several parts
 * at once. */
#include "leave.h"

#include "app.h"
#include "common/clock.h"
#include "line.h"
#include "load.h"
#include "mailbox.h"
#include "news.h"
#include "private.h"
#include "screen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LEAVE_MS 2000
/* For how long a second quit counts as an answer to the warning. */
#define LEAVE_WARNED_MS 30000

/* The output can't be written. Ends the program: quietly if nobody reads any more, otherwise with
 * an error. */
static void leave_unheard(struct app *app) {
    int error = errno;
    if (error != EPIPE && !app->done) {
        fprintf(stderr, "zchat: cannot write to standard output: %s\n", strerror(error));
        app->exit_code = zchat_exit_status(ZCHAT_IO);
    }
    app->done = true;
}

void leave_show(struct app *app) {
    if (screen_is_held(app->screen))
        return;
    if (screen_write(app->screen)) {
        mailbox_acknowledge(app);
        news_acknowledge(app);
    } else {
        leave_unheard(app);
    }
}

static void leave_logged_out(void *arg, const zchat_reply *reply) {
    struct app *app = arg;
    (void)reply;
    app->done = true;
}

void leave_begin(struct app *app, int exit_code) {
    if (app->exit_code == 0)
        app->exit_code = exit_code;
    if (app->leaving)
        return;
    app->leaving = true;
    app->leave_ms = clock_ms() + LEAVE_MS;
    if (app->line)
        line_close(app->line);
    private_stop_all(app);
    app_show(app);
    if (!app->logged_in || !app->connected ||
        zchat_logout(app->z, leave_logged_out, app) != ZCHAT_OK)
        app->done = app->privates->patient == 0;
}

void leave_on_wish(struct app *app) {
    int64_t now_ms = clock_ms();
    bool warned = !app->line || now_ms < app->unsent_ms;
    size_t waiting = zchat_pending(app->z);
    if (!warned && !app->connected && waiting > 0) {
        app->unsent_ms = now_ms + LEAVE_WARNED_MS;
        app_note(app,
                 "%zu command%s wait%s for the connection and would be lost; quit again to "
                 "leave anyway",
                 waiting, waiting == 1 ? "" : "s", waiting == 1 ? "s" : "");
        return;
    }
    if (!warned && app->loads->count > 0) {
        app->unsent_ms = now_ms + LEAVE_WARNED_MS;
        app_note(app, "%zu file%s on the way; quit again to leave anyway", app->loads->count,
                 app->loads->count == 1 ? " is" : "s are");
        return;
    }
    leave_begin(app, 0);
}
