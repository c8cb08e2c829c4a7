/* Where frames come in: each is read as the broker reads it, so that the model knows what was
 * asked, whoever sent it. */
#ifndef DOOR_H
#define DOOR_H

#include "link.h"

struct world;

/* Tells the model of each command of the frame, and tags the passwords in it (see asked.h). Ends
 * the world if a client asks what it can't mean. */
void door_take(struct world *world, struct link *link, struct parcel *parcel);

#endif
