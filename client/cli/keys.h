/* What keys do beside readline's own functions, and how they are read.
 *
 * Enter comes as a carriage return, because readline has the terminal leave it as it is; a newline
 * is Ctrl-J, which begins a new row of the text. But newlines end lines that were typed ahead, when
 * the terminal did not leave them so, and lines that another program sends: so if a line comes in
 * one piece, its newline is an Enter. Keys that a person types come one by one, or in several
 * pieces. */
#ifndef KEYS_H
#define KEYS_H

#include <stdbool.h>

/* Functions as readline wants them. */
struct keys_functions {
    int (*clear_screen)(int count, int key);
    int (*edit)(int count, int key);
};

/* To be called once, before readline reads the user's inputrc, which may change the keys again. */
void keys_bind(const struct keys_functions *functions);
/* Readline has the terminal, for a text or (false) for an answer of one row. */
void keys_begin(bool text);
/* Whether a NUL byte was typed or pasted since: the line looks shorter than it is. */
bool keys_are_broken(void);

#endif
