/* How a chat gets its links, and how it ends. */
#ifndef CHAT_LINK_H
#define CHAT_LINK_H

#include "chat.h"

/* Accepts their invitation: waits for their link. Not ZCHAT_OK: the fault says why, and the inviter
 * is told that this program can't. */
zchat_code chat_accept(struct chat *chat, struct fault *fault);
/* One's own was accepted: connects to who accepted it. */
zchat_code chat_dial(struct chat *chat, const unsigned char *nonce, struct fault *fault);
/* The link is dead: a new one is made. */
void chat_break(struct chat *chat, const char *text);
/* Sends lines and acknowledgements as far as the window allows. */
void chat_flush(struct chat *chat);
/* Ends it: what waits is answered with `code` and `text`; the other side is told `bye` (NULL: there
 * is nobody to tell). */
void chat_end(struct chat *chat, zchat_code code, const char *text, const char *bye);

#endif
