/* Files that go to the other side of a private chat: hashed in slices, offered, and sent in chunks,
 * a few at a time, so that lines pass between them. */
#include "invitation.h"
#include "peer_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* How many bytes are under way for all files of a chat together (each has at least one chunk). */
#define WINDOW_BYTES (4 * (uint64_t)CHUNK_BYTES_MAX)

static void fail(struct chat *chat, struct peer_file *file, zchat_code code, const char *what) {
    struct fault fault;
    fault_set(&fault, code, "%s %s", file->name, what);
    peer_file_say_ack(chat, file, false, "the other side can't read the file");
    peer_file_answer(chat, file, code, fault.text);
}

/* False: it is over. */
static bool read_slice(struct chat *chat, struct peer_file *file, size_t count) {
    char what[160];
    enum source_end end = source_read(&file->source, chat->client->buffer, count, file->place);
    if (end == SOURCE_FINE)
        return true;
    if (end == SOURCE_CHANGED) {
        fail(chat, file, ZCHAT_IO, "changed while it was sent: send it again");
        return false;
    }
    snprintf(what, sizeof what, "can't be read: %s", strerror(errno));
    fail(chat, file, ZCHAT_IO, what);
    return false;
}

static size_t slice_bytes(const struct peer_file *file) {
    uint64_t left = file->bytes - file->place;
    return left < CHUNK_BYTES_MAX ? (size_t)left : CHUNK_BYTES_MAX;
}

/* Whether the file ends here: it may have grown since it was opened. */
static bool ends_here(struct chat *chat, struct peer_file *file) {
    bool ends = source_ends(&file->source);
    if (!ends)
        fail(chat, file, ZCHAT_IO, "changed while it was sent: send it again");
    return ends;
}

static void hash_slice(struct chat *chat, struct peer_file *file) {
    size_t count = slice_bytes(file);
    if (count > 0 && !read_slice(chat, file, count))
        return;
    hash_add(&file->hasher, chat->client->buffer, count);
    file->place += count;
    chat->files.busy = true;
    if (file->place == file->bytes && ends_here(chat, file)) {
        hash_end(&file->hasher, file->hash);
        file->stage = PEER_FILE_OFFERING;
    }
}

static void offer(struct chat *chat, struct peer_file *file) {
    Zchat__V1__PeerFileOffer body = ZCHAT__V1__PEER_FILE_OFFER__INIT;
    Zchat__V1__PeerMessage message = ZCHAT__V1__PEER_MESSAGE__INIT;
    body.id.data = file->id;
    body.id.len = ID_BYTES;
    body.file = file->name;
    body.size = file->bytes;
    body.digest.data = file->hash;
    body.digest.len = HASH_BYTES;
    message.body_case = ZCHAT__V1__PEER_MESSAGE__BODY_FILE_OFFER;
    message.file_offer = &body;
    if (chat_say(chat, &message))
        file->stage = PEER_FILE_OFFERED;
}

static uint64_t under_way(const struct chat *chat) {
    uint64_t bytes = 0;
    for (const struct peer_file *at = chat->files.list; at; at = at->next)
        bytes += at->stage == PEER_FILE_SENDING ? at->place - at->done : 0;
    return bytes;
}

static bool has_room(const struct chat *chat, const struct peer_file *file) {
    return file->place == file->done || under_way(chat) + CHUNK_BYTES_MAX <= WINDOW_BYTES;
}

/* False: no more can be sent now. */
static bool send_chunk(struct chat *chat, struct peer_file *file) {
    size_t count = slice_bytes(file);
    if (count > 0 && !read_slice(chat, file, count))
        return false;
    Zchat__V1__PeerFileChunk body = ZCHAT__V1__PEER_FILE_CHUNK__INIT;
    Zchat__V1__PeerMessage message = ZCHAT__V1__PEER_MESSAGE__INIT;
    body.id.data = file->id;
    body.id.len = ID_BYTES;
    body.offset = file->place;
    body.data.data = chat->client->buffer;
    body.data.len = count;
    message.body_case = ZCHAT__V1__PEER_MESSAGE__BODY_FILE_CHUNK;
    message.file_chunk = &body;
    if (!chat_say(chat, &message))
        return false;
    file->place += count;
    file->all_sent = file->place == file->bytes;
    file->went = file->went || file->all_sent;
    invitation_active(chat->chats);
    return true;
}

void peer_send_step(struct chat *chat, struct peer_file *file) {
    if (file->stage == PEER_FILE_HASHING)
        hash_slice(chat, file);
    if (chat->state != CHAT_OPEN || file->over)
        return;
    if (file->stage == PEER_FILE_OFFERING)
        offer(chat, file);
    while (file->stage == PEER_FILE_SENDING && !file->all_sent && !file->over &&
           has_room(chat, file))
        if (!send_chunk(chat, file))
            return;
}

/* ---- what the other side says ---- */

void peer_send_answered(struct chat *chat, struct peer_file *file,
                        const Zchat__V1__PeerFileAnswer *answer) {
    if (file->stage != PEER_FILE_OFFERED)
        return;
    if (!answer->accept) {
        struct fault fault;
        fault_set(&fault, ZCHAT_FORBIDDEN, "%s does not want %s", chat->user, file->name);
        peer_file_answer(chat, file, fault.code, fault.text);
        return;
    }
    if (answer->received > file->bytes) {
        fail(chat, file, ZCHAT_WRONG_PROTOCOL, "is longer on the other side than here");
        return;
    }
    file->stage = PEER_FILE_SENDING;
    file->place = file->done = answer->received;
    file->all_sent = file->bytes > 0 && file->place == file->bytes;
    peer_file_tell(file, file->done);
}

void peer_send_acked(struct chat *chat, struct peer_file *file, const Zchat__V1__PeerFileAck *ack) {
    struct fault fault;
    if (ack->failed[0] != '\0') {
        fault_set(&fault, ZCHAT_IO, "%s can't take %s: %.200s", chat->user, file->name,
                  ack->failed);
        peer_file_answer(chat, file, fault.code, fault.text);
        return;
    }
    if (ack->done) { /* perhaps for an earlier link, where it got lost */
        file->done = file->bytes;
        peer_file_tell(file, file->done);
        peer_file_answer(chat, file, ZCHAT_OK, "");
    } else if (file->stage == PEER_FILE_SENDING && ack->received > file->done &&
               ack->received <= file->place) {
        file->done = ack->received;
        peer_file_tell(file, file->done);
    }
}
