/* Files in threads, chunk by chunk. The store keeps the bytes and their hash; unfinished uploads
 * are looked for now and then and give back what they reserved. */
#include "handlers.h"

#include <stdio.h>
#include <string.h>

#define EXPIRE_EVERY_US (60 * 1000000LL)

/* The hash, or NULL where the client tells none. */
static const unsigned char *told_hash(const ProtobufCBinaryData *hash) {
    return hash->len == 0 ? NULL : hash->data;
}

/* Of its length or not told; the call fails where not. */
static bool hash_fits(struct call *call, const ProtobufCBinaryData *hash) {
    if (hash->len == 0 || hash->len == HASH_BYTES)
        return true;
    call_fail(call, REASON(BAD_VALUE), "the hash must have %d bytes", HASH_BYTES);
    return false;
}

void begin_upload_check(struct call *call) {
    const Zchat__V1__BeginUploadRequest *begin = call->command->begin_upload;
    uint64_t most = call->core->options.file_bytes_max;

    if (!message_id_fits(call, &begin->id) ||
        !thread_title_fits(call, "a file's name", begin->file) || !hash_fits(call, &begin->digest))
        return;
    if (begin->size > most)
        call_fail(call, REASON(FILE_TOO_LARGE),
                  "the file has %llu bytes, more than the %llu that this broker takes",
                  (unsigned long long)begin->size, (unsigned long long)most);
}

void begin_upload_run(struct call *call) {
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
    enum store_status status;

    if (thread_file_is_alike(call, begin->thread, begin->file))
        return;
    status =
        call_store(call, store_upload_begin(call->core->store, &upload, &call->result.upload.file));
    if (status == STORE_NOT_FOUND)
        thread_not_found(call, begin->thread);
    else if (status == STORE_EXISTS)
        call_fail(call, REASON(TITLE_TAKEN), "the thread has a file of that name already");
    else if (status == STORE_ID_REUSED)
        call_fail(call, REASON(ID_USED), "this id names something else: take a new one");
    else if (status == STORE_QUOTA_ACCOUNT)
        call_fail(call, REASON(QUOTA),
                  "with it your files would have more than the %llu MiB that one account may have: "
                  "remove some, or ask an administrator",
                  (unsigned long long)(call->core->options.quotas.file_bytes >> 20));
    else if (status == STORE_QUOTA_SENDER)
        call_fail(call, REASON(STORE_FULL), "the broker has no room for %llu bytes more of files",
                  (unsigned long long)begin->size);
    call_status_told(call, status);
}

void begin_upload_done(struct call *call) {
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__BeginUploadResponse begun = ZCHAT__V1__BEGIN_UPLOAD_RESPONSE__INIT;

    begun.received = call->result.upload.file.received;
    begun.done = call->result.upload.file.seq != 0;
    reply.body_case = ZCHAT__V1__REPLY__BODY_BEGIN_UPLOAD;
    reply.begin_upload = &begun;
    call_reply(call, &reply);
}

void put_chunk_check(struct call *call) {
    const Zchat__V1__PutChunkRequest *put = call->command->put_chunk;

    if (put->data.len > CHUNK_BYTES_MAX)
        call_fail(call, REASON(BAD_VALUE), "a chunk has at most %d bytes", CHUNK_BYTES_MAX);
    else if (message_id_fits(call, &put->id))
        hash_fits(call, &put->digest);
}

static void upload_refuse(struct call *call, enum store_status status) {
    if (status == STORE_NOT_FOUND)
        call_fail(call, REASON(NO_SUCH_UPLOAD), "there is no such upload: begin it again");
    else if (status == STORE_BLOCKED)
        call_fail(call, REASON(NOT_UPLOADER), "this is somebody else's upload");
    else if (status == STORE_SELF)
        call_fail(call, REASON(WRONG_OFFSET),
                  "the chunk does not follow what is stored, or goes beyond the file's size");
    else if (status == STORE_ID_REUSED)
        call_fail(call, REASON(ID_USED),
                  "this id names something else: begin the upload with a new one");
    else if (status == STORE_QUOTA_SENDER)
        call_fail(call, REASON(DISK_FULL),
                  "the broker's disk has no room: send the file again once there is some");
    else if (status == STORE_MISMATCH)
        call_fail(call, REASON(WRONG_DIGEST),
                  "the bytes do not fit the file's hash: the upload begins anew");
    call_status_told(call, status);
}

static void refuse_hash(struct call *call, bool told) {
    call_fail(call, told ? REASON(WRONG_DIGEST) : REASON(BAD_VALUE),
              told ? "the upload began with another hash than its last chunk tells"
                   : "the last chunk must tell the file's hash, since the upload began without it");
}

