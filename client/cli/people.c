/* Verbs about other people: who is online or was, and blocking. */
#include "app.h"
#include "command.h"
#include "roster.h"
#include "screen.h"
#include "words.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* --- who --- */

static void people_show(struct app *app, const zchat_person *person) {
    char seen[CLOCK_TIME_BYTES];
    screen_put_name(app->screen, person->user);
    if (!person->online) {
        clock_moment(person->last_seen_us, seen);
        screen_putf(app->screen, SCREEN_DIM, "  last seen %s", seen);
    }
    screen_end_line(app->screen);
}

static void people_listed(struct call *call, const zchat_reply *reply) {
    if (call_failed(call, reply, NULL))
        return;
    for (size_t i = 0; i < reply->count; i++) {
        people_show(call->app, &reply->people[i]);
        if (reply->people[i].online)
            roster_set_online(call->app->roster, reply->people[i].user, true);
    }
    if (reply->more)
        app_note(call->app, "there are more than these %zu", reply->count);
    if (reply->count == 0 && call->number == 0)
        app_note(call->app, "nobody else is online");
    else if (reply->count == 0)
        app_note(call->app, "nobody else was online in the last %" PRIu64 " seconds", call->number);
}

static void run_who(struct app *app, const struct command_words *words) {
    (void)words;
    struct call *call = call_new(app, people_listed, "");
    call_begun(call, zchat_who(app->z, NULL, 0, call_answered, call));
}

static const struct command who_command = {
    .name = "who",
    .classic = "whoelse",
    .arguments = "",
    .help = "list who is online",
    .run = run_who,
};

static void run_since(struct app *app, const struct command_words *words) {
    char *end;
    errno = 0;
    unsigned long long seconds = strtoull(words->word[0], &end, 10);
    if (errno != 0 || words->word[0][0] < '0' || words->word[0][0] > '9' || *end != '\0' ||
        seconds == 0) {
        app_fail(app, ZCHAT_INVALID, "since wants a whole number of seconds from 1 on, not \"%s\"",
                 words->word[0]);
        return;
    }
    struct call *call = call_new(app, people_listed, "");
    call->number = seconds;
    call_begun(call, zchat_since(app->z, seconds, NULL, 0, call_answered, call));
}

static const struct command since_command = {
    .name = "since",
    .classic = "whoelsesince",
    .arguments = "SECONDS",
    .help = "list who was online in the last SECONDS",
    .example = "since 3600",
    .words_min = 1,
    .words_max = 1,
    .run = run_since,
};

/* --- blocks --- */

static void people_block_done(struct call *call, const zchat_reply *reply) {
    if (call_failed(call, reply, NULL))
        return;
    roster_get(call->app->roster, call->user)->blocked = true;
    app_note(call->app, "%s is blocked", call->user);
}

static void run_block(struct app *app, const struct command_words *words) {
    struct call *call = call_new(app, people_block_done, words->word[0]);
    call_begun(call, zchat_block(app->z, call->user, call_answered, call));
}

static const struct command block_command = {
    .name = "block",
    .arguments = "USER",
    .help = "block USER: nothing passes between you",
    .example = "block mallory",
    .words_min = 1,
    .words_max = 1,
    .subject = COMMAND_USER,
    .run = run_block,
};

static void people_unblock_done(struct call *call, const zchat_reply *reply) {
    if (call_failed(call, reply, NULL))
        return;
    roster_get(call->app->roster, call->user)->blocked = false;
    app_note(call->app, "%s is no longer blocked", call->user);
}

static void run_unblock(struct app *app, const struct command_words *words) {
    struct call *call = call_new(app, people_unblock_done, words->word[0]);
    call_begun(call, zchat_unblock(app->z, call->user, call_answered, call));
}

static const struct command unblock_command = {
    .name = "unblock",
    .arguments = "USER",
    .help = "take a block back",
    .example = "unblock mallory",
    .words_min = 1,
    .words_max = 1,
    .subject = COMMAND_BLOCKED,
    .run = run_unblock,
};

static void people_blocked_listed(struct call *call, const zchat_reply *reply) {
    struct app *app = call->app;
    if (call_failed(call, reply, NULL))
        return;
    roster_forget_blocks(app->roster);
    for (size_t i = 0; i < reply->count; i++) {
        roster_get(app->roster, reply->users[i])->blocked = true;
        screen_put_name(app->screen, reply->users[i]);
        screen_end_line(app->screen);
    }
    if (reply->count == 0)
        app_note(app, "you block nobody");
}

static void run_blocked(struct app *app, const struct command_words *words) {
    (void)words;
    struct call *call = call_new(app, people_blocked_listed, "");
    call_begun(call, zchat_blocked(app->z, call_answered, call));
}

static const struct command blocked_command = {
    .name = "blocked",
    .arguments = "",
    .help = "list whom you block",
    .run = run_blocked,
};

const struct command *const people_commands[] = {
    &who_command, &since_command, &block_command, &unblock_command, &blocked_command, NULL,
};
