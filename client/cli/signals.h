/* Signals as one more thing to poll: nothing ever runs in a handler. */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>

/* Takes the signals for this process and the threads made later, so call it before any thread is
 * made. Returns the descriptor to poll, or -1 with errno. */
int signals_open(void);
void signals_close(int fd);
/* The next signal that has come; 0: none. */
int signals_next(int fd);

/* For Ctrl-Z: stops this program as the kernel would; but not if its process group is orphaned,
 * because nobody could continue it then. Returns when the program is continued, or was not stopped.
 */
void signals_stop(void);

/* Gives a program to be started signals as it expects them: this one blocks or ignores some.
 * `flags`: more of POSIX_SPAWN_*. Returns 0, or an errno. */
int signals_set_standard(posix_spawnattr_t *attributes, short flags);
/* Waits until a child ends, or may have ended; false: that time was over already. */
bool signals_wait_child(int64_t until_ms);

#endif
