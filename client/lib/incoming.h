/* What comes in on the command connection: replies to the calls, events to the inbox and topics. */
#ifndef INCOMING_H
#define INCOMING_H

#include "zchat.h"

/* Takes the frames that are there, up to a bound. True: there may be more. */
bool incoming_receive(zchat *z);

#endif
