/* Files in threads, chunk by chunk. The store keeps the bytes and their hash. */
#include "file.h"

#include "command.h"
#include "field.h"
#include "thread.h"
#include "thread_topic.h"

#include <stdio.h>
#include <string.h>

#define EXPIRE_EVERY_US (60 * 1000000LL)

/* The hash, or NULL if the client tells none. */
static const unsigned char *told_hash(const ProtobufCBinaryData *hash) {
    return hash->len == 0 ? NULL : hash->data;
}

/* Whether the hash has the right length or is not told; else the call fails. */
static bool hash_fits(struct call *call, const ProtobufCBinaryData *hash) {
    if (hash->len == 0 || hash->len == HASH_BYTES)
        return true;
    call_fail(call, REASON(BAD_VALUE), "the hash must have %d bytes", HASH_BYTES);
    return false;
}

static void begin_upload_check(struct call *call) {
    Zchat__V1__BeginUploadRequest *begin = call->command->begin_upload;
    uint64_t most = call->core->options.file_bytes_max;

    title_form(call, &begin->thread);
    title_form(call, &begin->file);
    if (!field_id_fits(call, &begin->id) || !title_fits(call, "a file's name", begin->file) ||
        !hash_fits(call, &begin->digest))
        return;
    if (begin->size > most)
        call_fail(call, REASON(FILE_TOO_LARGE),
                  "the file has %llu bytes, more than the %llu that this broker takes",
                  (unsigned long long)begin->size, (unsigned long long)most);
}

static enum store_status begin_upload_run(struct call *call) {
    const Zchat__V1__BeginUploadRequest *begin = call->command->begin_upload;
    struct store_upload upload = {
        .id = begin->id.data,
        .title = begin->thread,
        .name = begin->file,
        .account = call->session->member->account,
        .size = begin->size,
        .hash = told_hash(&begin->digest),
        .quota_bytes = call->core->options.files_bytes_max,
        .now_us = core_wall_us(call->core, call->now_us),
    };

    if (title_file_is_alike(call, begin->thread, begin->file))
        return STORE_OK;
    return call_store(call,
                      store_upload_begin(call->core->store, &upload, &call->result.upload.file));
}

static const char *begun_thread(struct call *call) {
    return call_about_title(call, call->command->begin_upload->thread);
}

static const char *begun_bytes(struct call *call) {
    return call_about_number(call, call->command->begin_upload->size);
}

static const char *most_mib(struct call *call) {
    return call_about_number(call, call->core->options.quotas.file_bytes >> 20);
}

static const struct refusal begin_upload_refusals[] = {
    TITLE_NO_THREAD(begun_thread),
    {STORE_EXISTS, REASON(TITLE_TAKEN), "the thread has a file of that name already", NULL},
    {STORE_ID_REUSED, REASON(ID_USED), "this id names something else: take a new one", NULL},
    {STORE_QUOTA_ACCOUNT, REASON(QUOTA),
     "with it your files would have more than the %s MiB that one account may have: "
     "remove some, or ask an administrator",
     most_mib},
    {STORE_NO_ROOM, REASON(STORE_FULL), "the broker has no room for %s bytes more of files",
     begun_bytes},
    {0},
};

static void begin_upload_done(struct call *call) {
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__BeginUploadResponse begun = ZCHAT__V1__BEGIN_UPLOAD_RESPONSE__INIT;

    begun.received = call->result.upload.file.received;
    begun.done = call->result.upload.file.seq != 0;
    reply.body_case = ZCHAT__V1__REPLY__BODY_BEGIN_UPLOAD;
    reply.begin_upload = &begun;
    call_reply(call, &reply);
}

const struct command_row begin_upload_row = {
    .cost = 2,
    .check = begin_upload_check,
    .run = begin_upload_run,
    .refusals = begin_upload_refusals,
    .done = begin_upload_done,
};

static void put_chunk_check(struct call *call) {
    const Zchat__V1__PutChunkRequest *put = call->command->put_chunk;

    if (put->data.len > CHUNK_BYTES_MAX)
        call_fail(call, REASON(BAD_VALUE), "a chunk has at most %d bytes", CHUNK_BYTES_MAX);
    else if (field_id_fits(call, &put->id))
        hash_fits(call, &put->digest);
}

