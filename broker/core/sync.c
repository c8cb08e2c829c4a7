/* Reading streams page by page: the inbox, the public topics, threads. */
#include "command.h"
#include "field.h"
#include "message.h"
#include "thread.h"
#include "thread_topic.h"

#include <string.h>

static void sync_check(struct call *call) {
    const Zchat__V1__SyncRequest *sync = call->command->sync;
    unsigned char id[ID_BYTES];

    if (sync->stream[0] && strcmp(sync->stream, "inbox") != 0 &&
        !topic_find(&call->core->topics, sync->stream) && !thread_topic_parse(sync->stream, id))
        call_fail(call, REASON(NO_SUCH_STREAM), "there is no stream of that name");
}

struct page {
    struct call *call;               /* borrowed */
    Zchat__V1__SyncResponse *sync;   /* in the call's memory; NULL: the page is a ReadHistory's */
    Zchat__V1__ServerEvent **events; /* in the call's memory */
    size_t count;
    size_t bytes;
    size_t limit;
};

static bool page_init(struct page *page, struct call *call, uint32_t limit) {
    memset(page, 0, sizeof *page);
    page->call = call;
    page->limit = field_limit(limit);
    page->events = call_need(call, page->limit * sizeof(Zchat__V1__ServerEvent *));
    return page->events != NULL;
}

static bool page_begin(struct page *page, struct call *call, const char *stream) {
    Zchat__V1__SyncResponse *sync = call_response(call);

    sync->stream = (char *)stream;
    if (!page_init(page, call, call->command->sync->limit))
        return false;
    page->sync = sync;
    return true;
}

/* Takes the event into the page. false: it does not fit any more. */
static bool page_add(struct page *page, Zchat__V1__ServerEvent *event) {
    size_t bytes = wire_element_size(&event->base);

    if (page->count == page->limit || (page->count > 0 && page->bytes + bytes > SYNC_BYTES_MAX))
        return false;
    page->bytes += bytes;
    page->events[page->count++] = event;
    return true;
}

static void page_end(struct page *page, uint64_t head) {
    Zchat__V1__SyncResponse *sync = page->sync;

    sync->events = page->events;
    sync->n_events = page->count;
    sync->head = head;
    if (page->count > 0)
        sync->more = page->events[page->count - 1]->seq < head;
}

struct inbox_entry {
    Zchat__V1__ServerEvent event;
    Zchat__V1__MessageEvent message;
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
    struct inbox_entry *entry = call_memory(page->call, sizeof *entry + 2 * ID_BYTES + from_bytes +
                                                            to_bytes + stored->text_bytes + 3);
    char *memory;

    call_read(page->call, 1);
    if (!entry)
        return false;
    memory = (char *)(entry + 1);
    zchat__v1__server_event__init(&entry->event);
    zchat__v1__message_event__init(&entry->message);
    entry->message.id.data = memcpy(memory, stored->id, ID_BYTES);
    entry->message.id.len = ID_BYTES;
    memory += ID_BYTES;
    message_about(&entry->message, stored->about, memcpy(memory, stored->original, ID_BYTES));
    memory += ID_BYTES;
    entry->message.sender = entry_text(&memory, stored->from, from_bytes);
    entry->message.to = entry_text(&memory, stored->to, to_bytes);
    entry->message.text = entry_text(&memory, stored->text, stored->text_bytes);
    entry->event.seq = stored->seq;
    entry->event.time_us = stored->time_us;
    if (stored->damaged) {
        page->call->core->stats.entries_damaged_total++;
        entry->event.damaged = entry_damaged();
        entry->event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_DAMAGED;
    } else {
        entry->event.message = &entry->message;
        entry->event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_MESSAGE;
    }
    return page_add(page, &entry->event);
}

static enum store_status sync_inbox(struct call *call) {
    int64_t account = call->session->member->account;
    uint64_t head = 0, cursor = 0;
    struct page page;
    enum store_status status;

    if (!page_begin(&page, call, "inbox"))
        return STORE_OK;
    status = call_store(call, store_inbox_state(call->core->store, account, &head, &cursor));
    if (status == STORE_OK)
        status = call_store(call, store_inbox_read(call->core->store, account,
                                                   call->command->sync->after_seq, page.limit,
                                                   inbox_add, &page));
    page_end(&page, head);
    return status;
}

