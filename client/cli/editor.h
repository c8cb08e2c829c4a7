/* The user's editor, with the line being typed as its text. It gets the terminal; meanwhile what
 * arrives is gathered for the screen, and shown when it has ended. The text is in a file that only
 * the user may read, in a folder that is removed with all that the editor left there. */
#ifndef EDITOR_H
#define EDITOR_H

#include <stdbool.h>

struct app;

/* Starts $VISUAL or $EDITOR. What can't be done is shown as a failure. */
void editor_begin(struct app *app, const char *text);
/* A child of this program has ended. If it was the editor, its text becomes the line. */
void editor_reap(struct app *app);
bool editor_is_open(const struct app *app);
/* Ends the editor if it runs; its text is lost. */
void editor_free(struct app *app);

#endif
