/* Signals as one more thing to poll: nothing ever runs in a handler. */
#ifndef SIGNALS_H
#define SIGNALS_H

/* Takes the signals for this process and its later threads; so call it before any thread is made.
 * Returns the descriptor to poll, or -1 with errno. */
int signals_open(void);
void signals_close(int fd);
/* The next signal that came; 0: none. */
int signals_next(int fd);

/* Ctrl-Z: stops as the kernel would have done it: this program, and not where its process group is
 * orphaned, since nobody could continue it there. Returns when it is continued, or was not stopped.
 */
void signals_stop(void);

#endif
