/* --timeout if something keeps the program itself from going on: a standard output that takes
 * nothing, a lock that somebody holds, a disk that does not answer. Waits in the poll loop have
 * deadlines of their own (interrupt.h); outside of it a timer runs, and when it is over the process
 * ends, with 124 and a sentence. Nothing is acknowledged that was not written: the acknowledgement
 * is asked for only after the write has returned.
 *
 * If nobody gave --timeout, whoever reads the output may take their time. */
#ifndef BOUND_H
#define BOUND_H

#include "options.h"

#include "common/clock.h"

#include <stdbool.h>
#include <stdint.h>

#define NO_DEADLINE INT64_MAX /* of clock_us, like every deadline */

/* The process may last for --timeout from the first call of this. Call it again if the options have
 * changed since. */
void bound_begin(const struct options *options);

/* The process may last until that time of clock_us. */
void bound_until(int64_t limit_us);

/* What is said of a whole that took longer, from now on: `what` within --timeout. */
void bound_whole(const char *what);

/* From now on not the whole process is bounded, but each step outside of the poll loop, by
 * --timeout; if `patient`, nothing is. `what` is said of a step that took longer, as in "nothing
 * moved" within --timeout; NULL: nothing in particular. */
void bound_each_step(bool patient, const char *what);
/* Something moved: a new step begins. */
void bound_step(void);

/* The call has ended with that status, and told why: from now on, at the bound, the process ends
 * quietly with that status. */
void bound_end_with(int status);

/* Called around a wait that has its own deadline. */
void bound_wait_begins(void);
void bound_wait_ends(void);

/* Called around a write that its reader may hold up; the second one takes what the first one
 * returned. */
const char *bound_write_begins(const char *what);
void bound_write_ends(const char *before);

#endif
