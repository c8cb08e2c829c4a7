/* backup: the broker makes a copy of its store, which comes chunk by chunk. Unless --timeout was
 * given, making it may take as long as it takes, and fetching it as long as it moves. */

#include "bound.h"
#include "interrupt.h"
#include "output.h"
#include "print.h"
#include "verb.h"

#include <inttypes.h>
#include <sys/stat.h>

struct fetching {
    struct call *call; /* borrowed: from main */
    struct bar bar;
    bool bounded;
};

static void on_event(void *arg, const zchat_event *event) {
    const struct fetching *fetching = arg;
    call_tell_away(fetching->call, event);
}

static void on_progress(void *arg, uint64_t bytes, uint64_t total) {
    struct call *call = arg;
    struct fetching *fetching = call->arg;
    if (!fetching)
        return;
    if (!fetching->bounded)
        call_renew_deadline(call);
    bar_move(&fetching->bar, bytes, total);
}

static void on_reply(void *arg, const zchat_reply *reply) {
    struct call *call = arg;
    struct fetching *fetching = call->arg;
    if (!fetching)
        return;
    bar_end(&fetching->bar);
    call_replied(call, reply);
}

static enum status print_object(struct call *call, const zchat_upload *made) {
    json_t *object = json_pack("{s:o, s:o, s:o}", "size", value_big(made->size), "time",
                               value_time(made->time_us), "damaged", value_big(made->damaged));
    json_t *path = json_string(call->words[0]);
    if (object && path) /* a path that is not UTF-8 is left out */
        json_object_set_new(object, "path", path);
    return output_object(call->output, object);
}

static enum status print_backup(struct call *call, const zchat_reply *reply) {
    const zchat_upload *made = &reply->uploads[0];
    enum status status = STATUS_DONE;
    if (call->output->json)
        status = print_object(call, made);
    else
        output_format(call->output, "backed up %s to %s (%" PRIu64 " bytes), without its key\n",
                      zchat_server(call->z), call->words[0], made->size);
    if (status != STATUS_DONE || made->damaged == 0)
        return status;
    return output_error(call->output, ZCHAT_IO, 0,
                        "%" PRIu64 " pieces of files are damaged on the broker's disk, and so they "
                        "are in %s",
                        made->damaged, call->words[0]);
}

static enum status run_backup(struct call *call) {
    struct fetching fetching = {.call = call};
    (void)umask(077); /* it holds hashes of passwords, and what was said in confidence */
    bar_init(&fetching.bar, call->output->quiet);
    call->output->bar = &fetching.bar;
    call->on_event = on_event;
    call->arg = &fetching;
    enum status status = call_start(call);
    fetching.bounded = call_is_bounded(call, false);
    bound_each_step(!fetching.bounded, "nothing of the backup moved");
    if (!fetching.bounded)
        call->deadline_us = NO_DEADLINE;
    if (status == STATUS_DONE)
        status = call_answer(call,
                             zchat_backup(call->z, call->words[0],
                                          option_flag(call->options, OPTION_FORCE), on_progress,
                                          on_reply, call),
                             print_backup);
    bar_end(&fetching.bar);
    call->output->bar = NULL;
    call->on_event = NULL;
    call->arg = NULL;
    return status;
}

static const struct verb backup_verb = {
    .name = "backup",
    .words = "FILE",
    .words_min = 1,
    .words_max = 1,
    .options = VERB_OPTIONS(OPTION_FORCE),
    .run = run_backup,
    .examples = VERB_EXAMPLES("zmq-cli --user keeper backup zchat.backup"),
    .help = "copy all that the broker has, but for its key, into a file; for administrators",
    .more = "the broker goes on meanwhile; zchatd restore makes a data folder of the file: then "
            "put the old server.key beside it, or start with --identity new and everybody must "
            "forget the key that they pinned",
    .exits = "3 the file can't be written or the store is damaged, 7 FILE exists",
};

const struct verb *const backup_verbs[] = {&backup_verb, NULL};
