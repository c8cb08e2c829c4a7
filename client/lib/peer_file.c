/* What both ways of files have in common, and the public calls. */
#include "peer_file.h"

#include "call.h"
#include "handle.h"
#include "invitation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

static bool is_taken(const struct peer_file *file) {
    return file->stage >= PEER_FILE_ASKED;
}

static bool is_remembered(const struct peer_file *file) {
    return file->stage >= PEER_FILE_TAKEN;
}

/* ---- the list ---- */

struct peer_file *peer_file_add(struct chat *chat, enum peer_file_stage stage) {
    struct peer_file *file = aligned_alloc(_Alignof(struct peer_file), sizeof *file);
    if (!file) {
        return NULL;
    }
    *file = (struct peer_file){.stage = stage, .fd = -1};
    struct peer_file **place = &chat->files.list;
    while (*place) {
        place = &(*place)->next;
    }
    *place = file;
    return file;
}

/* What it used but the memory of it. */
static void close_file(struct peer_file *file) {
    if (file->fd >= 0) {
        close(file->fd);
    }
    free(file->path);
    free(file->part);
    file->fd = -1;
    file->path = file->part = NULL;
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
    for (struct peer_file *at = files->list; at; at = at->next) {
        at->over = true;
    }
    sweep(files);
}

struct peer_file *peer_file_find(const struct chat *chat, const unsigned char *id, bool taken) {
    struct peer_file *at = chat->files.list;
    while (at && (at->over || is_taken(at) != taken || memcmp(at->id, id, ID_BYTES) != 0)) {
        at = at->next;
    }
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
    if (waits && file->fn) {
        file->fn(file->arg, &reply);
    }
}

void peer_file_tell(struct peer_file *file, uint64_t bytes) {
    if (file->progress) {
        file->progress(file->arg, bytes, file->bytes);
    }
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
    if (sent) {
        peer_send_acked(chat, sent, ack);
    } else if (taken && ack->failed[0] != '\0') {
        peer_take_failed(chat, taken, ack->failed);
    }
}

