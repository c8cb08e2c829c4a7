/* The line that is being typed: GNU readline in its callback mode, and questions at the terminal.
 *
 * The line is in one of four modes: closed (nothing is read and nothing typed is shown), editing,
 * or asking a question, with or without echo. It is visible or hidden; the screen hides it before
 * it writes and shows it afterwards, and nobody else does. Only one line exists in a program. */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stdio.h>

struct candidates;
struct line;

struct line_listener {
    void *arg; /* borrowed: from the maker of the line */
    /* Called for a typed line; NULL: the end of input. The text is borrowed. */
    void (*on_line)(void *arg, const char *text);
    /* Called before a typed line is left on the screen: the prompt that it is left with, borrowed
     * until the next call; NULL: the one that it was typed at. */
    const char *(*on_leaving)(void *arg, const char *text);
    /* Called for a typed line with a NUL byte in it, which must not be taken for a shorter line. */
    void (*on_broken_line)(void *arg);
    /* Called if the user wants to edit the text (borrowed) in another program. */
    void (*on_edit)(void *arg, const char *text);
    /* Finds candidates for `word`, which follows `before` on the line. */
    void (*on_complete)(void *arg, const char *before, const char *word,
                        struct candidates *candidates);
    /* Shows several candidates that Tab found. */
    void (*on_listing)(void *arg, char *const *words, size_t count);
};

/* Gets a question's answer, which is borrowed and wiped after the call; NULL: given up. */
typedef void line_answer_fn(void *arg, const char *answer);

/* Reads stdin, which is a terminal, and draws on `terminal` (borrowed). Closed at first. */
struct line *line_new(FILE *terminal, const struct line_listener *listener);
/* Hides the line and gives the terminal back as it was. */
void line_free(struct line *line);

/* Sets the prompt for editing; bold if `bold`. May be called at any time. */
void line_set_prompt(struct line *line, const char *prompt, bool bold);
void line_open(struct line *line);
void line_close(struct line *line);
/* Asks instead of editing; after the answer the line is closed. What was being edited comes back
 * when it is opened again. */
void line_ask(struct line *line, const char *question, bool echo, line_answer_fn *fn, void *arg);

/* Whether input is wanted. If so, call line_read() when stdin is readable. */
bool line_wants_input(const struct line *line);
void line_read(struct line *line);

void line_hide(struct line *line);
void line_show(struct line *line);
/* How many columns and rows the terminal has. */
size_t line_columns(const struct line *line);
size_t line_rows(const struct line *line);

/* Ctrl-C: clears the line or gives up the question. false: there was nothing to clear. */
bool line_interrupt(struct line *line);
/* The terminal's size has changed. */
void line_resize(struct line *line);
/* Gives the terminal to another program; until it is taken back, nothing is read or drawn. */
void line_lend(struct line *line);
/* Takes it again; unless `text` is NULL, the line being edited becomes it. */
void line_take_back(struct line *line, const char *text);
/* Ctrl-Z: gives the terminal back and stops the program until it is continued. */
void line_suspend(struct line *line);
/* The program was continued: takes the terminal again. */
void line_resume(struct line *line);

/* Whether a line is being edited or searched for: then the remembered lines must stay as they
 * are. */
bool line_is_begun(const struct line *line);
/* Adds a line for the arrow keys and Ctrl-R. */
void line_remember(struct line *line, const char *text);
/* Forgets all of them. */
void line_forget(struct line *line);

#endif
