/* The commands, and how a typed line becomes a call of one of them. A command is one row, such as
 * `static const struct command send_command`, beside the function that carries it out. Each file
 * lists its commands at its end, and command.c lists the files. */
#ifndef COMMAND_H
#define COMMAND_H

#include "history.h"

#include <stdbool.h>
#include <stddef.h>

struct app;

#define COMMAND_WORDS_MAX 5

struct command_words {
    const char *word[COMMAND_WORDS_MAX]; /* borrowed; NULL: not given */
    const char *rest; /* borrowed: what follows the words, as typed; "": nothing */
};

/* What Tab completes as the first argument; those with _PATH have a path as the second. */
enum command_subject {
    COMMAND_NOBODY,
    COMMAND_USER,
    COMMAND_BLOCKED,
    COMMAND_VERB,
    COMMAND_THREAD,
    COMMAND_THREAD_PATH,
    COMMAND_THREAD_FILE, /* and a file in it as the second */
    COMMAND_USER_OR_THREAD,
    COMMAND_INVITING,     /* who has invited */
    COMMAND_PEER,         /* with whom a private chat is open */
    COMMAND_PEER_PATH,    /* and a path as the second */
    COMMAND_OFFERING,     /* who offers a file */
    COMMAND_OFFERING_PATH /* and a path as the second */
};

enum command_flag {
    COMMAND_REST = 1,    /* text follows the words, and must not be missing */
    COMMAND_QUOTED = 2,  /* the words may be quoted (words.h) */
    COMMAND_SECRET = 4,  /* it has a password, or one may be typed in it by mistake */
    COMMAND_PRIVATE = 8, /* it goes straight to one person's program, and no file keeps it */
    COMMAND_UNSAID = 16, /* such a line is never sent as a message: it would tell a password */
    COMMAND_SAYS = 64,   /* its text is for others */
    COMMAND_HERE = 128,  /* its text goes where plain lines go */
    COMMAND_LOGIN = 32   /* it logs in: a script that begins with it is not logged in first */
};

struct command {
    const char *name;    /* "who", "thread read": one word, or two */
    const char *classic; /* NULL: none. A name in upper case is the forum's, and must be typed so */
    const char *arguments;
    const char *help;
    const char *example; /* a line that could be typed; NULL: none is needed */
    unsigned words_min;
    unsigned words_max; /* of the words before `rest` */
    unsigned flags;     /* of enum command_flag */
    enum command_subject subject;
    void (*run)(struct app *app, const struct command_words *words);
};

/* The rows of one file, and the group in which the help shows them. */
struct command_group {
    const char *name;
    const struct command *const *rows; /* NULL after the last */
};

/* The group at that place in the help; NULL after the last. */
const struct command_group *command_group_at(size_t place);
/* The row at that place in the help; NULL after the last. */
const struct command *command_at(size_t place);
/* Whether the row's name is `word` and a second word. */
bool command_begins(const struct command *row, const char *word, size_t word_bytes);
/* The command that `text` begins with, by one of its names; *bytes: how long the name is there.
 * Case matters only for the forum's names. NULL: there is none. */
const struct command *command_find(const char *text, size_t *bytes);

/* Whether the line goes to the conversation's partner as it is. */
bool command_is_plain(const struct app *app, const char *line);
/* Whether it says something to others, by a command or as it is. */
bool command_says(const struct app *app, const char *line);
/* Runs a line: a command, or in a conversation a plain line for the partner. Returns where the
 * history may keep it. */
enum history_place command_run(struct app *app, const char *line);
/* The command that the line names, and what follows its name; NULL: none. */
const struct command *command_of_line(const struct app *app, const char *line,
                                      const char **arguments);

#endif