/* For a chunk, and for giving up an upload. */
static const struct refusal upload_refusals[] = {
    {STORE_NOT_FOUND, REASON(NO_SUCH_UPLOAD), "there is no such upload: begin it again", NULL},
    {STORE_NOT_OWNER, REASON(NOT_UPLOADER), "this is somebody else's upload", NULL},
    {STORE_WRONG_OFFSET, REASON(WRONG_OFFSET),
     "the chunk does not follow what is stored, or goes beyond the file's size", NULL},
    {STORE_ID_REUSED, REASON(ID_USED),
     "this id names something else: begin the upload with a new one", NULL},
    {STORE_NO_ROOM, REASON(DISK_FULL),
     "the broker's disk has no room: send the file again once there is some", NULL},
    {STORE_MISMATCH, REASON(WRONG_DIGEST),
     "the bytes do not fit the file's hash: the upload begins anew", NULL},
    {0},
};

static void refuse_hash(struct call *call, bool told) {
    call_fail(call, told ? REASON(WRONG_DIGEST) : REASON(BAD_VALUE),
              told ? "the upload began with another hash than its last chunk tells"
                   : "the last chunk must tell the file's hash, since the upload began without it");
}

static enum store_status put_chunk_run(struct call *call) {
    const Zchat__V1__PutChunkRequest *put = call->command->put_chunk;
    const unsigned char *hash = told_hash(&put->digest);
    enum store_status status = call_store(
        call, store_upload_chunk(call->core->store, put->id.data, call->session->member->account,
                                 put->offset, put->data.data, put->data.len, hash,
                                 core_wall_us(call->core, call->now_us), &call->result.upload.file,
                                 &call->result.upload.done, &call->result.upload.thread));

    if (status == STORE_HASH_UNFIT)
        refuse_hash(call, hash);
    return status;
}

static void tell_upload(struct call *call, Zchat__V1__Upload *upload) {
    struct store_thread *thread = &call->result.upload.thread;
    Zchat__V1__ServerEvent event = ZCHAT__V1__SERVER_EVENT__INIT;
    Zchat__V1__ThreadEvent about = ZCHAT__V1__THREAD_EVENT__INIT;

    about.thread.data = thread->id;
    about.thread.len = ID_BYTES;
    about.title = thread->title;
    about.body_case = ZCHAT__V1__THREAD_EVENT__BODY_UPLOADED;
    about.uploaded = upload;
    event.seq = call->result.upload.file.seq;
    event.time_us = call->result.upload.file.time_us;
    event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_THREAD;
    event.thread = &about;
    thread_topic_add(call->core, thread, &event);
}

static void put_chunk_done(struct call *call) {
    struct store_file *file = &call->result.upload.file;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__PutChunkResponse put = ZCHAT__V1__PUT_CHUNK_RESPONSE__INIT;
    Zchat__V1__Upload upload;

    put.received = file->received;
    if (file->seq != 0) {
        upload_fill(&upload, file);
        put.upload = &upload;
    }
    if (call->result.upload.done)
        tell_upload(call, &upload);
    reply.body_case = ZCHAT__V1__REPLY__BODY_PUT_CHUNK;
    reply.put_chunk = &put;
    call_reply(call, &reply);
}

const struct command_row put_chunk_row = {
    .cost = 1,
    .check = put_chunk_check,
    .run = put_chunk_run,
    .refusals = upload_refusals,
    .done = put_chunk_done,
};

static void cancel_upload_check(struct call *call) {
    field_id_fits(call, &call->command->cancel_upload->id);
}

static enum store_status cancel_upload_run(struct call *call) {
    const ProtobufCBinaryData *id = &call->command->cancel_upload->id;

    return call_store(
        call, store_upload_cancel(call->core->store, id->data, call->session->member->account));
}

const struct command_row cancel_upload_row = {
    .cost = 1,
    .check = cancel_upload_check,
    .run = cancel_upload_run,
    .refusals = upload_refusals,
    .done = call_reply_response,
};

/* The thread's title: both commands that read have one. */
static const char *read_thread(struct call *call) {
    const Zchat__V1__Command *command = call->command;

    return call_about_title(call, command->body_case == ZCHAT__V1__COMMAND__BODY_GET_CHUNK
                                      ? command->get_chunk->thread
                                      : command->list_files->thread);
}

