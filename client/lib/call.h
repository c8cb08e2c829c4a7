/* What the public calls have in common. Each returns a code, and sets the handle's fault where it
 * is not ZCHAT_OK. */
#ifndef CALL_H
#define CALL_H

#include "request.h"
#include "zchat.h"

/* A command's kind, and who wants the answer. */
struct call {
    enum request_kind kind;
    zchat_reply_fn *fn;
    void *arg;
};

/* Whether the handle still takes calls. */
zchat_code call_begin(zchat *z);

/* Queues the command; NULL: no memory. */
struct request *call_add(zchat *z, struct call call, Zchat__V1__Command *command);
zchat_code call_queue(zchat *z, struct call call, Zchat__V1__Command *command);

/* A user's name, folded. */
zchat_code call_check_name(zchat *z, const char *user, char name[NAME_BYTES]);
/* A text that may be sent: not empty, UTF-8, not too long. */
zchat_code call_check_text(zchat *z, const char *text);
zchat_code call_check_password(zchat *z, const char *password);
/* A new title or file name; `what` begins the sentence. */
zchat_code call_check_new_title(zchat *z, const char *what, const char *title);
/* One that names something: what can be none names nothing. */
zchat_code call_check_title(zchat *z, const char *what, const char *title);

#endif
