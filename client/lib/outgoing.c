/* Packing frames.
 *
 * Commands go out in their order. Two things hold them back: a session that is to be resumed comes
 * first, and what the broker finishes later than its successors (passwords) is answered before
 * they are sent. Frames with a password are wiped behind ZeroMQ's back. */
#include "outgoing.h"

#include "handle.h"

#include <string.h>

/* What goes into one frame: `count` requests from the front of those that wait. */
struct batch {
    size_t count;
    size_t bytes;
    bool secret;
    bool ack_set;
    Zchat__V1__AckRequest ack;
    Zchat__V1__Command command;
};

static bool may_send(const zchat *z, const struct request *request) {
    if (z->connection.state != CONNECTION_UP || z->requests.barriers > 0) {
        return false;
    }
    bool resuming = z->session.login && !z->session.live;
    return request->owner == REQUEST_SESSION || !resuming;
}

static void add_ack(zchat *z, struct batch *batch, bool flush) {
    zchat__v1__ack_request__init(&batch->ack);
    zchat__v1__command__init(&batch->command);
    batch->ack_set = z->connection.state == CONNECTION_UP && inbox_ack(z, flush, &batch->ack);
    if (batch->ack_set) {
        batch->command.body_case = ZCHAT__V1__COMMAND__BODY_ACK;
        batch->command.ack = &batch->ack;
        batch->bytes = wire_element_size(&batch->command.base);
    }
}

static void gather(zchat *z, struct batch *batch, bool flush) {
    memset(batch, 0, sizeof *batch);
    add_ack(z, batch, flush);
    size_t count_max = FRAME_COMMANDS_MAX - (batch->ack_set ? 1 : 0);
    for (const struct request *request = z->requests.waiting.first; request;
         request = request->next) {
        if (!may_send(z, request) || batch->count == count_max ||
            (batch->count > 0 && batch->bytes + request->bytes > FRAME_BYTES_FULL)) {
            break;
        }
        batch->count++;
        batch->bytes += request->bytes;
        batch->secret |= request->row->secret;
        if (request->row->barrier) {
            break;
        }
    }
}

static void pack(zchat *z, const struct batch *batch, uint8_t *out) {
    const struct request *request = z->requests.waiting.first;
    if (batch->ack_set) {
        out += wire_element_pack(WIRE_COMMANDS, &batch->command.base, out);
    }
    for (size_t i = 0; i < batch->count; i++, request = request->next) {
        memcpy(out, request->element, request->bytes);
        out += request->bytes;
    }
}

static bool send_batch(zchat *z, const struct batch *batch) {
    uint8_t *frame = connection_frame(&z->connection, batch->bytes, batch->secret);
    if (!frame) {
        handle_news(z, connection_break(&z->connection, z->now_us, ZCHAT_NO_MEMORY,
                                        "no memory for what is to be sent"));
        return false;
    }
    pack(z, batch, frame);
    if (!connection_send(&z->connection)) {
        handle_news(z, connection_lost(&z->connection, z->now_us));
        return false;
    }
    z->last_sent_us = z->now_us;
    for (size_t i = 0; i < batch->count; i++) {
        requests_mark_sent(&z->requests, z->requests.waiting.first);
    }
    if (batch->ack_set) {
        inbox_acked(z, &batch->ack);
    }
    return true;
}

bool outgoing_send(zchat *z, bool flush) {
    bool sent = false;
    struct batch batch;
    for (;;) {
        gather(z, &batch, flush);
        bool due = flush || z->now_us >= z->inbox.ack_us || batch.ack.read != 0;
        if (batch.count == 0 && !(batch.ack_set && due)) {
            return sent;
        }
        if (!send_batch(z, &batch)) {
            return sent;
        }
        sent = true;
    }
}

bool outgoing_waits(const zchat *z) {
    const struct request *first = z->requests.waiting.first;
    return first && may_send(z, first);
}
