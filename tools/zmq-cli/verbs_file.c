/* file put, get, list. Unless --timeout was given a transfer may take as long as it moves: each
 * step of it renews the call's deadline. A transfer that broke off is left as it is, so that the
 * same call can go on with it. A file's name never leads out of the folder. */

#include "bound.h"
#include "common/clock.h"
#include "common/time_text.h"
#include "interrupt.h"
#include "output.h"
#include "print.h"
#include "spool.h"
#include "verb.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct transfer {
    struct call *call; /* borrowed: from main */
    struct bar bar;
    bool bounded; /* by the call's limit, whatever moves: --timeout was given */
    char awaited[SENTENCE_BYTES];
    bool to_stdout;
    bool nobody_reads;  /* stdout is a pipe whose other end was closed */
    const char *target; /* borrowed: where a download goes; NULL: to stdout */
    char *in_folder;    /* owned: the target, if -o named a folder */
    bool special;       /* the target is a device or a pipe: written to, not replaced */
    int fd;             /* owned: of that device or pipe; -1: not open */
};

#define AGAIN_US 20000 /* between two checks whether somebody reads a pipe */

static void on_event(void *arg, const zchat_event *event) {
    const struct transfer *transfer = arg;
    call_tell_away(transfer->call, event);
}

static void on_progress(void *arg, uint64_t bytes, uint64_t total) {
    struct call *call = arg;
    struct transfer *transfer = call->arg;
    if (!transfer)
        return;
    if (!transfer->bounded)
        call_renew_deadline(call);
    call->if_unknown = "the same call goes on where this one ended";
    bar_move(&transfer->bar, bytes, total);
}

/* If nobody reads stdout any more there is nothing to report either. The answer to a transfer that
 * was given up comes when the call is closed, and nobody waits for it. */
static void on_reply(void *arg, const zchat_reply *reply) {
    struct call *call = arg;
    struct transfer *transfer = call->arg;
    if (!transfer)
        return;
    const zchat_reply nothing = {.code = ZCHAT_OK};
    transfer->nobody_reads = reply->code && transfer->to_stdout && output_is_broken_pipe();
    bar_end(&transfer->bar);
    call_replied(call, transfer->nobody_reads ? &nothing : reply);
}

/* What is said of one that takes too long. */
static void bound_transfer(struct call *call, struct transfer *transfer) {
    transfer->bounded = call_is_bounded(call, false);
    if (!transfer->bounded) {
        bound_each_step(true, "nothing of the file moved");
        return;
    }
    bound_whole("the file was not whole");
    snprintf(transfer->awaited, sizeof transfer->awaited,
             "the file was not whole within --timeout, %s s",
             option_text(call->options, OPTION_TIMEOUT));
    call->awaited = transfer->awaited;
}

static enum status begin(struct call *call, struct transfer *transfer) {
    transfer->call = call;
    bar_init(&transfer->bar, call->output->quiet);
    call->output->bar = &transfer->bar;
    call->on_event = on_event;
    call->arg = transfer;
    enum status status = call_start(call);
    bound_transfer(call, transfer);
    return status;
}

static enum status finish(struct call *call, struct transfer *transfer, enum status status) {
    bar_end(&transfer->bar);
    call->output->bar = NULL;
    call->on_event = NULL;
    call->arg = NULL;
    call->awaited = call->if_unknown = NULL;
    return status;
}

static enum status print_put(struct call *call, const zchat_reply *reply) {
    const zchat_upload *upload = &reply->uploads[0];
    if (call->output->json)
        return output_object(call->output, upload_object(upload));
    output_format(call->output, "uploaded %s (%" PRIu64 " bytes)\n", upload->file, upload->size);
    return STATUS_DONE;
}

static const char *name_of_upload(const struct call *call) {
    const char *name = option_text(call->options, OPTION_AS);
    return name ? name : option_text(call->options, OPTION_NAME);
}

