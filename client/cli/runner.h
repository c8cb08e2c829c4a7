/* Runs a command of the user's, such as one that shows a message on their desktop, beside this
 * program: nobody waits for it, only a few run at once, and each ends within a time. The command
 * has no terminal, what it writes is dropped, and a text reaches it only on its stdin. */
#ifndef RUNNER_H
#define RUNNER_H

#include <stddef.h>
#include <stdint.h>

struct runner;

/* Gets why a command was not run or did not succeed. */
typedef void runner_failed_fn(void *arg, const char *why);

/* `command` is a line for sh, borrowed as `arg` is. */
struct runner *runner_new(const char *command, runner_failed_fn *failed, void *arg);
/* Waits a moment for commands that run, then kills them. Nothing more is told. */
void runner_free(struct runner *runner);

/* Runs the command as soon as not too many run already, with `text` on its stdin. `variables`: as
 * NAME=VALUE, ended by NULL. Both are copied. */
void runner_start(struct runner *runner, char *const *variables, const char *text);

/* A child has ended: frees the commands that are over, and starts others. */
void runner_reap(struct runner *runner);
/* When the first command has run for too long; -1: none runs. */
int64_t runner_due_ms(const struct runner *runner);
/* Kills the commands that have. */
void runner_tick(struct runner *runner, int64_t now_ms);

#endif
