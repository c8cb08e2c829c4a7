/* Files of a private chat. */
#include "peer_file.h"

#include "handle.h"

void peer_files_release(struct peer_files *files) {
    files->count = 0;
}

void peer_files_end(zchat *z, struct chat *chat, zchat_code code) {
    (void)z, (void)chat, (void)code;
}

void peer_files_unlink(zchat *z, struct chat *chat) {
    (void)z, (void)chat;
}

void peer_files_relink(zchat *z, struct chat *chat) {
    (void)z, (void)chat;
}

void peer_files_take(zchat *z, struct chat *chat, const Zchat__V1__PeerMessage *message) {
    (void)z, (void)chat, (void)message;
}

void peer_files_step(zchat *z, struct chat *chat) {
    (void)z, (void)chat;
}

bool peer_files_wait(const struct peer_files *files) {
    return files->count > 0;
}

size_t peer_files_pending(const struct peer_files *files) {
    return files->count;
}

zchat_code zchat_private_file(zchat *z, const char *user, const char *path,
                              zchat_progress_fn *progress, zchat_reply_fn *fn, void *arg) {
    (void)user, (void)path, (void)progress, (void)fn, (void)arg;
    return fault_set(&z->fault, ZCHAT_UNIMPLEMENTED, "Not there yet.");
}

zchat_code zchat_private_file_answer(zchat *z, const char *user, const zchat_id *file,
                                     const char *path, bool force, zchat_progress_fn *progress,
                                     zchat_reply_fn *fn, void *arg) {
    (void)user, (void)file, (void)path, (void)force, (void)progress, (void)fn, (void)arg;
    return fault_set(&z->fault, ZCHAT_UNIMPLEMENTED, "Not there yet.");
}
