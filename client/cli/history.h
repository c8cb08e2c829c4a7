/* The lines that were typed, kept in a file (0600) for the next time. */
#ifndef HISTORY_H
#define HISTORY_H

struct history;
struct line;

/* Reads the file into the line's memory. *why is set where the file can't be kept: one sentence's
 * end for people; what is typed is remembered for this run then. Never NULL. */
struct history *history_new(struct line *line, const char **why);
void history_free(struct history *history);

/* Remembers a line, but not twice in a row and not one that begins with a space. */
void history_add(struct history *history, const char *text);

#endif
