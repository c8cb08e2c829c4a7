/* What an account's user chose, for all their devices. */
#include "command.h"
#include "receipt.h"

static void change_settings_check(struct call *call) {
    Zchat__V1__Choice receipts = call->command->change_settings->receipts;

    if (receipts != ZCHAT__V1__CHOICE__CHOICE_UNSPECIFIED &&
        receipts != ZCHAT__V1__CHOICE__CHOICE_ON && receipts != ZCHAT__V1__CHOICE__CHOICE_OFF)
        call_fail(call, REASON(BAD_VALUE), "receipts can be on or off, not %d", (int)receipts);
}

static enum store_status change_settings_run(struct call *call) {
    Zchat__V1__Choice wanted = call->command->change_settings->receipts;
    const struct member *member = call->session->member;
    enum store_status status = call_store(
        call, store_account_get(call->core->store, member->account, &call->result.chosen));
    bool on = wanted == ZCHAT__V1__CHOICE__CHOICE_ON;

    if (status != STORE_OK || wanted == ZCHAT__V1__CHOICE__CHOICE_UNSPECIFIED ||
        on == call->result.chosen.receipts)
        return status;
    call->result.chosen.receipts = on;
    return call_store(call, store_account_set_receipts(call->core->store, member->name, on));
}

static void change_settings_done(struct call *call) {
    Zchat__V1__ChangeSettingsResponse *settings = call_response(call);
    bool receipts = call->result.chosen.receipts;

    if (!receipts)
        receipts_reader_ends(call->core->receipts, call->session->member->account);
    settings->receipts = receipts ? ZCHAT__V1__CHOICE__CHOICE_ON : ZCHAT__V1__CHOICE__CHOICE_OFF;
    call_reply_response(call);
}

const struct command_row change_settings_row = {
    .cost = 2,
    .check = change_settings_check,
    .run = change_settings_run,
    .done = change_settings_done,
};
