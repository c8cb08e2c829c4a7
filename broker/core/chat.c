/* Which private chats are open, as both ends tell the broker, so that a block or the end of a
 * session can end them. */
#include "command.h"
#include "field.h"
#include "private.h"

#include <string.h>

static size_t chats_of(const struct privates *privates, uint64_t session) {
    const struct private_holder *holder = private_holder(privates, session);

    return holder ? holder->chats : 0;
}

/* Whether the session told of this chat before: a retry adds no chat. */
static bool is_known(const struct call *call, const ProtobufCBinaryData *id) {
    const struct chat *chat = private_chat(call->core->privates, id);
    uint64_t session = call->session->number;

    return chat && (chat->ends[0].session == session || chat->ends[1].session == session);
}

static void open_private_check(struct call *call) {
    Zchat__V1__OpenPrivateRequest *open = call->command->open_private;

    if (field_id_fits(call, &open->id) && field_name_fits(call, open->user) &&
        !is_known(call, &open->id) &&
        chats_of(call->core->privates, call->session->number) >= PRIVATE_CHATS_MAX)
        call_fail(call, REASON(QUOTA), "%d private chats are open, the most allowed",
                  PRIVATE_CHATS_MAX);
}

static enum store_status open_private_run(struct call *call) {
    struct store *store = call->core->store;
    int64_t own = call->session->member->account;
    struct store_account *far = &call->result.invited;
    enum store_status status =
        call_store(call, store_account_find(store, call->command->open_private->user, far));

    if (status != STORE_OK)
        return status;
    if (store_block_is(store, own, far->account))
        return STORE_BLOCKED;
    return store_block_is(store, far->account, own) ? STORE_BLOCKED_BY : STORE_OK;
}

static const char *far_user(struct call *call) {
    return call->command->open_private->user;
}

static const struct refusal open_private_refusals[] = {
    {STORE_NOT_FOUND, REASON(NO_SUCH_USER), "there is no user %s", far_user},
    {STORE_BLOCKED, REASON(BLOCKED_BY_YOU), "you have blocked %s: the private chat is over",
     far_user},
    {STORE_BLOCKED_BY, REASON(BLOCKED_BY_THEM), "%s has blocked you: the private chat is over",
     far_user},
    {0},
};

static struct chat *chat_of(struct privates *privates, const ProtobufCBinaryData *id) {
    struct chat *chat = private_chat(privates, id);

    return chat ? chat : private_add_chat(privates, id->data);
}

/* This account's end of the chat, or a free end; NULL: both ends are other people's. */
static struct chat_end *end_of(struct chat *chat, int64_t account, int64_t other) {
    for (size_t i = 0; i < 2; i++) {
        struct chat_end *end = &chat->ends[i], *far = &chat->ends[1 - i];

        if ((end->account == account || end->account == 0) &&
            (far->account == other || far->account == 0))
            return end;
    }
    return NULL;
}

static void open_private_done(struct call *call) {
    const Zchat__V1__OpenPrivateRequest *open = call->command->open_private;
    struct chat *chat = chat_of(call->core->privates, &open->id);
    struct chat_end *end =
        end_of(chat, call->session->member->account, call->result.invited.account);

    if (!end) {
        call_fail(call, REASON(ID_USED), "this id names another chat");
        return;
    }
    end->account = call->session->member->account;
    strcpy(end->other, call->result.invited.name);
    (end == &chat->ends[0] ? &chat->ends[1] : &chat->ends[0])->account =
        call->result.invited.account;
    private_enter(call->core->privates, end, call->session->number);
    call_reply_response(call);
}

const struct command_row open_private_row = {
    .cost = 2,
    .passive = true,
    .check = open_private_check,
    .run = open_private_run,
    .refusals = open_private_refusals,
    .done = open_private_done,
};

static void close_private_done(struct call *call) {
    const ProtobufCBinaryData *id = &call->command->close_private->id;
    struct privates *privates = call->core->privates;
    struct invitation *invitation = private_invitation(privates, id);
    struct chat *chat = private_chat(privates, id);

    if (chat)
        private_leave(privates, chat, call->session->number);
    if (invitation && invitation->session == call->session->number) {
        if (!invitation->answered)
            private_tell_invitee(call->core, invitation, NULL,
                                 ZCHAT__V1__PRIVATE_END__PRIVATE_END_WITHDRAWN);
        private_drop_invitation(privates, invitation);
    }
    call_reply_response(call);
}

const struct command_row close_private_row = {
    .cost = 2,
    .passive = true,
    .done = close_private_done,
};
