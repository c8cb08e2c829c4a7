/* Downloads. The first chunk tells the file's size and hash, and so the name of the part file. If
 * that is there already its bytes are hashed. Then chunks are asked for from its end on, a window
 * at a time, and written in order as they come. A download to an fd always begins at the beginning.
 * The name that the broker gives the file is never a path here: the caller says where it goes. */
#include "file.h"
#include "limits.h"
#include "local_file.h"
#include "reply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum stage {
    DOWNLOAD_ASKING,  /* for the first chunk */
    DOWNLOAD_HASHING, /* what is there already */
    DOWNLOAD_FETCHING,
};

/* The broker refuses to have more bytes than one frame under way to one client. */
#define WINDOW_MAX (FRAME_BYTES_MAX / CHUNK_BYTES_MAX)

struct download {
    struct transfer transfer; /* first */
    enum stage stage;
    struct target target;
    struct hash hash; /* of all that was written */
    uint64_t next;    /* the first byte not yet asked for, or not yet hashed */
};

static struct download *download_of(struct transfer *transfer) {
    return (struct download *)transfer;
}

/* If the disk is full, its room is given back. */
static void fail_io(struct transfers *transfers, struct download *download, const char *what) {
    struct fault fault;
    int error = errno;
    if (error == ENOSPC || error == EDQUOT)
        target_drop(&download->target);
    errno = error;
    fault_set(&fault, ZCHAT_IO, "%s %s failed: %s", what, target_text(&download->target),
              strerror(errno));
    transfer_fail(transfers, &download->transfer, &fault);
}

/* Fails, and removes the bytes that came, because they are of no use. */
static void fail_for_good(struct transfers *transfers, struct download *download, zchat_code code,
                          const char *sentence) {
    struct fault fault;
    target_drop(&download->target);
    fault_set(&fault, code, "%s: %s", download->transfer.name, sentence);
    transfer_fail(transfers, &download->transfer, &fault);
}

static size_t chunk_bytes(uint64_t from, uint64_t to) {
    return to - from < CHUNK_BYTES_MAX ? (size_t)(to - from) : CHUNK_BYTES_MAX;
}

/* ---- asking ---- */

static void ask(struct transfers *transfers, struct download *download, uint64_t offset,
                size_t limit) {
    Zchat__V1__GetChunkRequest body = ZCHAT__V1__GET_CHUNK_REQUEST__INIT;
    body.thread = download->transfer.title;
    body.file = download->transfer.name;
    body.offset = offset;
    body.limit = (uint32_t)limit;
    struct request *request =
        transfer_ask(transfers, &download->transfer, COMMAND(GET_CHUNK), &body.base);
    if (request)
        request->offset = offset;
}

/* A file that is whole already is asked about once more, for what the answer tells of it. */
static void ask_window(struct transfers *transfers, struct download *download) {
    struct transfer *transfer = &download->transfer;
    if (download->target.written == transfer->bytes && transfer->under_way == 0) {
        ask(transfers, download, download->target.written, 1);
        return;
    }
    while (download->next < transfer->bytes && !transfer->over &&
           transfer_has_room(transfers, transfer)) {
        size_t count = chunk_bytes(download->next, transfer->bytes);
        ask(transfers, download, download->next, count);
        download->next += count;
    }
}

/* ---- what is there already ---- */

/* Opens the part file. False: the download is over. */
static bool open_target(struct transfers *transfers, struct download *download) {
    struct transfer *transfer = &download->transfer;
    struct fault fault;
    zchat_code code = target_open(&download->target, transfer->hash, transfer->bytes, &fault);
    if (code != ZCHAT_OK)
        transfer_fail(transfers, transfer, &fault);
    return code == ZCHAT_OK;
}

static void hash_slice(struct transfers *transfers, struct download *download) {
    struct target *target = &download->target;
    size_t count = chunk_bytes(download->next, target->there);
    if (!target_read(target, transfers->client->buffer, count, download->next)) {
        fail_io(transfers, download, "reading the part of");
        return;
    }
    hash_add(&download->hash, transfers->client->buffer, count);
    download->next += count;
    if (download->next < target->there)
        return;
    if (!target_go_on(target)) {
        fail_io(transfers, download, "reading the part of");
        return;
    }
    download->stage = DOWNLOAD_FETCHING;
    transfer_tell(&download->transfer, download->target.written);
}

/* ---- chunks ---- */

static void finish(struct transfers *transfers, struct download *download,
                   const Zchat__V1__Upload *facts) {
    unsigned char is[HASH_BYTES];
    struct fault fault;
    zchat_upload told;
    hash_end(&download->hash, is);
    if (memcmp(is, download->transfer.hash, HASH_BYTES) != 0) {
        fail_for_good(transfers, download, ZCHAT_IO,
                      "what arrived does not fit its hash; get it again");
        return;
    }
    if (target_publish(&download->target, &fault) != ZCHAT_OK) {
        if (fault.code == ZCHAT_IO)
            target_drop(&download->target);
        transfer_fail(transfers, &download->transfer, &fault);
        return;
    }
    reply_upload(facts, &told);
    transfer_done(transfers, &download->transfer, &told);
}

