/* Messages from one user to another: stored in both inboxes, and pushed to the sessions that asked
 * for their inbox. */
#include "message.h"

#include "command.h"
#include "field.h"

#include <string.h>
#include <utlist.h>

/* The id of the message that this one is about, or one of no bytes. */
static const ProtobufCBinaryData *original(const Zchat__V1__SendMessageRequest *message) {
    return message->retracts.len > 0 ? &message->retracts : &message->corrects;
}

static void original_check(struct call *call) {
    const Zchat__V1__SendMessageRequest *message = call->command->send_message;

    if (message->corrects.len > 0 && message->retracts.len > 0)
        call_fail(call, REASON(BAD_VALUE),
                  "a message either corrects an earlier one or takes it back");
    else if (message->retracts.len > 0 && message->text[0])
        call_fail(call, REASON(BAD_VALUE), "what takes a message back has no text");
    else if (original(message)->len > 0)
        field_id_fits(call, original(message));
}

static void send_message_check(struct call *call) {
    Zchat__V1__SendMessageRequest *message = call->command->send_message;

    if (field_id_fits(call, &message->id) && field_name_fits(call, message->to)) {
        original_check(call);
        if (!call_failed(call) && message->retracts.len == 0)
            field_text_fits(call, message->text);
    }
}

static const char *recipient(struct call *call) {
    return call->command->send_message->to;
}

static const struct refusal send_message_refusals[] = {
    {STORE_NOT_FOUND, REASON(NO_SUCH_USER), "there is no user %s", recipient},
    {STORE_SELF, REASON(ONESELF), "one can't send a message to oneself", NULL},
    {STORE_BLOCKED, REASON(BLOCKED_BY_YOU), "you have blocked %s: unblock first to send messages",
     recipient},
    {STORE_BLOCKED_BY, REASON(BLOCKED_BY_THEM), "%s has blocked you", recipient},
    {STORE_NO_MESSAGE, REASON(NO_SUCH_MESSAGE), "there is no message of that id between you and %s",
     recipient},
    {STORE_NOT_OWNER, REASON(NOT_AUTHOR),
     "somebody else wrote that message: one can only change what one wrote", NULL},
    {STORE_OTHER_PERSON, REASON(ANOTHER_RECIPIENT),
     "that message did not go to %s: name its recipient", recipient},
    {STORE_NO_ORIGINAL, REASON(BAD_VALUE),
     "that message itself is about an earlier one: name the one that was sent first", NULL},
    {STORE_RETRACTED, REASON(MESSAGE_RETRACTED), "that message was taken back already", NULL},
    {STORE_QUOTA_INBOX, REASON(INBOX_FULL),
     "the inbox of %s is full of unread messages: try again when some were read", recipient},
    {STORE_QUOTA_SENDER, REASON(SENDER_QUOTA),
     "%s has too many unread messages of yours: try again when some were read", recipient},
    {STORE_ID_REUSED, REASON(ID_USED), "this id names another message: take a new one", NULL},
    {STORE_NOT_STORED, REASON(OFFLINE), "%s is not online: nothing was stored", recipient},
    {0},
};

/* Whether the sender wants it sent only if the receiver is online, and the receiver is not. False
 * if a block stands between the two: the store finds that, and it is what the sender is told. */
static bool send_message_misses(struct call *call) {
    const Zchat__V1__SendMessageRequest *message = call->command->send_message;
    int64_t author = call->session->member->account;
    struct store_account account;
    const struct member *member;

    if (!message->require_online ||
        call_store(call, store_account_find(call->core->store, message->to, &account)))
        return false;
    member = member_find(&call->core->sessions, account.account);
    return account.account != author && !(member && member->online > 0) &&
           !core_is_hidden(call->core, author, account.account);
}

/* Whether a push will go to a session of the member. */
static bool reaches(const struct core *core, const struct member *member) {
    const struct session *session;

    if (!member)
        return false;
    DL_FOREACH2(member->sessions, session, member_next) {
        if (session->inbox && !outbox_line_is_clogged(core->outbox, &session->peer->line))
            return true;
    }
    return false;
}

