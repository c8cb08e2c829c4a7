/* See line.h. JSON as RFC 8259 has it; a key that occurs twice is the caller's matter. */
#include "line.h"

#include "text.h"
#include "json/base64.h"

#include <stdio.h>
#include <string.h>

/* ---- reading ---- */

void line_begin(struct line_reader *reader, const char *line, size_t bytes, char *room) {
    *reader = (struct line_reader){.at = line, .begin = line, .end = line + bytes, .room = room};
}

size_t line_column(const struct line_reader *reader) {
    return (size_t)(reader->at - reader->begin) + 1;
}

static bool fail(struct line_reader *reader, const char *fault) {
    reader->fault = fault;
    return false;
}

static void skip_blanks(struct line_reader *reader) {
    while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\t' ||
                                        *reader->at == '\r' || *reader->at == '\n'))
        reader->at++;
}

static bool take(struct line_reader *reader, char wanted) {
    bool is = reader->at < reader->end && *reader->at == wanted;
    reader->at += is;
    return is;
}

static int hex_digit(char digit) {
    return digit >= '0' && digit <= '9'   ? digit - '0'
           : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
           : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                          : -1;
}

/* The four digits of an escape. */
static bool take_unit(struct line_reader *reader, unsigned *unit) {
    *unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = reader->at < reader->end ? hex_digit(*reader->at) : -1;
        if (digit < 0)
            return fail(reader, "\\u needs four hex digits");
        *unit = *unit << 4 | (unsigned)digit;
        reader->at++;
    }
    return true;
}

static char *put_character(char *out, unsigned code) {
    if (code < 0x80) {
        *out++ = (char)code;
        return out;
    }
    if (code < 0x800) {
        *out++ = (char)(0xc0 | code >> 6);
    } else {
        if (code < 0x10000) {
            *out++ = (char)(0xe0 | code >> 12);
        } else {
            *out++ = (char)(0xf0 | code >> 18);
            *out++ = (char)(0x80 | (code >> 12 & 0x3f));
        }
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
    }
    *out++ = (char)(0x80 | (code & 0x3f));
    return out;
}

/* A character that is escaped by its number, maybe by two. */
static bool take_coded(struct line_reader *reader, char **out) {
    unsigned code, low;
    if (!take_unit(reader, &code))
        return false;
    if (code >= 0xd800 && code < 0xdc00) {
        if (!take(reader, '\\') || !take(reader, 'u'))
            return fail(reader, "half a surrogate pair");
        if (!take_unit(reader, &low))
            return false;
        if (low < 0xdc00 || low > 0xdfff)
            return fail(reader, "half a surrogate pair");
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code >= 0xdc00 && code < 0xe000) {
        return fail(reader, "half a surrogate pair");
    }
    if (code == 0)
        return fail(reader, "a NUL in a text");
    *out = put_character(*out, code);
    return true;
}

static bool take_escape(struct line_reader *reader, char **out) {
    static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    if (reader->at == reader->end)
        return fail(reader, "the text does not end");
    char name = *reader->at++;
    if (name == 'u')
        return take_coded(reader, out);
    const char *found = name ? strchr(names, name) : NULL;
    if (!found)
        return fail(reader, "an unknown escape");
    *(*out)++ = meanings[found - names];
    return true;
}

/* An unescaped text is never longer than the escaped one, so the room has enough. */
static bool take_text(struct line_reader *reader, const char **text, size_t *bytes) {
    char *out = reader->room;
    while (reader->at < reader->end && *reader->at != '"') {
        if ((unsigned char)*reader->at < 0x20)
            return fail(reader, "a control character that is not escaped");
        if (take(reader, '\\')) {
            if (!take_escape(reader, &out))
                return false;
        } else {
            *out++ = *reader->at++;
        }
    }
    *text = reader->room;
    *bytes = (size_t)(out - reader->room);
    if (!take(reader, '"'))
        return fail(reader, "the text does not end");
    return text_is_utf8(reader->room, *bytes) || fail(reader, "a text that is not UTF-8");
}

static bool take_number(struct line_reader *reader, uint64_t *number) {
    const char *begin = reader->at;
    *number = 0;
    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9') {
        unsigned digit = (unsigned)(*reader->at++ - '0');
        if (*number > (UINT64_MAX - digit) / 10)
            return fail(reader, "a number that is too large");
        *number = *number * 10 + digit;
    }
    bool is_plain = *begin != '0' || reader->at - begin == 1;
    bool ends = reader->at == reader->end || !strchr(".eE+-", *reader->at);
    return (is_plain && ends) || fail(reader, "a number that is no plain one");
}

