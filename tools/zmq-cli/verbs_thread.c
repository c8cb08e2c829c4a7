/* thread create, list, post, read, edit, delete, remove, follow, unfollow. The first word is always
 * the thread's title. A thread or a list longer than one page is printed page by page. */

#include "common/time_text.h"
#include "input.h"
#include "numbers.h"
#include "print.h"
#include "verb.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Prints the thread's title and the rest of the answer as JSON, or a line that says what was
 * done. */
static enum status print_title(struct call *call, json_t *more, const char *done) {
    const char *title = call->words[0];
    if (!call->output->json) {
        json_decref(more);
        output_format(call->output, "%s %s\n", done, title);
        return STATUS_DONE;
    }
    json_t *object = json_pack("{s:s}", "thread", title);
    if (object && more && json_object_update(object, more) < 0) {
        json_decref(object);
        object = NULL;
    }
    json_decref(more);
    return output_object(call->output, object);
}

static enum status print_created(struct call *call, const zchat_reply *reply) {
    numbers_forget(call, call->words[0]);
    if (call->output->json)
        return thread_print(call->output, reply->thread, 0);
    output_format(call->output, "created %s\n", reply->thread->title);
    return STATUS_DONE;
}

/* What to say if it is unknown whether the broker has what was sent. */
static const char *retry_hint(char hint[SENTENCE_BYTES], const zchat_id *id) {
    char text[ZCHAT_ID_TEXT];
    zchat_id_format(id, text);
    snprintf(hint, SENTENCE_BYTES,
             "whether it was stored is not known; with --id %s it can be sent again", text);
    return hint;
}

static enum status run_thread_create(struct call *call) {
    char hint[SENTENCE_BYTES];
    zchat_id id = input_id(call);
    enum status status = call_start(call);
    if (status != STATUS_DONE)
        return status;
    call->if_unknown = retry_hint(hint, &id);
    status = call_answer(
        call, zchat_thread_create(call->z, call->words[0], &id, call_replied, call), print_created);
    call->if_unknown = NULL;
    return status;
}

static const struct verb thread_create_verb = {
    .name = "thread create",
    .classic = "CRT",
    .words = "T",
    .words_min = 1,
    .words_max = 1,
    .options = VERB_OPTIONS(OPTION_ID),
    .run = run_thread_create,
    .examples = VERB_EXAMPLES("zmq-cli thread create harvest"),
    .help = "make a thread with the title T",
    .exits = "7 there is such a thread",
};

struct listing {
    char *last_title; /* owned; of the page before; NULL: none */
    bool more;
    bool any;
};

static enum status print_threads(struct call *call, const zchat_reply *reply) {
    struct listing *listing = call->arg;
    enum status status = STATUS_DONE;
    int width = 0;
    for (size_t i = 0; i < reply->count; i++)
        if ((int)strlen(reply->threads[i].creator) > width)
            width = (int)strlen(reply->threads[i].creator);
    for (size_t i = 0; i < reply->count && status == STATUS_DONE; i++)
        status = thread_print(call->output, &reply->threads[i], width);
    free(listing->last_title);
    listing->last_title = NULL;
    listing->any = listing->any || reply->count > 0;
    listing->more = reply->more && reply->count > 0;
    if (!listing->more || status != STATUS_DONE)
        return status;
    listing->last_title = strdup(reply->threads[reply->count - 1].title);
    if (!listing->last_title)
        return output_error(call->output, ZCHAT_NO_MEMORY, 0, "there is not enough memory");
    return STATUS_DONE;
}

static enum status run_thread_list(struct call *call) {
    struct listing listing = {.more = true};
    call->arg = &listing;
    enum status status = call_start(call);
    while (status == STATUS_DONE && listing.more) {
        status =
            call_answer(call, zchat_thread_list(call->z, listing.last_title, 0, call_replied, call),
                        print_threads);
    }
    if (status == STATUS_DONE && !listing.any)
        output_notice(call->output, "no threads to list");
    free(listing.last_title);
    return status;
}

static const struct verb thread_list_verb = {
    .name = "thread list",
    .classic = "LST",
    .words = "",
    .run = run_thread_list,
    .examples = VERB_EXAMPLES("zmq-cli thread list"),
    .help = "list all threads; with their last activity, posts and creators",
};

static enum status print_posted(struct call *call, const zchat_reply *reply) {
    char id[ZCHAT_ID_TEXT], time[TIME_TEXT];
    zchat_id_format(&reply->id, id);
    numbers_append(call, call->words[0], reply->number, &reply->id);
    if (call->output->json)
        return output_object(call->output,
                             json_pack("{s:s, s:o, s:o, s:o}", "id", id, "number",
                                       value_big(reply->number), "seq", value_big(reply->seq),
                                       "time", value_time(reply->time_us)));
    output_format(call->output, "%" PRIu64 " %s %s\n", reply->number, id,
                  time_short(reply->time_us, time));
    return STATUS_DONE;
}

