/* Nothing here knows of sockets. Lines are read and written as they are, byte for byte; only a
 * terminal is spared what is no text. */
#include "raw_text.h"

#include "json/base64.h"

#include <stdlib.h>
#include <string.h>

#define PEER_TEXT_BYTES (2 + 2 * RAW_PEER_BYTES_MAX + 1)
#define NO_MEMORY       "there is not enough memory"

static int digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool is_hex(const char *text, size_t bytes) {
    if (bytes < 4 || bytes % 2 || text[0] != '0' || text[1] != 'x')
        return false;
    for (size_t i = 2; i < bytes; i++)
        if (digit(text[i]) < 0)
            return false;
    return true;
}

bool raw_bytes_read(const char *text, size_t text_bytes, uint8_t *bytes, size_t *count) {
    bool hex = is_hex(text, text_bytes);
    size_t needed = hex ? text_bytes / 2 - 1 : text_bytes;
    if (needed > *count)
        return false;
    *count = needed;
    for (size_t i = 0; i < needed; i++)
        bytes[i] = hex ? (uint8_t)(digit(text[2 + 2 * i]) * 16 + digit(text[3 + 2 * i]))
                       : (uint8_t)text[i];
    return true;
}

/* ---- reading ---- */

static bool add(struct raw_message *message, const void *bytes, size_t count) {
    size_t room = message->count;
    if ((room & (room - 1)) == 0) { /* it grows at 0 and at each power of two */
        struct raw_part *grown =
            realloc(message->parts, (room ? 2 * room : 1) * sizeof *message->parts);
        if (!grown)
            return false;
        message->parts = grown;
    }
    message->parts[message->count++] = (struct raw_part){bytes, count};
    return true;
}

static bool add_peer(struct raw_message *message, const char *text, size_t bytes,
                     const char **fault) {
    size_t count = sizeof message->peer;
    *fault = "begins with a peer of more than 255 bytes";
    if (!raw_bytes_read(text, bytes, message->peer, &count))
        return false;
    *fault = NO_MEMORY;
    return add(message, message->peer, count);
}

static bool read_plain(struct raw_message *message, const struct raw_form *form, const char *line,
                       size_t bytes, const char **fault) {
    const char *end = line + bytes, *tab = memchr(line, '\t', bytes);
    if (form->peer) {
        *fault = "is no PEER, a TAB, and what to send";
        if (!tab || !add_peer(message, line, (size_t)(tab - line), fault))
            return false;
        line = tab + 1;
    }
    *fault = NO_MEMORY;
    while (form->split && (tab = memchr(line, '\t', (size_t)(end - line)))) {
        if (!add(message, line, (size_t)(tab - line)))
            return false;
        line = tab + 1;
    }
    return add(message, line, (size_t)(end - line));
}

static bool add_texts(struct raw_message *message, const json_t *parts, const char **fault) {
    size_t i;
    const json_t *part;
    json_array_foreach(parts, i, part) {
        *fault = "has a part that is no string";
        if (!json_is_string(part))
            return false;
        *fault = NO_MEMORY;
        if (!add(message, json_string_value(part), json_string_length(part)))
            return false;
    }
    return true;
}

static bool add_base64(struct raw_message *message, const json_t *parts, size_t room,
                       const char **fault) {
    size_t i;
    const json_t *part;
    uint8_t *bytes = message->bytes = malloc(room);
    if (!bytes)
        return false;
    json_array_foreach(parts, i, part) {
        size_t count = 0;
        *fault = "has a part that is no base64";
        if (!json_is_string(part) ||
            !base64_read(json_string_value(part), json_string_length(part), bytes, &count))
            return false;
        *fault = NO_MEMORY;
        if (!add(message, bytes, count))
            return false;
        bytes += BASE64_DATA_BYTES(json_string_length(part));
    }
    return true;
}

/* What all parts need at most. */
static size_t base64_room(const json_t *parts) {
    size_t i, room = 1;
    const json_t *part;
    json_array_foreach(parts, i, part) room += BASE64_DATA_BYTES(json_string_length(part));
    return room;
}

