/* Replies of the schema as the caller sees them. */
#ifndef REPLY_H
#define REPLY_H

#include "request.h"
#include "wire.h"
#include "zchat.h"

/* Converts the broker's reply to a request; lists lie in the handle's arena, texts are cleaned. */
void reply_fill(zchat *z, const struct request *request, const Zchat__V1__Reply *reply,
                zchat_reply *out);

/* The broker's refusal; its text is cleaned in place and borrowed. */
void reply_refuse(const Zchat__V1__CommandError *error, zchat_reply *out);

/* Room for a list of the reply in the handle's arena; its count is set. NULL: none, and the reply
 * says so. */
void *reply_room(zchat *z, size_t count, size_t bytes, zchat_reply *out);

#endif
