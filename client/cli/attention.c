/* The bell is rung by the screen, with what it writes next. The command learns who and where from
 * its environment; the text is never there or among its arguments, where others could read it. */
#include "attention.h"

#include "app.h"
#include "common/clock.h"
#include "memory.h"
#include "mention.h"
#include "runner.h"
#include "screen.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What comes within this time after something else is the same burst. */
#define ATTENTION_BURST_MS 2000

struct attention {
    struct app *app;       /* borrowed: from the maker */
    struct runner *runner; /* owned; NULL: no command was given */
    bool quiet;            /* the user does not want to be disturbed */
    int64_t heard_ms;      /* when the last cause came; 0: none since a line was typed */
    char *told;            /* owned: the last failure shown; NULL: none */
};

/* The same failure may come with each message. */
static void attention_failed(void *arg, const char *why) {
    struct attention *attention = arg;
    if (attention->told && strcmp(attention->told, why) == 0)
        return;
    free(attention->told);
    attention->told = memory_text(why);
    app_warn(attention->app, "the command of --on-message: %s", why);
}

struct attention *attention_new(struct app *app) {
    struct attention *attention = memory_take(sizeof *attention);
    attention->app = app;
    if (app->options->on_message)
        attention->runner = runner_new(app->options->on_message, attention_failed, attention);
    return attention;
}

void attention_free(struct attention *attention) {
    if (!attention)
        return;
    runner_free(attention->runner);
    free(attention->told);
    free(attention);
}

/* ---- what happened ---- */

static char *attention_variable(const char *name, const char *value) {
    size_t bytes = strlen(name) + strlen(value) + 2;
    char *variable = memory_take(bytes);
    snprintf(variable, bytes, "%s=%s", name, value);
    zchat_text_clean(variable);
    return variable;
}

static void attention_run(const struct app *app, const struct attention_cause *cause) {
    static const char *const kinds[] = {
        [ATTENTION_MESSAGE] = "message",
        [ATTENTION_PRIVATE] = "private",
        [ATTENTION_INVITATION] = "invitation",
        [ATTENTION_BROADCAST] = "broadcast",
        [ATTENTION_POST] = "post",
    };
    char time_s[24];
    snprintf(time_s, sizeof time_s, "%" PRId64, cause->time_us / 1000000);
    char *variables[] = {
        attention_variable("ZCHAT_MESSAGE_KIND", kinds[cause->kind]),
        attention_variable("ZCHAT_MESSAGE_FROM", cause->user),
        attention_variable("ZCHAT_MESSAGE_TO", zchat_user(app->z)),
        attention_variable("ZCHAT_MESSAGE_THREAD", !cause->thread ? "" : cause->thread),
        attention_variable("ZCHAT_MESSAGE_TIME", time_s),
        NULL,
    };
    runner_start(app->attention->runner, variables, cause->text);
    for (char **variable = variables; *variable; variable++)
        free(*variable);
}

static void attention_ring(struct app *app) {
    struct attention *attention = app->attention;
    int64_t now_ms = clock_ms();
    bool burst = attention->heard_ms > 0 && now_ms - attention->heard_ms < ATTENTION_BURST_MS;
    attention->heard_ms = now_ms;
    if (!burst && app->options->bell != OPTIONS_OFF)
        screen_ring(app->screen);
}

static bool attention_is_due(const struct app *app, const struct attention_cause *cause) {
    if (app->attention->quiet || strcmp(cause->user, zchat_user(app->z)) == 0)
        return false;
    if (cause->kind >= ATTENTION_BROADCAST)
        return mention_is_in(cause->text, zchat_user(app->z));
    return cause->kind == ATTENTION_INVITATION ||
           strcmp(app->conversation.partner, cause->user) != 0;
}

void attention_heard(struct app *app, const struct attention_cause *cause) {
    if (!attention_is_due(app, cause))
        return;
    attention_ring(app);
    if (app->attention->runner && !cause->missed)
        attention_run(app, cause);
}

void attention_typed(struct app *app) {
    app->attention->heard_ms = 0;
}

void attention_set_quiet(struct app *app, bool quiet) {
    app->attention->quiet = quiet;
}

bool attention_is_quiet(const struct app *app) {
    return app->attention->quiet;
}

/* ---- children ---- */

void attention_reap(struct app *app) {
    if (app->attention->runner)
        runner_reap(app->attention->runner);
}

int64_t attention_due_ms(const struct app *app) {
    return !app->attention->runner ? -1 : runner_due_ms(app->attention->runner);
}

void attention_tick(struct app *app, int64_t now_ms) {
    if (app->attention->runner)
        runner_tick(app->attention->runner, now_ms);
}
