/* What the schema's replies and events have in common, in the caller's form. Texts are cleaned in
 * place. */
#ifndef REPLY_H
#define REPLY_H

#include "wire.h"
#include "zchat.h"

/* Fills in the broker's refusal; its text is cleaned in place and borrowed. */
void reply_refuse(const Zchat__V1__CommandError *error, zchat_reply *out);

/* Room in the arena for a list of the reply, whose count it sets. NULL: there is none, and the
 * reply says so. */
void *reply_room(struct wire_arena *arena, size_t count, size_t bytes, zchat_reply *out);

/* One line of text, cleaned. */
char *reply_line(char *text);
void reply_thread(const Zchat__V1__ThreadInfo *thread, zchat_thread *out);
void reply_post(const Zchat__V1__Post *post, zchat_post *out);
void reply_upload(const Zchat__V1__Upload *upload, zchat_upload *out);
/* Copies an id of 16 bytes; anything else becomes zeros. */
void reply_id(const ProtobufCBinaryData *id, zchat_id *out);

#endif