/* A kept event, read back from its bytes; without its body if a block made since hides it. */
static Zchat__V1__ServerEvent *topic_read(struct call *call, const struct topic_event *kept) {
    int64_t asker = call->session->member->account;
    Zchat__V1__ServerBatch *batch;

    if (wire_read_server(call->core->reply_arena, kept->bytes, kept->length, &batch) != WIRE_FINE)
        return NULL; /* the page's memory is used up */
    if (kept->about != 0 && core_is_hidden(call->core, asker, kept->about))
        batch->events[0]->body_case = ZCHAT__V1__SERVER_EVENT__BODY__NOT_SET;
    return batch->events[0];
}

static enum store_status sync_topic(struct call *call, struct topic *topic) {
    uint64_t after = call->command->sync->after_seq, seq = topic_oldest(topic);
    struct page page;

    if (!page_begin(&page, call, topic->name))
        return STORE_OK;
    if (after >= seq)
        seq = (after < topic->head ? after : topic->head) + 1;
    for (; seq <= topic->head; seq++) {
        Zchat__V1__ServerEvent *event = topic_read(call, topic_event(topic, seq));

        call_read(call, 1);
        if (!event || !page_add(&page, event))
            break;
    }
    page_end(&page, topic->head);
    return STORE_OK;
}

/* The event made of a stored entry of a thread's stream, with all its parts; in the call's
 * memory. */
struct thread_entry {
    Zchat__V1__ServerEvent event;
    Zchat__V1__ThreadEvent about;
    Zchat__V1__Post post;
    Zchat__V1__Upload upload;
    Zchat__V1__PostDeleted deleted;
    Zchat__V1__FileDeleted file_deleted;
    struct store_thread_entry stored;
};

struct thread_page {
    struct page page; /* first: page_add's */
    struct store_thread *thread;
};

static bool entry_body(struct call *call, struct thread_entry *entry) {
    struct store_thread_entry *stored = &entry->stored;

    switch (stored->kind) {
    case STORE_POSTED:
    case STORE_EDITED:
        post_fill(&entry->post, &stored->post);
        entry->post.text = post_text(call, &stored->post);
        entry->about.body_case = stored->kind == STORE_POSTED
                                     ? ZCHAT__V1__THREAD_EVENT__BODY_POSTED
                                     : ZCHAT__V1__THREAD_EVENT__BODY_EDITED;
        entry->about.posted = &entry->post;
        return entry->post.text != NULL;
    case STORE_DELETED:
        zchat__v1__post_deleted__init(&entry->deleted);
        entry->deleted.id.data = stored->post.id;
        entry->deleted.id.len = ID_BYTES;
        entry->deleted.user = stored->post.user;
        entry->about.body_case = ZCHAT__V1__THREAD_EVENT__BODY_DELETED;
        entry->about.deleted = &entry->deleted;
        return true;
    case STORE_LOST:
        break;
    case STORE_FILE_DELETED:
        zchat__v1__file_deleted__init(&entry->file_deleted);
        entry->file_deleted.id.data = stored->file.id;
        entry->file_deleted.id.len = ID_BYTES;
        entry->file_deleted.file = stored->file.name;
        entry->file_deleted.user = stored->file.user;
        entry->about.body_case = ZCHAT__V1__THREAD_EVENT__BODY_FILE_DELETED;
        entry->about.file_deleted = &entry->file_deleted;
        return true;
    case STORE_UPLOADED:
        if (stored->file.file == 0)
            return true;
        upload_fill(&entry->upload, &stored->file);
        entry->about.body_case = ZCHAT__V1__THREAD_EVENT__BODY_UPLOADED;
        entry->about.uploaded = &entry->upload;
        return true;
    }
    return false;
}

