/* What goes out on the command connection: waiting commands and the acknowledgement, packed into
 * frames. */
#ifndef OUTGOING_H
#define OUTGOING_H

#include "client_state.h"

/* What goes into one frame: `count` requests from the front of those that wait. */
struct outgoing {
    size_t count;
    size_t bytes;
    bool secret; /* the frame is wiped after it was sent */
    bool ack_set;
    Zchat__V1__AckRequest ack;
    Zchat__V1__Command command;
};

/* Gathers the next frame; false: there is nothing to send now. `flush`: even what could wait. */
bool outgoing_next(const struct client_core *core, bool flush, struct outgoing *next);
/* Packs its bytes. */
void outgoing_pack(const struct client_core *core, const struct outgoing *next, uint8_t *out);
/* Notes that it was sent; called before anything else is done. */
void outgoing_sent(struct client_core *core, const struct outgoing *sent);

/* Whether commands may be sent now. */
bool outgoing_waits(const struct client_core *core);

#endif
