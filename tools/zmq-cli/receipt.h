/* Whether a message of one's own was read, and waiting for that. */
#ifndef RECEIPT_H
#define RECEIPT_H

#include "call.h"

struct receipt {
    zchat_id id;
    char user[64]; /* the recipient; "": not known */
    bool read;
};

/* Asks about the message with that id or, if it is NULL, about the entry `seq` of one's own inbox;
 * and waits for so long until it is read (-1: does not wait), or to the end of --timeout if that is
 * given and sooner. The receipt has what is known in any case. */
enum status receipt_await(struct call *call, const zchat_id *id, uint64_t seq, int64_t wait_us,
                          struct receipt *receipt);

#endif