static bool take_word(struct line_reader *reader, const char *word) {
    size_t bytes = strlen(word);
    bool is = (size_t)(reader->end - reader->at) >= bytes && !memcmp(reader->at, word, bytes);
    reader->at += is ? bytes : 0;
    return is;
}

static bool take_value(struct line_reader *reader, struct line_value *out) {
    if (take(reader, '"')) {
        out->kind = LINE_TEXT;
        return take_text(reader, &out->text, &out->text_bytes);
    }
    if (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9') {
        out->kind = LINE_NUMBER;
        return take_number(reader, &out->number);
    }
    out->kind = LINE_TRUTH;
    out->truth = take_word(reader, "true");
    return out->truth || take_word(reader, "false") ||
           fail(reader, "a text, a number, true or false is wanted");
}

static bool take_key(struct line_reader *reader, char key[LINE_KEY_BYTES]) {
    const char *text;
    size_t bytes;
    if (!take(reader, '"'))
        return fail(reader, "a key is wanted");
    if (!take_text(reader, &text, &bytes))
        return false;
    if (bytes >= LINE_KEY_BYTES)
        return fail(reader, "an unknown key");
    memcpy(key, text, bytes);
    key[bytes] = '\0';
    skip_blanks(reader);
    return take(reader, ':') || fail(reader, "a colon is wanted");
}

/* The object has ended: nothing may follow. */
static bool end(struct line_reader *reader) {
    skip_blanks(reader);
    if (reader->at < reader->end)
        return fail(reader, "something follows the object");
    return false;
}

bool line_next(struct line_reader *reader, struct line_value *out) {
    if (reader->fault)
        return false;
    skip_blanks(reader);
    if (!reader->any && !take(reader, '{'))
        return fail(reader, "an object is wanted");
    skip_blanks(reader);
    if (take(reader, '}'))
        return end(reader);
    if (reader->any && !take(reader, ','))
        return fail(reader, "a comma or the object's end is wanted");
    reader->any = true;
    skip_blanks(reader);
    if (!take_key(reader, out->key))
        return false;
    skip_blanks(reader);
    return take_value(reader, out);
}

/* ---- writing ---- */

static void put(struct line *line, const char *bytes, size_t length) {
    if (line->length + length <= LINE_BYTES_MAX) {
        memcpy(line->bytes + line->length, bytes, length);
        line->length += length;
    } else {
        line->length = LINE_BYTES_MAX + 1;
    }
}

static void put_key(struct line *line, const char *key) {
    put(line, line->length == 0 ? "{\"" : ",\"", 2);
    put(line, key, strlen(key));
    put(line, "\":", 2);
}

static void put_escaped(struct line *line, unsigned char character) {
    static const char meanings[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
    const char *found = strchr(meanings, character);
    char text[8] = {'\\'};
    if (found)
        text[1] = names[found - meanings];
    else
        (void)snprintf(text, sizeof text, "\\u%04x", character);
    put(line, text, strlen(text));
}

static bool is_escaped(unsigned char character) {
    return character < 0x20 || character == '"' || character == '\\' || character == 0x7f;
}

void line_text(struct line *line, const char *key, const char *text, size_t bytes) {
    put_key(line, key);
    put(line, "\"", 1);
    for (size_t at = 0, begin = 0; at <= bytes; at++) {
        bool ends = at == bytes || is_escaped((unsigned char)text[at]);
        if (ends && at > begin)
            put(line, text + begin, at - begin);
        if (ends && at < bytes)
            put_escaped(line, (unsigned char)text[at]);
        begin = ends ? at + 1 : begin;
    }
    put(line, "\"", 1);
}

void line_number(struct line *line, const char *key, uint64_t number) {
    char text[24];
    int bytes = snprintf(text, sizeof text, "\"%llu\"", (unsigned long long)number);
    put_key(line, key);
    put(line, text, (size_t)bytes);
}

void line_truth(struct line *line, const char *key, bool truth) {
    put_key(line, key);
    put(line, truth ? "true" : "false", truth ? 4 : 5);
}

void line_base64(struct line *line, const char *key, const void *bytes, size_t length) {
    put_key(line, key);
    put(line, "\"", 1);
    size_t text_bytes = BASE64_TEXT_BYTES(length);
    if (line->length + text_bytes <= LINE_BYTES_MAX) {
        base64_write(bytes, length, line->bytes + line->length);
        line->length += text_bytes - 1;
    } else {
        line->length = LINE_BYTES_MAX + 1;
    }
    put(line, "\"", 1);
}

bool line_end(struct line *line) {
    put(line, "}", 1);
    if (line->length > LINE_BYTES_MAX)
        return false;
    line->bytes[line->length++] = '\n';
    return true;
}