void put_chunk_run(struct call *call) {
    const Zchat__V1__PutChunkRequest *put = call->command->put_chunk;
    const unsigned char *hash = told_hash(&put->digest);
    enum store_status status = call_store(
        call, store_upload_chunk(call->core->store, put->id.data, call->session->member->account,
                                 put->offset, put->data.data, put->data.len, hash,
                                 core_wall_us(call->core, call->now_us), &call->result.upload.file,
                                 &call->result.upload.done, &call->result.upload.thread));

    if (status == STORE_HASH_UNFIT)
        refuse_hash(call, hash != NULL);
    else
        upload_refuse(call, status);
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
    thread_tell(call->core, thread, &event);
}

void put_chunk_done(struct call *call) {
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

void cancel_upload_run(struct call *call) {
    const ProtobufCBinaryData *id = &call->command->cancel_upload->id;

    if (message_id_fits(call, id))
        upload_refuse(call, call_store(call, store_upload_cancel(call->core->store, id->data,
                                                                 call->session->member->account)));
}

/* Whether the thread and in it the file is there; the call fails where not. */
static bool file_find(struct call *call, const char *title, const char *name,
                      struct store_file *file) {
    struct store_thread thread;
    enum store_status status =
        call_store(call, store_file_find(call->core->store, title, name, file));

    if (status != STORE_NOT_FOUND)
        return status == STORE_OK;
    if (call_store(call, store_thread_find(call->core->store, title, &thread)) == STORE_NOT_FOUND)
        thread_not_found(call, title);
    else
        call_fail(call, REASON(NO_SUCH_FILE), "the thread has no file of that name");
    return false;
}

/* The broker goes on, and so do the file's other pieces. */
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
        "read; ask for it to be uploaded once more",
        (unsigned long long)offset);
}

void get_chunk_done(struct call *call) {
    const Zchat__V1__GetChunkRequest *get = call->command->get_chunk;
    size_t limit = get->limit == 0 || get->limit > CHUNK_BYTES_MAX ? CHUNK_BYTES_MAX : get->limit;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__GetChunkResponse got = ZCHAT__V1__GET_CHUNK_RESPONSE__INIT;
    struct store_file file;
    enum store_status status;
    Zchat__V1__Upload upload;

    if (!file_find(call, get->thread, get->file, &file))
        return;
    got.data.data = wire_arena_take(call->core->reply_arena, limit);
    if (!got.data.data)
        return;
    status = call_store(call, store_file_read(call->core->store, file.file, get->offset,
                                              got.data.data, limit, &got.data.len));
    if (status == STORE_DAMAGED)
        piece_damaged(call, &file, get->offset + got.data.len);
    if (status != STORE_OK)
        return;
    upload_fill(&upload, &file);
    got.upload = &upload;
    reply.body_case = ZCHAT__V1__REPLY__BODY_GET_CHUNK;
    reply.get_chunk = &got;
    call_reply(call, &reply);
}

/* A page of files. One more than fits is asked for, to know whether there are more. */
struct file_list {
    struct call *call; /* borrowed */
    Zchat__V1__ListFilesResponse reply;
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
    if (list->reply.n_files < list->limit)
        copy = call_memory(list->call, sizeof *copy);
    list->reply.more = true; /* until this one is in the page */
    if (!copy)
        return false;
    copy->stored = *stored;
    upload_fill(&copy->upload, &copy->stored);
    list->bytes += wire_element_size(&copy->upload.base);
    if (list->bytes > SYNC_BYTES_MAX)
        return false;
    list->reply.files[list->reply.n_files++] = &copy->upload;
    list->reply.more = false;
    return true;
}

/* Where the page begins; false, and the call fails, where there is no such file. */
static bool list_begins(struct call *call, const Zchat__V1__ListFilesRequest *list,
                        uint64_t *after_seq) {
    struct store_file file;

    *after_seq = 0;
    if (!list->after[0])
        return true;
    if (!file_find(call, list->thread, list->after, &file))
        return false;
    *after_seq = file.seq;
    return true;
}

void list_files_done(struct call *call) {
    const Zchat__V1__ListFilesRequest *wanted = call->command->list_files;
    struct file_list list = {.call = call, .limit = page_limit(wanted->limit)};
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    enum store_status status;
    uint64_t after_seq;

    if (!list_begins(call, wanted, &after_seq))
        return;
    zchat__v1__list_files_response__init(&list.reply);
    list.reply.files = call_memory(call, list.limit * sizeof *list.reply.files);
    if (!list.reply.files)
        return;
    status = call_store(
        call, store_file_list(call->core->store, wanted->thread, after_seq, list_add, &list));
    if (status == STORE_NOT_FOUND)
        thread_not_found(call, wanted->thread);
    call_status_told(call, status);
    if (status != STORE_OK)
        return;
    reply.body_case = ZCHAT__V1__REPLY__BODY_LIST_FILES;
    reply.list_files = &list.reply;
    call_reply(call, &reply);
}

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
