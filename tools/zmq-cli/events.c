/* events: who comes and goes, broadcasts, notices, and what happens in followed threads, which
 * alone have cursors: of these what was missed comes too. */
#include "common/time_text.h"
#include "event_value.h"
#include "print.h"
#include "receiver.h"
#include "verb.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TITLE_PREFIX "thread/"
#define STAYS_BYTES  640 /* "event N of" and a title */

struct wanted {
    bool presence;
    bool broadcasts;
    bool notices;
    bool threads;
    const char *title;       /* borrowed: from the options; of the only thread; NULL: any */
    bool sent;               /* one's own posts, too */
    const struct call *call; /* borrowed: from main */
};

/* ---- what is wanted ---- */

static bool want_one(struct wanted *wanted, const char *name, size_t bytes) {
    const struct {
        const char *name;
        bool *flag;
    } topics[] = {{"presence", &wanted->presence},
                  {"broadcast", &wanted->broadcasts},
                  {"notice", &wanted->notices},
                  {"thread", &wanted->threads}};
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++) {
        if (strlen(topics[i].name) == bytes && strncmp(topics[i].name, name, bytes) == 0) {
            *topics[i].flag = true;
            return true;
        }
    }
    return false;
}

/* Titles may have commas in them, so one ends the list. */
static bool want(struct wanted *wanted, const char *list) {
    bool known = true;
    while (known && list) {
        const char *comma = strchr(list, ',');
        if (strncmp(list, TITLE_PREFIX, strlen(TITLE_PREFIX)) == 0) {
            wanted->threads = true;
            wanted->title = list + strlen(TITLE_PREFIX);
            return true;
        }
        known = want_one(wanted, list, comma ? (size_t)(comma - list) : strlen(list));
        list = comma ? comma + 1 : NULL;
    }
    return known;
}

static bool is_own(const struct wanted *wanted, const zchat_event *event) {
    return strcmp(event->user, zchat_user(wanted->call->z)) == 0;
}

static bool look_thread(const struct wanted *wanted, const zchat_event *event,
                        struct receiver_item *item) {
    if (!wanted->threads || (wanted->title && strcmp(wanted->title, event->thread->title) != 0))
        return true;
    item->shown = wanted->sent || !is_own(wanted, event);
    item->thread = &event->thread->id;
    item->seq = event->kind == ZCHAT_EVENT_THREAD_REMOVED ? 0 : event->seq;
    return true;
}

static bool look(void *arg, const zchat_event *event, struct receiver_item *item) {
    const struct wanted *wanted = arg;
    switch (event->kind) {
    case ZCHAT_EVENT_PRESENCE:
        item->shown = wanted->presence;
        return true;
    case ZCHAT_EVENT_BROADCAST:
        item->shown = wanted->broadcasts;
        return true;
    case ZCHAT_EVENT_NOTICE:
        item->shown = wanted->notices;
        return wanted->notices;
    case ZCHAT_EVENT_POSTED:
    case ZCHAT_EVENT_EDITED:
    case ZCHAT_EVENT_DELETED:
    case ZCHAT_EVENT_UPLOADED:
    case ZCHAT_EVENT_FILE_DELETED:
    case ZCHAT_EVENT_THREAD_REMOVED:
    case ZCHAT_EVENT_DAMAGED:
        return look_thread(wanted, event, item);
    default:
        return false;
    }
}

/* ---- as text ---- */

/* What the command of --exec gets. */
static const char *bare_text(const zchat_event *event) {
    if (event->upload)
        return event->upload->file;
    if (event->kind == ZCHAT_EVENT_PRESENCE)
        return event->online ? "online" : "offline";
    return event->text;
}

static void print_post(struct output *output, const zchat_event *event) {
    bool edited = event->kind == ZCHAT_EVENT_EDITED;
    uint64_t number = event->post->number;
    if (number > 0 && !edited)
        output_format(output, "%" PRIu64 " ", number);
    output_text(output, event->post->user);
    if (edited && number > 0)
        output_format(output, " edited %" PRIu64, number);
    else if (edited)
        output_text(output, " edited a post");
    output_format(output, "%s: ", number == 0 ? " (deleted since)" : "");
    output_indented(output, event->post->text);
}

static void print_of_thread(struct output *output, const zchat_event *event) {
    const char *user = event->user[0] ? event->user : "somebody";
    output_format(output, "[%s] ", event->thread->title);
    if (event->post)
        print_post(output, event);
    else if (event->upload)
        (void)upload_print(output, event->upload);
    else if (event->kind == ZCHAT_EVENT_DELETED)
        output_format(output, "%s deleted a post\n", user);
    else if (event->kind == ZCHAT_EVENT_FILE_DELETED)
        output_format(output, "%s deleted the file %s\n", user, event->text);
    else if (event->kind == ZCHAT_EVENT_THREAD_REMOVED)
        output_format(output, "%s removed the thread\n", user);
    else
        (void)damaged_print(output, event->seq);
}

static void print_public(struct output *output, const zchat_event *event) {
    if (event->kind == ZCHAT_EVENT_PRESENCE) {
        output_format(output, "%s is %s\n", event->user, bare_text(event));
        return;
    }
    if (event->user[0])
        output_format(output, "%s ", event->user);
    output_format(output, "(%s): ", event_type(event));
    output_indented(output, bare_text(event));
}