static enum status put(struct call *call, const char *path) {
    struct transfer transfer = {0};
    enum status status = begin(call, &transfer);
    if (status == STATUS_DONE)
        status = call_answer(call,
                             zchat_file_put(call->z, call->words[0], path, name_of_upload(call),
                                            on_progress, on_reply, call),
                             print_put);
    return finish(call, &transfer, status);
}

/* Each time it is another file, so after a break it begins anew. */
static enum status put_stdin(struct call *call) {
    struct spool spool = {.fd = -1};
    if (!name_of_upload(call))
        return output_error(call->output, ZCHAT_INVALID, 0,
                            "what comes from standard input has no name: give --as NAME");
    enum status status = spool_open(&spool, call);
    if (status == STATUS_DONE)
        status = put(call, spool.path);
    spool_close(&spool);
    return status;
}

static enum status run_file_put(struct call *call) {
    bool from_stdin = strcmp(call->words[1], "-") == 0 && call->plain_count > 1;
    return from_stdin ? put_stdin(call) : put(call, call->words[1]);
}

static const struct verb file_put_verb = {
    .name = "file put",
    .classic = "UPD",
    .words = "T PATH",
    .words_min = 2,
    .words_max = 2,
    .options = VERB_OPTIONS(OPTION_AS, OPTION_NAME),
    .run = run_file_put,
    .examples = VERB_EXAMPLES("zmq-cli file put harvest report.pdf",
                              "zmq-cli file put harvest build.log --as build-17.log",
                              "seq 9 | zmq-cli file put harvest - --as numbers.txt"),
    .help = "upload a file into a thread; after a break the same call goes on",
    .more =
        "a PATH of - is standard input, to its end and at most 1 GiB: it is kept in a temporary "
        "file in $TMPDIR, or /tmp, until it is sent, and after a break it begins anew",
    .exits = "3 no local file, 7 another file has the name, 8 too large",
};

