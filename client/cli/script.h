/* Commands from a file or pipe on stdin, one a line: each begins when the one before it was
 * answered. Lines that are empty or begin with # are passed over, but counted. */
#ifndef SCRIPT_H
#define SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct script;

struct script *script_new(void);
void script_free(struct script *script);

/* Reads what is there; call it when stdin is readable. */
void script_read(struct script *script);
/* Whether script_peek() needs more input. */
bool script_wants_input(const struct script *script);
/* The next command, borrowed until script_take(); NULL: it is not here yet, or script_at_end(). */
const char *script_peek(struct script *script);
void script_take(struct script *script);
bool script_at_end(const struct script *script);
/* errno of what ended stdin; 0: it was at its end. */
int script_error(const struct script *script);

/* What is wrong with the bytes of that line, so that it must not be run; NULL: nothing. */
const char *script_fault(const struct script *script);

/* The number of the line that script_peek() last returned, counted from 1. */
unsigned script_line(const struct script *script);

#endif
