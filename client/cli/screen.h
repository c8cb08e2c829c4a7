/* The one writer to the terminal (or to the pipe, when there is none). What is put gathers until
 * screen_write(), which hides the line being typed and writes everything at once; the line is shown
 * again at the end: one redraw for each turn of the loop. All text is cleaned of what a terminal
 * would obey.
 */
#ifndef SCREEN_H
#define SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct line;
struct screen;

enum screen_style { SCREEN_PLAIN, SCREEN_DIM, SCREEN_BOLD, SCREEN_OWN, SCREEN_ERROR };

/* `out` and `line` (NULL: nobody types) are borrowed. */
struct screen *screen_new(FILE *out, bool colours, struct line *line);
void screen_free(struct screen *screen);
bool screen_has_colours(const struct screen *screen);

void screen_put(struct screen *screen, enum screen_style style, const char *text);
__attribute__((format(printf, 3, 4))) void
screen_putf(struct screen *screen, enum screen_style style, const char *format, ...);
/* A user's name, each in its own colour. */
void screen_put_name(struct screen *screen, const char *user);
/* Text that may have several lines; those after the first are indented. */
void screen_put_text(struct screen *screen, const char *text);
void screen_end_line(struct screen *screen);

/* Whole words of one kind, in columns where somebody types, else one a line. */
void screen_put_columns(struct screen *screen, char *const *words, size_t count);

/* Writes what gathered, with the line hidden. false: errno says why; nothing was shown for sure. */
bool screen_write(struct screen *screen);
/* While it is held nothing is written: somebody else writes to the same stream. */
void screen_hold(struct screen *screen, bool held);
bool screen_is_held(const struct screen *screen);
/* Shows the line again: once, at the end of a turn. */
void screen_show_line(struct screen *screen);

#endif
