/* What the library hands out by itself, as an object. */
#ifndef EVENT_VALUE_H
#define EVENT_VALUE_H

#include "zchat.h"

#include <jansson.h>
#include <stdbool.h>

/* Whether it is told to programs: the connection's own news are not. */
bool event_is_told(const zchat_event *event);

/* It has a "type", and besides what it is about. NULL: no memory. */
json_t *event_value(const zchat_event *event);

#endif
