/* Downloads. The first chunk tells the file's size and hash, and so the name of the part file. If
 * that is there already its bytes are hashed. Then chunks are asked for from its end on, a window
 * at a time, and written in order as they come. A download to an fd always begins at the beginning.
 * The name that the broker gives the file is never a path here: the caller says where it goes. */
#include "file.h"
#include "limits.h"
#include "path.h"
#include "reply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
    char *path; /* owned: the target; NULL: the caller owns the fd */
    char *part; /* owned: the part file's path; NULL: there is none */
    int fd;     /* owned if there is a path; -1: not open */
    bool force;
    struct hash hash;
    uint64_t there;   /* bytes that the part file had at first */
    uint64_t written; /* ... and has now, all of them hashed */
    uint64_t next;    /* the first byte not yet asked for, or not yet hashed */
};

static struct download *download_of(struct transfer *transfer) {
    return (struct download *)transfer;
}

static void remove_part(struct download *download) {
    if (download->part) {
        unlink(download->part);
        free(download->part);
        download->part = NULL;
    }
}

/* Where the file goes, for sentences. */
static const char *target(const struct download *download) {
    return download->path ? download->path : "the output";
}

/* If the disk is full, its room is given back. */
static void fail_io(struct transfers *transfers, struct download *download, const char *what) {
    struct fault fault;
    int error = errno;
    if (error == ENOSPC || error == EDQUOT)
        remove_part(download);
    errno = error;
    fault_set(&fault, ZCHAT_IO, "%s %s failed: %s", what, target(download), strerror(errno));
    transfer_fail(transfers, &download->transfer, &fault);
}

/* Fails, and removes the bytes that came, because they are of no use. */
static void fail_for_good(struct transfers *transfers, struct download *download, zchat_code code,
                          const char *sentence) {
    struct fault fault;
    remove_part(download);
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
    if (download->written == transfer->bytes && transfer->under_way == 0) {
        ask(transfers, download, download->written, 1);
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
static bool open_part(struct transfers *transfers, struct download *download) {
    struct fault fault;
    char part[FOLDER_PATH_BYTES];
    zchat_code code = path_open_part(download->path, download->transfer.hash, part, &download->fd,
                                     &download->there, &fault);
    if (code != ZCHAT_OK) {
        transfer_fail(transfers, &download->transfer, &fault);
        return false;
    }
    download->part = strdup(part);
    if (download->there > download->transfer.bytes) {
        download->there = 0;
        if (ftruncate(download->fd, 0) != 0) {
            fail_io(transfers, download, "writing");
            return false;
        }
    }
    if (!download->part) {
        fault_set(&fault, ZCHAT_NO_MEMORY, "no memory for the download");
        transfer_fail(transfers, &download->transfer, &fault);
    }
    return download->part != NULL;
}

static void hash_slice(struct transfers *transfers, struct download *download) {
    size_t count = chunk_bytes(download->next, download->there);
    if (!path_read(download->fd, transfers->client->buffer, count, download->next)) {
        fail_io(transfers, download, "reading the part of");
        return;
    }
    hash_add(&download->hash, transfers->client->buffer, count);
    download->next += count;
    if (download->next < download->there)
        return;
    if (lseek(download->fd, (off_t)download->there, SEEK_SET) < 0) {
        fail_io(transfers, download, "reading the part of");
        return;
    }
    download->written = download->there;
    download->stage = DOWNLOAD_FETCHING;
    transfer_tell(&download->transfer, download->written);
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
    if (download->path) {
        if (path_publish(download->fd, download->part, download->path, download->force, &fault) !=
            ZCHAT_OK) {
            if (fault.code == ZCHAT_IO)
                remove_part(download);
            transfer_fail(transfers, &download->transfer, &fault);
            return;
        }
        free(download->part);
        download->part = NULL;
    }
    reply_upload(facts, &told);
    transfer_done(transfers, &download->transfer, &told);
}

static void take_bytes(struct transfers *transfers, struct download *download, uint64_t offset,
                       const Zchat__V1__GetChunkResponse *reply) {
    struct transfer *transfer = &download->transfer;
    size_t wanted = chunk_bytes(offset, transfer->bytes);
    size_t count = reply->data.len;
    if (offset != download->written || count > wanted || (count == 0 && wanted > 0)) {
        fail_for_good(transfers, download, ZCHAT_UNIMPLEMENTED,
                      "the broker's chunks do not fit the file's size");
        return;
    }
    if (!path_write(download->fd, reply->data.data, count)) {
        fail_io(transfers, download, "writing to");
        return;
    }
    hash_add(&download->hash, reply->data.data, count);
    download->written += count;
    if (download->path)
        path_write_out(download->fd, download->written, count);
    transfer_tell(transfer, download->written);
    if (transfer->over)
        return;
    if (download->written == transfer->bytes)
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
    if (download->path && !open_part(transfers, download))
        return;
    if (download->there > 0) {
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
        remove_part(download_of(transfer));
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
        download->next = download->written;
}

static void drop(struct transfers *transfers, struct transfer *transfer) {
    (void)transfers;
    remove_part(download_of(transfer));
}

static void release(struct transfer *transfer) {
    struct download *download = download_of(transfer);
    if (download->stage == DOWNLOAD_FETCHING && download->written == 0)
        remove_part(download);
    if (download->path && download->fd >= 0)
        close(download->fd);
    free(download->path);
    free(download->part);
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
    *download = (struct download){.path = target->path ? strdup(target->path) : NULL,
                                  .fd = target->path ? -1 : target->fd,
                                  .force = target->force};
    transfer_name(&download->transfer, target->title, target->name, caller);
    if ((target->path && !download->path) ||
        !transfers_add(transfers, &download->transfer, &kind)) {
        release(&download->transfer);
        return fault_set(fault, ZCHAT_NO_MEMORY, "no memory for the download");
    }
    return ZCHAT_OK;
}