static enum store_about about(const Zchat__V1__SendMessageRequest *message) {
    return message->retracts.len > 0   ? STORE_RETRACTS
           : message->corrects.len > 0 ? STORE_CORRECTS
                                       : STORE_ABOUT_NONE;
}

static enum store_status send_message_run(struct call *call) {
    const Zchat__V1__SendMessageRequest *message = call->command->send_message;
    struct member *to = member_find_name(&call->core->sessions, message->to);
    struct store_message_new new = {
        .id = message->id.data,
        .author = call->session->member->account,
        .to = message->to,
        .text = message->text,
        .text_bytes = strlen(message->text),
        .time_us = core_wall_us(call->core, call->now_us),
        .delivered = reaches(call->core, to),
        .only_again = send_message_misses(call), /* a retry gets the first one's reply */
        .about = about(message),
        .original = about(message) ? original(message)->data : NULL,
    };
    enum store_status status;

    if (call->core->failed)
        return STORE_FAILED;
    call->result.sent.to = to;
    status =
        call_store(call, store_message_append(call->core->store, &new, &call->result.sent.stored));
    if (status == STORE_QUOTA_INBOX || status == STORE_QUOTA_SENDER)
        call->core->stats.messages_quota_total++;
    return status;
}

/* Pushes an entry to the member's sessions that asked for their inbox. */
static void push(struct call *call, struct member *member, const Zchat__V1__ServerEvent *event) {
    struct outbox_packed packed = {0};
    struct session *session;

    if (!member)
        return;
    if (event->seq > member->head)
        member->head = event->seq;
    DL_FOREACH2(member->sessions, session, member_next) {
        if (!session->inbox)
            continue;
        if (!packed.bytes)
            packed = outbox_pack(call->core->outbox, event);
        outbox_push(call->core->outbox, &session->peer->line, &packed);
        session_lags(&call->core->sessions, session, call->now_us);
    }
}

static void push_both(struct call *call) {
    const Zchat__V1__SendMessageRequest *new = call->command->send_message;
    const struct store_message_stored *stored = &call->result.sent.stored;
    Zchat__V1__ServerEvent event = ZCHAT__V1__SERVER_EVENT__INIT;
    Zchat__V1__MessageEvent message = ZCHAT__V1__MESSAGE_EVENT__INIT;

    message.id = new->id;
    message.sender = call->session->member->name;
    message.to = new->to;
    message.text = new->text;
    message.corrects = new->corrects;
    message.retracts = new->retracts;
    event.time_us = stored->time_us;
    event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_MESSAGE;
    event.message = &message;
    event.seq = stored->recipient_seq;
    push(call, call->result.sent.to, &event);
    event.seq = stored->author_seq;
    push(call, call->session->member, &event);
}

static void send_message_done(struct call *call) {
    const struct store_message_stored *stored = &call->result.sent.stored;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__SendMessageResponse sent = ZCHAT__V1__SEND_MESSAGE_RESPONSE__INIT;

    sent.delivered = stored->delivered;
    sent.id = call->command->send_message->id;
    sent.seq = stored->author_seq;
    sent.time_us = stored->time_us;
    reply.body_case = ZCHAT__V1__REPLY__BODY_SEND_MESSAGE;
    reply.send_message = &sent;
    call_reply(call, &reply); /* first, because the sender is waiting */
    if (stored->again) {
        call->core->stats.messages_again_total++;
        return;
    }
    call->core->stats.messages_total++;
    push_both(call);
}

void message_about(Zchat__V1__MessageEvent *event, enum store_about about,
                   unsigned char original[ID_BYTES]) {
    ProtobufCBinaryData id = {.len = ID_BYTES, .data = original};

    if (about == STORE_CORRECTS)
        event->corrects = id;
    else if (about == STORE_RETRACTS)
        event->retracts = id;
}

const struct command_row send_message_row = {
    .cost = 1,
    .check = send_message_check,
    .run = send_message_run,
    .refusals = send_message_refusals,
    .done = send_message_done,
};
