/* The client's parts put together, and what all of them use: lines on the screen, failures, the
 * prompt, leaving. */
#include "app.h"

#include "account.h"
#include "call.h"
#include "clock.h"
#include "command.h"
#include "complete.h"
#include "history.h"
#include "line.h"
#include "memory.h"
#include "presence.h"
#include "roster.h"
#include "screen.h"
#include "script.h"
#include "session.h"
#include "words.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define APP_LEAVE_MS 2000
/* As long as one who read the warning may mean it. */
#define APP_WARNED_MS 30000

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

/* stderr is another stream: what is on the screen before comes first. */
static void app_print_error(struct app *app, char *text) {
    zchat_text_clean(text);
    screen_write(app->screen);
    if (app->line != NULL)
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
    if (app->script != NULL && app->exit_code == 0)
        app->exit_code = app_exit_code(code);
    app_show_text(app, SCREEN_ERROR, text);
}

void app_begin_line(struct app *app, int64_t time_us) {
    char text[CLOCK_DATE_BYTES];
    char minute[CLOCK_TIME_BYTES];
    if (!app->timestamps)
        return;
    int day = clock_day(time_us);
    if (day != app->shown_day) {
        app->shown_day = day;
        clock_date(time_us, text);
        app_note(app, "— %s —", text);
    }
    clock_minute(time_us, minute);
    screen_putf(app->screen, SCREEN_DIM, "%s ", minute);
}

static void app_show_presence(void *arg, char *const *users, size_t count, bool online) {
    struct app *app = arg;
    size_t shown = count > 5 ? 3 : count;
    app_begin_line(app, clock_time_us());
    screen_put(app->screen, SCREEN_DIM, "* ");
    for (size_t i = 0; i < shown; i++)
        screen_putf(app->screen, SCREEN_DIM, "%s%s",
                    i == 0           ? ""
                    : i + 1 == count ? " and "
                                     : ", ",
                    users[i]);
    if (shown < count)
        screen_putf(app->screen, SCREEN_DIM, " and %zu others", count - shown);
    screen_putf(app->screen, SCREEN_DIM, "%s",
                !online      ? " left"
                : count == 1 ? " is here"
                             : " are here");
    screen_end_line(app->screen);
}

/* Nobody reads any more, which is an end like others; or it can't be written, which is not. */
static void app_end_unheard(struct app *app) {
    int error = errno;
    if (error != EPIPE && !app->done) {
        fprintf(stderr, "zchat: cannot write to standard output: %s\n", strerror(error));
        app->exit_code = app_exit_code(ZCHAT_IO);
    }
    app->done = true;
}

void app_show(struct app *app) {
    if (screen_is_held(app->screen))
        return;
    if (screen_write(app->screen)) {
        mailbox_acknowledge(app);
        news_acknowledge(app);
    } else {
        app_end_unheard(app);
    }
}

/* --- the line being typed --- */

void app_update_prompt(struct app *app) {
    char prompt[256];
    if (app->line == NULL)
        return;
    char state[64];
    if (!app->connected || !app->logged_in)
        snprintf(state, sizeof state, "%s", app->connected ? "logged out" : "offline");
    else
        files_describe(&app->files, state, sizeof state);
    conversation_prompt(&app->conversation, state, prompt, sizeof prompt);
    if (app->unprompted)
        prompt[0] = '\0';
    line_set_prompt(app->line, prompt, screen_has_colours(app->screen));
}

void app_ready(struct app *app) {
    if (app->line == NULL || app->leaving)
        return;
    app_update_prompt(app);
    line_open(app->line);
}

static void app_typed(void *arg, const char *text) {
    struct app *app = arg;
    app->leaving_ms = 0;
    if (text == NULL) {
        app_quit(app);
        return;
    }
    if (!words_are_text(text, strlen(text))) {
        app_fail(app, ZCHAT_INVALID, "what you typed is not UTF-8; nothing of it is sent");
        return;
    }
    bool plain = command_is_plain(app, text);
    enum history_place place = command_run(app, text);
    history_add(app->history, &app->conversation, plain, text, place);
}

static void app_typed_broken(void *arg) {
    app_fail(arg, ZCHAT_INVALID, "there is a NUL byte in what you typed; nothing of it is sent");
}

/* --- leaving --- */

static void app_logged_out(void *arg, const zchat_reply *reply) {
    struct app *app = arg;
    (void)reply;
    app->done = true;
}

void app_leave(struct app *app, int exit_code) {
    if (app->exit_code == 0)
        app->exit_code = exit_code;
    if (app->leaving)
        return;
    app->leaving = true;
    app->leave_ms = clock_now_ms() + APP_LEAVE_MS;
    if (app->line != NULL)
        line_close(app->line);
    private_stop_all(app);
    app_show(app);
    if (!app->logged_in || !app->connected || zchat_logout(app->z, app_logged_out, app) != ZCHAT_OK)
        app->done = app->privates.patient == 0;
}

void app_quit(struct app *app) {
    int64_t now_ms = clock_now_ms();
    bool warned = app->line == NULL || now_ms < app->unsent_ms;
    size_t waiting = zchat_pending(app->z);
    if (!warned && !app->connected && waiting > 0) {
        app->unsent_ms = now_ms + APP_WARNED_MS;
        app_note(app,
                 "%zu command%s wait%s for the connection and would be lost; quit again to "
                 "leave anyway",
                 waiting, waiting == 1 ? "" : "s", waiting == 1 ? "s" : "");
        return;
    }
    if (!warned && app->files.count > 0) {
        app->unsent_ms = now_ms + APP_WARNED_MS;
        app_note(app, "%zu file%s on the way; quit again to leave anyway", app->files.count,
                 app->files.count == 1 ? " is" : "s are");
        return;
    }
    app_leave(app, 0);
}

