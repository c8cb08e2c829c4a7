/* All commands, file by file, and what is done with their rows: names, help, usage, Tab and what
 * the history keeps all come from there. A new command is a row beside its function, and its name
 * in the list at the end of that file. */
#include "command.h"

#include "app.h"
#include "common/option.h"
#include "mailbox.h"
#include "memory.h"
#include "private.h"
#include "words.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t"

/* The commands of each file, which are listed at its end; NULL after the last. */
extern const struct command *const talk_commands[];
extern const struct command *const talk_again_commands[];
extern const struct command *const find_commands[];
extern const struct command *const thread_commands[];
extern const struct command *const file_commands[];
extern const struct command *const private_commands[];
extern const struct command *const private_file_commands[];
extern const struct command *const people_commands[];
extern const struct command *const attention_commands[];
extern const struct command *const account_commands[];
extern const struct command *const broker_commands[];
extern const struct command *const user_commands[];
extern const struct command *const general_commands[];

/* In the order of the help; rows of one group may stand in several files. */
static const struct command_group command_groups[] = {
    {"messages", talk_commands},
    {"messages", talk_again_commands},
    {"finding", find_commands},
    {"threads", thread_commands},
    {"files", file_commands},
    {"private", private_commands},
    {"private", private_file_commands},
    {"people", people_commands},
    {"people", attention_commands},
    {"account", account_commands},
    {"administration", broker_commands},
    {"administration", user_commands},
    {"program", general_commands},
};
#define COMMAND_GROUPS (sizeof command_groups / sizeof command_groups[0])

/* What other chat programs call some commands. Without these, `msg` would look like the forum's
 * MSG, and publish what is meant for one person. */
static const struct command_alias {
    const char *alias;
    const char *name;
} command_aliases[] = {{"msg", "send"},
                       {"w", "send"},
                       {"query", "chat"},
                       {"threads followed", "thread followed"},
                       {"threads", "thread list"},
                       {"exit", "quit"},
                       {"bye", "quit"},
                       {"?", "help"}};
#define COMMAND_ALIASES (sizeof command_aliases / sizeof command_aliases[0])

const struct command_group *command_group_at(size_t place) {
    return place < COMMAND_GROUPS ? &command_groups[place] : NULL;
}

const struct command *command_at(size_t place) {
    for (size_t i = 0; i < COMMAND_GROUPS; i++)
        for (const struct command *const *row = command_groups[i].rows; *row; row++)
            if (place-- == 0)
                return *row;
    return NULL;
}

/* Only the forum's names are in upper case. */
static bool command_is_forum(const char *name) {
    return name && name[0] >= 'A' && name[0] <= 'Z';
}

/* How many bytes at the start of `text` are `name`, whose words may be farther apart there; 0:
 * `text` does not start with it. */
static size_t command_match(const char *name, const char *text) {
    int (*compare)(const char *, const char *, size_t) =
        command_is_forum(name) ? strncmp : strncasecmp;
    size_t at = 0;
    if (!name)
        return 0;
    for (;;) {
        size_t bytes = strcspn(name, " ");
        if (compare(name, text + at, bytes) != 0)
            return 0;
        at += bytes;
        size_t blanks = strspn(text + at, BLANKS "\n");
        if (text[at] != '\0' && blanks == 0)
            return 0;
        if (name[bytes] == '\0')
            return at;
        name += bytes + 1;
        at += blanks;
    }
}

static const struct command *command_by(bool classic, const char *text, size_t *bytes) {
    const struct command *row;
    for (size_t i = 0; (row = command_at(i)); i++) {
        *bytes = command_match(classic ? row->classic : row->name, text);
        if (*bytes > 0)
            break;
    }
    return row;
}

/* Names are tried before classic names, because one classic name is the first word of a group's
 * names. */
static const struct command *command_named(const char *text, size_t *bytes) {
    const struct command *row = command_by(false, text, bytes);
    return row ? row : command_by(true, text, bytes);
}

