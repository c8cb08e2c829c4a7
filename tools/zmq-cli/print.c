/* Showing what the broker keeps: messages, threads, posts and uploads. A title or a text, which may
 * be long, ends its line. */
#include "print.h"

#include "common/time_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- messages ---- */

static void add_original(json_t *object, const zchat_message *message) {
    char id[ZCHAT_ID_TEXT];
    zchat_id_format(&message->original, id);
    if (message->about)
        json_object_set_new(object,
                            message->about == ZCHAT_ABOUT_CORRECTS ? "corrects" : "retracts",
                            json_string(id));
}

json_t *message_object(const zchat_message *message) {
    char id[ZCHAT_ID_TEXT];
    zchat_id_format(&message->id, id);
    json_t *object =
        json_pack("{s:s, s:o, s:s, s:s, s:s, s:o, s:b}", "id", id, "seq", value_big(message->seq),
                  "from", message->from, "to", message->to, "text", message->text, "time",
                  value_time(message->time_us), "missed", message->missed);
    if (object && message->sent)
        json_object_set_new(object, "sent", json_true());
    if (object && message->damaged)
        json_object_set_new(object, "damaged", json_true());
    if (object)
        add_original(object, message);
    return object;
}

static void print_text(struct output *output, const zchat_message *message) {
    char time[TIME_TEXT];
    output_format(output, "%s %s", time_short(message->time_us, time), message->from);
    if (message->sent)
        output_format(output, " to %s", message->to);
    if (message->about == ZCHAT_ABOUT_RETRACTS) {
        output_text(output, " took a message back\n");
        return;
    }
    output_text(output, message->about == ZCHAT_ABOUT_CORRECTS ? " corrected a message: " : ": ");
    output_indented(output, message->text);
}

enum status message_print(struct output *output, const zchat_message *message) {
    if (output->json)
        return output_object(output, message_object(message));
    print_text(output, message);
    return STATUS_DONE;
}

char *text_line(const char *text) {
    size_t bytes = strlen(text) + 2;
    char *line = malloc(bytes);
    if (line)
        snprintf(line, bytes, "%s\n", text);
    return line;
}

char *object_line(json_t *object) {
    char *packed = object ? json_dumps(object, JSON_COMPACT) : NULL;
    char *line = packed ? text_line(packed) : NULL;
    free(packed);
    json_decref(object);
    return line;
}

char *message_line(const struct output *output, const zchat_message *message) {
    return output->json ? object_line(message_object(message)) : text_line(message->text);
}

/* ---- threads ---- */

static json_t *thread_object(const zchat_thread *thread) {
    char id[ZCHAT_ID_TEXT];
    zchat_id_format(&thread->id, id);
    return json_pack("{s:s, s:s, s:o, s:o, s:s, s:o, s:o}", "thread", thread->title, "creator",
                     thread->creator, "posts", value_big(thread->posts), "last",
                     value_time(thread->last_us), "id", id, "uploads", value_big(thread->uploads),
                     "created", value_time(thread->created_us));
}

enum status thread_print(struct output *output, const zchat_thread *thread, int creator_width) {
    char last[TIME_TEXT];
    if (output->json)
        return output_object(output, thread_object(thread));
    output_format(output, "%s  %5" PRIu64 " posts  %-*s  %s\n", time_short(thread->last_us, last),
                  thread->posts, creator_width, thread->creator, thread->title);
    return STATUS_DONE;
}

json_t *post_object(const zchat_post *post, uint64_t number) {
    char id[ZCHAT_ID_TEXT];
    zchat_id_format(&post->id, id);
    return json_pack("{s:s, s:o, s:s, s:s, s:o, s:o}", "id", id, "number", value_big(number),
                     "user", post->user, "text", post->text, "time", value_time(post->time_us),
                     "edited", value_time(post->edited_us));
}

enum status post_print(struct output *output, const zchat_post *post, uint64_t number) {
    if (output->json)
        return output_object(output, post_object(post, number));
    output_format(output, "%" PRIu64 " %s: ", number, post->user);
    output_indented(output, post->text);
    return STATUS_DONE;
}

enum status damaged_print(struct output *output, uint64_t seq) {
    if (output->json)
        return output_object(output,
                             json_pack("{s:o, s:b}", "seq", value_big(seq), "damaged", true));
    output_format(output, "(entry %" PRIu64 " is damaged where the broker keeps it)\n", seq);
    return STATUS_DONE;
}

json_t *upload_object(const zchat_upload *upload) {
    char id[ZCHAT_ID_TEXT], hash[2 * ZCHAT_HASH_BYTES + 1];
    zchat_id_format(&upload->id, id);
    for (size_t i = 0; i < ZCHAT_HASH_BYTES; i++)
        snprintf(hash + 2 * i, 3, "%02x", upload->hash[i]);
    return json_pack("{s:s, s:s, s:o, s:o, s:s, s:s}", "user", upload->user, "file", upload->file,
                     "size", value_big(upload->size), "time", value_time(upload->time_us), "id", id,
                     "hash", hash);
}

enum status upload_print(struct output *output, const zchat_upload *upload) {
    if (output->json)
        return output_object(output, upload_object(upload));
    output_format(output, "%s uploaded %s (%" PRIu64 " bytes)\n", upload->user, upload->file,
                  upload->size);
    return STATUS_DONE;
}
