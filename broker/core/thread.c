/* Threads: told of, made, listed, read as they stand, removed. */
#include "thread.h"

#include "command.h"
#include "field.h"
#include "thread_topic.h"

#include <string.h>

/* ---- told of ---- */

void thread_info_fill(Zchat__V1__ThreadInfo *out, struct store_thread *thread) {
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

Zchat__V1__EntryDamaged *entry_damaged(void) {
    static const Zchat__V1__EntryDamaged damaged = ZCHAT__V1__ENTRY_DAMAGED__INIT;

    return (Zchat__V1__EntryDamaged *)(uintptr_t)&damaged; /* it is packed, never changed */
}

/* ---- the commands ---- */

static void create_thread_check(struct call *call) {
    Zchat__V1__CreateThreadRequest *create = call->command->create_thread;

    title_form(call, &create->title);
    if (field_id_fits(call, &create->id))
        title_fits(call, "a title", create->title);
}

static enum store_status create_thread_run(struct call *call) {
    const Zchat__V1__CreateThreadRequest *create = call->command->create_thread;

    if (title_is_alike(call, create->title))
        return STORE_OK;
    return call_store(call, store_thread_create(call->core->store, create->id.data, create->title,
                                                call->session->member->account,
                                                core_wall_us(call->core, call->now_us),
                                                &call->result.thread));
}

static const char *most_threads(struct call *call) {
    return call_about_number(call, call->core->options.quotas.threads);
}

static const struct refusal create_thread_refusals[] = {
    {STORE_EXISTS, REASON(TITLE_TAKEN), "there is a thread of that title already", NULL},
    {STORE_QUOTA_ACCOUNT, REASON(QUOTA),
     "you made %s threads, the most that one account may have: remove one first", most_threads},
    {STORE_ID_REUSED, REASON(ID_USED), "this id names something else: take a new one", NULL},
    {0},
};

static void create_thread_done(struct call *call) {
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__CreateThreadResponse created = ZCHAT__V1__CREATE_THREAD_RESPONSE__INIT;
    Zchat__V1__ThreadInfo thread;

    thread_info_fill(&thread, &call->result.thread);
    created.thread = &thread;
    reply.body_case = ZCHAT__V1__REPLY__BODY_CREATE_THREAD;
    reply.create_thread = &created;
    call_reply(call, &reply);
}

const struct command_row create_thread_row = {
    .cost = 2,
    .check = create_thread_check,
    .run = create_thread_run,
    .refusals = create_thread_refusals,
    .done = create_thread_done,
};

/* A page of threads. The store is asked for one more than fits, to learn whether there are more. */
struct threads {
    struct call *call;                    /* borrowed */
    Zchat__V1__ListThreadsResponse *page; /* in the call's memory */
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
    if (threads->page->n_threads < threads->limit)
        copy = call_memory(threads->call, sizeof *copy);
    if (!copy) {
        threads->page->more = true;
        return false;
    }
    copy->stored = *stored;
    thread_info_fill(&copy->thread, &copy->stored);
    threads->page->threads[threads->page->n_threads++] = &copy->thread;
    return true;
}

static enum store_status list_threads_run(struct call *call) {
    const Zchat__V1__ListThreadsRequest *list = call->command->list_threads;
    struct threads threads = {
        .call = call, .page = call_response(call), .limit = field_limit(list->limit)};

    threads.page->threads = call_need(call, threads.limit * sizeof *threads.page->threads);
    if (!threads.page->threads)
        return STORE_OK;
    return call_store(call, store_thread_list(call->core->store, list->after, threads.limit + 1,
                                              threads_add, &threads));
}

const struct command_row list_threads_row = {
    .cost = 10,
    .run = list_threads_run,
    .done = call_reply_response,
};

/* A page of a thread's items, bounded by their number and their bytes. */
struct items {
    struct call *call;                   /* borrowed */
    Zchat__V1__ReadThreadResponse *page; /* in the call's memory */
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

static bool item_fill_post(struct call *call, struct item_copy *copy,
                           const struct store_post *post) {
    copy->stored_post = *post;
    post_fill(&copy->post, &copy->stored_post);
    copy->post.text = post_text(call, post);
    copy->item.seq = post->seq;
    if (post->damaged) {
        call->core->stats.entries_damaged_total++;
        copy->item.damaged = entry_damaged();
        copy->item.item_case = ZCHAT__V1__THREAD_ITEM__ITEM_DAMAGED;
    } else {
        copy->item.post = &copy->post;
        copy->item.item_case = ZCHAT__V1__THREAD_ITEM__ITEM_POST;
    }
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
    if (items->page->n_items < items->limit)
        copy = call_memory(items->call, sizeof *copy);
    items->page->more = true; /* until this one is in the page */
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
    items->page->items[items->page->n_items++] = &copy->item;
    items->page->more = false;
    return true;
}

static void read_thread_check(struct call *call) {
    title_form(call, &call->command->read_thread->thread);
}

static const char *read_title(struct call *call) {
    return call_about_title(call, call->command->read_thread->thread);
}

static const struct refusal read_thread_refusals[] = {
    TITLE_NO_THREAD(read_title),
    {0},
};

static enum store_status read_thread_run(struct call *call) {
    const Zchat__V1__ReadThreadRequest *read = call->command->read_thread;
    struct items items = {
        .call = call, .page = call_response(call), .limit = field_limit(read->limit)};
    struct store_thread *thread = &call->result.thread;
    enum store_status status =
        call_store(call, store_thread_find(call->core->store, read->thread, thread));

    if (status != STORE_OK)
        return status;
    items.page->thread = call_need(call, sizeof *items.page->thread);
    items.page->items = call_need(call, items.limit * sizeof *items.page->items);
    if (call_failed(call))
        return STORE_OK;
    thread_info_fill(items.page->thread, thread);
    return call_store(call, store_thread_read(call->core->store, thread->stream, read->after_seq,
                                              items.limit + 1, items_add, &items));
}

const struct command_row read_thread_row = {
    .cost = 10,
    .check = read_thread_check,
    .run = read_thread_run,
    .refusals = read_thread_refusals,
    .done = call_reply_response,
};

static void remove_thread_check(struct call *call) {
    title_form(call, &call->command->remove_thread->thread);
}

static enum store_status remove_thread_run(struct call *call) {
    const char *title = call->command->remove_thread->thread;
    enum store_status status = call_store(
        call, store_thread_remove(call->core->store, title, call->session->member->account,
                                  call->session->admin, &call->result.thread));

    if (status == STORE_OK)
        call_read(call, call->result.thread.posts + call->result.thread.uploads);
    return status;
}

static const char *removed_title(struct call *call) {
    return call_about_title(call, call->command->remove_thread->thread);
}

static const struct refusal remove_thread_refusals[] = {
    TITLE_NO_THREAD(removed_title),
    {STORE_NOT_OWNER, REASON(NOT_CREATOR),
     "only its creator or an administrator may remove a thread", NULL},
    {0},
};

static void remove_thread_done(struct call *call) {
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
    thread_topic_add(call->core, thread, &event);
    thread_topic_tell(call->core, thread->id);
    HASH_ITER(hh, call->core->sessions.members, member, next) {
        member_unfollow(&call->core->sessions, member, thread->stream);
    }
    call_reply_response(call);
}

const struct command_row remove_thread_row = {
    .cost = 10,
    .check = remove_thread_check,
    .run = remove_thread_run,
    .refusals = remove_thread_refusals,
    .done = remove_thread_done,
};
