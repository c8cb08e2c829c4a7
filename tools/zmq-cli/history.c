/* history: the newest messages of a conversation, or of what stands in a thread, in their order.
 * The place where these begin is looked for from the end, page by page; then they are printed from
 * there on, so that nothing has to be kept but places. */
#include "bound.h"
#include "common/clock.h"
#include "numbers.h"
#include "print.h"
#include "verb.h"
#include "when.h"

#include <stdlib.h>

#define STANDARD_LIMIT 50
#define PAGE_MAX       500 /* that a broker gives at most */

/* A page that is asked for once more to be printed. */
struct place {
    uint64_t before_seq;
    uint32_t limit;
};

struct history {
    struct call *call; /* borrowed: from main */
    int64_t since_us;  /* 0: from the first on */
    int64_t until_us;  /* 0: to the last */
    int64_t clock_us;  /* the broker's, at the login */

    struct place *places; /* owned; of a conversation's pages, the newest first */
    size_t place_count;
    struct place place;
    uint64_t left; /* of the limit: that are to be found yet */
    bool more;

    uint64_t *seqs; /* owned; of a thread's items that fit in the part that is looked through */
    size_t seq_count;
    size_t seq_room;
    uint64_t head;
    uint64_t after;
    uint64_t last; /* beyond it nothing fits, or is looked at now */
    bool older;    /* there was one of before since_us */
    bool late;     /* the item that was asked for is not of before until_us, or there is none */
};

static enum status no_memory(const struct history *history) {
    return output_error(history->call->output, ZCHAT_NO_MEMORY, 0, "there is not enough memory");
}

/* Something moved; where --timeout is given it is the whole call's. */
static void step(const struct history *history) {
    if (!call_is_bounded(history->call, false))
        call_renew_deadline(history->call);
}

static uint32_t page_limit(uint64_t wanted) {
    return wanted < PAGE_MAX ? (uint32_t)wanted : PAGE_MAX;
}

/* ---- a conversation ---- */

static enum status print_messages(struct call *call, const zchat_reply *reply) {
    enum status status = STATUS_DONE;
    for (size_t i = 0; i < reply->count && status == STATUS_DONE; i++)
        status = message_print(call->output, &reply->messages[i]);
    return status;
}

static enum status keep_place(struct history *history) {
    size_t bytes = (history->place_count + 1) * sizeof *history->places;
    struct place *grown = realloc(history->places, bytes);
    if (!grown)
        return no_memory(history);
    history->places = grown;
    grown[history->place_count++] = history->place;
    return STATUS_DONE;
}

/* The first of the pages, which comes last, is printed at once. */
static enum status take_messages(struct call *call, const zchat_reply *reply) {
    struct history *history = call->arg;
    history->left -= reply->count < history->left ? reply->count : history->left;
    history->more = reply->more && history->left > 0;
    enum status status = STATUS_DONE;
    if (!history->more)
        status = print_messages(call, reply);
    else if (reply->count > 0)
        status = keep_place(history);
    history->place.before_seq = reply->seq;
    return status;
}

static enum status ask_messages(struct history *history, const struct place *place,
                                call_print_fn *print) {
    struct call *call = history->call;
    step(history);
    return call_answer(call,
                       zchat_history(call->z, call->words[0], place->before_seq, history->since_us,
                                     history->until_us, place->limit, call_replied, call),
                       print);
}

static enum status read_conversation(struct history *history) {
    enum status status = STATUS_DONE;
    for (history->more = true; history->more && status == STATUS_DONE;) {
        history->place.limit = page_limit(history->left);
        status = ask_messages(history, &history->place, take_messages);
    }
    while (history->place_count > 0 && status == STATUS_DONE)
        status = ask_messages(history, &history->places[--history->place_count], print_messages);
    return status;
}

/* ---- a thread ---- */

static int64_t time_of(const zchat_item *item) {
    if (item->post)
        return item->post->time_us;
    return item->upload ? item->upload->time_us : 0; /* damaged: not known */
}

static const char *title_of(const struct history *history) {
    return option_text(history->call->options, OPTION_THREAD);
}

static enum status ask_items(struct history *history, uint64_t after, uint64_t limit,
                             call_print_fn *print) {
    struct call *call = history->call;
    step(history);
    return call_answer(
        call,
        zchat_thread_read(call->z, title_of(history), after, page_limit(limit), call_replied, call),
        print);
}

static enum status take_head(struct call *call, const zchat_reply *reply) {
    struct history *history = call->arg;
    history->head = reply->thread->head;
    return STATUS_DONE;
}

static enum status take_probe(struct call *call, const zchat_reply *reply) {
    struct history *history = call->arg;
    const zchat_item *item = reply->count > 0 ? &reply->items[0] : NULL;
    history->late = !item || time_of(item) >= history->until_us;
    history->after = item ? item->seq : history->after;
    return STATUS_DONE;
}

/* The last number whose item came before until_us, by halves: times only go back where the broker's
 * clock did. */
static enum status find_last(struct history *history) {
    enum status status = STATUS_DONE;
    uint64_t low = 0;
    history->last = history->head;
    while (history->until_us > 0 && low < history->last && status == STATUS_DONE) {
        uint64_t middle = low + (history->last - low) / 2;
        status = ask_items(history, middle, 1, take_probe);
        if (history->late)
            history->last = middle;
        else
            low = history->after;
    }
    return status;
}

static enum status keep_seq(struct history *history, uint64_t seq) {
    if (history->seq_count == history->seq_room) {
        size_t room = history->seq_room ? 2 * history->seq_room : PAGE_MAX;
        uint64_t *grown = realloc(history->seqs, room * sizeof *grown);
        if (!grown)
            return no_memory(history);
        history->seqs = grown;
        history->seq_room = room;
    }
    history->seqs[history->seq_count++] = seq;
    return STATUS_DONE;
}

