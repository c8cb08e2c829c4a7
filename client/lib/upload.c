/* Uploads. The broker is told about the file and says from where it wants chunks; after a lost
 * connection it is asked again. The file is hashed from its beginning while chunks are under way;
 * the last chunk tells the hash. If the file turns out to be complete already (the last answer was
 * lost), it is asked about, so that the answer can tell of it. If the name is taken, the file that
 * has it is asked about: if it is this file, from the same user, the upload is done. */
#include "file.h"
#include "limits.h"
#include "local_file.h"
#include "reply.h"
#include "text.h"
#include "upload_record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Enough for the broker to commit several chunks at a time; with more, messages beside them wait
 * longer (`zchat-bench files --beside`). */
#define WINDOW_MAX 8

enum stage {
    UPLOAD_BEGINNING, /* BeginUpload is to be sent */
    UPLOAD_BEGUN,     /* ... and not yet answered */
    UPLOAD_SENDING,
    UPLOAD_LOOKING,   /* the broker has all of it, or another file of that name */
    UPLOAD_COMPARING, /* whether that is this file, which is hashed */
};

struct upload {
    struct transfer transfer;        /* first */
    const struct settings *settings; /* borrowed */
    enum stage stage;
    struct source source;
    struct hash hash; /* of the first `hashed` bytes */
    uint64_t hashed;
    unsigned char *slice; /* owned: CHUNK_BYTES_MAX, what was last read */
    uint64_t slice_at;
    size_t slice_bytes;
    unsigned char id[ID_BYTES];
    char *record;       /* owned: the path of its record; NULL: none was made */
    bool again;         /* the id is an earlier upload's */
    uint64_t next;      /* the first byte that is not sent yet */
    bool all_sent;      /* even the chunk that ends an empty file */
    bool begun_again;   /* because the broker no longer knew it */
    struct fault taken; /* the refusal if the name is taken; code OK: it is not */
};

static struct upload *upload_of(struct transfer *transfer) {
    return (struct upload *)transfer;
}

static void forget_record(struct upload *upload) {
    if (upload->record) {
        unlink(upload->record);
        free(upload->record);
        upload->record = NULL;
    }
}

/* Has the broker free the room. It does not matter if this gets lost, because uploads expire. */
static void cancel_at_broker(struct transfers *transfers, struct upload *upload) {
    Zchat__V1__CancelUploadRequest body = ZCHAT__V1__CANCEL_UPLOAD_REQUEST__INIT;
    if (upload->stage < UPLOAD_BEGUN)
        return;
    body.id.data = upload->id;
    body.id.len = ID_BYTES;
    client_ask(transfers->client, REQUEST_TRANSFERS, COMMAND(CANCEL_UPLOAD), &body.base);
}

static void drop(struct transfers *transfers, struct transfer *transfer) {
    cancel_at_broker(transfers, upload_of(transfer));
    forget_record(upload_of(transfer));
}

static void fail_for_good(struct transfers *transfers, struct upload *upload,
                          const struct fault *fault) {
    drop(transfers, &upload->transfer);
    transfer_fail(transfers, &upload->transfer, fault);
}

static void fail_changed(struct transfers *transfers, struct upload *upload) {
    struct fault fault;
    fault_set(&fault, ZCHAT_IO, "the file %s changed while it was sent: send it again",
              upload->source.path);
    fail_for_good(transfers, upload, &fault);
}

/* Whether this slice was the last one read. */
static bool has_slice(const struct upload *upload, uint64_t offset, size_t count) {
    return count > 0 && upload->slice_at == offset && upload->slice_bytes == count;
}

/* False: it is over. */
static bool read_slice(struct transfers *transfers, struct upload *upload, uint64_t offset,
                       size_t count) {
    struct fault fault;
    if (has_slice(upload, offset, count))
        return true;
    upload->slice_at = offset;
    upload->slice_bytes = count;
    enum source_end end = source_read(&upload->source, upload->slice, count, offset);
    if (end == SOURCE_FINE)
        return true;
    upload->slice_bytes = 0;
    if (end == SOURCE_CHANGED) {
        fail_changed(transfers, upload);
        return false;
    }
    fault_set(&fault, ZCHAT_IO, "reading %s failed: %s", upload->source.path, strerror(errno));
    transfer_fail(transfers, &upload->transfer, &fault);
    return false;
}

static size_t slice_bytes(uint64_t from, uint64_t to) {
    return to - from < CHUNK_BYTES_MAX ? (size_t)(to - from) : CHUNK_BYTES_MAX;
}

