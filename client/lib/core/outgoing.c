/* Packing frames.
 *
 * Commands go out in their order. Two things hold them back: if a session has to be resumed, that
 * comes first; and after a command that the broker may finish later than those behind it
 * (passwords), these wait until it is answered. */
#include "outgoing.h"

#include "limits.h"

#include <string.h>

static bool may_send(const struct client *client, const struct request *request) {
    if (!client->connected || client->requests.barriers > 0)
        return false;
    bool resuming = client->session.login && !client->session.live;
    return request->owner == REQUEST_SESSION || !resuming;
}

static void add_ack(const struct client_core *core, bool flush, struct outgoing *next) {
    zchat__v1__ack_request__init(&next->ack);
    zchat__v1__command__init(&next->command);
    next->ack_set = core->client.connected && inbox_ack(&core->inbox, flush, &next->ack);
    if (next->ack_set) {
        next->command.body_case = COMMAND(ACK);
        next->command.ack = &next->ack;
        next->bytes = wire_element_size(&next->command.base);
    }
}

static void gather(const struct client_core *core, bool flush, struct outgoing *next) {
    memset(next, 0, sizeof *next);
    add_ack(core, flush, next);
    size_t count_max = FRAME_COMMANDS_MAX - (next->ack_set ? 1 : 0);
    for (const struct request *request = core->client.requests.waiting.first; request;
         request = request->next) {
        if (!may_send(&core->client, request) || next->count == count_max ||
            (next->count > 0 && next->bytes + request->bytes > FRAME_BYTES_FULL))
            break;
        next->count++;
        next->bytes += request->bytes;
        next->secret |= request->row->secret;
        if (request->row->barrier)
            break;
    }
}

bool outgoing_next(const struct client_core *core, bool flush, struct outgoing *next) {
    gather(core, flush, next);
    bool due = flush || core->client.now_us >= core->inbox.ack_us || next->ack.read != 0;
    return next->count > 0 || (next->ack_set && due);
}

/* Packs the command where it was gathered: pointers in a copy would point elsewhere. */
void outgoing_pack(const struct client_core *core, const struct outgoing *next, uint8_t *out) {
    const struct request *request = core->client.requests.waiting.first;
    if (next->ack_set)
        out += wire_element_pack(WIRE_COMMANDS, &next->command.base, out);
    for (size_t i = 0; i < next->count; i++, request = request->next) {
        memcpy(out, request->element, request->bytes);
        out += request->bytes;
    }
}

void outgoing_sent(struct client_core *core, const struct outgoing *sent) {
    core->client.last_sent_us = core->client.now_us;
    for (size_t i = 0; i < sent->count; i++)
        requests_mark_sent(&core->client.requests, core->client.requests.waiting.first);
    if (sent->ack_set)
        inbox_acked(&core->inbox, &sent->ack);
}

bool outgoing_waits(const struct client_core *core) {
    const struct request *first = core->client.requests.waiting.first;
    return first && may_send(&core->client, first);
}