/* If the file is damaged, the refusal says where the damage begins. */
static const struct refusal file_refusals[] = {
    TITLE_NO_THREAD(read_thread),
    {STORE_NOT_FOUND, REASON(NO_SUCH_FILE), "the thread has no file of that name", NULL},
    {0},
};

/* One damaged piece stops neither the broker nor the file's other pieces. */
static void piece_damaged(struct call *call, const struct store_file *file, uint64_t offset) {
    struct core *core = call->core;
    uint64_t piece = offset / STORE_PIECE_BYTES;
    char source[48];

    core->stats.pieces_damaged_total++;
    snprintf(source, sizeof source, "%lld", (long long)file->file);
    core_note_rarely(core, "piece_damaged", source, "file=%lld piece=%llu", (long long)file->file,
                     (unsigned long long)piece);
    call_fail(
        call, REASON(DAMAGED),
        "the broker's disk has damaged the file: what is behind its first %llu bytes can't be "
        "read; ask for it to be uploaded again",
        (unsigned long long)offset);
}

static void get_chunk_check(struct call *call) {
    title_form(call, &call->command->get_chunk->thread);
    title_form(call, &call->command->get_chunk->file);
}

static enum store_status get_chunk_run(struct call *call) {
    const Zchat__V1__GetChunkRequest *get = call->command->get_chunk;
    size_t limit = get->limit == 0 || get->limit > CHUNK_BYTES_MAX ? CHUNK_BYTES_MAX : get->limit;
    Zchat__V1__GetChunkResponse *got = call_response(call);
    struct store_file *file = &call->result.upload.file;
    enum store_status status =
        call_store(call, store_file_find(call->core->store, get->thread, get->file, file));

    if (status != STORE_OK)
        return status;
    got->upload = call_need(call, sizeof *got->upload);
    got->data.data = wire_arena_take(call->core->reply_arena, limit);
    if (!got->data.data)
        call_fail(call, REASON(NO_MEMORY), "no memory for the chunk: ask for less at a time");
    if (call_failed(call))
        return STORE_OK;
    upload_fill(got->upload, file);
    status = call_store(call, store_file_read(call->core->store, file->file, get->offset,
                                              got->data.data, limit, &got->data.len));
    if (status == STORE_DAMAGED)
        piece_damaged(call, file, get->offset + got->data.len);
    return status;
}

const struct command_row get_chunk_row = {
    .cost = 1,
    .check = get_chunk_check,
    .run = get_chunk_run,
    .refusals = file_refusals,
    .done = call_reply_response,
};

/* A page of files. The store is asked for one more than fits, to learn whether there are more. */
struct file_list {
    struct call *call;                  /* borrowed */
    Zchat__V1__ListFilesResponse *page; /* in the call's memory */
    size_t limit;
    size_t bytes;
};

struct file_copy {
    Zchat__V1__Upload upload;
    struct store_file stored;
};

static bool list_add(void *arg, const struct store_file *stored) {
    struct file_list *list = arg;
    struct file_copy *copy = NULL;

    call_read(list->call, 1);
    if (list->page->n_files < list->limit)
        copy = call_memory(list->call, sizeof *copy);
    list->page->more = true; /* until this one is in the page */
    if (!copy)
        return false;
    copy->stored = *stored;
    upload_fill(&copy->upload, &copy->stored);
    list->bytes += wire_element_size(&copy->upload.base);
    if (list->bytes > SYNC_BYTES_MAX)
        return false;
    list->page->files[list->page->n_files++] = &copy->upload;
    list->page->after_seq = stored->seq;
    list->page->more = false;
    return true;
}

/* Where the page begins. */
static enum store_status list_begins(struct call *call, const Zchat__V1__ListFilesRequest *list,
                                     uint64_t *after_seq) {
    struct store_file *file = &call->result.upload.file;
    enum store_status status = STORE_OK;

    file->seq = list->after_seq;
    if (list->after_seq == 0 && list->after[0])
        status =
            call_store(call, store_file_find(call->core->store, list->thread, list->after, file));
    *after_seq = file->seq;
    return status;
}

static void list_files_check(struct call *call) {
    title_form(call, &call->command->list_files->thread);
    title_form(call, &call->command->list_files->after);
}

