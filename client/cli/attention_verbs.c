/* The verb about being disturbed. */
#include "app.h"
#include "attention.h"
#include "command.h"

#include <strings.h>

static void run_dnd(struct app *app, const struct command_words *words) {
    const char *word = words->word[0];
    if (word && strcasecmp(word, "on") != 0 && strcasecmp(word, "off") != 0) {
        app_fail(app, ZCHAT_INVALID, "dnd wants on or off, not \"%s\"", word);
        return;
    }
    if (word)
        attention_set_quiet(app, strcasecmp(word, "on") == 0);
    if (attention_is_quiet(app))
        app_note(app, "you are not disturbed: no bell, no command of --on-message; dnd off ends "
                      "that");
    else
        app_note(app, "you are called for messages, mentions and invitations");
}

static const struct command dnd_command = {
    .name = "dnd",
    .arguments = "[on|off]",
    .help = "do not disturb: no bell, no command for messages",
    .example = "dnd on",
    .words_max = 1,
    .run = run_dnd,
};

const struct command *const attention_commands[] = {&dnd_command, NULL};
