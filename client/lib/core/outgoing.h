/* What goes out on the command connection: waiting commands and the acknowledgement, packed into
 * frames. */
#ifndef OUTGOING_H
#define OUTGOING_H

#include "client_state.h"

/* What goes into one frame: `count` requests from the front of those that wait. */
struct outgoing {
    size_t count;
    size_t bytes;
    bool secret; /* the frame is wiped when it was sent */
    bool ack_set;
    Zchat__V1__AckRequest ack;
    Zchat__V1__Command command;
};

/* The next frame; false: nothing is to be sent now. `flush`: also what could wait. */
bool outgoing_next(const struct client_core *core, bool flush, struct outgoing *next);
/* Packs its bytes. */
void outgoing_pack(const struct client_core *core, const struct outgoing *next, uint8_t *out);
/* It was sent: before anything else is done. */
void outgoing_sent(struct client_core *core, const struct outgoing *sent);

/* Whether commands may be sent now. */
bool outgoing_waits(const struct client_core *core);

#endif
