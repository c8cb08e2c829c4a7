/* The commands. A command is a row here and a function in a verb file; names, help, usage, Tab and
 * what the history keeps all come from the row. */
#include "command.h"

#include "app.h"
#include "memory.h"
#include "screen.h"
#include "verbs.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t"

static const struct command command_table[] = {
    {"send", "message", "USER TEXT...", "a message to USER, online or not", 1, 1, true, false,
     COMMAND_USER, verb_send},
    {"chat", NULL, "[USER]", "a conversation: plain lines go to USER; without USER it ends", 0, 1,
     false, false, COMMAND_USER, verb_chat},
    {"close", NULL, "", "leave the conversation", 0, 0, false, false, COMMAND_NOBODY, verb_close},
    {"broadcast", NULL, "TEXT...", "to everyone who is online; not stored", 0, 0, true, false,
     COMMAND_NOBODY, verb_broadcast},
    {"inbox", NULL, "[N]", "what is new; or the last N messages again", 0, 1, false, false,
     COMMAND_NOBODY, verb_inbox},
    {"recv", NULL, "N [SECONDS]", "for scripts: wait until N more messages came (5 seconds)", 1, 2,
     false, false, COMMAND_NOBODY, verb_recv},
    {"who", "whoelse", "", "who is online", 0, 0, false, false, COMMAND_NOBODY, verb_who},
    {"since", "whoelsesince", "SECONDS", "who was online in the last SECONDS", 1, 1, false, false,
     COMMAND_NOBODY, verb_since},
    {"block", NULL, "USER", "silence between USER and you", 1, 1, false, false, COMMAND_USER,
     verb_block},
    {"unblock", NULL, "USER", "take that back", 1, 1, false, false, COMMAND_BLOCKED, verb_unblock},
    {"blocked", NULL, "", "whom you block", 0, 0, false, false, COMMAND_NOBODY, verb_blocked},
    {"register", NULL, "NAME", "a new account; the password is asked for", 1, 1, false, true,
     COMMAND_NOBODY, verb_register},
    {"login", NULL, "[NAME]", "log in; the password is asked for where it is needed", 0, 1, false,
     true, COMMAND_NOBODY, verb_login},
    {"logout", "XIT", "", "log out, and stay here to log in again", 0, 0, false, false,
     COMMAND_NOBODY, verb_logout},
    {"passwd", NULL, "[FILE]", "change the password (a script's new one is in FILE)", 0, 1, false,
     true, COMMAND_NOBODY, verb_passwd},
    {"devices", NULL, "", "the devices that get in without a password", 0, 0, false, false,
     COMMAND_NOBODY, verb_devices},
    {"revoke", NULL, "DEVICE", "trust a device no more, by its number", 1, 1, false, false,
     COMMAND_NOBODY, verb_revoke},
    {"ping", NULL, "", "does the broker answer, and how fast", 0, 0, false, false, COMMAND_NOBODY,
     verb_ping},
    {"stats", NULL, "", "the broker's counters", 0, 0, false, false, COMMAND_NOBODY, verb_stats},
    {"help", NULL, "[COMMAND]", "this list, or one line of it", 0, 1, false, false, COMMAND_VERB,
     verb_help},
    {"quit", NULL, "", "log out and leave", 0, 0, false, false, COMMAND_NOBODY, verb_quit},
};
#define COMMAND_ROWS (sizeof command_table / sizeof command_table[0])

const struct command *command_at(size_t index) {
    return index < COMMAND_ROWS ? &command_table[index] : NULL;
}

static bool command_is(const char *name, const char *word, size_t word_bytes) {
    return name != NULL && strlen(name) == word_bytes && strncasecmp(name, word, word_bytes) == 0;
}

const struct command *command_find(const char *name, size_t name_bytes) {
    for (size_t i = 0; i < COMMAND_ROWS; i++) {
        const struct command *row = &command_table[i];
        if (command_is(row->name, name, name_bytes) || command_is(row->classic, name, name_bytes))
            return row;
    }
    return NULL;
}

