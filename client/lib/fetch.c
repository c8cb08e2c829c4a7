/* Fetches a backup or an export of the broker: asks for one, which takes as long as it takes, reads
 * it in a window of chunks, and tells the broker that it may remove its own. The broker keeps it
 * for one session: after a lost connection there is none to go on with. */
#include "file.h"
#include "limits.h"
#include "local_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum stage {
    FETCH_STARTING,
    FETCH_READING,
    FETCH_ENDING, /* the file is whole here, and has its name */
};

#define WINDOW_MAX (FRAME_BYTES_MAX / CHUNK_BYTES_MAX)

struct fetch {
    struct transfer transfer; /* first */
    enum stage stage;
    bool as_export;
    struct target target;
    struct hash hash; /* of all that was written */
    uint64_t next;    /* the first byte not yet asked for */
    zchat_upload made;
};

static struct fetch *fetch_of(struct transfer *transfer) {
    return (struct fetch *)transfer;
}

/* Fails; what came is of no use. */
static void fail(struct transfers *transfers, struct fetch *fetch, zchat_code code,
                 const char *sentence) {
    struct fault fault;
    target_drop(&fetch->target);
    fault_set(&fault, code, "%s: %s", target_text(&fetch->target), sentence);
    transfer_fail(transfers, &fetch->transfer, &fault);
}

/* ---- asking ---- */

static void ask(struct transfers *transfers, struct fetch *fetch, command_number command,
                ProtobufCMessage *body, uint64_t offset) {
    struct request *request = transfer_ask(transfers, &fetch->transfer, command, body);
    if (request)
        request->offset = offset;
}

static void ask_to_start(struct transfers *transfers, struct fetch *fetch) {
    Zchat__V1__StartBackupRequest body = ZCHAT__V1__START_BACKUP_REQUEST__INIT;
    if (fetch->as_export)
        body.format = ZCHAT__V1__BACKUP_FORMAT__BACKUP_FORMAT_EXPORT;
    ask(transfers, fetch, COMMAND(START_BACKUP), &body.base, 0);
}

static void ask_to_end(struct transfers *transfers, struct fetch *fetch) {
    Zchat__V1__EndBackupRequest body = ZCHAT__V1__END_BACKUP_REQUEST__INIT;
    ask(transfers, fetch, COMMAND(END_BACKUP), &body.base, 0);
}

static size_t chunk_bytes(uint64_t from, uint64_t to) {
    return to - from < CHUNK_BYTES_MAX ? (size_t)(to - from) : CHUNK_BYTES_MAX;
}

static void ask_window(struct transfers *transfers, struct fetch *fetch) {
    struct transfer *transfer = &fetch->transfer;
    while (fetch->next < transfer->bytes && !transfer->over &&
           transfer_has_room(transfers, transfer)) {
        Zchat__V1__ReadBackupRequest body = ZCHAT__V1__READ_BACKUP_REQUEST__INIT;
        body.offset = fetch->next;
        body.limit = (uint32_t)chunk_bytes(fetch->next, transfer->bytes);
        ask(transfers, fetch, COMMAND(READ_BACKUP), &body.base, fetch->next);
        fetch->next += body.limit;
    }
}

/* ---- answers ---- */

static void take_start(struct transfers *transfers, struct fetch *fetch,
                       const Zchat__V1__StartBackupResponse *reply) {
    struct transfer *transfer = &fetch->transfer;
    struct fault fault;
    if (reply->digest.len != HASH_BYTES || reply->size == 0) {
        fail(transfers, fetch, ZCHAT_UNIMPLEMENTED, "the broker's answer lacks a part");
        return;
    }
    transfer->bytes = reply->size;
    memcpy(transfer->hash, reply->digest.data, HASH_BYTES);
    fetch->made = (zchat_upload){.user = "",
                                 .file = transfer->name,
                                 .size = reply->size,
                                 .time_us = reply->time_us,
                                 .damaged = reply->damaged};
    memcpy(fetch->made.hash, transfer->hash, HASH_BYTES);
    hash_begin(&fetch->hash);
    if (fetch->target.path &&
        target_open(&fetch->target, transfer->hash, transfer->bytes, &fault) != ZCHAT_OK) {
        transfer_fail(transfers, transfer, &fault);
        return;
    }
    fetch->stage = FETCH_READING;
    transfer_tell(transfer, 0);
}

