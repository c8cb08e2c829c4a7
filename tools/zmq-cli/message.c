/* Showing messages. */
#include "message.h"

#include "common/time_text.h"

#include <stdlib.h>
#include <string.h>

static json_t *message_object(const zchat_message *message) {
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
    return object;
}

static void print_text(struct output *output, const zchat_message *message) {
    char time[TIME_TEXT];
    output_format(output, "%s %s", time_short(message->time_us, time), message->from);
    if (message->sent)
        output_format(output, " to %s", message->to);
    output_text(output, ": ");
    output_indented(output, message->text);
}

enum status message_print(struct output *output, const zchat_message *message) {
    if (output->json)
        return output_object(output, message_object(message));
    print_text(output, message);
    return STATUS_DONE;
}

static char *with_newline(const char *text) {
    size_t bytes = strlen(text) + 2;
    char *line = malloc(bytes);
    if (line)
        snprintf(line, bytes, "%s\n", text);
    return line;
}

char *message_line(const struct output *output, const zchat_message *message) {
    if (!output->json)
        return with_newline(message->text);
    json_t *object = message_object(message);
    char *packed = object ? json_dumps(object, JSON_COMPACT) : NULL;
    char *line = packed ? with_newline(packed) : NULL;
    free(packed);
    json_decref(object);
    return line;
}