/* Whether a file of this name would be in this folder. */
static bool stays_here(const char *name) {
    return name[0] && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static enum status refuse_name(const struct call *call) {
    return output_error(call->output, ZCHAT_INVALID, 0,
                        "no file in this folder can have the name \"%s\": give -o PATH",
                        call->words[1]);
}

static enum status choose_in_folder(const struct call *call, struct transfer *transfer,
                                    const char *folder) {
    const char *name = call->words[1], *slash = folder[strlen(folder) - 1] == '/' ? "" : "/";
    size_t bytes = strlen(folder) + strlen(name) + 2;
    if (!stays_here(name))
        return refuse_name(call);
    transfer->in_folder = malloc(bytes);
    if (!transfer->in_folder)
        return output_error(call->output, ZCHAT_NO_MEMORY, 0, "there is not enough memory");
    snprintf(transfer->in_folder, bytes, "%s%s%s", folder, slash, name);
    return STATUS_DONE;
}

/* Whether the path is /dev/stdout or the like, which lead to a descriptor. */
static bool is_descriptor(const char *path) {
    char to[sizeof "/proc/"];
    ssize_t bytes = readlink(path, to, sizeof to);
    return strncmp(path, "/dev/fd/", 8) == 0 || strncmp(path, "/proc/", 6) == 0 ||
           (bytes >= 6 && memcmp(to, "/proc/", 6) == 0);
}

static bool is_stdout(const struct stat *facts) {
    struct stat own;
    return fstat(STDOUT_FILENO, &own) == 0 && own.st_dev == facts->st_dev &&
           own.st_ino == facts->st_ino;
}

/* Whether there is something; even a link that leads nowhere counts. */
static bool is_taken(const char *path) {
    struct stat facts;
    if (stat(path, &facts) != 0)
        return lstat(path, &facts) == 0 && !is_descriptor(path);
    return S_ISREG(facts.st_mode);
}

/* Uses the file's name, which somebody else chose: it must name a regular file here, or nothing. */
static enum status choose_by_name(const struct call *call, struct transfer *transfer,
                                  const char *path) {
    transfer->target = path;
    if (option_flag(call->options, OPTION_FORCE) || !is_taken(path))
        return STATUS_DONE;
    return output_error(call->output, ZCHAT_CONFLICT, 0, "%s exists already; --force replaces it",
                        path);
}

/* Looks at what is at the path that -o gave. */
static enum status choose_by_path(const struct call *call, struct transfer *transfer,
                                  const char *path) {
    struct stat facts;
    bool there = stat(path, &facts) == 0;
    if (there && S_ISDIR(facts.st_mode)) {
        enum status status = choose_in_folder(call, transfer, path);
        return status == STATUS_DONE ? choose_by_name(call, transfer, transfer->in_folder) : status;
    }
    transfer->special = there && (!S_ISREG(facts.st_mode) || is_descriptor(path));
    if (!transfer->special)
        return choose_by_name(call, transfer, path);
    transfer->to_stdout = is_stdout(&facts);
    transfer->target = transfer->to_stdout ? NULL : path;
    return STATUS_DONE;
}

static enum status choose_target(const struct call *call, struct transfer *transfer) {
    const char *given = option_text(call->options, OPTION_OUTPUT), *name = call->words[1];
    transfer->fd = -1;
    transfer->to_stdout = given && strcmp(given, "-") == 0;
    if (transfer->to_stdout)
        return STATUS_DONE;
    if (given)
        return choose_by_path(call, transfer, given);
    return stays_here(name) ? choose_by_name(call, transfer, name) : refuse_name(call);
}

/* A pipe can be opened once somebody reads it. The only way to wait for that is inside open, where
 * nothing bounds the time: so opening is tried again and again. */
static enum status open_special(const struct call *call, struct transfer *transfer) {
    const struct timespec pause = {.tv_nsec = AGAIN_US * 1000};
    do
        transfer->fd = open(transfer->target, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    while (transfer->fd < 0 && errno == ENXIO && !interrupt_pending() &&
           clock_us() < call->deadline_us && nanosleep(&pause, NULL) == 0);
    if (interrupt_pending())
        return STATUS_INTERRUPTED;
    if (transfer->fd < 0 && errno == ENXIO)
        return output_error(call->output, ZCHAT_EXPIRED, 0, "nobody reads %s within --timeout",
                            transfer->target);
    return transfer->fd >= 0 ? STATUS_DONE
                             : output_error(call->output, ZCHAT_IO, 0, "cannot write to %s: %s",
                                            transfer->target, strerror(errno));
}

static enum status print_get(struct call *call, const zchat_reply *reply) {
    const struct transfer *transfer = call->arg;
    if (transfer->nobody_reads)
        return STATUS_BROKEN_PIPE;
    if (transfer->to_stdout)
        return STATUS_DONE;
    if (!call->output->json) {
        output_format(call->output, "downloaded %s (%" PRIu64 " bytes)\n", transfer->target,
                      reply->uploads[0].size);
        return STATUS_DONE;
    }
    json_t *object = upload_object(&reply->uploads[0]), *path = json_string(transfer->target);
    if (object && path) /* a path that is not UTF-8 is left out */
        json_object_set_new(object, "path", path);
    return output_object(call->output, object);
}

static enum status get(struct call *call, struct transfer *transfer) {
    bool force = option_flag(call->options, OPTION_FORCE);
    bool to_file = transfer->target && !transfer->special;
    return call_answer(call,
                       zchat_file_get(call->z, call->words[0], call->words[1],
                                      to_file ? transfer->target : NULL,
                                      transfer->fd >= 0 ? transfer->fd : STDOUT_FILENO, force,
                                      on_progress, on_reply, call),
                       print_get);
}

static enum status run_file_get(struct call *call) {
    struct transfer transfer = {0};
    enum status status = choose_target(call, &transfer);
    if (status == STATUS_DONE) {
        status = begin(call, &transfer);
        if (status == STATUS_DONE && transfer.special && transfer.target)
            status = open_special(call, &transfer);
        if (!transfer.target || transfer.special)
            interrupt_end_at_once(); /* there is nothing to clean up */
        if (status == STATUS_DONE)
            status = get(call, &transfer);
        status = finish(call, &transfer, status);
    }
    if (transfer.fd >= 0)
        close(transfer.fd);
    free(transfer.in_folder);
    return status;
}

static const struct verb file_get_verb = {
    .name = "file get",
    .classic = "DWN",
    .words = "T NAME",
    .words_min = 2,
    .words_max = 2,
    .options = VERB_OPTIONS(OPTION_OUTPUT, OPTION_FORCE),
    .run = run_file_get,
    .examples = VERB_EXAMPLES("zmq-cli file get harvest report.pdf -o copies",
                              "zmq-cli file get harvest build-17.log -o - | tail -n 1"),
    .help = "download a file of a thread; after a break the same call goes on",
    .exits = "5 no such file, 7 a local file has the name",
};

static enum status print_file(struct output *output, const zchat_upload *file, int width) {
    char time[TIME_TEXT];
    if (output->json)
        return upload_print(output, file);
    output_format(output, "%s  %10" PRIu64 " bytes  %-*s  %s\n", time_short(file->time_us, time),
                  file->size, width, file->user, file->file);
    return STATUS_DONE;
}

/* A list comes page by page. */
struct listing {
    char *last;   /* owned: the last file's name of the page before; NULL: none */
    uint64_t seq; /* where the page before ended; 0: an older broker does not tell */
    bool more;
};

static enum status print_files(struct call *call, const zchat_reply *reply) {
    struct listing *listing = call->arg;
    enum status status = STATUS_DONE;
    int width = 0;
    for (size_t i = 0; i < reply->count; i++)
        if ((int)strlen(reply->uploads[i].user) > width)
            width = (int)strlen(reply->uploads[i].user);
    for (size_t i = 0; i < reply->count && status == STATUS_DONE; i++)
        status = print_file(call->output, &reply->uploads[i], width);
    free(listing->last);
    listing->last = NULL;
    listing->seq = reply->seq;
    listing->more = reply->more && reply->count > 0;
    if (!listing->more || status != STATUS_DONE)
        return status;
    listing->last = strdup(reply->uploads[reply->count - 1].file);
    if (!listing->last)
        return output_error(call->output, ZCHAT_NO_MEMORY, 0, "there is not enough memory");
    return STATUS_DONE;
}

static enum status run_file_list(struct call *call) {
    struct listing listing = {.more = true};
    call->arg = &listing;
    enum status status = call_start(call);
    while (status == STATUS_DONE && listing.more)
        status = call_answer(call,
                             zchat_file_list(call->z, call->words[0], listing.last, listing.seq, 0,
                                             call_replied, call),
                             print_files);
    free(listing.last);
    return status;
}

static const struct verb file_list_verb = {
    .name = "file list",
    .words = "T",
    .words_min = 1,
    .words_max = 1,
    .run = run_file_list,
    .examples = VERB_EXAMPLES("zmq-cli file list harvest"),
    .help = "list the files of a thread",
};

static enum status print_deleted(struct call *call, const zchat_reply *reply) {
    if (call->output->json)
        return output_object(call->output,
                             json_pack("{s:s, s:s, s:o}", "thread", call->words[0], "file",
                                       call->words[1], "seq", value_big(reply->seq)));
    output_format(call->output, "deleted %s\n", call->words[1]);
    return STATUS_DONE;
}

static enum status run_file_delete(struct call *call) {
    enum status status = call_start(call);
    return status == STATUS_DONE
               ? call_answer(
                     call,
                     zchat_file_delete(call->z, call->words[0], call->words[1], call_replied, call),
                     print_deleted)
               : status;
}

static const struct verb file_delete_verb = {
    .name = "file delete",
    .words = "T NAME",
    .words_min = 2,
    .words_max = 2,
    .run = run_file_delete,
    .examples = VERB_EXAMPLES("zmq-cli file delete harvest report.pdf"),
    .help = "delete a file: your own, or any in a thread that you made",
    .exits = "5 no such file; 6 it is somebody else's",
};

const struct verb *const file_verbs[] = {&file_put_verb, &file_get_verb, &file_list_verb,
                                         &file_delete_verb, NULL};
