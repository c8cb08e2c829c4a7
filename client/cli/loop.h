/* The one poll loop: the broker, the keyboard or the script, signals, the clock. */
#ifndef LOOP_H
#define LOOP_H

struct app;

/* Runs until the program is done. */
void loop_run(struct app *app, int signals_fd);

#endif