/* What is before an item that is too old is too old as well. */
static enum status take_seq(struct history *history, const zchat_item *item) {
    int64_t time_us = time_of(item);
    history->after = item->seq;
    if (time_us == 0 || time_us >= history->since_us)
        return keep_seq(history, item->seq);
    history->older = true;
    history->seq_count = 0;
    return STATUS_DONE;
}

static enum status take_seqs(struct call *call, const zchat_reply *reply) {
    struct history *history = call->arg;
    enum status status = STATUS_DONE;
    history->more = reply->more && reply->count > 0;
    for (size_t i = 0; i < reply->count && status == STATUS_DONE; i++) {
        if (reply->items[i].seq > history->last) {
            history->more = false;
            break;
        }
        status = take_seq(history, &reply->items[i]);
    }
    return status;
}

/* Those after `after` up to history->last. */
static enum status look_through(struct history *history, uint64_t after) {
    enum status status = STATUS_DONE;
    history->seq_count = 0;
    history->after = after;
    for (history->more = true; history->more && status == STATUS_DONE;)
        status = ask_items(history, history->after, PAGE_MAX, take_seqs);
    return status;
}

/* Looks through parts that grow, from the end on, until there are enough. *first: the number of the
 * first item to print; 0: there is none. */
static enum status find_first(struct history *history, uint64_t *first) {
    enum status status = STATUS_DONE;
    uint64_t last = history->last, width = page_limit(history->left);
    *first = 0;
    while (history->last > 0 && history->left > 0 && !history->older && status == STATUS_DONE) {
        uint64_t after = history->last > width ? history->last - width : 0;
        status = look_through(history, after);
        size_t used =
            history->seq_count < history->left ? history->seq_count : (size_t)history->left;
        if (used > 0)
            *first = history->seqs[history->seq_count - used];
        history->left -= used;
        history->last = after;
        width *= 2;
    }
    history->last = last;
    return status;
}

static enum status print_item(struct history *history, const zchat_item *item) {
    struct output *output = history->call->output;
    history->after = item->seq;
    if (item->upload)
        return upload_print(output, item->upload);
    if (item->damaged)
        return damaged_print(output, item->seq);
    if (!item->post)
        return STATUS_DONE; /* of a kind that this program is too old for */
    numbers_append(history->call, title_of(history), item->post->number, &item->post->id);
    return post_print(output, item->post, item->post->number);
}

static enum status print_items(struct call *call, const zchat_reply *reply) {
    struct history *history = call->arg;
    enum status status = STATUS_DONE;
    history->more = reply->more && reply->count > 0;
    for (size_t i = 0; i < reply->count && status == STATUS_DONE; i++) {
        if (reply->items[i].seq > history->last) {
            history->more = false;
            break;
        }
        status = print_item(history, &reply->items[i]);
    }
    return status;
}

static enum status read_thread(struct history *history) {
    uint64_t first = 0;
    enum status status = ask_items(history, 0, 1, take_head);
    if (status == STATUS_DONE)
        status = find_last(history);
    if (status == STATUS_DONE)
        status = find_first(history, &first);
    history->after = first > 0 ? first - 1 : 0;
    for (history->more = first > 0; history->more && status == STATUS_DONE;)
        status = ask_items(history, history->after, PAGE_MAX, print_items);
    return status;
}

/* ---- the verb ---- */

static enum status keep_clock(struct call *call, const zchat_reply *reply) {
    struct history *history = call->arg;
    history->clock_us = reply->time_us;
    return STATUS_DONE;
}

/* How long ago something was, the broker's clock tells. */
static int64_t time_said(const struct history *history, enum option_id id) {
    const char *text = option_text(history->call->options, id);
    int64_t time_us = 0;
    if (text)
        (void)when_parse(text, history->clock_us ? history->clock_us : clock_wall_us(), &time_us);
    return time_us;
}

static enum status read_history(struct history *history) {
    struct call *call = history->call;
    if (!call_is_bounded(call, false))
        bound_each_step(true, NULL);
    history->since_us = time_said(history, OPTION_SINCE);
    history->until_us = time_said(history, OPTION_UNTIL);
    if (history->until_us > 0 && history->since_us >= history->until_us)
        return output_error(call->output, ZCHAT_INVALID, 0, "--since %s is not before --until %s",
                            option_text(call->options, OPTION_SINCE),
                            option_text(call->options, OPTION_UNTIL));
    return title_of(history) ? read_thread(history) : read_conversation(history);
}

static enum status run_history(struct call *call) {
    struct history history = {.call = call, .left = option_number(call->options, OPTION_LIMIT)};
    if (!option_text(call->options, OPTION_THREAD) == (call->word_count == 0))
        return output_error(call->output, ZCHAT_INVALID, 0,
                            "usage: zmq-cli history USER, or zmq-cli history --thread T");
    if (history.left == 0)
        history.left = STANDARD_LIMIT;
    call->arg = &history;
    enum status status = call_login(call, &(struct call_login){.print = keep_clock});
    if (status == STATUS_DONE)
        status = read_history(&history);
    free(history.places);
    free(history.seqs);
    return status;
}

static const struct verb history_verb = {
    .name = "history",
    .words = "[USER]",
    .words_max = 1,
    .options = VERB_OPTIONS(OPTION_THREAD, OPTION_SINCE, OPTION_UNTIL, OPTION_LIMIT),
    .run = run_history,
    .examples = VERB_EXAMPLES("zmq-cli history bob --since 1d",
                              "zmq-cli history --thread picnic --limit 10"),
    .help = "print the newest messages from and to USER, in their order; or with --thread posts "
            "and files of a thread",
};

const struct verb *const history_verbs[] = {&history_verb, NULL};
