/* search. */

#include "input.h"
#include "print.h"
#include "verb.h"

#include <inttypes.h>
#include <stdlib.h>

/* Without --count. */
#define COUNT_DEFAULT 50

/* A search from page to page. */
struct search {
    int64_t before; /* 0: the first page */
    uint64_t left;
    uint64_t behind; /* the most that a page said: the index may be made anew meanwhile */
    bool more;
};

static enum status print_post(struct output *output, const zchat_found *found) {
    if (!output->json) {
        output_format(output, "%s ", found->thread);
        return post_print(output, found->post, found->post->number);
    }
    json_t *object = post_object(found->post, found->post->number);
    if (object)
        json_object_set_new(object, "thread", json_string(found->thread));
    return output_object(output, object);
}

/* What is of a kind that this program is too old for is passed over. */
static enum status print_found(struct call *call, const zchat_found *found) {
    return found->message ? message_print(call->output, found->message)
           : found->post  ? print_post(call->output, found)
                          : STATUS_DONE;
}

static enum status print_page(struct call *call, const zchat_reply *reply) {
    struct search *search = call->arg;
    enum status status = STATUS_DONE;
    if (reply->behind > search->behind)
        search->behind = reply->behind;
    for (size_t i = 0; i < reply->count && search->left > 0 && status == STATUS_DONE; i++) {
        status = print_found(call, &reply->found[i]);
        search->left--;
    }
    search->before = reply->before;
    search->more = reply->more && search->left > 0;
    return status;
}

static enum status run_search(struct call *call) {
    uint64_t count = option_number(call->options, OPTION_COUNT);
    struct search search = {.left = count > 0 ? count : COUNT_DEFAULT, .more = true};
    char *words = NULL;
    call->arg = &search;
    enum status status = input_text(call, 0, &words);
    if (status == STATUS_DONE)
        status = call_start(call);
    while (status == STATUS_DONE && search.more)
        status = call_answer(
            call, zchat_search(call->z, words, search.before, 0, call_replied, call), print_page);
    if (status == STATUS_DONE && search.behind > 0)
        output_notice(call->output,
                      "the newest %" PRIu64 " messages and posts were not searched yet",
                      search.behind);
    free(words);
    return status;
}

static const struct verb search_verb = {
    .name = "search",
    .words = "WORDS...",
    .words_min = 1,
    .words_max = VERB_WORDS_ANY,
    .options = VERB_OPTIONS(OPTION_COUNT),
    .run = run_search,
    .examples =
        VERB_EXAMPLES("zmq-cli search ladders", "zmq-cli search '\"two ladders\"' --count 5"),
    .help = "print your messages, and all posts, that have all of the WORDS; the newest first; "
            "\"WORDS IN QUOTES\" follow each other; 50, unless --count says how many",
};

const struct verb *const search_verbs[] = {&search_verb, NULL};
