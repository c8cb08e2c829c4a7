/* Events of the library as objects. */
#ifndef EVENT_VALUE_H
#define EVENT_VALUE_H

#include "zchat.h"

#include <jansson.h>
#include <stdbool.h>

/* Whether programs are told of the event; they are not told of events of the connection itself. */
bool event_is_told(const zchat_event *event);

/* The event as an object with a "type" and what it is about. NULL: no memory. */
json_t *event_value(const zchat_event *event);

#endif
