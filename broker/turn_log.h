/* One line of the log for each turn that did something, at level debug: what came in, what went
 * out, how long the disk took. */
#ifndef TURN_LOG_H
#define TURN_LOG_H

#include "core/stats.h"

struct turn_log {
    struct stats before; /* as the last turn left them */
};

/* After a turn's frames have been sent. */
void turn_log_write(struct turn_log *log, const struct stats *now);

#endif
