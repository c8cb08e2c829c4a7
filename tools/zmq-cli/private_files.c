/* See private_files.h. */
#include "private_files.h"

#include "common/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MIB_BYTES     (UINT64_C(1024) * 1024)
#define FILES_MAX_MIB 64  /* as much as a thread's file may have */
#define FILES_COUNT   100 /* more than anybody sends by hand */
#define FILES_SHARE   16  /* the largest files that fit into the total */

static uint64_t times(uint64_t a, uint64_t b) {
    return a > UINT64_MAX / b ? UINT64_MAX : a * b;
}

static uint64_t number_or(const struct options *options, enum option_id id, uint64_t standard) {
    return option_is_set(options, id) ? option_number(options, id) : standard;
}

struct private_bounds private_files_bounds(const struct options *options) {
    uint64_t each_mib = number_or(options, OPTION_FILES_MAX, FILES_MAX_MIB);
    uint64_t all_mib = number_or(options, OPTION_FILES_TOTAL, times(each_mib, FILES_SHARE));
    return (struct private_bounds){.bytes_each = times(each_mib, MIB_BYTES),
                                   .bytes = times(all_mib, MIB_BYTES),
                                   .files = number_or(options, OPTION_FILES_COUNT, FILES_COUNT)};
}

enum status private_files_check(const struct call *call, const char *path) {
    struct stat status;
    bool found = !path || stat(path, &status) == 0;
    if (found && (!path || S_ISDIR(status.st_mode)))
        return STATUS_DONE;
    return output_error(call->output, ZCHAT_IO, 0, "files can't be put into %s: %s", path,
                        strerror(found ? ENOTDIR : errno));
}

struct taking {
    struct private_chat *chat; /* borrowed: lives longer than the handle */
    char user[PRIVATE_USER_BYTES];
    zchat_id id;
    uint64_t size;
    char *file; /* owned */
    char *path; /* owned */
};

static void taking_free(struct taking *taking) {
    if (taking) {
        free(taking->file);
        free(taking->path);
    }
    free(taking);
}

static void print_taken(struct output *output, const struct taking *taking) {
    if (!output->json) {
        output_format(output, "received %s (%" PRIu64 " bytes)\n", taking->path, taking->size);
        return;
    }
    json_t *object = json_pack("{s:s, s:s, s:o}", "from", taking->user, "file", taking->file,
                               "size", value_big(taking->size));
    json_t *path = json_string(taking->path);
    if (object && path) /* a path that is not UTF-8 is left out */
        json_object_set_new(object, "path", path);
    output_object(output, object);
}

static void on_taken(void *arg, const zchat_reply *reply) {
    struct taking *taking = arg;
    struct private_chat *chat = taking->chat;
    struct call *call = chat->call;
    chat->files--;
    chat->heard = true;
    chat->heard_us = clock_us();
    if (reply->code == ZCHAT_OK) {
        print_taken(call->output, taking);
        output_flush(call->output);
    } else {
        chat->trouble = output_error(call->output, reply->code, 0, "%s was not received: %s",
                                     taking->file, reply->text);
        if (reply->code == ZCHAT_CONFLICT || reply->code == ZCHAT_IO)
            zchat_private_file_answer(call->z, taking->user, &taking->id, NULL, false, NULL, NULL,
                                      NULL);
    }
    taking_free(taking);
}

static struct taking *taking_new(struct private_chat *chat, const zchat_event *event) {
    size_t bytes = strlen(chat->files_to) + strlen(event->upload->file) + 2;
    struct taking *taking = calloc(1, sizeof *taking);
    if (!taking || !(taking->file = strdup(event->upload->file)) ||
        !(taking->path = malloc(bytes))) {
        taking_free(taking);
        return NULL;
    }
    taking->chat = chat;
    taking->id = event->upload->id;
    taking->size = event->upload->size;
    snprintf(taking->user, sizeof taking->user, "%s", event->user);
    snprintf(taking->path, bytes, "%s/%s", chat->files_to, taking->file);
    return taking;
}

/* Returns why the file is refused; NULL: it is taken. Nobody is asked, so only a harmless name is
 * taken. */
static const char *why_refused(const struct private_chat *chat, const zchat_upload *file) {
    if (!chat->files_to)
        return "--files-to takes files";
    if (!zchat_file_name_is_plain(file->file))
        return "its name begins with a dot or a dash, or is no file's name";
    if (file->size > chat->bounds.bytes_each)
        return "it is too large; --files-max takes larger ones";
    if (chat->taken.files >= chat->bounds.files)
        return "this call has taken as many as it may; --files-count takes more";
    return file->size > chat->bounds.bytes - chat->taken.bytes
               ? "it is too large for what this call may still take; --files-total takes more"
               : NULL;
}

static void charge(struct private_chat *chat, const struct taking *taking) {
    chat->taken.files++;
    chat->taken.bytes += taking->size;
}

static void give_back(struct private_chat *chat, const struct taking *taking) {
    chat->taken.files--;
    chat->taken.bytes -= taking->size;
}

void private_files_take(struct private_chat *chat, const zchat_event *event) {
    zchat *z = chat->call->z;
    const char *why = why_refused(chat, event->upload);
    struct taking *taking = why ? NULL : taking_new(chat, event);
    if (!taking) {
        output_notice(chat->call->output, "the file %s of %s (%" PRIu64 " bytes) is refused: %s",
                      event->upload->file, event->user, event->upload->size,
                      why ? why : "there is not enough memory");
        zchat_private_file_answer(z, event->user, &event->upload->id, NULL, false, NULL, NULL,
                                  NULL);
        return;
    }
    chat->files++;
    charge(chat, taking);
    zchat_code code = zchat_private_file_answer(z, taking->user, &taking->id, taking->path, false,
                                                NULL, on_taken, taking);
    if (!code)
        return;
    give_back(chat, taking); /* nothing was begun */
    on_taken(taking, &(zchat_reply){.code = code, .text = zchat_error(z)});
}
