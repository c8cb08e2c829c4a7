/* The list of transfers. Callbacks may begin and end transfers, so transfers are freed only between
 * two rounds through the list. */
#include "transfer.h"

#include "limits.h"
#include "reply.h"

#include <string.h>

/* By how much an answer may exceed the fastest one, because it waited in a queue, so that the
 * window still grows; and the excess beyond which the window shrinks. A person hardly notices the
 * first delay before a message of their own, but does notice the second. */
#define GROW_BELOW_US   50000
#define SHRINK_ABOVE_US 200000

void transfers_init(struct transfers *transfers, struct client *client) {
    *transfers = (struct transfers){.client = client};
}

bool transfers_add(struct transfers *transfers, struct transfer *transfer,
                   const struct transfer_kind *kind) {
    if (!client_buffer(transfers->client))
        return false;
    transfer->kind = kind;
    transfer->number = ++transfers->last_number;
    transfer->window = 1;
    transfer->fastest_us = INT64_MAX;
    transfer->retry_us = NEVER_US;
    transfer->next = transfers->list;
    transfers->list = transfer;
    transfers->count++;
    client_stir(transfers->client);
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
    for (struct transfer *at = transfers->list; at; at = at->next)
        at->over = true;
    sweep(transfers);
    transfers_init(transfers, transfers->client);
}

/* ---- the end ---- */

static void answer(struct transfers *transfers, struct transfer *transfer, zchat_reply *reply) {
    if (transfer->over)
        return;
    transfer->over = true;
    transfers->count--;
    reply->text = reply->text ? reply->text : "";
    reply->user = reply->software = "";
    if (transfer->caller.fn)
        transfer->caller.fn(transfer->caller.arg, reply);
}

void transfer_fail(struct transfers *transfers, struct transfer *transfer,
                   const struct fault *fault) {
    answer(transfers, transfer, &(zchat_reply){.code = fault->code, .text = fault->text});
}

void transfer_done(struct transfers *transfers, struct transfer *transfer,
                   const zchat_upload *upload) {
    answer(transfers, transfer,
           &(zchat_reply){.code = ZCHAT_OK, .id = upload->id, .count = 1, .uploads = upload});
}

void transfer_refuse(struct transfers *transfers, struct transfer *transfer,
                     const Zchat__V1__CommandError *error) {
    zchat_reply reply = {.code = ZCHAT_OK};
    reply_refuse(error, &reply);
    answer(transfers, transfer, &reply);
}

void transfers_end_all(struct transfers *transfers, zchat_code code, const char *text) {
    for (struct transfer *at = transfers->list; at; at = at->next)
        answer(transfers, at, &(zchat_reply){.code = code, .text = text});
}

void transfers_leave(struct transfers *transfers) {
    for (struct transfer *at = transfers->list; at; at = at->next)
        at->ending = ZCHAT_CANCELLED;
}

void transfers_cancel(struct transfers *transfers, const void *arg) {
    for (struct transfer *at = transfers->list; at; at = at->next) {
        if (at->caller.arg == arg) {
            at->ending = ZCHAT_CANCELLED;
            at->dropped = true;
        }
    }
}

static void end_as_told(struct transfers *transfers, struct transfer *transfer) {
    struct fault fault;
    if (transfer->dropped)
        transfer->kind->drop(transfers, transfer);
    fault_set(&fault, transfer->ending, "the transfer of %s was given up", transfer->name);
    transfer_fail(transfers, transfer, &fault);
}

/* ---- going on ---- */

void transfer_name(struct transfer *transfer, const char *title, const char *name,
                   struct file_caller caller) {
    strcpy(transfer->title, title);
    strcpy(transfer->name, name);
    transfer->caller = caller;
}

bool transfer_has_room(const struct transfers *transfers, const struct transfer *transfer) {
    size_t most = transfer->kind->window_max / transfers->count;
    size_t window = transfer->window < most ? transfer->window : most;
    return transfer->under_way < (window > 0 ? window : 1);
}

