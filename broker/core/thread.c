/* Threads: made, listed, read as they stand, removed; and telling what happens in them. */
#include "handlers.h"

#include <stdio.h>
#include <string.h>
#include <utlist.h>

bool thread_stream_parse(const char *stream, unsigned char id[ID_BYTES]) {
    static const char prefix[] = "thread/";
    size_t prefix_bytes = sizeof prefix - 1;

    if (strncmp(stream, prefix, prefix_bytes) != 0 ||
        strspn(stream + prefix_bytes, "0123456789abcdef") != 2 * ID_BYTES ||
        stream[prefix_bytes + 2 * ID_BYTES] != '\0')
        return false;
    for (size_t i = 0; i < ID_BYTES; i++) {
        unsigned value;

        if (sscanf(stream + prefix_bytes + 2 * i, "%2x", &value) != 1)
            return false;
        id[i] = (unsigned char)value;
    }
    return true;
}

void thread_fill(Zchat__V1__ThreadInfo *out, struct store_thread *thread) {
    zchat__v1__thread_info__init(out);
    out->id.data = thread->id;
    out->id.len = ID_BYTES;
    out->title = thread->title;
    out->creator = thread->creator;
    out->posts = thread->posts;
    out->uploads = thread->uploads;
    out->created_us = thread->created_us;
    out->last_us = thread->last_us;
    out->head = thread->head;
}

void upload_fill(Zchat__V1__Upload *out, struct store_file *file) {
    zchat__v1__upload__init(out);
    out->id.data = file->id;
    out->id.len = ID_BYTES;
    out->user = file->user;
    out->file = file->name;
    out->size = file->size;
    out->time_us = file->time_us;
    out->digest.data = file->hash;
    out->digest.len = HASH_BYTES;
}

/* Whoever causes it is charged for all that are told, though they are told later. */
void thread_tell(struct core *core, const struct store_thread *thread,
                 Zchat__V1__ServerEvent *event) {
    const struct followers *followers = session_followers(&core->sessions, thread->stream);
    struct outbox_packed packed = outbox_pack(core->outbox, event);

    if (followers)
        outbox_charge(core->outbox, packed.length * followers->with_public);
    thread_topic_gather(core, thread, event->seq, &packed);
}

void create_thread_check(struct call *call) {
    const Zchat__V1__CreateThreadRequest *create = call->command->create_thread;

    if (message_id_fits(call, &create->id))
        thread_title_fits(call, "a title", create->title);
}

void create_thread_run(struct call *call) {
    const Zchat__V1__CreateThreadRequest *create = call->command->create_thread;
    enum store_status status;

    if (thread_title_is_alike(call, create->title))
        return;
    status = call_store(call, store_thread_create(call->core->store, create->id.data, create->title,
                                                  call->session->member->account,
                                                  core_wall_us(call->core, call->now_us),
                                                  &call->result.thread));

    if (status == STORE_EXISTS)
        call_fail(call, REASON(TITLE_TAKEN), "there is a thread of that title already");
    else if (status == STORE_QUOTA_ACCOUNT)
        call_fail(call, REASON(QUOTA),
                  "you made %llu threads, the most that one account may have: remove one first",
                  (unsigned long long)call->core->options.quotas.threads);
    else if (status == STORE_ID_REUSED)
        call_fail(call, REASON(ID_USED), "this id names something else: take a new one");
    call_status_told(call, status);
}

void create_thread_done(struct call *call) {
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__CreateThreadResponse created = ZCHAT__V1__CREATE_THREAD_RESPONSE__INIT;
    Zchat__V1__ThreadInfo thread;

    thread_fill(&thread, &call->result.thread);
    created.thread = &thread;
    reply.body_case = ZCHAT__V1__REPLY__BODY_CREATE_THREAD;
    reply.create_thread = &created;
    call_reply(call, &reply);
}

size_t page_limit(uint32_t limit) {
    return limit == 0 || limit > SYNC_ENTRIES_MAX ? SYNC_ENTRIES_MAX : limit;
}

/* A page of threads. One more than fits is asked for, to know whether there are more. */
struct threads {
    struct call *call; /* borrowed */
    Zchat__V1__ListThreadsResponse reply;
    size_t limit;
};

struct thread_copy {
    Zchat__V1__ThreadInfo thread;
    struct store_thread stored;
};

static bool threads_add(void *arg, const struct store_thread *stored) {
    struct threads *threads = arg;
    struct thread_copy *copy = NULL;

    call_read(threads->call, 1);
    if (threads->reply.n_threads < threads->limit)
        copy = call_memory(threads->call, sizeof *copy);
    if (!copy) {
        threads->reply.more = true;
        return false;
    }
    copy->stored = *stored;
    thread_fill(&copy->thread, &copy->stored);
    threads->reply.threads[threads->reply.n_threads++] = &copy->thread;
    return true;
}

void list_threads_done(struct call *call) {
    const Zchat__V1__ListThreadsRequest *list = call->command->list_threads;
    struct threads threads = {.call = call, .limit = page_limit(list->limit)};
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;

    zchat__v1__list_threads_response__init(&threads.reply);
    threads.reply.threads = call_memory(call, threads.limit * sizeof *threads.reply.threads);
    if (!threads.reply.threads ||
        call_store(call, store_thread_list(call->core->store, list->after, threads.limit + 1,
                                           threads_add, &threads)))
        return;
    reply.body_case = ZCHAT__V1__REPLY__BODY_LIST_THREADS;
    reply.list_threads = &threads.reply;
    call_reply(call, &reply);
}

