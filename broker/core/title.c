/* See title.h. */
#include "title.h"

#include "text.h"
#include "unicode.h"

#include <string.h>

/* In place where it has the room: composing takes bytes away, but for a few characters. */
void title_form(struct call *call, char **title) {
    size_t bytes = strlen(*title);
    char *longer;

    if (bytes == 0 || bytes > TITLE_BYTES_MAX || unicode_title(*title, *title, bytes + 1))
        return;
    longer = call_memory(call, TITLE_BYTES);
    if (longer && unicode_title(*title, longer, TITLE_BYTES))
        *title = longer;
}

/* ---- what is fit ---- */

/* What cleaning would change must not be there. */
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
        call_fail(call, REASON(BAD_TITLE), "%s does not begin with \"-\" and is not of dots alone",
                  what);
    else
        return true;
    return false;
}

/* ---- what is there ---- */

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
