/* What all parts use: lines on the screen, failures, the prompt. Nothing here knows a part. */
#include "app.h"

#include "common/clock.h"
#include "line.h"
#include "memory.h"
#include "presence.h"
#include "roster.h"
#include "screen.h"
#include "words.h"

#include <stdarg.h>
#include <stdlib.h>

/* --- lines --- */

static char *app_format(const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    int bytes = vsnprintf(NULL, 0, format, arguments);
    char *text = memory_take((size_t)(bytes < 0 ? 0 : bytes) + 1);
    vsnprintf(text, (size_t)(bytes < 0 ? 0 : bytes) + 1, format, again);
    va_end(again);
    return text;
}

void app_note(struct app *app, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = app_format(format, arguments);
    va_end(arguments);
    screen_put(app->screen, SCREEN_DIM, text);
    screen_end_line(app->screen);
    free(text);
}

/* stderr is another stream, so what the screen has gathered is written first. */
static void app_print_error(struct app *app, char *text) {
    zchat_text_clean(text);
    screen_write(app->screen);
    if (app->line)
        line_hide(app->line);
    if (app->script_line > 0)
        fprintf(stderr, "zchat: line %u: %s\n", app->script_line, text);
    else
        fprintf(stderr, "zchat: %s\n", text);
}

static void app_show_text(struct app *app, enum screen_style style, char *text) {
    if (app->errors_apart) {
        app_print_error(app, text);
    } else {
        screen_put(app->screen, style, text);
        screen_end_line(app->screen);
    }
    free(text);
}

void app_warn(struct app *app, const char *format, ...) {
    if (app->leaving)
        return;
    va_list arguments;
    va_start(arguments, format);
    char *text = app_format(format, arguments);
    va_end(arguments);
    app_show_text(app, SCREEN_DIM, text);
}

void app_fail(struct app *app, zchat_code code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = app_format(format, arguments);
    va_end(arguments);
    if (app->script && app->exit_code == 0)
        app->exit_code = zchat_exit_status(code);
    app_show_text(app, SCREEN_ERROR, text);
}

static bool app_begin_day(struct app *app, int64_t time_us) {
    char text[CLOCK_DATE_BYTES];
    int day = clock_day(time_us);
    if (day == app->shown_day)
        return false;
    app->shown_day = day;
    clock_date(time_us, text);
    app_note(app, "— %s —", text);
    return true;
}

void app_begin_line(struct app *app, int64_t time_us) {
    char minute[CLOCK_TIME_BYTES];
    if (!app->timestamps)
        return;
    app_begin_day(app, time_us);
    clock_minute(time_us, minute);
    screen_putf(app->screen, SCREEN_DIM, "%s ", minute);
}

const char *app_stamp(struct app *app) {
    char minute[CLOCK_TIME_BYTES];
    char place[NAME_BYTES + 16];
    int64_t now_us = clock_wall_us();
    if (!app->timestamps || app->unprompted)
        return NULL;
    if (app_begin_day(app, now_us))
        screen_write(app->screen);
    clock_minute(now_us, minute);
    conversation_place(&app->conversation, place, sizeof place);
    snprintf(app->stamp, sizeof app->stamp,
             screen_has_colours(app->screen)
                 ? "\001\033[2m\002%s\001\033[0m\033[1m\002 %s\001\033[0m\002"
                 : "%s %s",
             minute, place);
    return app->stamp;
}

void app_hear(struct app *app, const char *user) {
    presence_announce(app->presence, user);
    roster_get(app->roster, user)->heard_ms = clock_ms();
}

/* --- the line being typed --- */

void app_update_prompt(struct app *app) {
    char prompt[480];
    if (!app->line)
        return;
    char state[APP_PROGRESS_BYTES];
    if (!app->connected || !app->logged_in)
        snprintf(state, sizeof state, "%s", app->connected ? "logged out" : "offline");
    else
        snprintf(state, sizeof state, "%s", app->progress);
    conversation_prompt(&app->conversation, state, line_columns(app->line), prompt, sizeof prompt);
    if (app->unprompted)
        prompt[0] = '\0';
    line_set_prompt(app->line, prompt, screen_has_colours(app->screen));
}

void app_ready(struct app *app) {
    if (!app->line || app->leaving)
        return;
    app_update_prompt(app);
    line_open(app->line);
}

/* --- what is up to the program --- */

void app_show(struct app *app) {
    app->program->show(app);
}

void app_leave(struct app *app, int exit_code) {
    app->program->leave(app, exit_code);
}

/* --- calls --- */

/* Each call is freed when it ends, and it ends once: answered by the library, or refused at once.
 * While the program leaves, answers no longer matter. */

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
