/* What two peers say to each other over a link: Hello, lines and their acknowledgements, files,
 * Bye. Whoever breaks the rules ends the chat. */
#ifndef PEER_TALK_H
#define PEER_TALK_H

#include "chat.h"

/* The inviter's first word. */
void peer_talk_hello(zchat *z, struct chat *chat);
/* Takes what the link has, up to a bound. */
void peer_talk_receive(zchat *z, struct chat *chat);
/* Sends lines and acknowledgements as far as the window allows. */
void peer_talk_flush(zchat *z, struct chat *chat);

#endif
