/* The verbs about the broker. */
#ifndef VERBS_ADMIN_H
#define VERBS_ADMIN_H

#include "call.h"

enum status admin_forget(struct call *call);
enum status admin_ping(struct call *call);
enum status admin_stats(struct call *call);
enum status admin_shutdown(struct call *call);

#endif
