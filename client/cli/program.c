/* Puts the client's parts together: makes them at the start, frees them at the end, and connects
 * them with what is typed. */
#include "program.h"

#include "account.h"
#include "app.h"
#include "attention.h"
#include "command.h"
#include "common/clock.h"
#include "complete.h"
#include "editor.h"
#include "find.h"
#include "history.h"
#include "learn.h"
#include "leave.h"
#include "line.h"
#include "load.h"
#include "login.h"
#include "mailbox.h"
#include "memory.h"
#include "news.h"
#include "presence.h"
#include "private.h"
#include "receipts.h"
#include "roster.h"
#include "screen.h"
#include "script.h"
#include "session.h"
#include "words.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct program {
    struct app app; /* the first member: program_free() gets it */
    struct mailbox mailbox;
    struct find find;
    struct learn learn;
    struct news news;
    struct loads loads;
    struct privates privates;
    struct receipts receipts;
    struct login login;
};

/* --- what the parts tell --- */

static void program_show_presence(void *arg, char *const *users, size_t count, bool online) {
    struct app *app = arg;
    size_t shown = count > 5 ? 3 : count;
    app_begin_line(app, clock_wall_us());
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

static void program_typed(void *arg, const char *text) {
    struct app *app = arg;
    app->leaving_ms = 0;
    attention_typed(app);
    if (!text) {
        leave_on_wish(app);
        return;
    }
    if (!words_are_text(text, strlen(text))) {
        app_fail(app, ZCHAT_INVALID, "what you typed is not UTF-8; nothing of it is sent");
        return;
    }
    bool plain = command_is_plain(app, text);
    enum history_place place = command_run(app, text);
    const char *why = history_add(app->history, &app->conversation, plain, text, place);
    if (why)
        app_warn(app, "what you type is not kept for the next time: %s", why);
}

static const char *program_leaving(void *arg, const char *text) {
    return command_says(arg, text) ? app_stamp(arg) : NULL;
}

static void program_typed_broken(void *arg) {
    app_fail(arg, ZCHAT_INVALID, "there is a NUL byte in what you typed; nothing of it is sent");
}

static void program_edit(void *arg, const char *text) {
    editor_begin(arg, text);
}

/* --- beginning and end --- */

static bool program_wants_colours(void) {
    const char *no_colour = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    return isatty(STDOUT_FILENO) && (!no_colour || *no_colour == '\0') && terminal &&
           *terminal != '\0' && strcmp(terminal, "dumb") != 0;
}

/* What is typed is drawn on a terminal, even if the messages go elsewhere. */
static FILE *program_find_terminal(struct app *app) {
    if (isatty(STDOUT_FILENO))
        return stdout;
    if (!isatty(STDERR_FILENO))
        app->terminal = fopen("/dev/tty", "w");
    return !app->terminal ? stderr : app->terminal;
}

/* The program that reads a pipe may write to this terminal at any time, and a prompt would get
 * mixed up with that. */
static bool program_is_piped(void) {
    struct stat status;
    return fstat(STDOUT_FILENO, &status) == 0 && S_ISFIFO(status.st_mode);
}

static void program_make_line(struct app *app) {
    struct line_listener listener = {
        .arg = app,
        .on_line = program_typed,
        .on_leaving = program_leaving,
        .on_broken_line = program_typed_broken,
        .on_edit = program_edit,
        .on_complete = complete_word,
        .on_listing = complete_list,
    };
    app->line = line_new(program_find_terminal(app), &listener);
    app->unprompted = program_is_piped();
}

static enum history_extent program_history_extent(enum options_choice choice) {
    if (choice == OPTIONS_OFF)
        return HISTORY_NOTHING;
    return choice == OPTIONS_ALL ? HISTORY_ALL : HISTORY_PUBLIC;
}

static void program_make_parts(struct app *app) {
    enum options_choice presence = app->options->presence;
    bool terminal = isatty(STDOUT_FILENO);
    if (isatty(STDIN_FILENO))
        program_make_line(app);
    else
        app->script = script_new();
    app->screen = screen_new(stdout, app->line && program_wants_colours(), app->line);
    if (app->line)
        app->history = history_new(app->line, program_history_extent(app->options->history));
    if (presence == OPTIONS_AUTO && app->script)
        presence = OPTIONS_OFF;
    app->presence = presence_new(presence, program_show_presence, app);
    app->roster = roster_new();
    app->attention = attention_new(app);
    app->errors_apart = app->script || !terminal;
    app->timestamps = app->options->timestamps == OPTIONS_ON ||
                      (app->options->timestamps == OPTIONS_AUTO && terminal && app->line);
    app->shown_day = clock_day(clock_wall_us());
}

static struct app *program_take(void) {
    struct program *program = memory_take(sizeof *program);
    program->app.mailbox = &program->mailbox;
    program->app.find = &program->find;
    program->app.learn = &program->learn;
    program->app.news = &program->news;
    program->app.loads = &program->loads;
    program->app.privates = &program->privates;
    program->app.receipts = &program->receipts;
    program->app.login = &program->login;
    return &program->app;
}

static const struct app_program program_whole = {
    .show = leave_show,
    .leave = leave_begin,
    .logged_in = session_begin,
};

struct app *program_new(const struct options *options, int *exit_code) {
    struct app *app = program_take();
    char error[256] = "";
    app->program = &program_whole;
    app->options = options;
    program_make_parts(app);
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
    *exit_code = zchat_exit_status(code);
    program_free(app);
    fprintf(stderr, "zchat: %s\n", error);
    return NULL;
}

void program_free(struct app *app) {
    if (!app)
        return;
    app->done = true;
    zchat_free(app->z);
    editor_free(app);
    if (app->line)
        line_close(app->line);
    screen_write(app->screen);
    passwd_dialogue_free(app->passwd);
    login_release(app->login);
    mailbox_release(app->mailbox);
    find_release(app->find);
    learn_release(app->learn);
    loads_release(app->loads);
    privates_release(app->privates);
    receipts_release(app->receipts);
    news_release(app->news);
    forum_release(&app->forum);
    conversation_release(&app->conversation);
    presence_free(app->presence);
    roster_free(app->roster);
    history_free(app->history);
    script_free(app->script);
    screen_free(app->screen);
    line_free(app->line);
    if (app->terminal)
        fclose(app->terminal);
    attention_free(app->attention);
    free(app);
}