/* ---- beginning ---- */

/* False: it is over. */
static bool open_record(struct transfers *transfers, struct upload *upload) {
    struct fault fault;
    char file[FOLDER_PATH_BYTES];
    const struct upload_record record = {.folder = upload->settings->folder,
                                         .broker = upload->settings->name,
                                         .user = transfers->client->session.user,
                                         .thread = upload->transfer.title,
                                         .file = upload->transfer.name,
                                         .state = &upload->source.state};
    if (upload->record)
        return true;
    zchat_code code = upload_record_open(&record, upload->id, &upload->again, file, &fault);
    if (code == ZCHAT_OK) {
        upload->record = strdup(file);
        if (!upload->record)
            code = fault_set(&fault, ZCHAT_NO_MEMORY, "no memory for the upload");
    }
    if (code != ZCHAT_OK)
        transfer_fail(transfers, &upload->transfer, &fault);
    return code == ZCHAT_OK;
}

static void begin(struct transfers *transfers, struct upload *upload) {
    if (!open_record(transfers, upload))
        return;
    Zchat__V1__BeginUploadRequest body = ZCHAT__V1__BEGIN_UPLOAD_REQUEST__INIT;
    body.id.data = upload->id;
    body.id.len = ID_BYTES;
    body.thread = upload->transfer.title;
    body.file = upload->transfer.name;
    body.size = upload->transfer.bytes;
    if (transfer_ask(transfers, &upload->transfer, COMMAND(BEGIN_UPLOAD), &body.base))
        upload->stage = UPLOAD_BEGUN;
}

static void look(struct transfers *transfers, struct upload *upload) {
    Zchat__V1__GetChunkRequest body = ZCHAT__V1__GET_CHUNK_REQUEST__INIT;
    upload->stage = UPLOAD_LOOKING;
    body.thread = upload->transfer.title;
    body.file = upload->transfer.name;
    body.offset = upload->transfer.bytes;
    body.limit = 1;
    transfer_ask(transfers, &upload->transfer, COMMAND(GET_CHUNK), &body.base);
}

static void take_begun(struct transfers *transfers, struct upload *upload,
                       const Zchat__V1__BeginUploadResponse *reply) {
    if (reply->done) {
        look(transfers, upload);
        return;
    }
    if (reply->received > upload->transfer.bytes) {
        struct fault fault;
        fault_set(&fault, ZCHAT_UNIMPLEMENTED, "the broker has more of the file than there is");
        transfer_fail(transfers, &upload->transfer, &fault);
        return;
    }
    upload->stage = UPLOAD_SENDING;
    upload->next = reply->received;
    upload->all_sent = false;
    if (reply->received > 0)
        transfer_tell(&upload->transfer, reply->received);
}

/* ---- hashing ---- */

/* The hash is made of what was sent; the chunk that ends the file waits for it. */
static bool is_behind(const struct upload *upload) {
    return !upload->all_sent && upload->hashed < upload->next;
}

/* What was last sent is hashed before something else is read. */
static bool hashes_next(const struct upload *upload) {
    return is_behind(upload) &&
           has_slice(upload, upload->hashed, slice_bytes(upload->hashed, upload->next));
}

/* If nothing is under way meanwhile, calling `progress` shows that the upload is still at work. */
static void hash_slice(struct transfers *transfers, struct upload *upload) {
    size_t count = slice_bytes(upload->hashed, upload->next);
    if (!read_slice(transfers, upload, upload->hashed, count))
        return;
    hash_add(&upload->hash, upload->slice, count);
    upload->hashed += count;
    if (upload->transfer.under_way == 0)
        transfer_tell(&upload->transfer, upload->next);
}

/* Sends the hash with the last chunk, which may have to be sent again, so the hash's state is
 * kept. */
static void tell_hash(struct upload *upload, Zchat__V1__PutChunkRequest *body) {
    struct hash hash = upload->hash;
    size_t known = (size_t)(upload->hashed - upload->next);
    hash_add(&hash, body->data.data + known, body->data.len - known);
    hash_end(&hash, upload->transfer.hash);
    body->digest.data = upload->transfer.hash;
    body->digest.len = HASH_BYTES;
}

/* ---- sending ---- */

static bool may_send(const struct transfers *transfers, const struct upload *upload) {
    bool last = upload->transfer.bytes - upload->next <= CHUNK_BYTES_MAX;
    return !upload->all_sent && !upload->transfer.over && !(last && is_behind(upload)) &&
           transfer_has_room(transfers, &upload->transfer);
}

