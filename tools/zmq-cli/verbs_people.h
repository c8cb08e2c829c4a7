/* The verbs about people, but for the inbox. */
#ifndef VERBS_PEOPLE_H
#define VERBS_PEOPLE_H

#include "call.h"

enum status people_send(struct call *call);
enum status people_broadcast(struct call *call);
enum status people_who(struct call *call);
enum status people_since(struct call *call);
enum status people_block(struct call *call);
enum status people_unblock(struct call *call);
enum status people_blocked(struct call *call);

#endif
