/* See field.h. */
#include "field.h"

#include "id.h"
#include "text.h"
#include "unicode.h"

#include <string.h>

bool field_text_fits(struct call *call, char *text) {
    size_t bytes = text_clean(text, strlen(text));

    if (bytes == 0)
        call_fail(call, REASON(EMPTY_TEXT), "the text is empty");
    else if (bytes > TEXT_BYTES_MAX)
        call_fail(call, REASON(TEXT_TOO_LONG),
                  "the text has %zu bytes, more than the %d that fit into one message", bytes,
                  TEXT_BYTES_MAX);
    return bytes > 0 && bytes <= TEXT_BYTES_MAX;
}

bool field_id_fits(struct call *call, const ProtobufCBinaryData *id) {
    bool valid = id_is_valid(id->data, id->len);

    if (!valid)
        call_fail(call, REASON(BAD_ID), "the id must be a UUID of version 7");
    return valid;
}

bool field_name_fits(struct call *call, char *user) {
    char name[NAME_BYTES];
    bool valid = name_fold(user, name);

    if (!valid)
        call_fail(call, REASON(NO_SUCH_USER), "there is no user of that name");
    else
        strcpy(user, name); /* never longer than what it was folded from */
    return valid;
}

bool field_new_password_fits(struct call *call, const char *password) {
    size_t bytes = strlen(password);
    bool valid = bytes > 0 && bytes <= PASSWORD_BYTES_MAX;

    if (!valid)
        call_fail(call, REASON(BAD_PASSWORD), "a password has 1 to %d bytes", PASSWORD_BYTES_MAX);
    return valid;
}

size_t field_limit(uint32_t limit) {
    return limit == 0 || limit > SYNC_ENTRIES_MAX ? SYNC_ENTRIES_MAX : limit;
}

/* ---- titles: their one form ---- */

/* Changes the text in place if it has room: composing makes texts shorter, except for a few
 * characters. */
void title_form(struct call *call, char **title) {
    size_t bytes = strlen(*title);
    char *longer;

    if (bytes == 0 || bytes > TITLE_BYTES_MAX || unicode_title(*title, *title, bytes + 1))
        return;
    longer = call_memory(call, TITLE_BYTES);
    if (longer && unicode_title(*title, longer, TITLE_BYTES))
        *title = longer;
}

/* ---- titles: what is fit ---- */

/* A title may not have anything that cleaning would change. */
static bool title_is_clean(const char *title) {
    size_t bytes = strlen(title), characters = text_characters(title, bytes);
    char clean[TITLE_BYTES];

    if (characters < 1 || characters > TITLE_CHARACTERS_MAX || bytes >= sizeof clean ||
        strchr(title, '/'))
        return false;
    memcpy(clean, title, bytes + 1);
    return text_clean_line(clean, bytes) == bytes && !memcmp(clean, title, bytes);
}

static bool title_is_dots(const char *title) {
    char look[LOOK_BYTES];

    return unicode_look(title, look) && look[strspn(look, ".")] == '\0';
}

bool title_fits(struct call *call, const char *what, const char *title) {
    if (!title_is_clean(title))
        call_fail(call, REASON(BAD_TITLE),
                  "%s is 1 to %d characters without control characters or \"/\"", what,
                  TITLE_CHARACTERS_MAX);
    else if (*title == '-' || title_is_dots(title))
        call_fail(call, REASON(BAD_TITLE), "%s must not begin with \"-\" or be only dots", what);
    else
        return true;
    return false;
}

/* ---- titles: what is there ---- */

bool title_is_alike(struct call *call, const char *title) {
    char other[TITLE_BYTES];

    if (call_store(call, store_thread_alike(call->core->store, title, other)) == STORE_OK)
        call_fail(call, REASON(TITLE_ALIKE),
                  "the title looks like that of the thread %s: take another one",
                  call_about_title(call, other));
    return call_failed(call) || call->core->failed;
}

bool title_file_is_alike(struct call *call, const char *title, const char *name) {
    char other[FILE_NAME_BYTES];

    if (call_store(call, store_file_alike(call->core->store, title, name, other)) == STORE_OK)
        call_fail(call, REASON(TITLE_ALIKE),
                  "the name looks like that of the thread's file %s: take another one",
                  call_about_title(call, other));
    return call_failed(call) || call->core->failed;
}
