/* What the public calls have in common. Each returns a code, and sets the handle's fault if it
 * is not ZCHAT_OK. */
#ifndef CALL_H
#define CALL_H

#include "request.h"
#include "zchat.h"

/* Queues a command, if the handle still takes calls. */
zchat_code call_send(zchat *z, command_number command, ProtobufCMessage *body, zchat_reply_fn *fn,
                     void *arg);
/* The same with the id that the answer tells. */
zchat_code call_send_id(zchat *z, command_number command, ProtobufCMessage *body,
                        const zchat_id *id, zchat_reply_fn *fn, void *arg);
/* The same with the user or the thread that the command's effect is about. */
zchat_code call_send_about(zchat *z, command_number command, ProtobufCMessage *body,
                           const char *about, zchat_reply_fn *fn, void *arg);

ProtobufCBinaryData call_bytes(const zchat_id *id); /* borrowed */

/* What is false is refused: the handle's fault says why. */

/* Whether the handle still takes calls; all that follow look at that first. */
bool call_begin(zchat *z);
/* Whether somebody is logged in, or about to be. */
bool call_check_login(zchat *z);
/* A user's name, which is folded. */
bool call_check_name(zchat *z, const char *user, char name[NAME_BYTES]);
/* A text that may be sent: not empty, UTF-8, not too long. */
bool call_check_text(zchat *z, const char *text);
bool call_check_password(zchat *z, const char *password);
/* The most entries of a page. */
bool call_check_limit(zchat *z, uint32_t limit);
/* An id of ours; `what` names it in the sentence. */
bool call_check_id(zchat *z, const char *what, const zchat_id *id);
/* The same, but NULL stands for a new one, which goes to `own`: *id is one of the two. */
bool call_check_new_id(zchat *z, const char *what, const zchat_id **id, zchat_id *own);
/* A new title or file name; `what` begins the sentence. */
bool call_check_new_title(zchat *z, const char *what, const char *title);
/* One that names something: what can be none names nothing. */
bool call_check_title(zchat *z, const char *what, const char *title);

#endif
