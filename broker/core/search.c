/* Searching for words. */
#include "command.h"
#include "field.h"
#include "message.h"
#include "thread.h"

#include <string.h>

static size_t found_limit(const struct call *call) {
    uint32_t limit = call->command->search->limit;

    return limit == 0 || limit > SEARCH_FOUND_MAX ? SEARCH_FOUND_MAX : limit;
}

static void search_check(struct call *call) {
    size_t bytes = strlen(call->command->search->words);

    if (bytes == 0 || bytes > SEARCH_BYTES_MAX)
        call_fail(call, REASON(BAD_VALUE),
                  "a search wants words of 1 to " TEXT_OF(SEARCH_BYTES_MAX) " bytes in all");
    else if (call->command->search->before < 0)
        call_fail(call, REASON(BAD_VALUE), "a page begins before one that a search gave, or at 0");
}

/* A page of what was found, bounded by its bytes as well. */
struct page {
    struct call *call;               /* borrowed */
    Zchat__V1__SearchResponse *page; /* in the call's memory */
    size_t bytes;
};

struct found_copy {
    Zchat__V1__Found found;
    Zchat__V1__FoundMessage message;
    Zchat__V1__MessageEvent event;
    Zchat__V1__FoundPost post;
    Zchat__V1__Post stands;
    struct store_found stored;
};

static char *text_copy(struct call *call, const char *text, size_t bytes) {
    char *copy = call_memory(call, bytes + 1);

    return copy ? memcpy(copy, text, bytes) : NULL; /* the memory is zeroed */
}

static bool fill_message(struct call *call, struct found_copy *copy) {
    const struct store_message *stored = &copy->stored.message;

    zchat__v1__found_message__init(&copy->message);
    zchat__v1__message_event__init(&copy->event);
    copy->message.seq = stored->seq;
    copy->message.time_us = stored->time_us;
    copy->message.message = &copy->event;
    copy->event.id.data = copy->stored.message.id;
    copy->event.id.len = ID_BYTES;
    message_about(&copy->event, stored->about, copy->stored.message.original);
    copy->event.sender = text_copy(call, stored->from, strlen(stored->from));
    copy->event.to = text_copy(call, stored->to, strlen(stored->to));
    copy->event.text = text_copy(call, stored->text, stored->text_bytes);
    copy->found.body_case = ZCHAT__V1__FOUND__BODY_MESSAGE;
    copy->found.message = &copy->message;
    return copy->event.sender && copy->event.to && copy->event.text;
}

static bool fill_post(struct call *call, struct found_copy *copy) {
    zchat__v1__found_post__init(&copy->post);
    post_fill(&copy->stands, &copy->stored.post);
    copy->post.thread = copy->stored.thread.title;
    copy->post.post = &copy->stands;
    copy->stands.text = post_text(call, &copy->stored.post);
    copy->found.body_case = ZCHAT__V1__FOUND__BODY_POST;
    copy->found.post = &copy->post;
    return copy->stands.text != NULL;
}

/* false: it does not fit any more, and comes first in the next page. */
static bool page_add(void *arg, const struct store_found *stored) {
    struct page *page = arg;
    struct found_copy *copy = call_memory(page->call, sizeof *copy);

    call_read(page->call, 1);
    if (!copy)
        return false;
    copy->stored = *stored;
    zchat__v1__found__init(&copy->found);
    if (!(stored->is_post ? fill_post : fill_message)(page->call, copy))
        return false;
    page->bytes += wire_element_size(&copy->found.base);
    if (page->bytes > SYNC_BYTES_MAX)
        return false;
    page->page->found[page->page->n_found++] = &copy->found;
    return true;
}

static enum store_status search_run(struct call *call) {
    const Zchat__V1__SearchRequest *wanted = call->command->search;
    struct page page = {.call = call, .page = call_response(call)};
    struct store_search search = {.account = call->session->member->account,
                                  .words = wanted->words,
                                  .before = wanted->before,
                                  .limit = found_limit(call)};
    struct store_searched searched;
    enum store_status status;

    page.page->found = call_need(call, search.limit * sizeof *page.page->found);
    if (!page.page->found)
        return STORE_OK;
    status = call_store(call, store_search(call->core->store, &search, page_add, &page, &searched));
    if (status == STORE_NO_INDEX)
        core_warn_rarely(call->core, "search_failed", "words", "%s",
                         "result=\"the index of words can't be read now; a damaged one is made "
                         "anew\"");
    page.page->before = searched.more ? searched.before : 0;
    page.page->behind = searched.behind;
    return status;
}

static const struct refusal search_refusals[] = {
    {STORE_NO_WORD, REASON(BAD_VALUE),
     "a search wants 1 to " TEXT_OF(SEARCH_WORDS_MAX) " words; in scripts "
                                                      "without spaces each character is one",
     NULL},
    {STORE_NO_INDEX, REASON(NO_INDEX),
     "this broker can't search now: its index of words can't be read", NULL},
    {0},
};

/* It may take as long as a page of a thread, several times over. */
const struct command_row search_row = {
    .cost = 50,
    .check = search_check,
    .run = search_run,
    .refusals = search_refusals,
    .done = call_reply_response,
};