static enum store_status list_files_run(struct call *call) {
    const Zchat__V1__ListFilesRequest *wanted = call->command->list_files;
    struct file_list list = {
        .call = call, .page = call_response(call), .limit = field_limit(wanted->limit)};
    uint64_t after_seq;
    enum store_status status = list_begins(call, wanted, &after_seq);

    if (status != STORE_OK)
        return status;
    list.page->files = call_need(call, list.limit * sizeof *list.page->files);
    if (!list.page->files)
        return STORE_OK;
    return call_store(
        call, store_file_list(call->core->store, wanted->thread, after_seq, list_add, &list));
}

const struct command_row list_files_row = {
    .cost = 2,
    .check = list_files_check,
    .run = list_files_run,
    .refusals = file_refusals,
    .done = call_reply_response,
};

/* ---- deleting ---- */

static void remove_file_check(struct call *call) {
    title_form(call, &call->command->remove_file->thread);
    title_form(call, &call->command->remove_file->file);
    field_id_fits(call, &call->command->remove_file->id);
}

static enum store_status remove_file_run(struct call *call) {
    const Zchat__V1__RemoveFileRequest *wanted = call->command->remove_file;
    struct store_file_change change = {
        .id = wanted->id.data,
        .title = wanted->thread,
        .name = wanted->file,
        .account = call->session->member->account,
        .admin = call->session->admin,
        .now_us = core_wall_us(call->core, call->now_us),
    };

    return call_store(call, store_file_delete(call->core->store, &change, &call->result.deleted));
}

static const char *removed_from(struct call *call) {
    return call_about_title(call, call->command->remove_file->thread);
}

static const struct refusal remove_file_refusals[] = {
    TITLE_NO_THREAD(removed_from),
    {STORE_NOT_FOUND, REASON(NO_SUCH_FILE), "the thread has no file of that name", NULL},
    {STORE_NOT_OWNER, REASON(NOT_UPLOADER),
     "only its uploader, the thread's creator or an administrator may delete a file", NULL},
    {STORE_ID_REUSED, REASON(ID_USED), "this id names something else: take a new one", NULL},
    {0},
};

static void tell_deleted(struct call *call) {
    struct store_file_deleted *deleted = &call->result.deleted;
    Zchat__V1__ServerEvent event = ZCHAT__V1__SERVER_EVENT__INIT;
    Zchat__V1__ThreadEvent about = ZCHAT__V1__THREAD_EVENT__INIT;
    Zchat__V1__FileDeleted body = ZCHAT__V1__FILE_DELETED__INIT;

    body.id.data = deleted->id;
    body.id.len = ID_BYTES;
    body.file = call->command->remove_file->file;
    body.user = call->session->member->name;
    about.thread.data = deleted->thread.id;
    about.thread.len = ID_BYTES;
    about.title = deleted->thread.title;
    about.body_case = ZCHAT__V1__THREAD_EVENT__BODY_FILE_DELETED;
    about.file_deleted = &body;
    event.seq = deleted->seq;
    event.time_us = deleted->time_us;
    event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_THREAD;
    event.thread = &about;
    thread_topic_add(call->core, &deleted->thread, &event);
}

static void remove_file_done(struct call *call) {
    Zchat__V1__RemoveFileResponse *removed = call_response(call);

    if (!call->result.deleted.again)
        tell_deleted(call);
    removed->seq = call->result.deleted.seq;
    call_reply_response(call);
}

const struct command_row remove_file_row = {
    .cost = 2,
    .check = remove_file_check,
    .run = remove_file_run,
    .refusals = remove_file_refusals,
    .done = remove_file_done,
};

int64_t file_deadline(const struct core *core) {
    return core->expire_us;
}

void file_tick(struct core *core, int64_t now_us) {
    int64_t wall_us = core_wall_us(core, now_us);
    bool more = false;

    if (now_us < core->expire_us || !core_begin(core))
        return;
    core_store(core, store_uploads_expire(core->store, wall_us - UPLOAD_EXPIRE_S * 1000000LL,
                                          wall_us - UPLOAD_EMPTY_EXPIRE_S * 1000000LL, &more));
    core->expire_us = more ? now_us : now_us + EXPIRE_EVERY_US;
}
