/* --timeout, where the program itself is kept from going on: by a standard output that takes
 * nothing, a lock that somebody holds, a disk that does not answer. Whatever waits in the poll loop
 * has a deadline of its own (interrupt.h); for all that is outside of it a timer runs, and where it
 * ends so does the process, with 124 and a sentence. Nothing was acknowledged that was not written
 * before: an acknowledgement is asked for only after the write returned.
 *
 * A --timeout that nobody gave lets a reader of what is printed take their time. */
#ifndef BOUND_H
#define BOUND_H

#include "options.h"

#include "common/clock.h"

#include <stdbool.h>
#include <stdint.h>

#define NO_DEADLINE INT64_MAX /* of clock_us, as every deadline */

/* The process may last --timeout from the first call of this on. It is called again if the options
 * say something else by then. */
void bound_begin(const struct options *options);

/* The process may last until then, of clock_us. */
void bound_until(int64_t limit_us);

/* The whole is not bounded any more: each step outside of the poll loop is, by --timeout; with
 * `patient` none is. `what` happened to one that took longer, as in "nothing moved" within
 * --timeout; NULL: no matter. */
void bound_each_step(bool patient, const char *what);
/* Something moved: a new step. */
void bound_step(void);

/* The call has ended so, and told why: from now on the process ends so at the bound, quietly. */
void bound_end_with(int status);

/* Around a wait that has its own deadline. */
void bound_wait_begins(void);
void bound_wait_ends(void);

/* Around a write that its reader may hold up; the second one takes what the first one returned. */
const char *bound_write_begins(const char *what);
void bound_write_ends(const char *before);

#endif
