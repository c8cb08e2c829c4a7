/* The list of transfers. Callbacks may begin and end transfers, so nothing is freed but between two
 * rounds through the list. */
#include "transfer.h"

#include "handle.h"
#include "reply.h"

#include <stdlib.h>
#include <string.h>

/* How much longer than the fastest one an answer may take, because it stood in a queue, for the
 * window to grow, and beyond which it shrinks: what a person hardly notices before a message of his
 * own, and what he does. */
#define GROW_BELOW_US   50000
#define SHRINK_ABOVE_US 200000

unsigned char *transfers_buffer(struct transfers *transfers) {
    if (!transfers->buffer) {
        transfers->buffer = malloc(CHUNK_BYTES_MAX);
    }
    return transfers->buffer;
}

bool transfers_add(zchat *z, struct transfer *transfer, const struct transfer_kind *kind) {
    struct transfers *transfers = &z->transfers;
    if (!transfers_buffer(transfers)) {
        return false;
    }
    transfer->kind = kind;
    transfer->number = ++transfers->last_number;
    transfer->window = 1;
    transfer->fastest_us = INT64_MAX;
    transfer->retry_us = WAKE_NEVER;
    transfer->next = transfers->list;
    transfers->list = transfer;
    transfers->count++;
    if (!z->running) {
        wake_fire(z->wake);
    }
    transfers->busy = true;
    return true;
}

static void sweep(struct transfers *transfers) {
    struct transfer **place = &transfers->list;
    while (*place) {
        struct transfer *transfer = *place;
        if (transfer->over) {
            *place = transfer->next;
            transfer->kind->free(transfer);
        } else {
            place = &transfer->next;
        }
    }
}

void transfers_release(struct transfers *transfers) {
    for (struct transfer *at = transfers->list; at; at = at->next) {
        at->over = true;
    }
    sweep(transfers);
    free(transfers->buffer);
    memset(transfers, 0, sizeof *transfers);
}

/* ---- the end ---- */

static void answer(zchat *z, struct transfer *transfer, zchat_reply *reply) {
    if (transfer->over) {
        return;
    }
    transfer->over = true;
    z->transfers.count--;
    reply->text = reply->text ? reply->text : "";
    reply->user = reply->software = "";
    if (transfer->fn) {
        transfer->fn(transfer->arg, reply);
    }
}

void transfer_fail(zchat *z, struct transfer *transfer, const struct fault *fault) {
    answer(z, transfer, &(zchat_reply){.code = fault->code, .text = fault->text});
}

void transfer_done(zchat *z, struct transfer *transfer, const zchat_upload *upload) {
    answer(z, transfer,
           &(zchat_reply){.code = ZCHAT_OK, .id = upload->id, .count = 1, .uploads = upload});
}

void transfer_refuse(zchat *z, struct transfer *transfer, const Zchat__V1__CommandError *error) {
    zchat_reply reply = {.code = ZCHAT_OK};
    reply_refuse(error, &reply);
    answer(z, transfer, &reply);
}

void transfers_end_all(zchat *z, zchat_code code, const char *text) {
    for (struct transfer *at = z->transfers.list; at; at = at->next) {
        answer(z, at, &(zchat_reply){.code = code, .text = text});
    }
}

void transfers_leave(zchat *z) {
    for (struct transfer *at = z->transfers.list; at; at = at->next) {
        at->ending = ZCHAT_CANCELLED;
    }
}

void zchat_file_cancel(zchat *z, const void *arg) {
    for (struct transfer *at = z->transfers.list; at; at = at->next) {
        if (at->arg == arg) {
            at->ending = ZCHAT_CANCELLED;
            at->dropped = true;
        }
    }
    for (struct chat *at = z->chats.list; at; at = at->next) {
        peer_files_cancel(at, arg);
    }
    if (!z->running) {
        wake_fire(z->wake);
    }
}

static void end_as_told(zchat *z, struct transfer *transfer) {
    struct fault fault;
    if (transfer->dropped) {
        transfer->kind->drop(z, transfer);
    }
    fault_set(&fault, transfer->ending, "the transfer of %s was given up", transfer->name);
    transfer_fail(z, transfer, &fault);
}

/* ---- going on ---- */

bool transfer_has_room(const zchat *z, const struct transfer *transfer) {
    size_t most = transfer->kind->window_max / z->transfers.count;
    size_t window = transfer->window < most ? transfer->window : most;
    return transfer->under_way < (window > 0 ? window : 1);
}