const struct command *command_find(const char *text, size_t *bytes) {
    size_t ignored;
    const struct command *row = command_named(text, bytes);
    for (size_t i = 0; !row && i < COMMAND_ALIASES; i++) {
        *bytes = command_match(command_aliases[i].alias, text);
        if (*bytes > 0)
            row = command_named(command_aliases[i].name, &ignored);
    }
    return row;
}

/* The row whose forum name is the first word of `text` in another case; NULL: none. */
static const struct command *command_miswritten(const char *text) {
    size_t bytes = strcspn(text, BLANKS "\n");
    const struct command *row;
    for (size_t i = 0; (row = command_at(i)); i++) {
        const char *name = command_is_forum(row->name) ? row->name : row->classic;
        if (command_is_forum(name) && strlen(name) == bytes && strncasecmp(name, text, bytes) == 0)
            return row;
    }
    return NULL;
}

bool command_begins(const struct command *row, const char *word, size_t word_bytes) {
    return row->name[strcspn(row->name, " ")] == ' ' && strcspn(row->name, " ") == word_bytes &&
           strncasecmp(row->name, word, word_bytes) == 0;
}

/* --- lines --- */

/* Where the command begins in the line; NULL: it is a plain line for the partner. */
static const char *command_start(const struct app *app, const char *line) {
    const char *start = line + strspn(line, BLANKS);
    if (*start == '/' && start[1] != '/')
        return start + 1 + strspn(start + 1, BLANKS);
    return conversation_is_open(&app->conversation) ? NULL : start;
}

bool command_is_plain(const struct app *app, const char *line) {
    return !command_start(app, line);
}

const struct command *command_of_line(const struct app *app, const char *line,
                                      const char **arguments) {
    const char *start = command_start(app, line);
    size_t bytes = 0;
    const struct command *row = !start ? NULL : command_find(start, &bytes);
    *arguments = !row ? NULL : start + bytes;
    return row;
}

bool command_says(const struct app *app, const char *line) {
    const char *arguments;
    const struct command *row = command_of_line(app, line, &arguments);
    if (command_is_plain(app, line))
        return line[strspn(line, BLANKS "\n")] != '\0';
    return row && (row->flags & COMMAND_SAYS) != 0;
}

static bool command_take(const struct command *row, char **text, const char **word) {
    if ((row->flags & COMMAND_QUOTED) != 0)
        return words_take(text, word);
    char *start = *text + strspn(*text, BLANKS "\n");
    char *end = start + strcspn(start, BLANKS "\n");
    *word = *start == '\0' ? NULL : start;
    *text = *end == '\0' ? end : end + 1;
    *end = '\0';
    return true;
}

/* Cuts the words off the front of `text`. false: too few or too many, or an open quote. */
static bool command_split(const struct command *row, char *text, struct command_words *words) {
    bool rest = (row->flags & COMMAND_REST) != 0;
    unsigned count = 0;
    memset(words, 0, sizeof *words);
    while (count < row->words_max) {
        if (!command_take(row, &text, &words->word[count]))
            return false;
        if (!words->word[count])
            break;
        count++;
    }
    words->rest = row->words_max > 0 ? text : text + strspn(text, BLANKS "\n");
    return count >= row->words_min && rest == (text[strspn(text, BLANKS "\n")] != '\0');
}

/* Whether a plain line is a command with a password in it without its slash. */
static const struct command *command_forgotten(const char *line) {
    size_t bytes;
    const char *start = line + strspn(line, BLANKS);
    const struct command *row = command_named(start, &bytes);
    if (!row) {
        row = command_miswritten(start);
        bytes = strcspn(start, BLANKS "\n");
    }
    bool more = row && start[bytes + strspn(start + bytes, BLANKS "\n")] != '\0';
    return more && (row->flags & COMMAND_UNSAID) != 0 ? row : NULL;
}