int app_exit_code(zchat_code code) {
    switch (code) {
    case ZCHAT_OK:
        return 0;
    case ZCHAT_INVALID:
        return 2;
    case ZCHAT_UNREACHABLE:
    case ZCHAT_WRONG_KEY:
    case ZCHAT_UNKNOWN_KEY:
    case ZCHAT_WRONG_PROTOCOL:
    case ZCHAT_IO:
    case ZCHAT_NO_MEMORY: /* of descriptors, nearly always: this machine's fault, like IO */
        return 3;
    case ZCHAT_AUTH:
        return 4;
    case ZCHAT_NOT_FOUND:
        return 5;
    case ZCHAT_FORBIDDEN:
        return 6;
    case ZCHAT_CONFLICT:
        return 7;
    case ZCHAT_BUSY:
        return 8;
    case ZCHAT_EXPIRED:
        return 124;
    case ZCHAT_UNIMPLEMENTED:
    case ZCHAT_CANCELLED:
    case ZCHAT_UNKNOWN:
        break;
    }
    return 1;
}

/* --- life --- */

static bool app_wants_colours(void) {
    const char *no_colour = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    return isatty(STDOUT_FILENO) && (no_colour == NULL || *no_colour == '\0') && terminal != NULL &&
           *terminal != '\0' && strcmp(terminal, "dumb") != 0;
}

/* What is typed is drawn on a terminal, even where the messages go elsewhere. */
static FILE *app_find_terminal(struct app *app) {
    if (isatty(STDOUT_FILENO))
        return stdout;
    if (!isatty(STDERR_FILENO))
        app->terminal = fopen("/dev/tty", "w");
    return app->terminal == NULL ? stderr : app->terminal;
}

/* Whoever reads a pipe may write to this terminal whenever it likes: a prompt would get mixed up
 * with that. */
static bool app_is_piped(void) {
    struct stat status;
    return fstat(STDOUT_FILENO, &status) == 0 && S_ISFIFO(status.st_mode);
}

static void app_make_line(struct app *app) {
    struct line_listener listener = {
        .arg = app,
        .on_line = app_typed,
        .on_broken_line = app_typed_broken,
        .on_complete = complete_word,
        .on_listing = complete_list,
    };
    app->line = line_new(app_find_terminal(app), &listener);
    app->unprompted = app_is_piped();
}

static enum history_extent app_history_extent(enum options_choice choice) {
    if (choice == OPTIONS_OFF)
        return HISTORY_NOTHING;
    return choice == OPTIONS_ALL ? HISTORY_ALL : HISTORY_PUBLIC;
}

static void app_make_parts(struct app *app) {
    enum options_choice presence = app->options->presence;
    bool terminal = isatty(STDOUT_FILENO);
    if (isatty(STDIN_FILENO))
        app_make_line(app);
    else
        app->script = script_new();
    app->screen = screen_new(stdout, app->line != NULL && app_wants_colours(), app->line);
    if (app->line != NULL)
        app->history = history_new(app->line, app_history_extent(app->options->history));
    if (presence == OPTIONS_AUTO && app->script != NULL)
        presence = OPTIONS_OFF;
    app->presence = presence_new(presence, app_show_presence, app);
    app->roster = roster_new();
    app->errors_apart = app->script != NULL || !terminal;
    app->timestamps = app->options->timestamps == OPTIONS_ON ||
                      (app->options->timestamps == OPTIONS_AUTO && terminal && app->line != NULL);
    app->shown_day = clock_day(clock_time_us());
}

struct app *app_new(const struct options *options, int *exit_code) {
    struct app *app = memory_take(sizeof *app);
    char error[256] = "";
    app->options = options;
    app_make_parts(app);
    zchat_options library = {
        .server = options->server,
        .server_key = options->server_key,
        .config_dir = options->config_dir,
        .trust_new = options->trust_new,
        .client = "zchat " ZCHAT_VERSION,
        .private_address = options->private_address,
        .on_event = session_event,
        .arg = app,
    };
    zchat_code code = zchat_new(&app->z, &library, error, sizeof error);
    if (code == ZCHAT_OK)
        return app;
    *exit_code = app_exit_code(code);
    app_free(app);
    fprintf(stderr, "zchat: %s\n", error);
    return NULL;
}

void app_free(struct app *app) {
    if (app == NULL)
        return;
    app->done = true;
    zchat_free(app->z);
    if (app->line != NULL)
        line_close(app->line);
    screen_write(app->screen);
    passwd_dialogue_free(app->passwd);
    login_release(&app->login);
    mailbox_release(&app->mailbox);
    files_release(&app->files);
    privates_release(&app->privates);
    news_release(&app->news);
    forum_release(&app->forum);
    conversation_release(&app->conversation);
    presence_free(app->presence);
    roster_free(app->roster);
    history_free(app->history);
    script_free(app->script);
    screen_free(app->screen);
    line_free(app->line);
    if (app->terminal != NULL)
        fclose(app->terminal);
    free(app);
}
