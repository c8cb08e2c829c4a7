/* The script's steps: when a line may begin, and how long to wait for what it began. */
#ifndef STEP_H
#define STEP_H

#include <stdint.h>

struct app;

/* Runs what can be run now. */
void step_script(struct app *app, int64_t now_ms);
/* When step_script() has something to do without input; -1: not by the clock. */
int64_t step_due_ms(const struct app *app);

/* The verb recv: the next line waits until `count` more messages were shown. */
void step_wait_messages(struct app *app, uint64_t count, uint64_t seconds);

#endif
