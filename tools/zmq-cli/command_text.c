/* Reads a command and its JSON. */
#include "command_text.h"

#include "common/option.h"
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void command_text_complain(const char *name, char fault[JSON_FAULT_BYTES]) {
    struct schema_command command;
    const char *nearest = NULL;
    size_t least = NEAREST_MAX + 1;
    for (size_t i = 0; schema_command_at(i, &command); i++) {
        size_t distance = word_distance(name, strlen(name), command.name);
        nearest = distance < least ? command.name : nearest;
        least = distance < least ? distance : least;
    }
    snprintf(fault, JSON_FAULT_BYTES, "the schema has no command \"%.40s\"%s%s%s see zmq-cli list",
             name, nearest ? ", did you mean " : "", nearest ? nearest : "", nearest ? "?" : ";");
}

enum status command_text_find(struct call *call, const char *name, struct schema_command *command) {
    char fault[JSON_FAULT_BYTES];
    if (schema_command_find(name, command))
        return STATUS_DONE;
    command_text_complain(name, fault);
    return output_error(call->output, ZCHAT_INVALID, 0, "%s", fault);
}

static enum status read_file(struct call *call, const char *path, char **text, size_t *bytes) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return output_error(call->output, ZCHAT_IO, 0, "cannot open %s: %s", path, strerror(errno));
    enum status status = input_read(call, fd, path, JSON_TEXT_BYTES_MAX, text, bytes);
    close(fd);
    return status;
}

static enum status parse(const struct call *call, const char *text, size_t bytes, json_t **json) {
    char fault[JSON_FAULT_BYTES];
    *json = from_json_text(text, bytes, fault);
    return *json ? STATUS_DONE : output_error(call->output, ZCHAT_INVALID, 0, "%s", fault);
}

enum status command_text_read(struct call *call, int place, json_t **json) {
    const char *word = place < call->word_count ? call->words[place] : "{}";
    bool plain = place < call->plain_count;
    enum status status = STATUS_DONE;
    char *text = NULL;
    size_t bytes = strlen(word);
    if (plain && strcmp(word, "-") == 0)
        status =
            input_read(call, STDIN_FILENO, "standard input", JSON_TEXT_BYTES_MAX, &text, &bytes);
    else if (plain && *word == '@')
        status = read_file(call, word + 1, &text, &bytes);
    if (status == STATUS_DONE)
        status = parse(call, text ? text : word, bytes, json);
    free(text);
    return status;
}