static void send_chunk(struct transfers *transfers, struct upload *upload) {
    size_t count = slice_bytes(upload->next, upload->transfer.bytes);
    if (!read_slice(transfers, upload, upload->next, count))
        return;
    Zchat__V1__PutChunkRequest body = ZCHAT__V1__PUT_CHUNK_REQUEST__INIT;
    body.id.data = upload->id;
    body.id.len = ID_BYTES;
    body.offset = upload->next;
    body.data.data = upload->slice;
    body.data.len = count;
    if (upload->next + count == upload->transfer.bytes) {
        if (!source_ends(&upload->source)) {
            fail_changed(transfers, upload);
            return;
        }
        tell_hash(upload, &body);
    }
    if (transfer_ask(transfers, &upload->transfer, COMMAND(PUT_CHUNK), &body.base)) {
        upload->next += count;
        upload->all_sent = upload->next == upload->transfer.bytes;
    }
}

static void done(struct transfers *transfers, struct upload *upload,
                 const Zchat__V1__Upload *facts) {
    zchat_upload told;
    reply_upload(facts, &told);
    forget_record(upload);
    transfer_done(transfers, &upload->transfer, &told);
}

static void take_put(struct transfers *transfers, struct upload *upload,
                     const Zchat__V1__PutChunkResponse *reply) {
    transfer_tell(&upload->transfer, reply->received);
    if (reply->upload && !upload->transfer.over)
        done(transfers, upload, reply->upload);
}

/* Only a file that this user uploaded, and that is as long, can be this file. */
static void compare(struct transfers *transfers, struct upload *upload,
                    const Zchat__V1__Upload *facts) {
    if (strcmp(facts->user, transfers->client->session.user) != 0 ||
        facts->size != upload->transfer.bytes || facts->digest.len != HASH_BYTES) {
        transfer_fail(transfers, &upload->transfer, &upload->taken);
        return;
    }
    memcpy(upload->transfer.hash, facts->digest.data, HASH_BYTES);
    upload->stage = UPLOAD_COMPARING;
}

static void compare_slice(struct transfers *transfers, struct upload *upload) {
    unsigned char is[HASH_BYTES];
    struct hash hash;
    size_t count = slice_bytes(upload->hashed, upload->transfer.bytes);
    if (count > 0) {
        if (read_slice(transfers, upload, upload->hashed, count)) {
            hash_add(&upload->hash, upload->slice, count);
            upload->hashed += count;
            transfer_tell(&upload->transfer, upload->hashed);
        }
        return;
    }
    hash = upload->hash;
    hash_end(&hash, is);
    if (memcmp(is, upload->transfer.hash, HASH_BYTES) != 0) {
        transfer_fail(transfers, &upload->transfer, &upload->taken);
        return;
    }
    upload->taken.code = ZCHAT_OK;
    look(transfers, upload);
}

static void take_look(struct transfers *transfers, struct upload *upload,
                      const Zchat__V1__GetChunkResponse *reply) {
    if (!reply->upload) {
        struct fault fault;
        fault_set(&fault, ZCHAT_UNIMPLEMENTED, "the broker's answer lacks a part");
        transfer_fail(transfers, &upload->transfer, &fault);
        return;
    }
    if (upload->taken.code != ZCHAT_OK) {
        compare(transfers, upload, reply->upload);
        return;
    }
    transfer_tell(&upload->transfer, upload->transfer.bytes);
    if (!upload->transfer.over)
        done(transfers, upload, reply->upload);
}

/* ---- what goes wrong ---- */

/* True: the upload goes on. */
static bool begin_anew(struct transfers *transfers, struct upload *upload, command_number asked,
                       const Zchat__V1__CommandError *error) {
    bool stale = asked == COMMAND(BEGIN_UPLOAD) && upload->again &&
                 error->code == ZCHAT__V1__CODE__CODE_CONFLICT;
    bool lost = asked == COMMAND(PUT_CHUNK) && error->code == ZCHAT__V1__CODE__CODE_NOT_FOUND;
    if ((!stale && !lost) || upload->begun_again)
        return false;
    if (stale)
        forget_record(upload);
    upload->begun_again = true;
    transfer_restart(transfers, &upload->transfer, 0);
    return true;
}

/* It may once the user is logged in again, or the broker's disk has room. */
static bool may_resume(command_number asked, const Zchat__V1__CommandError *error) {
    return error->code == ZCHAT__V1__CODE__CODE_AUTH ||
           (error->code == ZCHAT__V1__CODE__CODE_BUSY && asked == COMMAND(PUT_CHUNK));
}

