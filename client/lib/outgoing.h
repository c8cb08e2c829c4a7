/* What goes out on the command connection: waiting commands and the acknowledgement, packed into
 * frames. */
#ifndef OUTGOING_H
#define OUTGOING_H

#include "zchat.h"

/* Sends what may be sent now. `flush`: also an acknowledgement that could wait. True: something was
 * sent, so the connection has to be looked at again. */
bool outgoing_send(zchat *z, bool flush);

/* Whether outgoing_send would send something. */
bool outgoing_waits(const zchat *z);

#endif
