/* SIGINT and SIGTERM: the first signal asks the call to end in an orderly way, the second one ends
 * the process at once. SIGPIPE is ignored, so that a broken pipe is an error of the write. */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include "bound.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum wait_result { WAIT_READY, WAIT_EXPIRED, WAIT_INTERRUPTED, WAIT_FAILED };

/* Installs the handlers; a signal that the parent ignores stays ignored. */
void interrupt_catch(void);

bool interrupt_pending(void);

/* After this the first signal no longer ends a wait, so that one can wait for what must still be
 * done; the second one still ends the process. */
void interrupt_accept(void);

/* From now on each signal ends the process at once; used for writes that may block for ever. */
void interrupt_end_at_once(void);

/* Waits until fd is readable, the deadline (of clock_us) is over, or a signal has come, perhaps
 * before the call. WAIT_FAILED sets errno. */
enum wait_result interrupt_wait(int fd, int64_t deadline_us);

/* The same for two; either may be -1. *second: whether the second one is readable. */
enum wait_result interrupt_wait_either(int first_fd, int second_fd, int64_t deadline_us,
                                       bool *second);

/* Like read(), but it also fails with EINTR for a signal that came before it, and with ETIMEDOUT at
 * the deadline. */
ssize_t interrupt_read(int fd, void *buffer, size_t capacity, int64_t deadline_us);

#endif