static bool thread_add(void *arg, const struct store_thread_entry *stored) {
    struct thread_page *page = arg;
    struct thread_entry *entry = call_memory(page->page.call, sizeof *entry);

    call_read(page->page.call, 1);
    if (!entry)
        return false;
    entry->stored = *stored;
    zchat__v1__server_event__init(&entry->event);
    zchat__v1__thread_event__init(&entry->about);
    if (stored->kind == STORE_LOST || stored->post.damaged) {
        page->page.call->core->stats.entries_damaged_total++;
        entry->about.damaged = entry_damaged();
        entry->about.body_case = ZCHAT__V1__THREAD_EVENT__BODY_DAMAGED;
    } else if (!entry_body(page->page.call, entry))
        return false;
    entry->about.thread.data = page->thread->id;
    entry->about.thread.len = ID_BYTES;
    entry->about.title = page->thread->title;
    entry->event.seq = stored->seq;
    entry->event.time_us = stored->time_us;
    entry->event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_THREAD;
    entry->event.thread = &entry->about;
    return page_add(&page->page, &entry->event);
}

static const struct refusal sync_refusals[] = {
    {STORE_NOT_FOUND, REASON(NO_SUCH_STREAM), "there is no such thread any more", NULL},
    {0},
};

static enum store_status sync_thread(struct call *call, const unsigned char id[ID_BYTES]) {
    const Zchat__V1__SyncRequest *sync = call->command->sync;
    struct thread_page page = {.thread = &call->result.thread};
    enum store_status status =
        call_store(call, store_thread_find_id(call->core->store, id, page.thread));

    if (status != STORE_OK || !page_begin(&page.page, call, sync->stream))
        return status;
    status =
        call_store(call, store_thread_sync(call->core->store, page.thread->stream, sync->after_seq,
                                           page.page.limit, thread_add, &page));
    page_end(&page.page, page.thread->head);
    return status;
}

static enum store_status sync_run(struct call *call) {
    const char *stream = call->command->sync->stream;
    struct topic *topic = topic_find(&call->core->topics, stream);
    unsigned char id[ID_BYTES];

    if (topic)
        return sync_topic(call, topic);
    return thread_topic_parse(stream, id) ? sync_thread(call, id) : sync_inbox(call);
}

const struct command_row sync_row = {
    .cost = 10,
    .passive = true,
    .check = sync_check,
    .run = sync_run,
    .refusals = sync_refusals,
    .done = call_reply_response,
};

/* ---- back from the newest entry ---- */

static void read_history_check(struct call *call) {
    Zchat__V1__ReadHistoryRequest *wanted = call->command->read_history;

    if (wanted->since_us < 0 || wanted->until_us < 0)
        call_fail(call, REASON(BAD_VALUE),
                  "a time is a number of microseconds since 1970, from 0 on");
    else if (wanted->user[0])
        field_name_fits(call, wanted->user);
}

/* They were read from the newest on. */
static void put_in_order(struct page *page) {
    for (size_t i = 0, j = page->count; i + 1 < j; i++) {
        Zchat__V1__ServerEvent *event = page->events[i];

        page->events[i] = page->events[--j];
        page->events[j] = event;
    }
}

static enum store_status read_history_run(struct call *call) {
    const Zchat__V1__ReadHistoryRequest *wanted = call->command->read_history;
    Zchat__V1__ReadHistoryResponse *history = call_response(call);
    size_t rows = 0;
    struct page page;

    if (!page_init(&page, call, wanted->limit))
        return STORE_OK;
    enum store_status status =
        call_store(call, store_inbox_read_back(call->core->store,
                                               &(struct store_history){
                                                   .account = call->session->member->account,
                                                   .with = wanted->user[0] ? wanted->user : NULL,
                                                   .before_seq = wanted->before_seq,
                                                   .since_us = wanted->since_us,
                                                   .until_us = wanted->until_us,
                                                   .limit = page.limit,
                                                   .rows_max = HISTORY_ROWS_MAX,
                                               },
                                               inbox_add, &page, &history->before_seq, &rows));
    call_read(call, rows - page.count); /* those on the page were counted */
    put_in_order(&page);
    history->events = page.events;
    history->n_events = page.count;
    history->more = history->before_seq > 0;
    return status;
}

static const char *history_user(struct call *call) {
    return call->command->read_history->user;
}

static const struct refusal read_history_refusals[] = {
    {STORE_NOT_FOUND, REASON(NO_SUCH_USER), "there is no user %s", history_user},
    {STORE_SELF, REASON(ONESELF), "one has no conversation with oneself", NULL},
    {0},
};

const struct command_row read_history_row = {
    .cost = 10,
    .check = read_history_check,
    .run = read_history_run,
    .refusals = read_history_refusals,
    .done = call_reply_response,
};