/* A page of a thread's items, bounded by their number and their bytes. */
struct items {
    struct call *call; /* borrowed */
    Zchat__V1__ReadThreadResponse reply;
    size_t bytes;
    size_t limit;
};

struct item_copy {
    Zchat__V1__ThreadItem item;
    Zchat__V1__Post post;
    Zchat__V1__Upload upload;
    struct store_post stored_post;
    struct store_file stored_file;
};

void post_fill(Zchat__V1__Post *out, struct store_post *post) {
    zchat__v1__post__init(out);
    out->id.data = post->id;
    out->id.len = ID_BYTES;
    out->number = post->number;
    out->user = post->user;
    out->time_us = post->time_us;
    out->edited_us = post->edited_us;
}

char *post_text(struct call *call, const struct store_post *post) {
    char *text = call_memory(call, post->text_bytes + 1);

    return text ? memcpy(text, post->text, post->text_bytes) : NULL;
}

static bool item_fill_post(struct call *call, struct item_copy *copy,
                           const struct store_post *post) {
    copy->stored_post = *post;
    post_fill(&copy->post, &copy->stored_post);
    copy->post.text = post_text(call, post);
    copy->item.seq = post->seq;
    if (post->damaged)
        call->core->stats.entries_damaged_total++;
    else
        copy->item.item_case = ZCHAT__V1__THREAD_ITEM__ITEM_POST;
    copy->item.post = &copy->post;
    return copy->post.text != NULL;
}

static void item_fill_file(struct item_copy *copy, const struct store_file *file) {
    copy->stored_file = *file;
    upload_fill(&copy->upload, &copy->stored_file);
    copy->item.seq = file->seq;
    copy->item.item_case = ZCHAT__V1__THREAD_ITEM__ITEM_UPLOAD;
    copy->item.upload = &copy->upload;
}

static bool items_add(void *arg, const struct store_post *post, const struct store_file *file) {
    struct items *items = arg;
    struct item_copy *copy = NULL;
    size_t bytes;

    call_read(items->call, 1);
    if (items->reply.n_items < items->limit)
        copy = call_memory(items->call, sizeof *copy);
    items->reply.more = true; /* until this one is in the page */
    if (!copy)
        return false;
    zchat__v1__thread_item__init(&copy->item);
    if (post && !item_fill_post(items->call, copy, post))
        return false;
    if (file)
        item_fill_file(copy, file);
    bytes = wire_element_size(&copy->item.base);
    if (items->bytes + bytes > SYNC_BYTES_MAX)
        return false;
    items->bytes += bytes;
    items->reply.items[items->reply.n_items++] = &copy->item;
    items->reply.more = false;
    return true;
}

void read_thread_done(struct call *call) {
    const Zchat__V1__ReadThreadRequest *read = call->command->read_thread;
    struct items items = {.call = call, .limit = page_limit(read->limit)};
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    struct store_thread stored;
    Zchat__V1__ThreadInfo thread;
    enum store_status status =
        call_store(call, store_thread_find(call->core->store, read->thread, &stored));

    if (status == STORE_NOT_FOUND)
        thread_not_found(call, read->thread);
    call_status_told(call, status);
    if (status != STORE_OK)
        return;
    zchat__v1__read_thread_response__init(&items.reply);
    items.reply.items = call_memory(call, items.limit * sizeof *items.reply.items);
    if (!items.reply.items ||
        call_store(call, store_thread_read(call->core->store, stored.stream, read->after_seq,
                                           items.limit + 1, items_add, &items)))
        return;
    thread_fill(&thread, &stored);
    items.reply.thread = &thread;
    reply.body_case = ZCHAT__V1__REPLY__BODY_READ_THREAD;
    reply.read_thread = &items.reply;
    call_reply(call, &reply);
}

void remove_thread_run(struct call *call) {
    const char *title = call->command->remove_thread->thread;
    enum store_status status = call_store(
        call, store_thread_remove(call->core->store, title, call->session->member->account,
                                  call->session->admin, &call->result.thread));

    if (status == STORE_NOT_FOUND)
        thread_not_found(call, title);
    else if (status == STORE_BLOCKED)
        call_fail(call, REASON(NOT_CREATOR),
                  "only its creator or an administrator may remove a thread");
    else if (status == STORE_OK)
        call_read(call, call->result.thread.posts + call->result.thread.uploads);
    call_status_told(call, status);
}

void remove_thread_done(struct call *call) {
    struct store_thread *thread = &call->result.thread;
    Zchat__V1__ServerEvent event = ZCHAT__V1__SERVER_EVENT__INIT;
    Zchat__V1__ThreadEvent about = ZCHAT__V1__THREAD_EVENT__INIT;
    Zchat__V1__ThreadRemoved removed = ZCHAT__V1__THREAD_REMOVED__INIT;
    struct member *member, *next;

    removed.user = call->session->member->name;
    about.body_case = ZCHAT__V1__THREAD_EVENT__BODY_REMOVED;
    about.removed = &removed;
    about.thread.data = thread->id;
    about.thread.len = ID_BYTES;
    about.title = thread->title;
    event.seq = thread->head + 1;
    event.time_us = core_wall_us(call->core, call->now_us);
    event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_THREAD;
    event.thread = &about;
    thread_tell(call->core, thread, &event);
    thread_topic_tell(call->core, thread->id);
    HASH_ITER(hh, call->core->sessions.members, member, next) {
        member_unfollow(&call->core->sessions, member, thread->stream);
    }
    call_reply_empty(call);
}
