/* The verbs of private chats. */
#ifndef VERBS_PRIVATE_H
#define VERBS_PRIVATE_H

#include "call.h"

enum status private_start(struct call *call);
enum status private_accept(struct call *call);
enum status private_decline(struct call *call);
enum status private_send(struct call *call);
enum status private_stop(struct call *call);
enum status private_file(struct call *call);

#endif
