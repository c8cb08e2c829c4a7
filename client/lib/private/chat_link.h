/* How a chat gets its links, and how it ends. */
#ifndef CHAT_LINK_H
#define CHAT_LINK_H

#include "chat.h"

/* Accepts their invitation, and waits for their link. If it does not return ZCHAT_OK, the fault
 * says why, and the inviter is told that this program can't. */
zchat_code chat_accept(struct chat *chat, struct fault *fault);
/* Our own invitation was accepted: connects to the one who accepted it. */
zchat_code chat_dial(struct chat *chat, const unsigned char *nonce, struct fault *fault);
/* The link is dead: has a new one made. */
void chat_break(struct chat *chat, const char *text);
/* Sends lines and acknowledgements as far as the window allows. */
void chat_flush(struct chat *chat);
/* Ends the chat: answers what waits with `code` and `text`, and tells the other side `bye` (NULL:
 * there is nobody to tell). */
void chat_end(struct chat *chat, zchat_code code, const char *text, const char *bye);

#endif
