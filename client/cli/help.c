/* The verbs that are about the program itself. The help has three depths, so that each fits a
 * screen: all groups with the names in them, the lines of a group, and one command with an example.
 * All of it comes from the commands' rows. */
#include "app.h"
#include "command.h"
#include "leave.h"
#include "screen.h"

#include <string.h>

#define HELP_NAMES_COLUMN 15
#define HELP_WIDTH        78

static void help_show(struct app *app, const struct command *row) {
    char usage[64];
    snprintf(usage, sizeof usage, "%s %s", row->name, row->arguments);
    screen_putf(app->screen, SCREEN_BOLD, "  %-23s", usage);
    screen_putf(app->screen, SCREEN_PLAIN, " %s", row->help);
    if (row->classic)
        screen_putf(app->screen, SCREEN_DIM, " (%s)", row->classic);
    screen_end_line(app->screen);
}

static void help_show_example(struct app *app, const struct command *row) {
    if (!row->example)
        return;
    screen_putf(app->screen, SCREEN_PLAIN, "  for example: %s", row->example);
    screen_end_line(app->screen);
}

/* ---- all ---- */

struct help_names { /* a group's names, as they are shown one after the other */
    size_t column;
    const struct command *before; /* borrowed: the row shown last; NULL: none */
};

/* The name as it follows another one in a list: without the first word, if both have it. */
static const char *help_name_after(const struct command *before, const char *name) {
    size_t bytes = strcspn(name, " ");
    bool same = before && name[bytes] == ' ' && command_begins(before, name, bytes);
    return same ? name + bytes + 1 : name;
}

static void help_show_name(struct app *app, struct help_names *names, const struct command *row) {
    const char *name = help_name_after(names->before, row->name);
    if (names->before) {
        screen_put(app->screen, SCREEN_PLAIN, ",");
        names->column++;
    }
    if (names->column + 1 + strlen(name) + 1 > HELP_WIDTH) {
        screen_end_line(app->screen);
        screen_putf(app->screen, SCREEN_PLAIN, "%*s", HELP_NAMES_COLUMN, "");
        names->column = HELP_NAMES_COLUMN;
    }
    screen_putf(app->screen, SCREEN_PLAIN, " %s", name);
    names->column += 1 + strlen(name);
    names->before = row;
}

static void help_show_groups(struct app *app) {
    const struct command_group *group;
    const char *before = "";
    struct help_names names = {0};
    for (size_t i = 0; (group = command_group_at(i)); i++) {
        if (strcmp(group->name, before) != 0) {
            if (i > 0)
                screen_end_line(app->screen);
            screen_putf(app->screen, SCREEN_BOLD, "%-*s", HELP_NAMES_COLUMN, group->name);
            names = (struct help_names){.column = HELP_NAMES_COLUMN};
        }
        for (const struct command *const *row = group->rows; *row; row++)
            help_show_name(app, &names, *row);
        before = group->name;
    }
    screen_end_line(app->screen);
    app_note(app, "help threads explains a group, help send one command; help all: everything");
    app_note(app, "in a conversation plain lines are messages, and a command begins with /");
    app_note(app, "msg and w are send, query is chat; Alt+Enter or Ctrl-J begins a new line of a "
                  "text, and Ctrl-X Ctrl-E opens it in $VISUAL or $EDITOR");
}

static void help_show_all(struct app *app) {
    const struct command *row;
    for (size_t i = 0; (row = command_at(i)); i++)
        help_show(app, row);
}

/* ---- one ---- */

static bool help_show_group(struct app *app, const char *name) {
    const struct command_group *group;
    bool found = false;
    for (size_t i = 0; (group = command_group_at(i)); i++) {
        if (strcmp(group->name, name) != 0)
            continue;
        for (const struct command *const *row = group->rows; *row; row++)
            help_show(app, *row);
        found = true;
    }
    return found;
}

static void help_show_named(struct app *app, const char *name) {
    size_t bytes, shown = 0;
    const struct command *named = command_find(name, &bytes), *row;
    for (size_t i = 0; (row = command_at(i)); i++) {
        if (row != named && !command_begins(row, name, strlen(name)))
            continue;
        help_show(app, row);
        shown++;
    }
    if (shown == 0)
        app_fail(app, ZCHAT_NOT_FOUND, "there is no command \"%s\"; help lists them", name);
    else if (shown == 1 && named)
        help_show_example(app, named);
}

static void run_help(struct app *app, const struct command_words *words) {
    const char *first = words->word[0], *second = words->word[1];
    char name[64];
    if (!first) {
        help_show_groups(app);
        return;
    }
    first += *first == '/' ? 1 : 0;
    snprintf(name, sizeof name, "%s%s%s", first, !second ? "" : " ", !second ? "" : second);
    if (strcmp(name, "all") == 0)
        help_show_all(app);
    else if (!help_show_group(app, name))
        help_show_named(app, name);
}

static const struct command help_command = {
    .name = "help",
    .arguments = "[GROUP|COMMAND]",
    .help = "all commands by their names, or what some of them do",
    .example = "help thread post",
    .words_max = 2,
    .subject = COMMAND_VERB,
    .run = run_help,
};

static void run_quit(struct app *app, const struct command_words *words) {
    (void)words;
    leave_on_wish(app);
}

static const struct command quit_command = {
    .name = "quit",
    .arguments = "",
    .help = "log out and leave",
    .run = run_quit,
};

const struct command *const general_commands[] = {&help_command, &quit_command, NULL};