static void take_bytes(struct transfers *transfers, struct download *download, uint64_t offset,
                       const Zchat__V1__GetChunkResponse *reply) {
    struct transfer *transfer = &download->transfer;
    size_t wanted = chunk_bytes(offset, transfer->bytes);
    size_t count = reply->data.len;
    if (offset != download->target.written || count > wanted || (count == 0 && wanted > 0)) {
        fail_for_good(transfers, download, ZCHAT_UNIMPLEMENTED,
                      "the broker's chunks do not fit the file's size");
        return;
    }
    if (!target_write(&download->target, reply->data.data, count)) {
        fail_io(transfers, download, "writing to");
        return;
    }
    hash_add(&download->hash, reply->data.data, count);
    transfer_tell(transfer, download->target.written);
    if (transfer->over)
        return;
    if (download->target.written == transfer->bytes)
        finish(transfers, download, reply->upload);
    else if (count < wanted) /* chunks under way would leave a hole */
        transfer_restart(transfers, transfer, 0);
}

static void take_first(struct transfers *transfers, struct download *download,
                       const Zchat__V1__GetChunkResponse *reply) {
    struct transfer *transfer = &download->transfer;
    transfer->bytes = reply->upload->size;
    memcpy(transfer->hash, reply->upload->digest.data, HASH_BYTES);
    hash_begin(&download->hash);
    if (download->target.path && !open_target(transfers, download))
        return;
    if (download->target.there > 0) {
        download->next = 0;
        download->stage = DOWNLOAD_HASHING;
        return;
    }
    download->stage = DOWNLOAD_FETCHING;
    download->next = reply->data.len;
    take_bytes(transfers, download, 0, reply);
}

static bool is_same(const struct transfer *transfer, const Zchat__V1__Upload *facts) {
    return facts->size == transfer->bytes &&
           memcmp(facts->digest.data, transfer->hash, HASH_BYTES) == 0;
}

static void take_reply(struct transfers *transfers, struct transfer *transfer,
                       const struct request *request, const Zchat__V1__Reply *reply) {
    struct download *download = download_of(transfer);
    const Zchat__V1__GetChunkResponse *chunk = reply->get_chunk;
    if (!chunk->upload || chunk->upload->digest.len != HASH_BYTES) {
        fail_for_good(transfers, download, ZCHAT_UNIMPLEMENTED, "the broker's answer lacks a part");
    } else if (download->stage == DOWNLOAD_ASKING) {
        take_first(transfers, download, chunk);
    } else if (!is_same(transfer, chunk->upload)) {
        fail_for_good(transfers, download, ZCHAT_CONFLICT,
                      "another file took its place while it was read; get it again");
    } else {
        take_bytes(transfers, download, request->offset, chunk);
    }
}

static void refuse(struct transfers *transfers, struct transfer *transfer,
                   const struct request *request, const Zchat__V1__CommandError *error) {
    (void)request;
    if (error->code == ZCHAT__V1__CODE__CODE_NOT_FOUND)
        target_drop(&download_of(transfer)->target);
    transfer_refuse(transfers, transfer, error);
}

/* ---- the kind ---- */

static bool step(struct transfers *transfers, struct transfer *transfer) {
    struct download *download = download_of(transfer);
    switch (download->stage) {
    case DOWNLOAD_ASKING:
        if (transfers->client->session.live && transfer->under_way == 0)
            ask(transfers, download, 0, CHUNK_BYTES_MAX);
        return false;
    case DOWNLOAD_HASHING:
        hash_slice(transfers, download);
        return !transfer->over;
    case DOWNLOAD_FETCHING:
        if (transfers->client->session.live)
            ask_window(transfers, download);
        break;
    }
    return false;
}

static void restart(struct transfer *transfer) {
    struct download *download = download_of(transfer);
    if (download->stage == DOWNLOAD_FETCHING)
        download->next = download->target.written;
}

static void drop(struct transfers *transfers, struct transfer *transfer) {
    (void)transfers;
    target_drop(&download_of(transfer)->target);
}

static void release(struct transfer *transfer) {
    struct download *download = download_of(transfer);
    if (download->stage == DOWNLOAD_FETCHING && download->target.written == 0)
        target_drop(&download->target);
    target_close(&download->target);
    free(download);
}

static const struct transfer_kind kind = {
    step, take_reply, refuse, restart, drop, release, .window_max = WINDOW_MAX,
};

zchat_code download_start(struct transfers *transfers, const struct download_target *target,
                          struct file_caller caller, struct fault *fault) {
    struct download *download = aligned_alloc(_Alignof(struct download), sizeof *download);
    if (!download)
        return fault_set(fault, ZCHAT_NO_MEMORY, "no memory for the download");
    *download = (struct download){.stage = DOWNLOAD_ASKING};
    if (!target->path)
        target_name_fd(&download->target, target->fd);
    bool named = !target->path || target_name(&download->target, target->path, target->force);
    transfer_name(&download->transfer, target->title, target->name, caller);
    if (!named || !transfers_add(transfers, &download->transfer, &kind)) {
        release(&download->transfer);
        return fault_set(fault, ZCHAT_NO_MEMORY, "no memory for the download");
    }
    return ZCHAT_OK;
}
