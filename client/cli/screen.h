/* The only writer to the terminal (or to the pipe, if there is no terminal). Text is gathered until
 * screen_write(), which hides the line being typed and writes everything at once; the line is shown
 * again at the end of the turn, so there is one redraw for each turn of the loop. Everything that a
 * terminal would obey is removed from texts. */
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
/* Texts that are put from now on have this user's name marked; "": nobody's. */
void screen_set_user(struct screen *screen, const char *user);

void screen_put(struct screen *screen, enum screen_style style, const char *text);
__attribute__((format(printf, 3, 4))) void
screen_putf(struct screen *screen, enum screen_style style, const char *format, ...);
/* Puts a user's name; each name has its own colour. */
void screen_put_name(struct screen *screen, const char *user);
/* Puts text that may have several lines; those after the first are indented. */
void screen_put_text(struct screen *screen, const char *text);
void screen_end_line(struct screen *screen);

/* Puts words of one kind: in columns if somebody types, otherwise one a line. */
void screen_put_columns(struct screen *screen, char *const *words, size_t count);

/* Writes what was gathered, with the line hidden. false: errno says why; it is not certain what was
 * shown. */
bool screen_write(struct screen *screen);
/* Rings the terminal's bell with what is written next, if somebody types at this terminal. */
void screen_ring(struct screen *screen);
/* While it is held nothing is written, because somebody else writes to the same stream. */
void screen_hold(struct screen *screen, bool held);
bool screen_is_held(const struct screen *screen);
/* Shows the line again; called once, at the end of a turn. */
void screen_show_line(struct screen *screen);

#endif
