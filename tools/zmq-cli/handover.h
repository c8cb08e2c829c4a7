/* Hands messages to the command of --exec, one after the other, and acknowledges each one when its
 * command has accepted it.
 *
 * The acknowledgement goes over a connection of its own and is waited for: the receiving connection
 * is inside its callback meanwhile and must not go on, or everything unread would pile up in memory
 * behind a slow command. */
#ifndef HANDOVER_H
#define HANDOVER_H

#include "call.h"

struct handover {
    const char *command; /* borrowed: from the options; NULL: there is none */
    bool patient;        /* waits for a broker that is away, however long */
    bool bounded;        /* its call's limit bounds it, commands included: --timeout was given */
    struct call call;    /* of the acknowledgements */
};

void handover_init(struct handover *handover, const struct call *call, bool patient);
void handover_release(struct handover *handover);

/* Connects and logs in, before there is a message. */
enum status handover_open(struct handover *handover);

/* Runs the command with the message on its stdin. STATUS_DONE: it exited with 0. */
enum status handover_run(struct handover *handover, const zchat_message *message);

/* Acknowledges up to `seq`; STATUS_DONE: the broker has it. */
enum status handover_ack(struct handover *handover, uint64_t seq);

#endif
