/* The public calls of files, in threads and in private chats. */
#include "call.h"
#include "file.h"
#include "handle.h"
#include "path.h"
#include "peer_file.h"

#include <stdio.h>
#include <string.h>

static const char TITLE[] = "the thread's title";

static zchat_code no_file(zchat *z) {
    return fault_set(&z->fault, ZCHAT_IO, "a file's name can't be empty");
}

/* ---- threads ---- */

zchat_code zchat_file_list(zchat *z, const char *title, const char *after, uint64_t after_seq,
                           uint32_t limit, zchat_reply_fn *fn, void *arg) {
    Zchat__V1__ListFilesRequest body = ZCHAT__V1__LIST_FILES_REQUEST__INIT;
    body.thread = (char *)title;
    body.after = (char *)(after && after_seq == 0 ? after : "");
    body.after_seq = after_seq;
    body.limit = limit;
    return call_check_title(z, TITLE, title)
               ? call_send(z, COMMAND(LIST_FILES), &body.base, fn, arg)
               : z->fault.code;
}

zchat_code zchat_file_delete(zchat *z, const char *title, const char *name, zchat_reply_fn *fn,
                             void *arg) {
    Zchat__V1__RemoveFileRequest body = ZCHAT__V1__REMOVE_FILE_REQUEST__INIT;
    zchat_id id;
    if (!call_check_title(z, TITLE, title) || !call_check_title(z, "the file's name", name))
        return z->fault.code;
    zchat_id_new(&id);
    body.id = call_bytes(&id);
    body.thread = (char *)title;
    body.file = (char *)name;
    return call_send_id(z, COMMAND(REMOVE_FILE), &body.base, &id, fn, arg);
}

/* The file is opened first, because a folder's path may have no last part. */
zchat_code zchat_file_put(zchat *z, const char *title, const char *path, const char *name,
                          zchat_progress_fn *progress, zchat_reply_fn *fn, void *arg) {
    struct upload *upload;
    if (!call_check_title(z, TITLE, title))
        return z->fault.code;
    if (!path || path[0] == '\0')
        return no_file(z);
    if (upload_open(&upload, &z->settings, path, &z->fault) != ZCHAT_OK)
        return z->fault.code;
    name = name ? name : path_name(path);
    if (!call_check_new_title(z, "a file's name", name)) {
        upload_close(upload);
        return z->fault.code;
    }
    if (!upload_start(&z->core.transfers, upload, title, name,
                      (struct file_caller){fn, progress, arg})) {
        upload_close(upload);
        return fault_set(&z->fault, ZCHAT_NO_MEMORY, "no memory for the upload");
    }
    return ZCHAT_OK;
}

zchat_code zchat_file_get(zchat *z, const char *title, const char *name, const char *path, int fd,
                          bool force, zchat_progress_fn *progress, zchat_reply_fn *fn, void *arg) {
    if (!call_check_title(z, TITLE, title) || !call_check_title(z, "the file's name", name))
        return z->fault.code;
    if (path && path_check_target(path, force, &z->fault) != ZCHAT_OK)
        return z->fault.code;
    const struct download_target target = {
        .title = title, .name = name, .path = path, .fd = fd, .force = force};
    return download_start(&z->core.transfers, &target, (struct file_caller){fn, progress, arg},
                          &z->fault);
}

static zchat_code fetch(zchat *z, const struct fetch_target *target, struct file_caller caller) {
    if (target->path && target->path[0] == '\0')
        return no_file(z);
    if (target->path && path_check_target(target->path, target->force, &z->fault) != ZCHAT_OK)
        return z->fault.code;
    return fetch_start(&z->core.transfers, target, caller, &z->fault);
}

zchat_code zchat_backup(zchat *z, const char *path, bool force, zchat_progress_fn *progress,
                        zchat_reply_fn *fn, void *arg) {
    const struct fetch_target target = {.path = path ? path : "", .fd = -1, .force = force};
    return fetch(z, &target, (struct file_caller){fn, progress, arg});
}

