/* The loop. A turn takes what is there from each source; then does what is due by the clock, lets
 * the script go on, writes the screen once, and acknowledges what is on it. */
#include "loop.h"

#include "app.h"
#include "attention.h"
#include "common/clock.h"
#include "editor.h"
#include "history.h"
#include "line.h"
#include "load.h"
#include "presence.h"
#include "private.h"
#include "screen.h"
#include "script.h"
#include "session.h"
#include "signals.h"
#include "step.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

/* A Ctrl-C later than this counts as the first one again. */
#define LOOP_TWICE_MS 3000

enum loop_source { LOOP_BROKER, LOOP_SIGNALS, LOOP_INPUT, LOOP_SOURCES };

/* --- the clock --- */

static int64_t loop_sooner(int64_t a_ms, int64_t b_ms) {
    if (a_ms < 0 || b_ms < 0)
        return a_ms < 0 ? b_ms : a_ms;
    return a_ms < b_ms ? a_ms : b_ms;
}

static int loop_timeout_ms(const struct app *app) {
    int64_t due_ms = loop_sooner(presence_due_ms(app->presence), step_due_ms(app));
    due_ms = loop_sooner(due_ms, app->reconcile_ms == 0 ? -1 : app->reconcile_ms);
    due_ms = loop_sooner(due_ms, attention_due_ms(app));
    due_ms = loop_sooner(due_ms, app->leaving ? app->leave_ms : -1);
    if (due_ms < 0)
        return -1;
    int64_t wait_ms = due_ms - clock_ms();
    return wait_ms < 0 ? 0 : wait_ms > INT_MAX ? INT_MAX : (int)wait_ms;
}

static void loop_settle(struct app *app) {
    int64_t now_ms = clock_ms();
    presence_tick(app->presence, now_ms);
    session_tick(app, now_ms);
    attention_tick(app, now_ms);
    step_script(app, now_ms);
    if (app->leaving &&
        (now_ms >= app->leave_ms || (!app->connected && app->privates->patient == 0)))
        app->done = true;
    app_show(app);
    if (app->history)
        history_settle(app->history, &app->conversation);
    screen_show_line(app->screen);
}

/* --- signals --- */

static void loop_interrupt(struct app *app) {
    if (app->leaving)
        app->done = true;
    else if (!app->line || !line_wants_input(app->line))
        app_leave(app, 130);
    else if (line_interrupt(app->line))
        app->leaving_ms = 0;
    else if (app->loads->count > 0)
        loads_cancel(app);
    else if (clock_ms() < app->leaving_ms)
        app_leave(app, 130);
    else {
        app->leaving_ms = clock_ms() + LOOP_TWICE_MS;
        app_note(app, "another Ctrl-C leaves, like Ctrl-D");
    }
}

static bool loop_is_from_terminal(int number) {
    return number == SIGINT || number == SIGTSTP || number == SIGWINCH || number == SIGCONT;
}

static void loop_signal(struct app *app, int number) {
    if (editor_is_open(app) && loop_is_from_terminal(number)) /* it is the editor's */
        return;
    switch (number) {
    case SIGINT:
        loop_interrupt(app);
        break;
    case SIGTSTP:
        if (!app->line)
            signals_stop();
        else
            line_suspend(app->line);
        break;
    case SIGWINCH:
    case SIGCONT:
        if (app->line)
            (number == SIGCONT ? line_resume : line_resize)(app->line);
        app_update_prompt(app); /* it fits the terminal's width */
        break;
    case SIGCHLD:
        attention_reap(app);
        editor_reap(app);
        break;
    default:
        app_leave(app, 130);
        break;
    }
}

/* --- the loop --- */

static bool loop_wants_input(const struct app *app) {
    if (app->leaving)
        return false;
    return app->line ? line_wants_input(app->line) : script_wants_input(app->script);
}

static void loop_read(struct app *app) {
    if (app->line)
        line_read(app->line);
    else
        script_read(app->script);
}

static void loop_turn(struct app *app, struct pollfd *sources) {
    sources[LOOP_INPUT].fd = loop_wants_input(app) ? STDIN_FILENO : -1;
    if (poll(sources, LOOP_SOURCES, loop_timeout_ms(app)) <= 0)
        return;
    if (sources[LOOP_SIGNALS].revents != 0)
        for (int number; (number = signals_next(sources[LOOP_SIGNALS].fd)) != 0;)
            loop_signal(app, number);
    if (sources[LOOP_BROKER].revents != 0)
        zchat_process(app->z);
    if (sources[LOOP_INPUT].revents != 0 && loop_wants_input(app))
        loop_read(app);
}

void loop_run(struct app *app, int signals_fd) {
    struct pollfd sources[LOOP_SOURCES] = {
        [LOOP_BROKER] = {.fd = zchat_fd(app->z), .events = POLLIN},
        [LOOP_SIGNALS] = {.fd = signals_fd, .events = POLLIN},
        [LOOP_INPUT] = {.fd = -1, .events = POLLIN},
    };
    loop_settle(app);
    while (!app->done) {
        loop_turn(app, sources);
        loop_settle(app);
    }
}
