/* backup, export: the broker makes a copy of its store, or lines of it, which comes chunk by chunk.
 * Unless --timeout was given, making it may take as long as it takes, and fetching it as long as it
 * moves. */

#include "bound.h"
#include "interrupt.h"
#include "output.h"
#include "print.h"
#include "verb.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fetching {
    struct call *call; /* borrowed: from main */
    struct bar bar;
    bool bounded;
    bool to_stdout;
    bool nobody_reads; /* stdout is a pipe whose other end was closed */
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
    const zchat_reply nothing = {.code = ZCHAT_OK};
    if (!fetching)
        return;
    fetching->nobody_reads = reply->code && fetching->to_stdout && output_is_broken_pipe();
    bar_end(&fetching->bar);
    call_replied(call, fetching->nobody_reads ? &nothing : reply);
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

/* Without a word, stdout. */
static bool is_to_stdout(const struct call *call) {
    return call->word_count == 0 || (call->plain_count > 0 && strcmp(call->words[0], "-") == 0);
}

static enum status print_export(struct call *call, const zchat_reply *reply) {
    const struct fetching *fetching = call->arg;
    const zchat_upload *made = &reply->uploads[0];
    enum status status = STATUS_DONE;
    if (fetching->nobody_reads)
        return STATUS_BROKEN_PIPE;
    if (!is_to_stdout(call) && call->output->json)
        status = print_object(call, made);
    else if (!is_to_stdout(call))
        output_format(call->output, "exported %s to %s (%" PRIu64 " bytes)\n",
                      zchat_server(call->z), call->words[0], made->size);
    if (status != STATUS_DONE || made->damaged == 0)
        return status;
    return output_failure(call->output, "DAMAGED",
                          "the broker's store is damaged in %" PRIu64 " place%s, which its log "
                          "names; all else was exported",
                          made->damaged, made->damaged == 1 ? "" : "s");
}

static zchat_code ask_backup(struct call *call) {
    return zchat_backup(call->z, call->words[0], option_flag(call->options, OPTION_FORCE),
                        on_progress, on_reply, call);
}

static zchat_code ask_export(struct call *call) {
    return zchat_export(call->z, is_to_stdout(call) ? NULL : call->words[0], STDOUT_FILENO,
                        option_flag(call->options, OPTION_FORCE), on_progress, on_reply, call);
}

static enum status fetch(struct call *call, struct fetching *fetching,
                         zchat_code (*ask)(struct call *call),
                         enum status (*print)(struct call *call, const zchat_reply *reply)) {
    fetching->call = call;
    (void)umask(077); /* it holds hashes of passwords, and what was said in confidence */
    bar_init(&fetching->bar, call->output->quiet);
    call->output->bar = &fetching->bar;
    call->on_event = on_event;
    call->arg = fetching;
    enum status status = call_start(call);
    fetching->bounded = call_is_bounded(call, false);
    bound_each_step(!fetching->bounded, "nothing of it moved");
    if (!fetching->bounded)
        call->deadline_us = NO_DEADLINE;
    if (status == STATUS_DONE)
        status = call_answer(call, ask(call), print);
    bar_end(&fetching->bar);
    call->output->bar = NULL;
    call->on_event = NULL;
    call->arg = NULL;
    return status;
}

static enum status run_backup(struct call *call) {
    struct fetching fetching = {.to_stdout = false};
    return fetch(call, &fetching, ask_backup, print_backup);
}

static enum status run_export(struct call *call) {
    struct fetching fetching = {.to_stdout = is_to_stdout(call)};
    if (fetching.to_stdout)
        interrupt_end_at_once(); /* there is nothing to clean up */
    return fetch(call, &fetching, ask_export, print_export);
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

static const struct verb export_verb = {
    .name = "export",
    .words = "[FILE]",
    .words_max = 1,
    .options = VERB_OPTIONS(OPTION_FORCE),
    .run = run_export,
    .examples = VERB_EXAMPLES("zmq-cli --user keeper export zchat.jsonl",
                              "zmq-cli --user keeper export | grep '\"type\":\"post\"'"),
    .help = "write all that the broker has, but for its key, as lines of JSON; for administrators",
    .more =
        "they are those of zchatd export, and zchatd import makes a store of them; without FILE, "
        "or with -, they go to stdout, and the exit status tells whether they arrived as the "
        "broker sent them; what is damaged is left out or marked",
    .exits = "1 the store is damaged, 3 the file can't be written, 7 FILE exists",
};

const struct verb *const backup_verbs[] = {&backup_verb, &export_verb, NULL};