/* Somebody may have forgotten the slash: says so where the whole message is a command. */
static void command_hint(struct app *app, const char *text) {
    size_t bytes;
    const char *start = text + strspn(text, BLANKS);
    const struct command *row = *start == '?' ? NULL : command_find(start, &bytes);
    bool whole = row && row->words_min == 0 && (row->flags & COMMAND_REST) == 0 &&
                 start[bytes + strspn(start + bytes, BLANKS "\n")] == '\0';
    if (whole && app->line)
        app_note(app, "that went to %s; the command is /%s", app->conversation.partner, row->name);
}

static enum history_place command_say(struct app *app, const char *text) {
    const struct conversation *conversation = &app->conversation;
    const struct command *forgotten = command_forgotten(text);
    if (forgotten) {
        app_fail(app, ZCHAT_INVALID, "not sent to %s: it may tell a password; /%s is the command",
                 conversation->partner, forgotten->name);
        return HISTORY_NOWHERE;
    }
    if (text[0] == '/')
        text++;
    if (!app->logged_in)
        app_fail(app, ZCHAT_AUTH, "not sent to %s: you are not logged in; /login",
                 conversation->partner);
    else if (text[strspn(text, BLANKS "\n")] == '\0')
        return HISTORY_NOWHERE;
    else if (conversation->is_private)
        private_say(app, conversation->partner, text);
    else
        mailbox_send(app, conversation->partner, text);
    if (app->logged_in)
        command_hint(app, text);
    return conversation->is_private ? HISTORY_IN_PRIVATE : HISTORY_IN_FILE;
}

/* Lists what may follow `word`, the first word of several commands' names; "": it is no such
 * word. */
static void command_list_group(const char *word, size_t word_bytes, char *list, size_t list_bytes) {
    const struct command *row;
    *list = '\0';
    for (size_t i = 0; (row = command_at(i)); i++) {
        size_t used = strlen(list);
        if (command_begins(row, word, word_bytes))
            snprintf(list + used, list_bytes - used, "%s%s", used == 0 ? "" : ", ",
                     row->name + word_bytes + 1);
    }
}

/* How far what was typed is from `name`; more than NEAREST_MAX: it is another word. Of a short word
 * nothing would be left if half of it were wrong. */
static size_t command_distance(const char *typed, size_t bytes, const char *name) {
    size_t distance = word_distance(typed, bytes, name);
    return distance * 2 <= bytes ? distance : NEAREST_MAX + 1;
}

/* The command whose name is nearest to what was typed, which is one word, or two whose first one is
 * right; NULL: none is near. */
static const char *command_nearest(const char *typed, size_t bytes) {
    const char *nearest = NULL;
    const struct command *row;
    size_t least = NEAREST_MAX + 1;
    for (size_t i = 0; (row = command_at(i)); i++) {
        size_t distance = command_distance(typed, bytes, row->name);
        if (row->classic && !command_is_forum(row->classic) && distance > NEAREST_MAX)
            distance = command_distance(typed, bytes, row->classic);
        if (distance < least && !command_is_forum(row->name)) {
            least = distance;
            nearest = row->name;
        }
    }
    for (size_t i = 0; i < COMMAND_ALIASES; i++) {
        size_t distance = command_distance(typed, bytes, command_aliases[i].alias);
        if (distance < least) {
            least = distance;
            nearest = command_aliases[i].name;
        }
    }
    return nearest;
}

/* The length of the first word of `start`, and of the second one with what is between; a third one
 * does not count. */
static size_t command_two_words(const char *start) {
    size_t first = strcspn(start, BLANKS "\n"), blanks = strspn(start + first, BLANKS);
    size_t second = strcspn(start + first + blanks, BLANKS "\n");
    return second == 0 ? first : first + blanks + second;
}