zchat_code zchat_export(zchat *z, const char *path, int fd, bool force, zchat_progress_fn *progress,
                        zchat_reply_fn *fn, void *arg) {
    const struct fetch_target target = {.as_export = true, .path = path, .fd = fd, .force = force};
    return fetch(z, &target, (struct file_caller){fn, progress, arg});
}

void zchat_file_cancel(zchat *z, const void *arg) {
    transfers_cancel(&z->core.transfers, arg);
    for (struct chat *at = z->chats.list; at; at = at->next)
        peer_files_cancel(at, arg);
    client_stir(&z->core.client);
}

/* ---- private chats ---- */

bool zchat_file_name_is_plain(const char *name) {
    char clean[FILE_NAME_BYTES];
    size_t bytes = strlen(name);
    if (bytes == 0 || bytes > TITLE_BYTES_MAX || strchr(".-", name[0]) || strchr(name, '/'))
        return false;
    memcpy(clean, name, bytes + 1);
    return text_clean_line(clean, bytes) == bytes && memcmp(clean, name, bytes) == 0;
}

zchat_code zchat_private_file_check(const char *path, char *error, size_t error_bytes) {
    struct source source;
    struct fault fault = {.code = ZCHAT_OK};
    zchat_code code = source_open(&source, path, &fault);
    source_close(&source);
    if (error_bytes > 0)
        snprintf(error, error_bytes, "%s", code == ZCHAT_OK ? "" : fault.text);
    return code;
}

/* NULL: the fault says why. */
static struct chat *find_chat(zchat *z, const char *user) {
    char name[NAME_BYTES];
    if (!call_check_name(z, user, name))
        return NULL;
    struct chat *chat = chats_find(&z->chats, name);
    if (!chat || !chat->opened) {
        fault_set(&z->fault, ZCHAT_NOT_FOUND, "there is no private chat with %s", name);
        return NULL;
    }
    if (!client_buffer(&z->core.client)) {
        fault_set(&z->fault, ZCHAT_NO_MEMORY, "no memory for the file");
        return NULL;
    }
    return chat;
}

/* If it returns ZCHAT_OK, the caller owns the source. */
static zchat_code open_source(zchat *z, const struct chat *chat, const char *path,
                              struct source *source) {
    if (peer_files_pending(&chat->files) >= PRIVATE_FILES_MAX) {
        return fault_set(&z->fault, ZCHAT_BUSY, "%d files wait already: wait for one first",
                         PRIVATE_FILES_MAX);
    }
    if (!path || path[0] == '\0')
        return no_file(z);
    if (source_open(source, path, &z->fault) == ZCHAT_OK &&
        call_check_new_title(z, "a file's name", path_name(path)))
        return ZCHAT_OK;
    source_close(source);
    return z->fault.code;
}

zchat_code zchat_private_file(zchat *z, const char *user, const char *path,
                              zchat_progress_fn *progress, zchat_reply_fn *fn, void *arg) {
    struct source source;
    struct chat *chat = find_chat(z, user);
    if (!chat || open_source(z, chat, path, &source) != ZCHAT_OK)
        return z->fault.code;
    if (!peer_file_send(chat, &source, path_name(path), (struct file_caller){fn, progress, arg})) {
        source_close(&source);
        return fault_set(&z->fault, ZCHAT_NO_MEMORY, "no memory for the file");
    }
    return ZCHAT_OK;
}

zchat_code zchat_private_file_answer(zchat *z, const char *user, const zchat_id *id,
                                     const char *path, bool force, zchat_progress_fn *progress,
                                     zchat_reply_fn *fn, void *arg) {
    struct chat *chat = find_chat(z, user);
    return chat ? peer_file_take(chat, id->bytes, path, force,
                                 (struct file_caller){fn, progress, arg}, &z->fault)
                : z->fault.code;
}