/* --- lines --- */

/* Where the command stands in the line; NULL: it is a plain line for the partner. */
static const char *command_start(const struct app *app, const char *line) {
    const char *start = line + strspn(line, BLANKS);
    if (*start == '/' && start[1] != '/')
        return start + 1;
    return conversation_is_open(&app->conversation) ? NULL : start;
}

const struct command *command_of_line(const struct app *app, const char *line) {
    const char *start = command_start(app, line);
    return start == NULL ? NULL : command_find(start, strcspn(start, BLANKS));
}

/* Cuts the words off the front of `text`. false: too few or too many. */
static bool command_split(const struct command *row, char *text, struct command_words *words) {
    unsigned count = 0;
    memset(words, 0, sizeof *words);
    text += strspn(text, BLANKS "\n");
    while (count < row->words_max && *text != '\0') {
        size_t bytes = strcspn(text, BLANKS "\n");
        words->word[count++] = text;
        text += bytes;
        if (*text != '\0')
            *text++ = '\0';
        text += row->rest && count == row->words_max ? 0 : strspn(text, BLANKS "\n");
    }
    words->rest = text;
    return count >= row->words_min && row->rest == (text[strspn(text, BLANKS "\n")] != '\0');
}

static void command_say(struct app *app, const char *text) {
    const struct conversation *conversation = &app->conversation;
    if (text[0] == '/')
        text++;
    if (!app->logged_in)
        app_fail(app, ZCHAT_AUTH, "not sent to %s: you are not logged in; /login",
                 conversation->partner);
    else if (text[strspn(text, BLANKS "\n")] != '\0')
        mailbox_send(app, conversation->partner, text);
}

static bool command_call(struct app *app, const char *start) {
    size_t bytes = strcspn(start, BLANKS "\n");
    const struct command *row = command_find(start, bytes);
    if (row == NULL) {
        app_fail(app, ZCHAT_INVALID, "there is no command \"%.*s\"; %shelp lists them",
                 (int)(bytes > 40 ? 40 : bytes), start,
                 conversation_is_open(&app->conversation) ? "/" : "");
        return true;
    }
    struct command_words words;
    char *text = memory_text(start + bytes);
    bool fine = command_split(row, text, &words);
    if (fine)
        row->run(app, &words);
    else
        app_fail(app, ZCHAT_INVALID, "usage: %s %s", row->name, row->arguments);
    memory_free_secret(text);
    return fine || !row->account;
}

bool command_run(struct app *app, const char *line) {
    const char *start = command_start(app, line);
    if (start == NULL) {
        command_say(app, line);
        return true;
    }
    if (*start == '\0')
        return true;
    return command_call(app, start);
}

/* --- the two verbs that are about commands --- */

static void command_show_help(struct app *app, const struct command *row) {
    char usage[48];
    snprintf(usage, sizeof usage, "%s %s", row->name, row->arguments);
    screen_putf(app->screen, SCREEN_BOLD, "  %-20s", usage);
    screen_putf(app->screen, SCREEN_PLAIN, " %s", row->help);
    if (row->classic != NULL)
        screen_putf(app->screen, SCREEN_DIM, " (%s)", row->classic);
    screen_end_line(app->screen);
}

void verb_help(struct app *app, const struct command_words *words) {
    const char *name = words->word[0];
    if (name != NULL) {
        name += *name == '/' ? 1 : 0;
        const struct command *row = command_find(name, strlen(name));
        if (row == NULL)
            app_fail(app, ZCHAT_NOT_FOUND, "there is no command \"%s\"", name);
        else
            command_show_help(app, row);
        return;
    }
    for (size_t i = 0; i < COMMAND_ROWS; i++)
        command_show_help(app, &command_table[i]);
    app_note(app, "In a conversation plain lines are messages, and a command begins with /.");
}

void verb_quit(struct app *app, const struct command_words *words) {
    (void)words;
    app_quit(app);
}
