/* What the public calls have in common. Each call returns a code, and sets the handle's fault if
 * that is not ZCHAT_OK. */
#ifndef CALL_H
#define CALL_H

#include "request.h"
#include "zchat.h"

/* Queues a command, if the handle still takes calls. */
zchat_code call_send(zchat *z, command_number command, ProtobufCMessage *body, zchat_reply_fn *fn,
                     void *arg);
/* The same, with the id that the answer will tell. */
zchat_code call_send_id(zchat *z, command_number command, ProtobufCMessage *body,
                        const zchat_id *id, zchat_reply_fn *fn, void *arg);
/* The same, with the user or the thread that the command's effect is about. */
zchat_code call_send_about(zchat *z, command_number command, ProtobufCMessage *body,
                           const char *about, zchat_reply_fn *fn, void *arg);

ProtobufCBinaryData call_bytes(const zchat_id *id); /* borrowed */

/* If one of these is false, the call is refused: the handle's fault says why. */

/* Whether the handle still takes calls; all functions below check that first. */
bool call_begin(zchat *z);
/* Whether somebody is logged in, or about to be. */
bool call_check_login(zchat *z);
/* Checks a user's name, and folds it. */
bool call_check_name(zchat *z, const char *user, char name[NAME_BYTES]);
/* Checks that a text may be sent: not empty, UTF-8, not too long. */
bool call_check_text(zchat *z, const char *text);
bool call_check_password(zchat *z, const char *password);
/* Checks the number of entries that a page may have. */
bool call_check_limit(zchat *z, uint32_t limit);
/* Checks an id that the program made; `what` names it in the sentence. */
bool call_check_id(zchat *z, const char *what, const zchat_id *id);
/* The same, but NULL stands for a new one, which goes to `own`: *id is one of the two. */
bool call_check_new_id(zchat *z, const char *what, const zchat_id **id, zchat_id *own);
/* Checks a new title or file name; `what` begins the sentence. */
bool call_check_new_title(zchat *z, const char *what, const char *title);
/* Checks a title or file name that names something: one that can't exist names nothing. */
bool call_check_title(zchat *z, const char *what, const char *title);

#endif
