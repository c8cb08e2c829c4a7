/* Reading streams page by page, the cursor of the inbox, and telling sessions where their streams
 * stand. */
#include "handlers.h"

#include <string.h>
#include <utlist.h>

void sync_check(struct call *call) {
    const Zchat__V1__Sync *sync = call->command->sync;

    if (sync->stream[0] && strcmp(sync->stream, "inbox") != 0 &&
        !topic_find(&call->core->topics, sync->stream))
        call_fail(call, ZCHAT__V1__CODE__CODE_NOT_FOUND, "there is no stream of that name");
    else if (call->peer->line.queued_bytes > FRAME_BYTES_MAX)
        call_fail_later(call, ZCHAT__V1__CODE__CODE_BUSY, 1,
                        "read the pages that are under way first");
}

struct page {
    struct call *call; /* borrowed */
    Zchat__V1__SyncReply reply;
    size_t bytes;
    size_t limit;
};

static bool page_begin(struct page *page, struct call *call, const char *stream) {
    uint32_t limit = call->command->sync->limit;

    memset(page, 0, sizeof *page);
    page->call = call;
    page->limit = limit == 0 || limit > SYNC_ENTRIES_MAX ? SYNC_ENTRIES_MAX : limit;
    zchat__v1__sync_reply__init(&page->reply);
    page->reply.stream = (char *)stream;
    page->reply.events = call_memory(call, page->limit * sizeof *page->reply.events);
    return page->reply.events != NULL;
}

/* Takes the event into the page; false where it does not fit any more. */
static bool page_add(struct page *page, Zchat__V1__Event *event) {
    size_t bytes = wire_element_size(&event->base);

    if (page->reply.n_events == page->limit ||
        (page->reply.n_events > 0 && page->bytes + bytes > SYNC_BYTES_MAX))
        return false;
    page->bytes += bytes;
    page->reply.events[page->reply.n_events++] = event;
    return true;
}

static void page_end(struct page *page, uint64_t head) {
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__SyncReply *sync = &page->reply;

    sync->head = head;
    if (sync->n_events > 0)
        sync->more = sync->events[sync->n_events - 1]->seq < head;
    reply.body_case = ZCHAT__V1__REPLY__BODY_SYNC;
    reply.sync = sync;
    call_reply(page->call, &reply);
}

struct inbox_entry {
    Zchat__V1__Event event;
    Zchat__V1__Message message;
};

static char *entry_text(char **memory, const char *text, size_t bytes) {
    char *copy = *memory;

    memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    *memory += bytes + 1;
    return copy;
}

static bool inbox_add(void *arg, const struct store_message *stored) {
    struct page *page = arg;
    size_t from_bytes = strlen(stored->from), to_bytes = strlen(stored->to);
    struct inbox_entry *entry = call_memory(page->call, sizeof *entry + ID_BYTES + from_bytes +
                                                            to_bytes + stored->text_bytes + 3);
    char *memory = (char *)(entry + 1);

    if (!entry)
        return false;
    zchat__v1__event__init(&entry->event);
    zchat__v1__message__init(&entry->message);
    entry->message.id.data = memcpy(memory, stored->id, ID_BYTES);
    entry->message.id.len = ID_BYTES;
    memory += ID_BYTES;
    entry->message.from = entry_text(&memory, stored->from, from_bytes);
    entry->message.to = entry_text(&memory, stored->to, to_bytes);
    entry->message.text = entry_text(&memory, stored->text, stored->text_bytes);
    entry->event.seq = stored->seq;
    entry->event.time_us = stored->time_us;
    entry->event.body_case = ZCHAT__V1__EVENT__BODY_MESSAGE;
    entry->event.message = &entry->message;
    return page_add(page, &entry->event);
}

static void sync_inbox(struct call *call) {
    int64_t account = call->session->member->account;
    uint64_t head = 0, cursor = 0;
    struct page page;

    if (!page_begin(&page, call, "inbox")) {
        call_fail(call, ZCHAT__V1__CODE__CODE_BUSY, "the page is too large");
        return;
    }
    if (call_store(call, store_inbox_state(call->core->store, account, &head, &cursor)) ||
        call_store(call,
                   store_inbox_read(call->core->store, account, call->command->sync->after_seq,
                                    page.limit, inbox_add, &page)))
        return;
    page_end(&page, head);
}

/* A kept event, read back from its bytes; what a block made since hides comes without its body. */
static Zchat__V1__Event *topic_read(struct call *call, const struct topic_event *kept) {
    int64_t asker = call->session->member->account;
    Zchat__V1__ServerBatch *batch;

    if (wire_read_server(call->core->reply_arena, kept->bytes, kept->length, &batch) != WIRE_FINE)
        return NULL; /* the page's memory is used up */
    if (kept->about != 0 && presence_hidden(call->core, asker, kept->about))
        batch->events[0]->body_case = ZCHAT__V1__EVENT__BODY__NOT_SET;
    return batch->events[0];
}

static void sync_topic(struct call *call, struct topic *topic) {
    uint64_t seq = call->command->sync->after_seq + 1;
    struct page page;

    if (!page_begin(&page, call, topic->name)) {
        call_fail(call, ZCHAT__V1__CODE__CODE_BUSY, "the page is too large");
        return;
    }
    if (seq < topic_oldest(topic))
        seq = topic_oldest(topic);
    for (; seq <= topic->head; seq++) {
        Zchat__V1__Event *event = topic_read(call, topic_event(topic, seq));

        if (!event || !page_add(&page, event))
            break;
    }
    page_end(&page, topic->head);
}

void sync_done(struct call *call) {
    struct topic *topic = topic_find(&call->core->topics, call->command->sync->stream);

    if (topic)
        sync_topic(call, topic);
    else
        sync_inbox(call);
}

void ack_run(struct call *call) {
    const Zchat__V1__Ack *ack = call->command->ack;
    int64_t account = call->session->member->account;
    uint64_t head = 0, before = 0, *cursor = &call->result.ack.cursor;

    *cursor = 0;
    call->result.ack.moved = false;
    if (call_store(call, store_inbox_state(call->core->store, account, &head, &before)))
        return;
    *cursor = before;
    if (ack->read > before &&
        !call_store(call, store_cursor_move(call->core->store, account, ack->read, cursor)))
        call->result.ack.moved = *cursor > before;
}

void ack_done(struct call *call) {
    const Zchat__V1__Ack *ack = call->command->ack;
    uint64_t known = ack->received > ack->read ? ack->received : ack->read;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__AckReply acked = ZCHAT__V1__ACK_REPLY__INIT;
    struct session *session;

    session_received(&call->core->sessions, call->session, known);
    if (call->result.ack.moved) {
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
        heads->topic[i].head = core->topics.topic[i].head;
        heads->pointers[heads->heads.n_topics++] = &heads->topic[i];
    }
}

void inbox_tell_heads(struct core *core, struct session *session, bool topics, int64_t now_us) {
    Zchat__V1__Event event = ZCHAT__V1__EVENT__INIT;
    struct heads heads;

    heads_fill(&heads, core, session, topics);
    event.time_us = now_us;
    event.body_case = ZCHAT__V1__EVENT__BODY_HEADS;
    event.heads = &heads.heads;
    outbox_event(core->outbox, &session->peer->line, &event);
}

void keep_alive_done(struct call *call) {
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    struct heads heads;

    heads_fill(&heads, call->core, call->session, true);
    reply.body_case = ZCHAT__V1__REPLY__BODY_KEEP_ALIVE;
    reply.keep_alive = &heads.heads;
    call_reply(call, &reply);
}