/* On a slow connection chunks queue up, and everything else that is sent waits behind them. So the
 * window grows only while they don't, and shrinks by one for each whole window that did. */
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

struct request *transfer_ask(struct transfers *transfers, struct transfer *transfer,
                             command_number command, ProtobufCMessage *body) {
    struct request *request = client_ask(transfers->client, REQUEST_TRANSFERS, command, body);
    if (!request) {
        struct fault fault;
        fault_set(&fault, ZCHAT_NO_MEMORY, "no memory for a chunk");
        transfer_fail(transfers, transfer, &fault);
        return NULL;
    }
    request->transfer = transfer->number;
    request->asked_us = transfers->client->now_us;
    transfer->under_way++;
    return request;
}

void transfer_restart(struct transfers *transfers, struct transfer *transfer, int64_t delay_us) {
    transfer->number = ++transfers->last_number;
    transfer->under_way = 0;
    transfer->retry_us = delay_us > 0 ? transfers->client->now_us + delay_us : NEVER_US;
    transfer->kind->restart(transfer);
}

void transfer_tell(struct transfer *transfer, uint64_t bytes) {
    if (transfer->caller.progress)
        transfer->caller.progress(transfer->caller.arg, bytes, transfer->bytes);
}

void transfers_lost(struct transfers *transfers) {
    for (struct transfer *at = transfers->list; at; at = at->next)
        if (!at->over)
            transfer_restart(transfers, at, 0);
}

/* Trying later helps. */
static bool passes(const Zchat__V1__CommandError *error) {
    return error && error->code == ZCHAT__V1__CODE__CODE_BUSY && error->retry_after_s > 0;
}

void transfers_reply(struct transfers *transfers, const struct request *request,
                     const Zchat__V1__Reply *reply) {
    struct transfer *at = transfers->list;
    while (at && at->number != request->transfer)
        at = at->next;
    if (!at || at->over)
        return;
    at->under_way--;
    if (request->command != COMMAND(BEGIN_UPLOAD))
        adapt_window(at, transfers->client->now_us - request->asked_us);
    if (passes(reply->error)) {
        transfer_restart(transfers, at, reply->error->retry_after_s * INT64_C(1000000));
    } else if (reply->error) {
        at->kind->refuse(transfers, at, request, reply->error);
    } else if (!request_fits(request, reply)) {
        struct fault fault;
        fault_set(&fault, ZCHAT_UNIMPLEMENTED, "the broker's answer does not fit the question");
        transfer_fail(transfers, at, &fault);
    } else {
        at->kind->reply(transfers, at, request, reply);
    }
}

static bool is_logged_out(const struct transfers *transfers) {
    const struct client *client = transfers->client;
    return client->connected && !client->session.intended && !client->session.login;
}

static bool step(struct transfers *transfers, struct transfer *transfer) {
    if (transfer->ending != ZCHAT_OK) {
        end_as_told(transfers, transfer);
        return false;
    }
    if (is_logged_out(transfers)) {
        struct fault fault;
        fault_set(&fault, ZCHAT_AUTH, "nobody is logged in");
        transfer_fail(transfers, transfer, &fault);
        return false;
    }
    if (transfers->client->now_us < transfer->retry_us && transfer->retry_us != NEVER_US)
        return false;
    transfer->retry_us = NEVER_US;
    return transfer->kind->step(transfers, transfer);
}

void transfers_tick(struct transfers *transfers) {
    transfers->busy = false;
    for (struct transfer *at = transfers->list; at && !transfers->client->doomed; at = at->next)
        if (!at->over && step(transfers, at))
            transfers->busy = true;
    sweep(transfers);
}

int64_t transfers_deadline_us(const struct transfers *transfers) {
    int64_t deadline_us = NEVER_US;
    for (const struct transfer *at = transfers->list; at; at = at->next)
        deadline_us = at->retry_us < deadline_us ? at->retry_us : deadline_us;
    return deadline_us;
}
