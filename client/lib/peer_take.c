/* Files that come from the other side of a private chat. They grow in a part file beside their
 * target, as downloads do, and get their name when they are whole and verified. The name that the
 * other side gives is never a path here: the caller says where the file goes. */
#include "peer_file.h"

#include <errno.h>
#include <string.h>

static const char NO_ROOM[] = "the disk there has no room for it";

static void fail(struct chat *chat, struct peer_file *file, zchat_code code, const char *text,
                 const char *told) {
    peer_file_say_ack(chat, file, false, told);
    peer_file_answer(chat, file, code, text);
}

static void fail_io(struct chat *chat, struct peer_file *file, const char *what) {
    struct fault fault;
    bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
    fault_set(&fault, ZCHAT_IO, "%s %s failed: %s", what, file->target.path, strerror(errno));
    if (full) /* the part file takes up the missing room */
        target_drop(&file->target);
    fail(chat, file, fault.code, fault.text,
         full ? NO_ROOM : "the other side can't write the file");
}

static void fail_hash(struct chat *chat, struct peer_file *file, const char *why) {
    struct fault fault;
    target_drop(&file->target);
    fault_set(&fault, ZCHAT_IO, "%s: %s", file->name, why);
    fail(chat, file, fault.code, fault.text, why);
}

static void say_answer(struct chat *chat, const unsigned char *id, bool accept, uint64_t received) {
    Zchat__V1__PeerFileAnswer body = ZCHAT__V1__PEER_FILE_ANSWER__INIT;
    Zchat__V1__PeerMessage message = ZCHAT__V1__PEER_MESSAGE__INIT;
    body.id.data = (uint8_t *)id;
    body.id.len = ID_BYTES;
    body.accept = accept;
    body.received = received;
    message.body_case = ZCHAT__V1__PEER_MESSAGE__BODY_FILE_ANSWER;
    message.file_answer = &body;
    chat_say(chat, &message);
}

/* ---- the end ---- */

static void finish(struct chat *chat, struct peer_file *file) {
    unsigned char is[HASH_BYTES];
    struct fault fault;
    hash_end(&file->hasher, is);
    if (memcmp(is, file->hash, HASH_BYTES) != 0) {
        fail_hash(chat, file, "what arrived does not fit its hash; offer it again");
        return;
    }
    if (target_publish(&file->target, &fault) != ZCHAT_OK) {
        fail(chat, file, fault.code, fault.text, "the other side can't put the file into place");
        return;
    }
    peer_file_say_ack(chat, file, true, "");
    peer_file_answer(chat, file, ZCHAT_OK, "");
}

void peer_take_failed(struct chat *chat, struct peer_file *file, const char *why) {
    struct fault fault;
    if (file->stage >= PEER_FILE_TAKEN)
        return;
    target_drop(&file->target); /* the part file is of no more use */
    fault_set(&fault, ZCHAT_UNREACHABLE, "%s does not come whole: %.200s", file->name, why);
    peer_file_answer(chat, file, fault.code, fault.text);
}

/* ---- what is there already ---- */

static void check_slice(struct chat *chat, struct peer_file *file) {
    uint64_t left = file->target.there - file->place;
    size_t count = left < CHUNK_BYTES_MAX ? (size_t)left : CHUNK_BYTES_MAX;
    if (count > 0 && !target_read(&file->target, chat->client->buffer, count, file->place)) {
        fail_io(chat, file, "reading the part of");
        return;
    }
    hash_add(&file->hasher, chat->client->buffer, count);
    file->place += count;
    if (file->place < file->target.there) {
        chat->files.busy = true;
        return;
    }
    if (!target_go_on(&file->target)) {
        fail_io(chat, file, "reading the part of");
        return;
    }
    file->done = file->target.there;
    file->stage = PEER_FILE_TAKING;
    peer_file_tell(file, file->done);
    if (file->stage != PEER_FILE_TAKING || chat->client->doomed)
        return;
    if (chat->state == CHAT_OPEN)
        say_answer(chat, file->id, true, file->done);
    if (file->done == file->bytes)
        finish(chat, file);
}