/* On a narrow way the chunks queue, and what else is sent stands behind them: so the window grows
 * only while they don't, and shrinks by one for each whole window that did. */
static void adapt_window(struct transfer *transfer, int64_t took_us) {
    transfer->fastest_us = took_us < transfer->fastest_us ? took_us : transfer->fastest_us;
    transfer->window_age++;
    int64_t queued_us = took_us - transfer->fastest_us;
    if (queued_us < GROW_BELOW_US && transfer->window < transfer->kind->window_max) {
        transfer->window++;
        transfer->window_age = 0;
    } else if (queued_us > SHRINK_ABOVE_US && transfer->window > 1 &&
               transfer->window_age >= transfer->window) {
        transfer->window--;
        transfer->window_age = 0;
    }
}

struct request *transfer_ask(zchat *z, struct transfer *transfer, command_number command,
                             ProtobufCMessage *body) {
    struct request *request = handle_ask(z, REQUEST_TRANSFERS, command, body);
    if (!request) {
        struct fault fault;
        fault_set(&fault, ZCHAT_NO_MEMORY, "no memory for a chunk");
        transfer_fail(z, transfer, &fault);
        return NULL;
    }
    request->transfer = transfer->number;
    request->asked_us = z->now_us;
    transfer->under_way++;
    return request;
}

void transfer_restart(zchat *z, struct transfer *transfer, int64_t delay_us) {
    transfer->number = ++z->transfers.last_number;
    transfer->under_way = 0;
    transfer->retry_us = delay_us > 0 ? z->now_us + delay_us : WAKE_NEVER;
    transfer->kind->restart(transfer);
}

void transfer_tell(struct transfer *transfer, uint64_t bytes) {
    if (transfer->progress) {
        transfer->progress(transfer->arg, bytes, transfer->bytes);
    }
}

void transfers_lost(zchat *z) {
    for (struct transfer *at = z->transfers.list; at; at = at->next) {
        if (!at->over) {
            transfer_restart(z, at, 0);
        }
    }
}

/* Trying later helps. */
static bool passes(const Zchat__V1__CommandError *error) {
    return error && error->code == ZCHAT__V1__CODE__CODE_BUSY && error->retry_after_s > 0;
}

void transfers_reply(zchat *z, const struct request *request, const Zchat__V1__Reply *reply) {
    struct transfer *at = z->transfers.list;
    while (at && at->number != request->transfer) {
        at = at->next;
    }
    if (!at || at->over) {
        return;
    }
    at->under_way--;
    if (request->command != COMMAND(BEGIN_UPLOAD)) {
        adapt_window(at, z->now_us - request->asked_us);
    }
    if (passes(reply->error)) {
        transfer_restart(z, at, reply->error->retry_after_s * INT64_C(1000000));
    } else if (reply->error) {
        at->kind->refuse(z, at, request, reply->error);
    } else if (!request_fits(request, reply)) {
        struct fault fault;
        fault_set(&fault, ZCHAT_UNIMPLEMENTED, "the broker's answer does not fit the question");
        transfer_fail(z, at, &fault);
    } else {
        at->kind->reply(z, at, request, reply);
    }
}

static bool is_logged_out(const zchat *z) {
    return z->connection.state == CONNECTION_UP && !z->session.intended && !z->session.login;
}

static bool step(zchat *z, struct transfer *transfer) {
    if (transfer->ending != ZCHAT_OK) {
        end_as_told(z, transfer);
        return false;
    }
    if (is_logged_out(z)) {
        struct fault fault;
        fault_set(&fault, ZCHAT_AUTH, "nobody is logged in");
        transfer_fail(z, transfer, &fault);
        return false;
    }
    if (z->now_us < transfer->retry_us && transfer->retry_us != WAKE_NEVER) {
        return false;
    }
    transfer->retry_us = WAKE_NEVER;
    return transfer->kind->step(z, transfer);
}

void transfers_tick(zchat *z) {
    struct transfers *transfers = &z->transfers;
    transfers->busy = false;
    for (struct transfer *at = transfers->list; at && !z->doomed; at = at->next) {
        if (!at->over && step(z, at)) {
            transfers->busy = true;
        }
    }
    sweep(transfers);
}

int64_t transfers_deadline_us(const zchat *z) {
    int64_t deadline_us = WAKE_NEVER;
    for (const struct transfer *at = z->transfers.list; at; at = at->next) {
        deadline_us = at->retry_us < deadline_us ? at->retry_us : deadline_us;
    }
    return deadline_us;
}
