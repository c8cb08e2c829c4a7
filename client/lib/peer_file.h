/* Files of a private chat, either way. */
#ifndef PEER_FILE_H
#define PEER_FILE_H

#include "wire.h"
#include "zchat.h"

struct chat;

struct peer_files {
    size_t count;
};

/* Frees them without a word. */
void peer_files_release(struct peer_files *files);
/* The chat is over: answers all. */
void peer_files_end(zchat *z, struct chat *chat, zchat_code code);
/* The link is dead; there is a new one. */
void peer_files_unlink(zchat *z, struct chat *chat);
void peer_files_relink(zchat *z, struct chat *chat);
void peer_files_take(zchat *z, struct chat *chat, const Zchat__V1__PeerMessage *message);
/* Does what there is to do now. */
void peer_files_step(zchat *z, struct chat *chat);
/* Whether a step would do more at once. */
bool peer_files_wait(const struct peer_files *files);
size_t peer_files_pending(const struct peer_files *files);

#endif