static enum status post_text(struct call *call, const char *text) {
    char hint[SENTENCE_BYTES];
    zchat_id id = input_id(call);
    call->if_unknown = retry_hint(hint, &id);
    enum status status =
        call_answer(call, zchat_thread_post(call->z, call->words[0], text, &id, call_replied, call),
                    print_posted);
    call->if_unknown = NULL;
    return status;
}

static enum status run_thread_post(struct call *call) {
    char *text = NULL;
    enum status status = input_text(call, 1, &text);
    if (status == STATUS_DONE)
        status = call_start(call);
    if (status == STATUS_DONE)
        status = post_text(call, text);
    free(text);
    return status;
}

static const struct verb thread_post_verb = {
    .name = "thread post",
    .classic = "MSG",
    .words = "T TEXT...",
    .words_min = 2,
    .words_max = VERB_WORDS_ANY,
    .options = VERB_OPTIONS(OPTION_ID),
    .run = run_thread_post,
    .examples = VERB_EXAMPLES("zmq-cli thread post harvest who brings two ladders?",
                              "zmq-cli thread post harvest - < build.log"),
    .help =
        "post to a thread; the TEXT \"-\" is read from stdin; after -- it may begin with a dash",
};

struct reading {
    struct numbers numbers;
    bool begun;
    bool more;
    uint64_t after_seq;
};

/* Numbers are counted as posts are printed: a post that is deleted between two pages keeps the
 * number under which it was seen. */
static enum status print_item(struct call *call, const zchat_item *item) {
    struct reading *reading = call->arg;
    reading->after_seq = item->seq;
    if (item->upload)
        return upload_print(call->output, item->upload);
    if (item->damaged)
        return damaged_print(call->output, item->seq);
    if (!item->post)
        return STATUS_DONE; /* of a kind that is newer than this program */
    return post_print(call->output, item->post, numbers_add(&reading->numbers, &item->post->id));
}

static enum status print_page(struct call *call, const zchat_reply *reply) {
    struct reading *reading = call->arg;
    enum status status = STATUS_DONE;
    if (!reading->begun)
        numbers_begin(&reading->numbers, call, call->words[0]);
    reading->begun = true;
    for (size_t i = 0; i < reply->count && status == STATUS_DONE; i++)
        status = print_item(call, &reply->items[i]);
    reading->more = reply->more && reply->count > 0;
    return status;
}

static enum status run_thread_read(struct call *call) {
    struct reading reading = {.more = true};
    call->arg = &reading;
    enum status status = call_start(call), kept = STATUS_DONE;
    while (status == STATUS_DONE && reading.more) {
        status = call_answer(
            call,
            zchat_thread_read(call->z, call->words[0], reading.after_seq, 0, call_replied, call),
            print_page);
    }
    if (reading.begun)
        kept = numbers_keep(&reading.numbers);
    return status == STATUS_DONE ? kept : status;
}

static const struct verb thread_read_verb = {
    .name = "thread read",
    .classic = "RDT",
    .words = "T",
    .words_min = 1,
    .words_max = 1,
    .run = run_thread_read,
    .examples = VERB_EXAMPLES("zmq-cli thread read harvest"),
    .help = "print a thread's posts, numbered, and uploads",
};

/* The post that edit and delete are about: given by --id, or else by word 1. */
struct which {
    uint64_t number;
    bool known; /* the id is */
    zchat_id id;
};

static enum status parse_which(const struct call *call, struct which *which) {
    const char *given = option_text(call->options, OPTION_ID);
    *which = (struct which){0};
    which->known = given && zchat_id_parse(given, &which->id);
    if (which->known || option_parse_number(call->words[1], &which->number))
        return STATUS_DONE;
    return output_error(call->output, ZCHAT_INVALID, 0,
                        "N is a post's number, a whole number from 1 on, not \"%s\"",
                        call->words[1]);
}

/* Logs in, and turns the number into the id of the post that the user saw with it. */
static enum status find_which(struct call *call, struct which *which) {
    enum status status = call_start(call);
    if (status == STATUS_DONE && !which->known)
        status = numbers_find(call, call->words[0], which->number, &which->id, &which->known);
    return status;
}

static const zchat_id *which_id(const struct which *which) {
    return which->known ? &which->id : NULL;
}

static enum status print_edited(struct call *call, const zchat_reply *reply) {
    const struct which *which = call->arg;
    if (call->output->json)
        return post_print(call->output, reply->post, reply->post->number);
    output_format(call->output, "edited post %" PRIu64 "\n",
                  which->number ? which->number : reply->post->number);
    return STATUS_DONE;
}

static enum status run_thread_edit(struct call *call) {
    struct which which;
    char *text = NULL;
    int text_at = option_is_set(call->options, OPTION_ID) ? 1 : 2;
    call->arg = &which;
    enum status status = parse_which(call, &which);
    if (status == STATUS_DONE)
        status = input_text(call, text_at, &text);
    if (status == STATUS_DONE)
        status = find_which(call, &which);
    if (status == STATUS_DONE)
        status = call_answer(call,
                             zchat_thread_edit(call->z, call->words[0], which_id(&which),
                                               which.number, text, call_replied, call),
                             print_edited);
    free(text);
    return status;
}

