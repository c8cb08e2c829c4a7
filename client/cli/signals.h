/* Signals as one more thing to poll: nothing ever runs in a handler. */
#ifndef SIGNALS_H
#define SIGNALS_H

/* Takes the signals for this process and its later threads; so call it before any thread is made.
 * Returns the descriptor to poll, or -1 with errno. */
int signals_open(void);
void signals_close(int fd);
/* The next signal that came; 0: none. */
int signals_next(int fd);

#endif
