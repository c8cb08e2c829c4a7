/* The verbs `sparse` and `latency`: messages that come one by one. */
#ifndef SPARSE_H
#define SPARSE_H

#include "option.h"

/* Many pairs with one message under way each. Both verbs print one JSON line and return the exit
 * code: 1 if something was lost, doubled or out of order, or if the run failed. */
int sparse_main(const struct settings *settings);
/* A fixed rate, far below what is possible. */
int latency_main(const struct settings *settings);

#endif
