/* Verbs about the broker itself. Stopping it takes an administrator's account or the admin
 * password; deleting everything takes one more word. */
#include "app.h"
#include "command.h"
#include "common/clock.h"
#include "line.h"
#include "memory.h"
#include "paths.h"
#include "screen.h"

#include <inttypes.h>
#include <string.h>

static void broker_ponged(struct call *call, const zchat_reply *reply) {
    if (!call_failed(call, reply, NULL))
        app_note(call->app, "%s answered in %" PRId64 " ms", reply->software,
                 clock_ms() - call->asked_ms);
}

static void run_ping(struct app *app, const struct command_words *words) {
    (void)words;
    struct call *call = call_new(app, broker_ponged, "");
    call_begun(call, zchat_ping(app->z, call_answered, call));
}

static const struct command ping_command = {
    .name = "ping",
    .arguments = "",
    .help = "ask whether the broker answers, and how fast",
    .run = run_ping,
};

static void run_forget(struct app *app, const struct command_words *words) {
    char fingerprint[ZCHAT_FINGERPRINT_TEXT], error[512];
    zchat_code code =
        zchat_forget(words->word[0], app->options->config_dir, fingerprint, error, sizeof error);
    if (code)
        app_fail(app, code, "%s", error);
    else
        app_note(app, "forgot %s, whose key was %s", words->word[0], fingerprint);
}

static const struct command forget_command = {
    .name = "forget",
    .arguments = "HOST",
    .help = "forget the pinned key of the broker at HOST, or of a private peer, USER@HOST",
    .example = "forget chat.example.org",
    .words_min = 1,
    .words_max = 1,
    .run = run_forget,
};

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

static void run_stats(struct app *app, const struct command_words *words) {
    (void)words;
    struct call *call = call_new(app, broker_counted, "");
    call_begun(call, zchat_stats(app->z, call_answered, call));
}

static const struct command stats_command = {
    .name = "stats",
    .arguments = "",
    .help = "the broker's counters",
    .run = run_stats,
};

static void broker_announced(struct call *call, const zchat_reply *reply) {
    if (call_failed(call, reply, "not announced"))
        return;
    if (reply->reached == 0)
        app_note(call->app, "announced; nobody else is there at the moment");
    else
        app_note(call->app, "announced to %u %s", reply->reached,
                 reply->reached == 1 ? "person" : "people");
}

static void run_announce(struct app *app, const struct command_words *words) {
    struct call *call = call_new(app, broker_announced, "");
    call_begun(call, zchat_announce(app->z, words->rest, call_answered, call));
}

static const struct command announce_command = {
    .name = "announce",
    .arguments = "TEXT...",
    .help = "to everyone who is online, by an administrator; not stored",
    .example = "announce the broker restarts at noon",
    .flags = COMMAND_REST | COMMAND_SAYS,
    .run = run_announce,
};

/* --- shutdown --- */

static void broker_stopped(struct call *call, const zchat_reply *reply) {
    struct app *app = call->app;
    if (call_failed(call, reply, "not shut down"))
        return;
    app->stop = app->connected ? APP_STOP_BEGUN : APP_STOP_NONE;
    app_note(app, "the broker stops%s", call->number > 0 ? " and deletes everything" : "");
}

/* password NULL: the account is an administrator's */
static void broker_stop(struct app *app, const char *password, bool wipe) {
    struct call *call = call_new(app, broker_stopped, "");
    call->number = wipe ? 1 : 0;
    call_begun(call, zchat_shutdown(app->z, password, wipe, call_answered, call));
}

static void broker_hear_password(void *arg, const char *answer) {
    struct app *app = arg;
    if (answer && *answer != '\0')
        broker_stop(app, answer, app->wiping);
    app_ready(app);
}

static void broker_authorize(struct app *app) {
    if (!app->admin && app->line) {
        line_ask(app->line, "admin password: ", false, broker_hear_password, app);
        return;
    }
    broker_stop(app, NULL, app->wiping);
    app_ready(app);
}

static void broker_hear_wipe(void *arg, const char *answer) {
    struct app *app = arg;
    if (answer && strcmp(answer, "wipe") == 0) {
        broker_authorize(app);
        return;
    }
    app_note(app, "nothing is deleted, and the broker goes on");
    app_ready(app);
}

static void broker_confirm_wipe(struct app *app) {
    if (!app->line) {
        app_fail(app, ZCHAT_INVALID, "a script is not asked: shutdown --wipe --yes");
        return;
    }
    app_note(app,
             "this stops the broker and deletes all its threads, files, messages and accounts");
    line_ask(app->line, "type wipe to go on: ", true, broker_hear_wipe, app);
}

static void broker_stop_by_file(struct app *app, const char *path) {
    char error[APP_ERROR_BYTES];
    char *password = paths_read_password(path, error, sizeof error);
    if (password)
        broker_stop(app, password, app->wiping);
    else
        app_fail(app, ZCHAT_IO, "%s", error);
    memory_free_secret(password);
}

struct broker_shutdown {
    bool wipe;
    bool yes;
    const char *password_file; /* borrowed: from the line; NULL: none */
};

static bool broker_read_shutdown(const struct command_words *words,
                                 struct broker_shutdown *shutdown) {
    memset(shutdown, 0, sizeof *shutdown);
    for (size_t i = 0; i < COMMAND_WORDS_MAX && words->word[i]; i++) {
        const char *word = words->word[i];
        if (strcmp(word, "--wipe") == 0)
            shutdown->wipe = true;
        else if (strcmp(word, "--yes") == 0)
            shutdown->yes = true;
        else if (strcmp(word, "--password-file") == 0 && i + 1 < COMMAND_WORDS_MAX &&
                 words->word[i + 1])
            shutdown->password_file = words->word[++i];
        else
            return false;
    }
    return shutdown->wipe || !shutdown->yes;
}

static void run_shutdown(struct app *app, const struct command_words *words) {
    struct broker_shutdown shutdown;
    if (!broker_read_shutdown(words, &shutdown)) {
        app_fail(app, ZCHAT_INVALID, "shutdown takes --wipe, --wipe --yes, --password-file FILE");
        return;
    }
    app->wiping = shutdown.wipe;
    if (!app->logged_in)
        app_fail(app, ZCHAT_AUTH, "you are not logged in");
    else if (shutdown.wipe && !shutdown.yes)
        broker_confirm_wipe(app);
    else if (shutdown.password_file)
        broker_stop_by_file(app, shutdown.password_file);
    else
        broker_authorize(app);
}

static const struct command shutdown_command = {
    .name = "shutdown",
    .arguments = "[--wipe [--yes]] [--password-file FILE]",
    .help = "stop the broker; --wipe: and delete everything in it",
    .example = "shutdown --wipe",
    .words_max = 4,
    .flags = COMMAND_QUOTED | COMMAND_SECRET,
    .run = run_shutdown,
};

static void run_sht(struct app *app, const struct command_words *words) {
    broker_stop(app, words->rest, false);
}

static const struct command sht_command = {
    .name = "SHT",
    .arguments = "PASSWORD",
    .help = "stop the broker, with the admin password",
    .example = "SHT the-admin-password",
    .flags = COMMAND_REST | COMMAND_SECRET | COMMAND_UNSAID,
    .run = run_sht,
};

const struct command *const broker_commands[] = {
    &ping_command,     &forget_command, &stats_command, &announce_command,
    &shutdown_command, &sht_command,    NULL,
};