static enum status print(struct output *output, const zchat_event *event) {
    char time[TIME_TEXT];
    if (output->json)
        return output_object(output, event_value(event));
    if (event->time_us)
        output_format(output, "%s ", time_short(event->time_us, time));
    if (event->thread)
        print_of_thread(output, event);
    else
        print_public(output, event);
    return STATUS_DONE;
}

/* ---- for a command ---- */

static enum status hand_over(struct handover *handover, const zchat_event *event) {
    const struct output *output = handover->call.output;
    char id[ZCHAT_ID_TEXT] = "", seq[24] = "", number[24] = "", time[TIME_TEXT] = "";
    char stays[STAYS_BYTES] = "";
    const char *title = event->thread ? event->thread->title : "";
    if (event_has_id(event))
        zchat_id_format(&event->id, id);
    if (event->seq)
        snprintf(seq, sizeof seq, "%" PRIu64, event->seq);
    if (event->post)
        snprintf(number, sizeof number, "%" PRIu64, event->post->number);
    if (event->thread && event->kind != ZCHAT_EVENT_THREAD_REMOVED)
        snprintf(stays, sizeof stays, "event %s of %s", seq, title);
    const struct child_variable variables[] = {
        {"ZCHAT_TYPE", event_type(event)},
        {"ZCHAT_THREAD", title},
        {"ZCHAT_FROM", event->user},
        {"ZCHAT_ID", id},
        {"ZCHAT_SEQ", seq},
        {"ZCHAT_NUMBER", number},
        {"ZCHAT_TIME", event->time_us ? time_precise(event->time_us, time) : ""},
    };
    return handover_run(handover, &(struct handover_item){
                                      .line = output->json ? object_line(event_value(event))
                                                           : text_line(bare_text(event)),
                                      .stays = stays,
                                      .variables = variables,
                                      .variable_count = sizeof variables / sizeof variables[0],
                                  });
}

/* ---- the verb ---- */

static const struct receiver_kind events = {
    .synced = ZCHAT_EVENT_THREADS_SYNCED,
    .nothing = "no event came",
    .no_more = "no further event came",
    .look = look,
    .print = print,
    .hand_over = hand_over,
};

static enum status find_title(struct call *call, const zchat_reply *reply) {
    const struct wanted *wanted = call->arg;
    for (size_t i = 0; i < reply->count; i++)
        if (strcmp(reply->followed[i].title, wanted->title) == 0)
            return STATUS_DONE;
    return output_error(call->output, ZCHAT_NOT_FOUND, 0,
                        "you follow no thread \"%s\": zmq-cli thread follow does", wanted->title);
}

static enum status log_out(struct call *call) {
    return call_answer(call, zchat_logout(call->z, call_replied, call), NULL);
}

/* Who waits for what happens in a thread that they don't follow would wait for ever. */
static enum status check_title(struct call *call, struct wanted *wanted) {
    if (!wanted->title)
        return STATUS_DONE;
    enum status status = call_login(call, &(struct call_login){.hidden = true});
    call->arg = wanted;
    if (status == STATUS_DONE)
        status = call_answer(call, zchat_followed_list(call->z, call_replied, call), find_title);
    call->arg = NULL;
    return status == STATUS_DONE ? log_out(call) : status;
}

static enum status receive(struct call *call, struct wanted *wanted) {
    const struct call_login how = {.threads = wanted->threads, .public_events = true};
    struct receiver receiver;
    receiver_init(&receiver, call, &events, wanted);
    receiver.follow = !option_flag(call->options, OPTION_DRAIN);
    receiver.bounded = call_is_bounded(call, receiver.follow);
    receiver.handover.patient = receiver.follow;
    receiver.handover.bounded = receiver.bounded;
    receiver.synced = !wanted->threads;
    return receiver_run(&receiver, &how);
}

static enum status run_events(struct call *call) {
    const struct options *options = call->options;
    const char *topics = option_text(options, OPTION_TOPIC);
    struct wanted wanted = {.sent = option_flag(options, OPTION_SENT), .call = call};
    if (!want(&wanted, topics ? topics : "presence,broadcast,notice,thread"))
        return output_error(call->output, ZCHAT_INVALID, 0,
                            "--topic takes presence, broadcast, notice, thread (all that you "
                            "follow) or thread/TITLE, several with commas between, not \"%s\"",
                            topics);
    bool waits = option_flag(options, OPTION_FOLLOW) || option_is_set(options, OPTION_COUNT) ||
                 option_is_set(options, OPTION_WAIT);
    if (waits && option_flag(options, OPTION_DRAIN))
        return output_error(call->output, ZCHAT_INVALID, 0,
                            "--drain ends when what was missed is read: --follow, --count and "
                            "--wait don't go with it");
    enum status status = check_title(call, &wanted);
    return status == STATUS_DONE ? receive(call, &wanted) : status;
}

static const struct verb events_verb = {
    .name = "events",
    .words = "",
    .options = VERB_OPTIONS(OPTION_TOPIC, OPTION_ACK, OPTION_EXEC, OPTION_FOLLOW, OPTION_COUNT,
                            OPTION_WAIT, OPTION_DRAIN, OPTION_SENT),
    .run = run_events,
    .examples = VERB_EXAMPLES("zmq-cli events --topic presence --count 1",
                              "zmq-cli --json events --topic thread --drain"),
    .help = "print or hand on who comes and goes, broadcasts, notices, and what happens in the "
            "threads that you follow; there also what was missed; goes on until an option ends it",
    .exits = "124 not all that --wait waits for came",
};

const struct verb *const events_verbs[] = {&events_verb, NULL};
