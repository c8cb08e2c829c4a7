/* The client as a whole. */
#ifndef PROGRAM_H
#define PROGRAM_H

struct app;
struct options;

/* NULL: the reason was told on stderr, and *exit_code is set. */
struct app *program_new(const struct options *options, int *exit_code);
void program_free(struct app *app);

#endif