static const struct verb thread_edit_verb = {
    .name = "thread edit",
    .classic = "EDT",
    .words = "T N TEXT...",
    .words_min = 3,
    .words_max = VERB_WORDS_ANY,
    .id_for_word = true,
    .options = VERB_OPTIONS(OPTION_ID),
    .run = run_thread_edit,
    .examples = VERB_EXAMPLES("zmq-cli thread edit harvest 1 who brings three ladders?"),
    .help = "give your post a new text; N is its number when you last read the thread",
    .exits = "6 not your post, 7 the number is another post now",
};

static enum status print_deleted(struct call *call, const zchat_reply *reply) {
    const struct which *which = call->arg;
    char id[ZCHAT_ID_TEXT];
    (void)reply;
    zchat_id_format(&which->id, id);
    if (call->output->json)
        return print_title(call, which->known ? json_pack("{s:s}", "id", id) : NULL, "deleted");
    if (which->number)
        output_format(call->output, "deleted post %" PRIu64 "\n", which->number);
    else
        output_format(call->output, "deleted post %s\n", id);
    return STATUS_DONE;
}

static enum status run_thread_delete(struct call *call) {
    struct which which;
    call->arg = &which;
    enum status status = parse_which(call, &which);
    if (status == STATUS_DONE)
        status = find_which(call, &which);
    if (status != STATUS_DONE)
        return status;
    return call_answer(call,
                       zchat_thread_delete(call->z, call->words[0], which_id(&which), which.number,
                                           call_replied, call),
                       print_deleted);
}

static const struct verb thread_delete_verb = {
    .name = "thread delete",
    .classic = "DLT",
    .words = "T N",
    .words_min = 2,
    .words_max = 2,
    .id_for_word = true,
    .options = VERB_OPTIONS(OPTION_ID),
    .run = run_thread_delete,
    .examples = VERB_EXAMPLES("zmq-cli thread delete harvest 2"),
    .help = "delete your post; N is its number when you last read the thread",
    .exits = "6 not your post, 7 the number is another post now",
};

static enum status print_removed(struct call *call, const zchat_reply *reply) {
    (void)reply;
    numbers_forget(call, call->words[0]);
    return print_title(call, NULL, "removed");
}

static enum status run_thread_remove(struct call *call) {
    enum status status = call_start(call);
    if (status != STATUS_DONE)
        return status;
    return call_answer(call, zchat_thread_remove(call->z, call->words[0], call_replied, call),
                       print_removed);
}

static const struct verb thread_remove_verb = {
    .name = "thread remove",
    .classic = "RMV",
    .words = "T",
    .words_min = 1,
    .words_max = 1,
    .run = run_thread_remove,
    .examples = VERB_EXAMPLES("zmq-cli thread remove picnic"),
    .help = "remove your thread with its posts and files",
    .exits = "6 not your thread",
};

static enum status print_followed(struct call *call, const zchat_reply *reply) {
    json_t *more = NULL;
    if (reply->count > 0)
        more = json_pack("{s:o, s:o}", "head", value_big(reply->followed[0].head), "cursor",
                         value_big(reply->followed[0].cursor));
    return print_title(call, more, "following");
}

static enum status print_unfollowed(struct call *call, const zchat_reply *reply) {
    (void)reply;
    return print_title(call, NULL, "no longer following");
}

static enum status run_thread_follow(struct call *call) {
    enum status status = call_start(call);
    if (status != STATUS_DONE)
        return status;
    return call_answer(call, zchat_thread_follow(call->z, call->words[0], call_replied, call),
                       print_followed);
}

static const struct verb thread_follow_verb = {
    .name = "thread follow",
    .words = "T",
    .words_min = 1,
    .words_max = 1,
    .run = run_thread_follow,
    .examples = VERB_EXAMPLES("zmq-cli thread follow harvest"),
    .help = "be told of what happens in a thread, from now on; by events and by zchat, also what "
            "happened while you were away",
};

static enum status run_thread_unfollow(struct call *call) {
    enum status status = call_start(call);
    if (status != STATUS_DONE)
        return status;
    return call_answer(call, zchat_thread_unfollow(call->z, call->words[0], call_replied, call),
                       print_unfollowed);
}

static const struct verb thread_unfollow_verb = {
    .name = "thread unfollow",
    .words = "T",
    .words_min = 1,
    .words_max = 1,
    .run = run_thread_unfollow,
    .examples = VERB_EXAMPLES("zmq-cli thread unfollow harvest"),
    .help = "stop being told of what happens in a thread",
};

const struct verb *const thread_verbs[] = {
    &thread_create_verb,   &thread_list_verb,
    &thread_post_verb,     &thread_read_verb,
    &thread_edit_verb,     &thread_delete_verb,
    &thread_remove_verb,   &thread_follow_verb,
    &thread_unfollow_verb, NULL,
};
