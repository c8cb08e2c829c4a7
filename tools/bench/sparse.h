/* The verbs `sparse` and `latency`: messages that come one by one. */
#ifndef SPARSE_H
#define SPARSE_H

#include "option.h"

/* Many pairs with one message under way each. Both print one JSON line and return the exit code: 1
 * where something was lost, doubled or out of order, or the run failed. */
int sparse_main(const struct settings *settings);
/* A fixed rate, far from what is possible. */
int latency_main(const struct settings *settings);

#endif
