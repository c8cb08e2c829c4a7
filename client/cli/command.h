/* The table of commands, and how a typed line becomes a call of one of them. */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>
#include <stddef.h>

struct app;

#define COMMAND_WORDS_MAX 2

struct command_words {
    const char *word[COMMAND_WORDS_MAX]; /* borrowed; NULL: not given */
    const char *rest; /* borrowed: what stands behind the words, as typed; "": nothing */
};

/* What Tab completes as the first word. */
enum command_subject { COMMAND_NOBODY, COMMAND_USER, COMMAND_BLOCKED, COMMAND_VERB };

struct command {
    const char *name;
    const char *classic; /* NULL: none */
    const char *arguments;
    const char *help;
    unsigned words_min;
    unsigned words_max;
    bool rest;    /* text follows the words, and must */
    bool account; /* a password might be typed with it by mistake */
    enum command_subject subject;
    void (*run)(struct app *app, const struct command_words *words);
};

/* The rows, in the order of the help; NULL behind the last. */
const struct command *command_at(size_t index);
/* By either name, in any case; NULL: there is none. */
const struct command *command_find(const char *name, size_t name_bytes);

/* Runs a line: a command, or in a conversation a plain line for the partner. Returns whether it may
 * be kept in the history. */
bool command_run(struct app *app, const char *line);
/* The command that the line names; NULL: none. */
const struct command *command_of_line(const struct app *app, const char *line);

#endif