static bool read_json(struct raw_message *message, const struct raw_form *form, const char *line,
                      size_t bytes, const char **fault) {
    json_error_t error;
    json_t *object = json_loadb(line, bytes, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    const json_t *peer = json_object_get(object, "peer"), *parts = json_object_get(object, "parts");
    const json_t *coded = json_object_get(object, "parts_b64");
    message->object = object;
    *fault = "is no object with \"parts\" or \"parts_b64\", a list of strings";
    if (!json_is_array(parts ? parts : coded) || (parts && coded) ||
        json_array_size(parts ? parts : coded) == 0)
        return false;
    *fault =
        form->peer ? "has no \"peer\"" : "has a \"peer\", which only a ROUTER or STREAM sends to";
    if (form->peer != json_is_string(peer))
        return false;
    if (peer && !add_peer(message, json_string_value(peer), json_string_length(peer), fault))
        return false;
    *fault = NO_MEMORY;
    return parts ? add_texts(message, parts, fault)
                 : add_base64(message, coded, base64_room(coded), fault);
}

bool raw_message_read(struct raw_message *message, const struct raw_form *form, const char *line,
                      size_t bytes, const char **fault) {
    *message = (struct raw_message){0};
    bool done = form->json ? read_json(message, form, line, bytes, fault)
                           : read_plain(message, form, line, bytes, fault);
    if (!done)
        raw_message_release(message);
    return done;
}

bool raw_message_empty(struct raw_message *message) {
    *message = (struct raw_message){0};
    return add(message, "", 0);
}

void raw_message_release(struct raw_message *message) {
    free(message->parts);
    free(message->bytes);
    json_decref(message->object);
    *message = (struct raw_message){0};
}

/* ---- printing ---- */

static bool is_readable(const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (bytes[i] <= ' ' || bytes[i] > '~')
            return false;
    return count > 0 && (count < 2 || memcmp(bytes, "0x", 2) != 0);
}

static void write_peer(char text[PEER_TEXT_BYTES], const uint8_t *bytes, size_t count) {
    if (count > RAW_PEER_BYTES_MAX)
        count = RAW_PEER_BYTES_MAX;
    if (is_readable(bytes, count)) {
        memcpy(text, bytes, count);
        text[count] = 0;
        return;
    }
    memcpy(text, "0x", 3);
    for (size_t i = 0; i < count; i++)
        snprintf(text + 2 + 2 * i, 3, "%02x", bytes[i]);
}

/* A terminal gets the text of it, and a dot for each NUL. */
static enum status print_clean(struct output *output, const void *bytes, size_t count) {
    char *text = malloc(count + 1);
    if (!text)
        return output_error(output, ZCHAT_NO_MEMORY, 0, NO_MEMORY);
    memcpy(text, bytes, count);
    text[count] = 0;
    for (char *nul = memchr(text, 0, count); nul;
         nul = memchr(nul, 0, (size_t)(text + count - nul)))
        *nul = '.';
    zchat_text_clean(text);
    output_text(output, text);
    free(text);
    return STATUS_DONE;
}

static enum status print_plain(struct raw_printer *printer, const void *bytes, size_t count,
                               bool more) {
    char peer[PEER_TEXT_BYTES];
    enum status status = STATUS_DONE;
    if (printer->form.peer && printer->part == 0) {
        write_peer(peer, bytes, count);
        output_text(printer->output, peer);
    } else if (printer->terminal)
        status = print_clean(printer->output, bytes, count);
    else
        output_bytes(printer->output, bytes, count);
    output_bytes(printer->output, more ? "\t" : &printer->delimiter, 1);
    return status;
}

static json_t *encoded(const void *bytes, size_t count) {
    char *text = malloc(BASE64_TEXT_BYTES(count));
    if (text)
        base64_write(bytes, count, text);
    json_t *value = text ? json_string(text) : NULL;
    free(text);
    return value;
}

/* A part is no text: those before it become base64, too. */
static bool encode_all(json_t *object) {
    json_t *texts = json_object_get(object, "parts"), *all = json_array();
    size_t i;
    const json_t *text;
    bool done = all != NULL;
    json_array_foreach(texts, i, text) done =
        done &&
        json_array_append_new(all, encoded(json_string_value(text), json_string_length(text))) == 0;
    done = done && json_object_set(object, "parts_b64", all) == 0;
    json_decref(all);
    json_object_del(object, "parts");
    return done;
}

static bool add_part(json_t *object, const void *bytes, size_t count) {
    if (json_object_get(object, "parts")) {
        json_t *text = json_stringn(bytes, count);
        if (text)
            return json_array_append_new(json_object_get(object, "parts"), text) == 0;
        if (!encode_all(object))
            return false;
    }
    return json_array_append_new(json_object_get(object, "parts_b64"), encoded(bytes, count)) == 0;
}

static bool keep_part(struct raw_printer *printer, const void *bytes, size_t count) {
    char peer[PEER_TEXT_BYTES];
    if (printer->part > 0 || !printer->form.peer) {
        if (!printer->object)
            printer->object = json_pack("{s:[]}", "parts");
        return add_part(printer->object, bytes, count);
    }
    write_peer(peer, bytes, count);
    printer->object = json_pack("{s:s, s:[]}", "peer", peer, "parts");
    return printer->object != NULL;
}

static enum status print_json(struct raw_printer *printer, const void *bytes, size_t count,
                              bool more) {
    if (!keep_part(printer, bytes, count))
        return output_error(printer->output, ZCHAT_NO_MEMORY, 0, NO_MEMORY);
    if (more)
        return STATUS_DONE;
    json_t *object = printer->object;
    printer->object = NULL;
    return output_ascii(printer->output, object);
}

enum status raw_print(struct raw_printer *printer, const void *bytes, size_t count, bool more) {
    enum status status = printer->form.json ? print_json(printer, bytes, count, more)
                                            : print_plain(printer, bytes, count, more);
    printer->part = more ? printer->part + 1 : 0;
    return status;
}

void raw_printer_release(struct raw_printer *printer) {
    json_decref(printer->object);
    printer->object = NULL;
}
