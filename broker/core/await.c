/* Asking whether a message that one sent was read, and waiting for it. */
#include "command.h"
#include "field.h"
#include "receipt.h"

static void await_read_check(struct call *call) {
    Zchat__V1__AwaitReadRequest *wanted = call->command->await_read;

    if (wanted->id.len > 0 && wanted->seq > 0)
        call_fail(call, REASON(BAD_VALUE), "an id or a seq names the message, not both");
    else if (wanted->seq == 0)
        field_id_fits(call, &wanted->id);
}

static enum store_status find_sent(struct call *call) {
    const Zchat__V1__AwaitReadRequest *wanted = call->command->await_read;

    return call_store(call, store_message_sent(call->core->store, call->session->member->account,
                                               wanted->seq > 0 ? NULL : wanted->id.data,
                                               wanted->seq, &call->result.awaited));
}

/* Whether the sender may be told what this recipient has read. */
static bool recipient_tells(struct call *call) {
    const struct store_message_sent *sent = &call->result.awaited;
    int64_t asker = call->session->member->account;
    struct store_account account;

    if (call_store_fails(call, store_account_get(call->core->store, sent->recipient, &account)))
        return false;
    if (store_block_is(call->core->store, asker, sent->recipient))
        call_fail(call, REASON(BLOCKED_BY_YOU), "you have blocked %s: unblock first", sent->to);
    else if (store_block_is(call->core->store, sent->recipient, asker))
        call_fail(call, REASON(BLOCKED_BY_THEM), "%s has blocked you", sent->to);
    else if (!account.receipts)
        call_fail(call, REASON(NO_RECEIPTS), "%s tells nobody what they have read", sent->to);
    return !call_failed(call);
}

static void wait_or_not(struct call *call, bool read) {
    const struct store_message_sent *sent = &call->result.awaited;
    struct receipts *receipts = call->core->receipts;

    if (read || !call->command->await_read->wait)
        receipts_no_longer(receipts, call->session, sent->id);
    else if (!receipts_await(receipts, call->session, sent))
        call_fail(call, REASON(QUOTA),
                  "this session waits for " TEXT_OF(
                      AWAITED_MAX) " messages, the most that are allowed: ask without waiting");
}

static enum store_status await_read_run(struct call *call) {
    const struct store_message_sent *sent = &call->result.awaited;
    Zchat__V1__AwaitReadResponse *answer = call_response(call);
    uint64_t head = 0, cursor = 0;
    enum store_status status = find_sent(call);

    if (status != STORE_OK || !recipient_tells(call))
        return status;
    status =
        call_store(call, store_inbox_state(call->core->store, sent->recipient, &head, &cursor));
    if (status != STORE_OK)
        return status;
    wait_or_not(call, cursor >= sent->recipient_seq);
    answer->id.data = call->result.awaited.id;
    answer->id.len = ID_BYTES;
    answer->user = call->result.awaited.to;
    answer->read = cursor >= sent->recipient_seq;
    return STORE_OK;
}

static const struct refusal await_read_refusals[] = {
    {STORE_NOT_FOUND, REASON(NO_SUCH_MESSAGE), "you have sent no such message", NULL},
    {0},
};

const struct command_row await_read_row = {
    .cost = 2,
    .passive = true, /* programs ask by themselves */
    .check = await_read_check,
    .run = await_read_run,
    .refusals = await_read_refusals,
    .done = call_reply_response,
};
