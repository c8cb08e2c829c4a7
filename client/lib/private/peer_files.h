/* The files of a private chat, as the chat sees them. Files have to be read and written, so whoever
 * links private chats provides these functions. */
#ifndef PEER_FILES_H
#define PEER_FILES_H

#include "chat.h"

/* Frees them without answering anybody. */
void peer_files_release(struct peer_files *files);
/* The chat is over: answers all files. */
void peer_files_end(struct chat *chat, zchat_code code);
/* The link is dead; there is a new one. */
void peer_files_unlink(struct chat *chat);
void peer_files_take(struct chat *chat, const Zchat__V1__PeerMessage *message);
/* Does what there is to do now. */
void peer_files_step(struct chat *chat);
/* Whether a step would do more at once. */
bool peer_files_wait(const struct peer_files *files);
size_t peer_files_pending(const struct peer_files *files);

#endif
