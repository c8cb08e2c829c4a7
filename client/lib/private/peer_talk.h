/* What two peers say to each other over a link: Hello, lines and their acknowledgements, files,
 * Bye. A peer that breaks the rules ends the chat. */
#ifndef PEER_TALK_H
#define PEER_TALK_H

#include "chat.h"

/* Sends the inviter's Hello, which comes first. */
void peer_talk_hello(struct chat *chat);
/* The other side broke the rules: the chat ends. */
void peer_talk_breach(struct chat *chat);
/* Takes what the link has, up to a bound. */
void peer_talk_receive(struct chat *chat);

#endif
