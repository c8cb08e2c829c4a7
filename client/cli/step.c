/* Stepping through a script. A line begins when nothing of the line before it is open: no call, no
 * login, no sync, no recv. At the end the program waits until nothing is open, and leaves. */
#include "step.h"

#include "app.h"
#include "command.h"
#include "common/clock.h"
#include "login.h"
#include "mailbox.h"
#include "news.h"
#include "private.h"
#include "script.h"

#include <inttypes.h>
#include <string.h>

/* How long to wait for an answer: a running broker answers at once; one that is restarting needs
 * some seconds. */
#define STEP_ANSWER_MS 30000
/* How long to wait for a person: they have 60 s for an invitation, and the link has 10 s to be
 * made. */
#define STEP_PERSON_MS 90000

void step_wait_messages(struct app *app, uint64_t count, uint64_t seconds) {
    app->wait.taken += count;
    app->wait.recv_ms = clock_ms() + (int64_t)seconds * 1000;
}

/* false: still waiting. */
static bool step_received(struct app *app, int64_t now_ms) {
    struct app_wait *wait = &app->wait;
    if (wait->recv_ms == 0)
        return true;
    bool enough = app->mailbox->received >= wait->taken;
    if (!enough && now_ms < wait->recv_ms)
        return false;
    wait->recv_ms = 0;
    if (!enough) {
        app_fail(app, ZCHAT_EXPIRED, "%" PRIu64 " more messages were waited for in vain",
                 wait->taken - app->mailbox->received);
        wait->taken = app->mailbox->received;
    }
    return true;
}

static int step_patience_ms(const struct app *app) {
    return app->privates->patient > 0 ? STEP_PERSON_MS : STEP_ANSWER_MS;
}

static bool step_answered(struct app *app, int64_t now_ms) {
    struct app_wait *wait = &app->wait;
    if (app->calls == 0 && !app->login->running && app->stop != APP_STOP_BEGUN &&
        (!app->logged_in || (app->synced && news_are_here(app, now_ms)))) {
        wait->answer_ms = 0;
        return true;
    }
    if (wait->answer_ms == 0) {
        wait->answer_ms = now_ms + step_patience_ms(app);
    } else if (now_ms >= wait->answer_ms) {
        app_fail(app, ZCHAT_EXPIRED, "there was no answer for %d seconds",
                 step_patience_ms(app) / 1000);
        app_leave(app, 1);
    }
    return false;
}

/* Whether to log in first: a user is given and the script does not begin with a login. */
static bool step_must_log_in(struct app *app, const char *line) {
    if (app->script_line > 0 || app->logged_in || !app->options->user)
        return false;
    const char *arguments;
    const struct command *command = !line ? NULL : command_of_line(app, line, &arguments);
    return !command || (command->flags & COMMAND_LOGIN) == 0;
}

static void step_run_line(struct app *app, const char *line) {
    const char *fault = script_fault(app->script);
    app->script_line = script_line(app->script);
    if (fault)
        app_fail(app, ZCHAT_INVALID, "%s", fault);
    else
        command_run(app, line);
    script_take(app->script);
}

static void step_end(struct app *app) {
    int error = script_error(app->script);
    if (error != 0)
        app_fail(app, ZCHAT_IO, "cannot read the script from standard input: %s", strerror(error));
    app_leave(app, 0);
}

/* Begins the next line; returns whether something was begun. */
static bool step_next(struct app *app) {
    const char *line = script_peek(app->script);
    if (!line && !script_at_end(app->script))
        return false;
    if (step_must_log_in(app, line))
        login_begin(app, app->options->user, true);
    else if (!line)
        step_end(app);
    else
        step_run_line(app, line);
    return true;
}

void step_script(struct app *app, int64_t now_ms) {
    while (app->script && app->greeted && !app->leaving && !app->done &&
           private_step(app, now_ms) && step_answered(app, now_ms) && step_received(app, now_ms))
        if (!step_next(app))
            break;
}

int64_t step_due_ms(const struct app *app) {
    if (app->privates->wait.awaited != PRIVATE_NOTHING)
        return app->privates->wait.until_ms;
    if (app->wait.recv_ms != 0)
        return app->wait.recv_ms;
    int64_t news_ms = news_due_ms(app);
    if (news_ms >= 0)
        return news_ms;
    return app->wait.answer_ms == 0 ? -1 : app->wait.answer_ms;
}
