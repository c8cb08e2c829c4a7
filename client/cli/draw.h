/* Draws the line being typed: a prompt, a text on as many rows as it takes, and the cursor in it.
 *
 * Readline's own drawing goes wrong with a bold prompt and with characters that terminals join.
 * Here rows and columns are counted anew for each drawing, and the cursor is set wherever terminals
 * may disagree. A text that is higher than the screen is shown around its cursor.
 *
 * The terminal understands the usual sequences of ECMA-48. */
#ifndef DRAW_H
#define DRAW_H

#include <stddef.h>
#include <stdio.h>

struct draw;

struct draw_view {
    const char *prompt; /* what is between \001 and \002 takes no room */
    const char *text;
    size_t point; /* the byte of `text` where the cursor is */
    size_t columns;
    size_t rows;
};

/* `terminal` is borrowed. Nothing is drawn yet. */
struct draw *draw_new(FILE *terminal);
void draw_free(struct draw *draw);

/* Draws, or changes what is drawn. If nothing is drawn, the cursor must be at the start of a
 * row. */
void draw_show(struct draw *draw, const struct draw_view *view);
/* Removes the drawing; then the cursor is at the start of a free row. */
void draw_hide(struct draw *draw);
/* Leaves the drawing there, with the cursor on the row below it. */
void draw_leave(struct draw *draw);
/* The screen was cleared: nothing is drawn, and the cursor is at the start. */
void draw_forget(struct draw *draw);
/* The terminal's size has changed, and it has flowed its rows again: removes what was drawn. */
void draw_hide_resized(struct draw *draw, const struct draw_view *view);

#endif