static void finish(struct transfers *transfers, struct fetch *fetch) {
    unsigned char is[HASH_BYTES];
    struct fault fault;
    hash_end(&fetch->hash, is);
    if (memcmp(is, fetch->transfer.hash, HASH_BYTES) != 0) {
        fail(transfers, fetch, ZCHAT_IO, "what arrived does not fit its hash; make it again");
    } else if (target_publish(&fetch->target, &fault) != ZCHAT_OK) {
        target_drop(&fetch->target);
        transfer_fail(transfers, &fetch->transfer, &fault);
    } else {
        fetch->stage = FETCH_ENDING;
        ask_to_end(transfers, fetch);
    }
}

static void fail_write(struct transfers *transfers, struct fetch *fetch) {
    fail(transfers, fetch, ZCHAT_IO, strerror(errno));
}

static void take_bytes(struct transfers *transfers, struct fetch *fetch, uint64_t offset,
                       const ProtobufCBinaryData *data) {
    struct transfer *transfer = &fetch->transfer;
    if (offset != fetch->target.written || data->len != chunk_bytes(offset, transfer->bytes)) {
        fail(transfers, fetch, ZCHAT_UNIMPLEMENTED,
             "the broker's chunks do not fit the backup's size");
        return;
    }
    if (!target_write(&fetch->target, data->data, data->len)) {
        fail_write(transfers, fetch);
        return;
    }
    hash_add(&fetch->hash, data->data, data->len);
    transfer_tell(transfer, fetch->target.written);
    if (!transfer->over && fetch->target.written == transfer->bytes)
        finish(transfers, fetch);
}

static void take_reply(struct transfers *transfers, struct transfer *transfer,
                       const struct request *request, const Zchat__V1__Reply *reply) {
    struct fetch *fetch = fetch_of(transfer);
    switch (fetch->stage) {
    case FETCH_STARTING:
        take_start(transfers, fetch, reply->start_backup);
        break;
    case FETCH_READING:
        take_bytes(transfers, fetch, request->offset, &reply->read_backup->data);
        break;
    case FETCH_ENDING:
        transfer_done(transfers, transfer, &fetch->made);
        break;
    }
}

/* The broker removes its backup with the session at the latest. */
static void refuse(struct transfers *transfers, struct transfer *transfer,
                   const struct request *request, const Zchat__V1__CommandError *error) {
    struct fetch *fetch = fetch_of(transfer);
    (void)request;
    if (fetch->stage == FETCH_ENDING) {
        transfer_done(transfers, transfer, &fetch->made);
        return;
    }
    target_drop(&fetch->target);
    transfer_refuse(transfers, transfer, error);
}

/* ---- the kind ---- */

static bool step(struct transfers *transfers, struct transfer *transfer) {
    struct fetch *fetch = fetch_of(transfer);
    bool live = transfers->client->session.live;
    if (live && fetch->stage == FETCH_STARTING && transfer->under_way == 0)
        ask_to_start(transfers, fetch);
    else if (live && fetch->stage == FETCH_READING)
        ask_window(transfers, fetch);
    else if (live && fetch->stage == FETCH_ENDING && transfer->under_way == 0)
        ask_to_end(transfers, fetch);
    return false;
}

/* Asks for the rest; the broker says if it is another session's by now. */
static void restart(struct transfer *transfer) {
    struct fetch *fetch = fetch_of(transfer);
    fetch->next = fetch->target.written;
}

static void drop(struct transfers *transfers, struct transfer *transfer) {
    (void)transfers;
    target_drop(&fetch_of(transfer)->target);
}

static void release(struct transfer *transfer) {
    struct fetch *fetch = fetch_of(transfer);
    if (fetch->stage != FETCH_ENDING)
        target_drop(&fetch->target);
    target_close(&fetch->target);
    free(fetch);
}

static const struct transfer_kind kind = {
    step, take_reply, refuse, restart, drop, release, .window_max = WINDOW_MAX,
};

zchat_code fetch_start(struct transfers *transfers, const struct fetch_target *target,
                       struct file_caller caller, struct fault *fault) {
    struct fetch *fetch = aligned_alloc(_Alignof(struct fetch), sizeof *fetch);
    if (!fetch)
        return fault_set(fault, ZCHAT_NO_MEMORY, "no memory for the backup");
    *fetch = (struct fetch){.stage = FETCH_STARTING, .as_export = target->as_export};
    bool named = true;
    if (target->path)
        named = target_name(&fetch->target, target->path, target->force);
    else
        target_name_fd(&fetch->target, target->fd);
    transfer_name(&fetch->transfer, "", target->as_export ? "export" : "backup", caller);
    if (!named || !transfers_add(transfers, &fetch->transfer, &kind)) {
        release(&fetch->transfer);
        return fault_set(fault, ZCHAT_NO_MEMORY, "no memory for the backup");
    }
    return ZCHAT_OK;
}