static void command_say_unknown(struct app *app, const char *start) {
    const char *slash = conversation_is_open(&app->conversation) ? "/" : "";
    size_t bytes = strcspn(start, BLANKS "\n");
    const struct command *forum = command_miswritten(start);
    char rest[160];
    command_list_group(start, bytes, rest, sizeof rest);
    int shown = (int)(bytes > 40 ? 40 : bytes);
    size_t two = rest[0] == '\0' ? bytes : command_two_words(start);
    const char *nearest = rest[0] != '\0' && two == bytes ? NULL : command_nearest(start, two);
    if (rest[0] != '\0' && nearest)
        app_fail(app, ZCHAT_INVALID, "%.*s what? did you mean %s%s?", shown, start, slash, nearest);
    else if (rest[0] != '\0')
        app_fail(app, ZCHAT_INVALID, "%.*s what? %s", shown, start, rest);
    else if (forum)
        app_fail(app, ZCHAT_INVALID,
                 "there is no command \"%.*s\"; the forum's are in upper case, or %s%s", shown,
                 start, slash, command_is_forum(forum->name) ? "shutdown" : forum->name);
    else if (nearest)
        app_fail(app, ZCHAT_INVALID, "there is no command \"%.*s\"; did you mean %s%s?", shown,
                 start, slash, nearest);
    else
        app_fail(app, ZCHAT_INVALID, "there is no command \"%.*s\"; %shelp lists them", shown,
                 start, slash);
}

/* A line that names no command may be anything, even a password typed at the wrong moment. */
static enum history_place command_keep_unknown(const char *start) {
    const struct command *forum = command_miswritten(start);
    return forum && (forum->flags & COMMAND_SECRET) != 0 ? HISTORY_NOWHERE : HISTORY_IN_MEMORY;
}

static enum history_place command_keep(const struct app *app, const struct command *row,
                                       bool fine) {
    if ((row->flags & COMMAND_SECRET) != 0)
        return HISTORY_NOWHERE;
    bool here = (row->flags & COMMAND_HERE) != 0 && app->conversation.is_private;
    if (here || (row->flags & COMMAND_PRIVATE) != 0)
        return HISTORY_IN_PRIVATE;
    return fine ? HISTORY_IN_FILE : HISTORY_IN_MEMORY;
}

/* If there is no connection, says that the command waits, whatever it is. Private commands don't
 * wait: they go straight to the other one's program. */
static void command_say_waiting(struct app *app, size_t calls_before, enum history_place place) {
    if (!app->connected && app->calls > calls_before && place != HISTORY_IN_PRIVATE)
        app_warn(app, "no connection; this is sent when it is back");
}

static void command_say_usage(struct app *app, const struct command *row) {
    bool quoted = (row->flags & COMMAND_QUOTED) != 0;
    app_fail(app, ZCHAT_INVALID, "usage: %s%s%s%s", row->name, *row->arguments == '\0' ? "" : " ",
             row->arguments, quoted ? "; what has blanks in it is quoted: \"spring harvest\"" : "");
}

static enum history_place command_call(struct app *app, const char *start) {
    size_t bytes;
    const struct command *row = command_find(start, &bytes);
    if (!row) {
        command_say_unknown(app, start);
        return command_keep_unknown(start);
    }
    struct command_words words;
    char *text = memory_text(start + bytes);
    size_t text_bytes = strlen(text);
    bool fine = command_split(row, text, &words);
    if (fine)
        row->run(app, &words);
    else
        command_say_usage(app, row);
    memory_wipe(text, text_bytes);
    free(text);
    return command_keep(app, row, fine);
}

static enum history_place command_dispatch(struct app *app, const char *line) {
    const char *start = command_start(app, line);
    if (!start)
        return command_say(app, line);
    if (*start == '\0' || private_answers(app, line))
        return HISTORY_NOWHERE;
    return command_call(app, start);
}

enum history_place command_run(struct app *app, const char *line) {
    size_t calls = app->calls;
    enum history_place place = command_dispatch(app, line);
    command_say_waiting(app, calls, place);
    return place;
}
