/* What sending and taking files have in common, and how they begin. */
#include "peer_file.h"

#include "invitation.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_taken(const struct peer_file *file) {
    return file->stage >= PEER_FILE_ASKED;
}

static bool is_remembered(const struct peer_file *file) {
    return file->stage >= PEER_FILE_TAKEN;
}

/* ---- the list ---- */

struct peer_file *peer_file_add(struct chat *chat, enum peer_file_stage stage) {
    struct peer_file *file = aligned_alloc(_Alignof(struct peer_file), sizeof *file);
    if (!file)
        return NULL;
    *file = (struct peer_file){.stage = stage, .source.fd = -1, .target.fd = -1};
    struct peer_file **place = &chat->files.list;
    while (*place)
        place = &(*place)->next;
    *place = file;
    return file;
}

/* Frees what the file used, except its own memory. */
static void close_file(struct peer_file *file) {
    source_close(&file->source);
    target_close(&file->target);
}

static void sweep(struct peer_files *files) {
    struct peer_file **place = &files->list;
    while (*place) {
        struct peer_file *file = *place;
        if (file->over) {
            *place = file->next;
            close_file(file);
            free(file);
        } else {
            place = &file->next;
        }
    }
}

void peer_files_release(struct peer_files *files) {
    for (struct peer_file *at = files->list; at; at = at->next)
        at->over = true;
    sweep(files);
}

struct peer_file *peer_file_find(const struct chat *chat, const unsigned char *id, bool taken) {
    struct peer_file *at = chat->files.list;
    while (at && (at->over || is_taken(at) != taken || memcmp(at->id, id, ID_BYTES) != 0))
        at = at->next;
    return at;
}

/* ---- telling ---- */

zchat_upload peer_file_facts(const struct chat *chat, const struct peer_file *file) {
    zchat_upload facts = {.user = chat->user, .file = file->name, .size = file->bytes};
    memcpy(facts.id.bytes, file->id, ID_BYTES);
    memcpy(facts.hash, file->hash, HASH_BYTES);
    return facts;
}

void peer_file_answer(struct chat *chat, struct peer_file *file, zchat_code code,
                      const char *text) {
    zchat_upload facts = peer_file_facts(chat, file);
    zchat_reply reply = {.code = code, .text = text, .user = chat->user, .software = ""};
    bool waits = file->waits;
    file->waits = false;
    if (code == ZCHAT_OK && !file->refusing) {
        reply.id = facts.id;
        reply.count = 1;
        reply.uploads = &facts;
    }
    if (is_taken(file)) {
        file->stage = code == ZCHAT_OK && !file->refusing ? PEER_FILE_TAKEN : PEER_FILE_REFUSED;
        close_file(file);
    } else {
        file->over = true;
    }
    if (waits && file->caller.fn)
        file->caller.fn(file->caller.arg, &reply);
}

void peer_file_tell(struct peer_file *file, uint64_t bytes) {
    if (file->caller.progress)
        file->caller.progress(file->caller.arg, bytes, file->bytes);
}

bool peer_file_say_ack(struct chat *chat, const struct peer_file *file, bool done,
                       const char *failed) {
    Zchat__V1__PeerFileAck body = ZCHAT__V1__PEER_FILE_ACK__INIT;
    Zchat__V1__PeerMessage message = ZCHAT__V1__PEER_MESSAGE__INIT;
    body.id.data = (uint8_t *)file->id;
    body.id.len = ID_BYTES;
    body.received = file->done;
    body.done = done;
    body.failed = (char *)failed;
    message.body_case = ZCHAT__V1__PEER_MESSAGE__BODY_FILE_ACK;
    message.file_ack = &body;
    return chat->state == CHAT_OPEN && chat_say(chat, &message);
}

/* ---- what the other side says ---- */

static struct peer_file *named(const struct chat *chat, const ProtobufCBinaryData *id, bool taken) {
    return id->len == ID_BYTES ? peer_file_find(chat, id->data, taken) : NULL;
}

static void take_ack(struct chat *chat, const Zchat__V1__PeerFileAck *ack) {
    struct peer_file *sent = named(chat, &ack->id, false);
    struct peer_file *taken = named(chat, &ack->id, true);
    text_clean_line(ack->failed, strlen(ack->failed));
    if (sent)
        peer_send_acked(chat, sent, ack);
    else if (taken && ack->failed[0] != '\0')
        peer_take_failed(chat, taken, ack->failed);
}

void peer_files_take(struct chat *chat, const Zchat__V1__PeerMessage *message) {
    struct peer_file *file;
    switch (message->body_case) {
    case ZCHAT__V1__PEER_MESSAGE__BODY_FILE_OFFER:
        peer_take_offer(chat, message->file_offer);
        break;
    case ZCHAT__V1__PEER_MESSAGE__BODY_FILE_ANSWER:
        file = named(chat, &message->file_answer->id, false);
        if (file)
            peer_send_answered(chat, file, message->file_answer);
        break;
    case ZCHAT__V1__PEER_MESSAGE__BODY_FILE_CHUNK:
        file = named(chat, &message->file_chunk->id, true);
        if (file) {
            invitation_active(chat->chats);
            peer_take_chunk(chat, file, message->file_chunk);
        }
        break;
    case ZCHAT__V1__PEER_MESSAGE__BODY_FILE_ACK:
        take_ack(chat, message->file_ack);
        break;
    default:
        break;
    }
}