void peer_files_take(zchat *z, struct chat *chat, const Zchat__V1__PeerMessage *message) {
    struct peer_file *file;
    switch (message->body_case) {
    case ZCHAT__V1__PEER_MESSAGE__BODY_FILE_OFFER:
        peer_take_offer(z, chat, message->file_offer);
        break;
    case ZCHAT__V1__PEER_MESSAGE__BODY_FILE_ANSWER:
        file = named(chat, &message->file_answer->id, false);
        if (file) {
            peer_send_answered(chat, file, message->file_answer);
        }
        break;
    case ZCHAT__V1__PEER_MESSAGE__BODY_FILE_CHUNK:
        file = named(chat, &message->file_chunk->id, true);
        if (file) {
            invitation_active(z);
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
    if (file->part) {
        unlink(file->part);
    }
    peer_file_say_ack(chat, file, false, "the other side gave the file up");
    peer_file_answer(chat, file, ZCHAT_CANCELLED, "the file was given up");
}

static void step(zchat *z, struct chat *chat, struct peer_file *file) {
    if (file->dropped && file->waits) {
        drop(chat, file);
    } else if (is_taken(file)) {
        peer_take_step(z, chat, file);
    } else {
        peer_send_step(z, chat, file);
    }
}

void peer_files_step(zchat *z, struct chat *chat) {
    chat->files.busy = false;
    for (struct peer_file *at = chat->files.list; at && !z->doomed && !chat->over; at = at->next) {
        if (!at->over && !is_remembered(at)) {
            step(z, chat, at);
        }
    }
    if (!z->doomed) {
        sweep(&chat->files);
    }
}

void peer_files_unlink(struct chat *chat) {
    for (struct peer_file *at = chat->files.list; at; at = at->next) {
        if (at->stage == PEER_FILE_OFFERED || at->stage == PEER_FILE_SENDING) {
            at->stage = PEER_FILE_OFFERING;
        }
    }
}

static void end_file(struct chat *chat, struct peer_file *file, zchat_code code) {
    struct fault fault;
    bool unknown = !is_taken(file) && file->went && !chat->parted;
    const char *what = "is not whole on the other side: the chat is over";
    if (unknown) {
        what = "may or may not be whole on the other side: the chat ended before it said so";
    } else if (is_taken(file)) {
        what = "did not come whole: the chat is over";
    }
    fault_set(&fault, unknown ? ZCHAT_UNKNOWN : code, "%s %s; offered again, it goes on",
              file->name, what);
    if (file->part && file->done == 0) { /* nothing to go on from */
        unlink(file->part);
    }
    peer_file_answer(chat, file, fault.code, fault.text);
}

void peer_files_end(zchat *z, struct chat *chat, zchat_code code) {
    (void)z;
    for (struct peer_file *at = chat->files.list; at; at = at->next) {
        if (!at->over && at->waits) {
            end_file(chat, at, code);
        }
    }
}

bool peer_files_wait(const struct peer_files *files) {
    return files->busy;
}

size_t peer_files_pending(const struct peer_files *files) {
    size_t count = 0;
    for (const struct peer_file *at = files->list; at; at = at->next) {
        count += at->waits;
    }
    return count;
}

void peer_files_cancel(struct chat *chat, const void *arg) {
    for (struct peer_file *at = chat->files.list; at; at = at->next) {
        if (at->waits && at->arg == arg) {
            at->dropped = true;
            chat->files.busy = true;
        }
    }
}

/* ---- calls ---- */

static zchat_code find_chat(zchat *z, const char *user, struct chat **chat) {
    char name[NAME_BYTES];
    if (!call_check_name(z, user, name)) {
        return z->fault.code;
    }
    *chat = chats_find(z, name);
    if (!*chat || !(*chat)->opened) {
        return fault_set(&z->fault, ZCHAT_NOT_FOUND, "there is no private chat with %s", name);
    }
    if (!transfers_buffer(&z->transfers)) {
        return fault_set(&z->fault, ZCHAT_NO_MEMORY, "no memory for the file");
    }
    return ZCHAT_OK;
}

static void begin(zchat *z, struct chat *chat, struct peer_file *file) {
    file->waits = true;
    chat->files.busy = true;
    if (!z->running) {
        wake_fire(z->wake);
    }
}

bool zchat_file_name_is_plain(const char *name) {
    char clean[FILE_NAME_BYTES];
    size_t bytes = strlen(name);
    if (bytes == 0 || bytes > TITLE_BYTES_MAX || strchr(".-", name[0]) || strchr(name, '/')) {
        return false;
    }
    memcpy(clean, name, bytes + 1);
    return text_clean_line(clean, bytes) == bytes && memcmp(clean, name, bytes) == 0;
}

zchat_code zchat_private_file_check(const char *path, char *error, size_t error_bytes) {
    struct path_state state;
    struct fault fault = {.code = ZCHAT_OK};
    int fd = -1;
    zchat_code code = path_open(path, &fd, &state, &fault);
    if (code == ZCHAT_OK) {
        close(fd);
    }
    if (error_bytes > 0) {
        snprintf(error, error_bytes, "%s", code == ZCHAT_OK ? "" : fault.text);
    }
    return code;
}

static zchat_code check_source(zchat *z, const struct chat *chat, const char *path) {
    if (peer_files_pending(&chat->files) >= PRIVATE_FILES_MAX) {
        return fault_set(&z->fault, ZCHAT_BUSY, "%d files wait already: wait for one first",
                         PRIVATE_FILES_MAX);
    }
    if (!path || path[0] == '\0') {
        return fault_set(&z->fault, ZCHAT_IO, "there is no file of an empty name");
    }
    return ZCHAT_OK;
}

zchat_code zchat_private_file(zchat *z, const char *user, const char *path,
                              zchat_progress_fn *progress, zchat_reply_fn *fn, void *arg) {
    struct chat *chat = NULL;
    struct path_state state;
    zchat_id id;
    int fd = -1;
    zchat_code code = find_chat(z, user, &chat);
    if (code == ZCHAT_OK) {
        code = check_source(z, chat, path);
    }
    if (code == ZCHAT_OK) {
        code = path_open(path, &fd, &state, &z->fault);
    }
    if (code == ZCHAT_OK && !call_check_new_title(z, "a file's name", path_name(path))) {
        code = z->fault.code;
    }
    struct peer_file *file = code == ZCHAT_OK ? peer_file_add(chat, PEER_FILE_HASHING) : NULL;
    if (!file) {
        if (fd >= 0) {
            close(fd);
        }
        return code != ZCHAT_OK ? code
                                : fault_set(&z->fault, ZCHAT_NO_MEMORY, "no memory for the file");
    }
    zchat_id_new(&id);
    memcpy(file->id, id.bytes, ID_BYTES);
    strcpy(file->name, path_name(path));
    file->fn = fn;
    file->progress = progress;
    file->arg = arg;
    file->fd = fd;
    file->state = state;
    file->bytes = state.bytes;
    hash_begin(&file->hasher);
    begin(z, chat, file);
    return ZCHAT_OK;
}

/* Only a hint: others write as well. Where it can't be told, writing tells. Somebody else chose
 * the size, so a part of the disk is kept, as the broker does. */
static bool has_space(const struct peer_file *file) {
    struct statvfs disk;
    if (fstatvfs(file->fd, &disk) != 0 || disk.f_frsize == 0) {
        return true;
    }
    uint64_t kept = (uint64_t)disk.f_blocks * DISK_KEPT_PERCENT / 100;
    uint64_t kept_max = DISK_KEPT_BYTES_MAX / disk.f_frsize;
    kept = kept < kept_max ? kept : kept_max;
    return (file->bytes - file->there) / disk.f_frsize + kept <= (uint64_t)disk.f_bavail;
}

static zchat_code open_target(zchat *z, struct peer_file *file, const char *path, bool force) {
    char part[FOLDER_PATH_BYTES];
    zchat_code code = path_check_target(path, force, &z->fault);
    if (code == ZCHAT_OK) {
        code = path_open_part(path, file->hash, part, &file->fd, &file->there, &z->fault);
    }
    if (code != ZCHAT_OK) {
        return code;
    }
    file->path = strdup(path);
    file->part = strdup(part);
    if (file->there > file->bytes) {
        file->there = 0;
        if (ftruncate(file->fd, 0) != 0) {
            code = fault_set(&z->fault, ZCHAT_IO, "writing %s failed", part);
        }
    }
    if (code == ZCHAT_OK && !has_space(file)) {
        code = fault_set(&z->fault, ZCHAT_IO, "the disk has no room for %s", path);
    }
    if (!file->path || !file->part) {
        code = fault_set(&z->fault, ZCHAT_NO_MEMORY, "no memory for the file");
    }
    if (code != ZCHAT_OK) {
        if (file->there == 0) {
            unlink(part);
        }
        close_file(file);
    }
    return code;
}

zchat_code zchat_private_file_answer(zchat *z, const char *user, const zchat_id *id,
                                     const char *path, bool force, zchat_progress_fn *progress,
                                     zchat_reply_fn *fn, void *arg) {
    struct chat *chat = NULL;
    zchat_code code = find_chat(z, user, &chat);
    struct peer_file *file = code == ZCHAT_OK ? peer_file_find(chat, id->bytes, true) : NULL;
    if (code == ZCHAT_OK && (!file || file->stage != PEER_FILE_ASKED || file->refusing)) {
        code = fault_set(&z->fault, ZCHAT_NOT_FOUND, "%s offers no such file", chat->user);
    }
    if (code == ZCHAT_OK && path) {
        code = open_target(z, file, path, force);
    }
    if (code != ZCHAT_OK) {
        return code;
    }
    file->refusing = !path;
    file->stage = path ? PEER_FILE_CHECKING : PEER_FILE_ASKED;
    file->force = force;
    file->fn = fn;
    file->progress = progress;
    file->arg = arg;
    hash_begin(&file->hasher);
    begin(z, chat, file);
    return ZCHAT_OK;
}
