/* Events of the library as objects. */
#ifndef EVENT_VALUE_H
#define EVENT_VALUE_H

#include "zchat.h"

#include <jansson.h>
#include <stdbool.h>

/* The name of its kind, as scripts see it; NULL: programs are not told of it, because it is an
 * event of the connection itself. */
const char *event_type(const zchat_event *event);

/* Whether what it is about has an id. */
bool event_has_id(const zchat_event *event);

/* The event as an object with a "type" and what it is about. NULL: no memory. */
json_t *event_value(const zchat_event *event);

#endif