/* True: the broker is asked about the file that has the name. */
static bool look_at_taken(struct transfers *transfers, struct upload *upload, command_number asked,
                          const Zchat__V1__CommandError *error) {
    if (asked != COMMAND(BEGIN_UPLOAD) || error->code != ZCHAT__V1__CODE__CODE_CONFLICT)
        return false;
    text_clean_line(error->message, strlen(error->message));
    fault_set(&upload->taken, ZCHAT_CONFLICT, "%s", error->message);
    forget_record(upload);
    look(transfers, upload);
    return true;
}

static void refuse(struct transfers *transfers, struct transfer *transfer,
                   const struct request *request, const Zchat__V1__CommandError *error) {
    struct upload *upload = upload_of(transfer);
    if (begin_anew(transfers, upload, request->command, error) ||
        look_at_taken(transfers, upload, request->command, error))
        return;
    if (request->command == COMMAND(GET_CHUNK) && upload->taken.code != ZCHAT_OK) {
        transfer_fail(transfers, transfer, &upload->taken);
        return;
    }
    if (request->command == COMMAND(PUT_CHUNK) && error->code == ZCHAT__V1__CODE__CODE_INVALID) {
        fail_changed(transfers, upload);
        return;
    }
    if (!may_resume(request->command, error))
        forget_record(upload);
    transfer_refuse(transfers, transfer, error);
}

/* ---- the kind ---- */

static void take_reply(struct transfers *transfers, struct transfer *transfer,
                       const struct request *request, const Zchat__V1__Reply *reply) {
    struct upload *upload = upload_of(transfer);
    switch (request->command) {
    case COMMAND(BEGIN_UPLOAD):
        take_begun(transfers, upload, reply->begin_upload);
        break;
    case COMMAND(PUT_CHUNK):
        take_put(transfers, upload, reply->put_chunk);
        break;
    default:
        take_look(transfers, upload, reply->get_chunk);
        break;
    }
}

static bool step(struct transfers *transfers, struct transfer *transfer) {
    struct upload *upload = upload_of(transfer);
    if (upload->stage == UPLOAD_BEGINNING && transfers->client->session.live)
        begin(transfers, upload);
    if (upload->stage == UPLOAD_COMPARING) {
        compare_slice(transfers, upload);
        return !transfer->over && upload->stage == UPLOAD_COMPARING;
    }
    if (upload->stage != UPLOAD_SENDING || !transfers->client->session.live)
        return false;
    if (may_send(transfers, upload) && !hashes_next(upload))
        send_chunk(transfers, upload);
    else if (is_behind(upload))
        hash_slice(transfers, upload);
    /* Frames are sent between two steps. */
    return !transfer->over && (is_behind(upload) || may_send(transfers, upload));
}

static void restart(struct transfer *transfer) {
    upload_of(transfer)->stage = UPLOAD_BEGINNING;
}

static void release(struct transfer *transfer) {
    struct upload *upload = upload_of(transfer);
    source_close(&upload->source);
    free(upload->record);
    free(upload->slice);
    free(upload);
}

static const struct transfer_kind kind = {
    step, take_reply, refuse, restart, drop, release, .window_max = WINDOW_MAX,
};

static zchat_code prepare(struct upload *upload, const char *path, struct fault *fault) {
    upload->slice = malloc(CHUNK_BYTES_MAX);
    zchat_code code = source_open(&upload->source, path, fault);
    if (code == ZCHAT_OK && !upload->slice)
        code = fault_set(fault, ZCHAT_NO_MEMORY, "no memory for the upload");
    upload->transfer.bytes = upload->source.state.bytes;
    hash_begin(&upload->hash);
    return code;
}

zchat_code upload_open(struct upload **out, const struct settings *settings, const char *path,
                       struct fault *fault) {
    struct upload *upload = aligned_alloc(_Alignof(struct upload), sizeof *upload);
    *out = NULL;
    if (!upload)
        return fault_set(fault, ZCHAT_NO_MEMORY, "no memory for the upload");
    *upload = (struct upload){.settings = settings};
    zchat_code code = prepare(upload, path, fault);
    if (code != ZCHAT_OK) {
        release(&upload->transfer);
        return code;
    }
    *out = upload;
    return ZCHAT_OK;
}

void upload_close(struct upload *upload) {
    release(&upload->transfer);
}

bool upload_start(struct transfers *transfers, struct upload *upload, const char *title,
                  const char *name, struct file_caller caller) {
    transfer_name(&upload->transfer, title, name, caller);
    return transfers_add(transfers, &upload->transfer, &kind);
}
