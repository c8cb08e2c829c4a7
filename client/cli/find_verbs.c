/* Verbs that look for what was said before: history, search, more. */
#include "app.h"
#include "command.h"
#include "find.h"
#include "find_talk.h"
#include "find_thread.h"
#include "find_words.h"

#include <string.h>

static bool find_is_option(const char *word) {
    return strcmp(word, "-t") == 0 || strcmp(word, "--thread") == 0;
}

/* Of the open conversation. */
static void find_history_here(struct app *app) {
    const struct conversation *conversation = &app->conversation;
    if (!conversation_is_open(conversation)) {
        app_fail(app, ZCHAT_INVALID, "history of what? history USER, or history -t THREAD");
        return;
    }
    if (conversation->is_private)
        app_note(app, "private lines are in no history; this is what went through the broker");
    find_order(app, &find_talk_source, conversation->partner, false);
}

static void run_history(struct app *app, const struct command_words *words) {
    if (words->word[1] && !find_is_option(words->word[0]))
        app_fail(app, ZCHAT_INVALID,
                 "history of what? a title with blanks needs quotes: history -t \"%s %s\"",
                 words->word[0], words->word[1]);
    else if (words->word[1])
        find_order(app, &find_thread_source, words->word[1], false);
    else if (words->word[0])
        find_order(app, &find_talk_source, words->word[0], true);
    else
        find_history_here(app);
}

static const struct command history_command = {
    .name = "history",
    .arguments = "[USER|[-t] THREAD]",
    .help = "messages from and to USER, or what is in THREAD (-t: not USER); no private lines",
    .example = "history bob",
    .words_max = 2,
    .flags = COMMAND_QUOTED,
    .subject = COMMAND_USER_OR_THREAD,
    .run = run_history,
};

static void run_search(struct app *app, const struct command_words *words) {
    find_order(app, &find_words_source, words->rest, false);
}

static const struct command search_command = {
    .name = "search",
    .arguments = "WORDS...",
    .help = "your messages and all posts that have the WORDS, or \"THESE IN A ROW\"",
    .example = "search ladders",
    .flags = COMMAND_REST,
    .run = run_search,
};

static void run_more(struct app *app, const struct command_words *words) {
    (void)words;
    find_order_more(app);
}

static const struct command more_command = {
    .name = "more",
    .arguments = "",
    .help = "the next page of the last history or search",
    .run = run_more,
};

const struct command *const find_commands[] = {
    &history_command,
    &search_command,
    &more_command,
    NULL,
};