static void say_refused(struct chat *chat, const struct peer_file *file) {
    if (file->no_room)
        peer_file_say_ack(chat, file, false, NO_ROOM);
    else
        say_answer(chat, file->id, false, 0);
}

void peer_take_step(struct chat *chat, struct peer_file *file) {
    if (file->stage == PEER_FILE_CHECKING) {
        check_slice(chat, file);
    } else if (file->stage == PEER_FILE_ASKED && file->refusing) {
        if (chat->state == CHAT_OPEN)
            say_refused(chat, file);
        peer_file_answer(chat, file, ZCHAT_OK, "");
    }
}

/* ---- an offer ---- */

static bool offer_fits(const Zchat__V1__PeerFileOffer *offer) {
    char clean[FILE_NAME_BYTES];
    size_t bytes = strlen(offer->file);
    if (offer->id.len != ID_BYTES || offer->digest.len != HASH_BYTES || bytes == 0 ||
        bytes > TITLE_BYTES_MAX || strchr(offer->file, '/') ||
        text_characters(offer->file, bytes) > TITLE_CHARACTERS_MAX)
        return false;
    memcpy(clean, offer->file, bytes + 1);
    return text_clean_line(clean, bytes) == bytes && memcmp(clean, offer->file, bytes) == 0;
}

/* The file is offered again on a new link: answers again. */
static void answer_again(struct chat *chat, struct peer_file *file) {
    if (file->stage == PEER_FILE_TAKING)
        say_answer(chat, file->id, true, file->done);
    else if (file->stage == PEER_FILE_TAKEN)
        peer_file_say_ack(chat, file, true, "");
    else if (file->stage == PEER_FILE_REFUSED)
        say_refused(chat, file);
}

/* Makes room for a new file by dropping a finished one. */
static bool has_room(struct chat *chat) {
    struct peer_file *oldest = NULL;
    size_t count = 0;
    for (struct peer_file *at = chat->files.list; at; at = at->next) {
        if (!at->over && at->stage >= PEER_FILE_ASKED) {
            count++;
            oldest = oldest || at->stage < PEER_FILE_TAKEN ? oldest : at;
        }
    }
    if (count >= PRIVATE_FILES_MAX && oldest) {
        oldest->over = true;
        count--;
    }
    return count < PRIVATE_FILES_MAX;
}

void peer_take_offer(struct chat *chat, const Zchat__V1__PeerFileOffer *offer) {
    if (!offer_fits(offer)) {
        if (offer->id.len == ID_BYTES)
            say_answer(chat, offer->id.data, false, 0);
        return;
    }
    struct peer_file *file = peer_file_find(chat, offer->id.data, true);
    if (file) {
        answer_again(chat, file);
        return;
    }
    file = has_room(chat) ? peer_file_add(chat, PEER_FILE_ASKED) : NULL;
    if (!file) {
        say_answer(chat, offer->id.data, false, 0);
        return;
    }
    memcpy(file->id, offer->id.data, ID_BYTES);
    memcpy(file->hash, offer->digest.data, HASH_BYTES);
    strcpy(file->name, offer->file);
    file->bytes = offer->size;
    zchat_upload facts = peer_file_facts(chat, file);
    client_tell(chat->client, &(zchat_event){.kind = ZCHAT_EVENT_PRIVATE_OFFERED,
                                             .user = chat->user,
                                             .id = facts.id,
                                             .upload = &facts});
}

/* ---- chunks ---- */

void peer_take_chunk(struct chat *chat, struct peer_file *file,
                     const Zchat__V1__PeerFileChunk *chunk) {
    size_t count = chunk->data.len;
    if (file->stage != PEER_FILE_TAKING)
        return;
    if (chunk->offset != file->done || count > file->bytes - file->done || count == 0) {
        fail_hash(chat, file, "its chunks do not fit together");
        return;
    }
    if (!target_write(&file->target, chunk->data.data, count)) {
        fail_io(chat, file, "writing to");
        return;
    }
    hash_add(&file->hasher, chunk->data.data, count);
    file->done += count;
    peer_file_tell(file, file->done);
    if (file->stage != PEER_FILE_TAKING)
        return;
    if (file->done == file->bytes)
        finish(chat, file);
    else
        peer_file_say_ack(chat, file, false, "");
}
