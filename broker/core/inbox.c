/* See inbox.h. The cursors of streams, and telling sessions where their streams stand. */
#include "inbox.h"

#include "command.h"
#include "receipt.h"
#include "thread_topic.h"

#include <string.h>
#include <utlist.h>

static bool ack_is_inbox(const Zchat__V1__AckRequest *ack) {
    return !ack->stream[0] || !strcmp(ack->stream, "inbox");
}

static enum store_status ack_inbox(struct call *call) {
    const Zchat__V1__AckRequest *ack = call->command->ack;
    int64_t account = call->session->member->account;
    uint64_t head = 0, before = 0, *cursor = &call->result.ack.cursor;

    enum store_status status =
        call_store(call, store_inbox_state(call->core->store, account, &head, &before));

    *cursor = before;
    if (status == STORE_OK && ack->read > before)
        status = call_store(call, store_cursor_move(call->core->store, account, ack->read, cursor));
    call->result.ack.moved = *cursor > before;
    return status;
}

static enum store_status ack_thread(struct call *call) {
    const Zchat__V1__AckRequest *ack = call->command->ack;
    unsigned char id[ID_BYTES];
    struct store_thread thread;

    if (!thread_topic_parse(ack->stream, id) ||
        call_store(call, store_thread_find_id(call->core->store, id, &thread)))
        return STORE_NOT_FOUND;
    return call_store(call,
                      store_followed_move(call->core->store, call->session->member->account,
                                          thread.stream, ack->read, &call->result.ack.cursor));
}

static const struct refusal ack_refusals[] = {
    {STORE_NOT_FOUND, REASON(NO_SUCH_STREAM), "there is no stream of that name", NULL},
    {STORE_NOT_FOLLOWED, REASON(NOT_FOLLOWED), "you do not follow this thread", NULL},
    {0},
};

static enum store_status ack_run(struct call *call) {
    call->result.ack.cursor = 0;
    call->result.ack.moved = false;
    return ack_is_inbox(call->command->ack) ? ack_inbox(call) : ack_thread(call);
}

static void ack_done(struct call *call) {
    const Zchat__V1__AckRequest *ack = call->command->ack;
    uint64_t known = ack->received > ack->read ? ack->received : ack->read;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__AckResponse acked = ZCHAT__V1__ACK_RESPONSE__INIT;
    struct session *session;

    if (ack_is_inbox(ack))
        session_received(&call->core->sessions, call->session, known);
    if (call->result.ack.moved) {
        receipts_read(call->core, call->session->member, call->result.ack.cursor, call->now_us);
        DL_FOREACH2(call->session->member->sessions, session, member_next) {
            if (session->inbox && session != call->session)
                inbox_tell_heads(call->core, session, false, call->now_us);
        }
    }
    acked.cursor = call->result.ack.cursor;
    reply.body_case = ZCHAT__V1__REPLY__BODY_ACK;
    reply.ack = &acked;
    call_reply(call, &reply);
}

const struct command_row ack_row = {
    .cost = 1,
    .passive = true,
    .run = ack_run,
    .refusals = ack_refusals,
    .done = ack_done,
};

struct heads {
    Zchat__V1__Heads heads;
    Zchat__V1__TopicHead topic[TOPICS];
    Zchat__V1__TopicHead *pointers[TOPICS];
};

static void heads_fill(struct heads *heads, struct core *core, const struct session *session,
                       bool topics) {
    zchat__v1__heads__init(&heads->heads);
    if (session)
        core_store(core, store_inbox_state(core->store, session->member->account,
                                           &heads->heads.inbox, &heads->heads.cursor));
    heads->heads.topics = heads->pointers;
    for (size_t i = 0; topics && session && i < TOPICS; i++) {
        zchat__v1__topic_head__init(&heads->topic[i]);
        heads->topic[i].topic = (char *)core->topics.topic[i].name;
        /* A session that hears the topic elsewhere is told the published head: given a newer one it
         * would ask for what is yet to be published. */
        heads->topic[i].head =
            session->public_events ? core->topics.topic[i].head : core->topics.topic[i].published;
        heads->pointers[heads->heads.n_topics++] = &heads->topic[i];
    }
}

void inbox_tell_heads(struct core *core, struct session *session, bool topics, int64_t now_us) {
    Zchat__V1__ServerEvent event = ZCHAT__V1__SERVER_EVENT__INIT;
    struct heads heads;

    heads_fill(&heads, core, session, topics);
    event.time_us = core_wall_us(core, now_us);
    event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_HEADS;
    event.heads = &heads.heads;
    outbox_event(core->outbox, &session->peer->line, &event);
}

static void keep_alive_done(struct call *call) {
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__KeepAliveResponse kept = ZCHAT__V1__KEEP_ALIVE_RESPONSE__INIT;
    struct heads heads;

    heads_fill(&heads, call->core, call->session, true);
    kept.heads = &heads.heads;
    reply.body_case = ZCHAT__V1__REPLY__BODY_KEEP_ALIVE;
    reply.keep_alive = &kept;
    call_reply(call, &reply);
}

const struct command_row keep_alive_row = {
    .state = COMMAND_ANYBODY,
    .cost = 1,
    .passive = true,
    .done = keep_alive_done,
};