/* ---- a step ---- */

static void drop(struct chat *chat, struct peer_file *file) {
    target_drop(&file->target);
    peer_file_say_ack(chat, file, false, "the other side gave the file up");
    peer_file_answer(chat, file, ZCHAT_CANCELLED, "the file was given up");
}

static void step(struct chat *chat, struct peer_file *file) {
    if (file->dropped && file->waits)
        drop(chat, file);
    else if (is_taken(file))
        peer_take_step(chat, file);
    else
        peer_send_step(chat, file);
}

void peer_files_step(struct chat *chat) {
    chat->files.busy = false;
    for (struct peer_file *at = chat->files.list; at && !chat->client->doomed && !chat->over;
         at = at->next)
        if (!at->over && !is_remembered(at))
            step(chat, at);
    if (!chat->client->doomed)
        sweep(&chat->files);
}

void peer_files_unlink(struct chat *chat) {
    for (struct peer_file *at = chat->files.list; at; at = at->next)
        if (at->stage == PEER_FILE_OFFERED || at->stage == PEER_FILE_SENDING)
            at->stage = PEER_FILE_OFFERING;
}

static void end_file(struct chat *chat, struct peer_file *file, zchat_code code) {
    struct fault fault;
    bool unknown = !is_taken(file) && file->went && !chat->parted;
    const char *what = "is not whole on the other side: the chat is over";
    if (unknown)
        what = "may or may not be whole on the other side: the chat ended before it said so";
    else if (is_taken(file))
        what = "did not come whole: the chat is over";
    fault_set(&fault, unknown ? ZCHAT_UNKNOWN : code, "%s %s; offered again, it goes on",
              file->name, what);
    if (file->done == 0) /* nothing to go on from */
        target_drop(&file->target);
    peer_file_answer(chat, file, fault.code, fault.text);
}

void peer_files_end(struct chat *chat, zchat_code code) {
    for (struct peer_file *at = chat->files.list; at; at = at->next)
        if (!at->over && at->waits)
            end_file(chat, at, code);
}

bool peer_files_wait(const struct peer_files *files) {
    return files->busy;
}

size_t peer_files_pending(const struct peer_files *files) {
    size_t count = 0;
    for (const struct peer_file *at = files->list; at; at = at->next)
        count += at->waits;
    return count;
}

void peer_files_cancel(struct chat *chat, const void *arg) {
    for (struct peer_file *at = chat->files.list; at; at = at->next) {
        if (at->waits && at->caller.arg == arg) {
            at->dropped = true;
            chat->files.busy = true;
        }
    }
}

/* ---- calls ---- */

static void begin(struct chat *chat, struct peer_file *file, struct file_caller caller) {
    file->caller = caller;
    file->waits = true;
    hash_begin(&file->hasher);
    chat->files.busy = true;
    client_stir(chat->client);
}

bool peer_file_send(struct chat *chat, const struct source *source, const char *name,
                    struct file_caller caller) {
    zchat_id id;
    struct peer_file *file = peer_file_add(chat, PEER_FILE_HASHING);
    if (!file)
        return false;
    zchat_id_new(&id);
    memcpy(file->id, id.bytes, ID_BYTES);
    strcpy(file->name, name);
    file->source = *source;
    file->bytes = source->state.bytes;
    begin(chat, file, caller);
    return true;
}

/* Somebody else chose the size. */
static zchat_code check_room(struct peer_file *file, struct fault *fault) {
    file->no_room = !target_has_room(&file->target, file->bytes);
    return file->no_room
               ? fault_set(fault, ZCHAT_IO, "the disk has no room for %s", file->target.path)
               : ZCHAT_OK;
}

static zchat_code open_target(struct peer_file *file, const char *path, bool force,
                              struct fault *fault) {
    zchat_code code = path_check_target(path, force, fault);
    if (code == ZCHAT_OK && !target_name(&file->target, path, force))
        code = fault_set(fault, ZCHAT_NO_MEMORY, "no memory for the file");
    if (code == ZCHAT_OK)
        code = target_open(&file->target, file->hash, file->bytes, fault);
    if (code == ZCHAT_OK)
        code = check_room(file, fault);
    if (code != ZCHAT_OK) {
        if (file->target.there == 0)
            target_drop(&file->target);
        target_close(&file->target);
    }
    return code;
}

zchat_code peer_file_take(struct chat *chat, const unsigned char *id, const char *path, bool force,
                          struct file_caller caller, struct fault *fault) {
    struct peer_file *file = peer_file_find(chat, id, true);
    if (!file || file->stage != PEER_FILE_ASKED || file->refusing)
        return fault_set(fault, ZCHAT_NOT_FOUND, "%s offers no such file", chat->user);
    zchat_code code = path ? open_target(file, path, force, fault) : ZCHAT_OK;
    if (code != ZCHAT_OK)
        return code;
    file->refusing = !path;
    file->stage = path ? PEER_FILE_CHECKING : PEER_FILE_ASKED;
    begin(chat, file, caller);
    return ZCHAT_OK;
}
