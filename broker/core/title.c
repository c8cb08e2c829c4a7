/* Titles and file names. Each is brought to its one form before anything looks at it, so that it is
 * found however it was typed; a new one must be fit to be shown, and to be told from its
 * neighbours. */
#include "handlers.h"

#include "text.h"
#include "unicode.h"

#include <string.h>

/* ---- the one form ---- */

/* In place, where it has the room: composing takes bytes away, but for a few characters. What has
 * no such form is left as it is, and named or found as that by nobody. */
static void title_form(struct call *call, char **title) {
    size_t bytes = strlen(*title);
    char *longer;

    if (bytes == 0 || bytes > TITLE_BYTES_MAX || unicode_title(*title, *title, bytes + 1))
        return;
    longer = call_memory(call, TITLE_BYTES);
    if (longer && unicode_title(*title, longer, TITLE_BYTES))
        *title = longer;
}

void title_form_all(struct call *call) {
    Zchat__V1__Command *command = call->command;

    switch (command->body_case) {
    case ZCHAT__V1__COMMAND__BODY_CREATE_THREAD:
        title_form(call, &command->create_thread->title);
        break;
    case ZCHAT__V1__COMMAND__BODY_POST_TO_THREAD:
        title_form(call, &command->post_to_thread->thread);
        break;
    case ZCHAT__V1__COMMAND__BODY_READ_THREAD:
        title_form(call, &command->read_thread->thread);
        break;
    case ZCHAT__V1__COMMAND__BODY_EDIT_POST:
        title_form(call, &command->edit_post->thread);
        break;
    case ZCHAT__V1__COMMAND__BODY_DELETE_POST:
        title_form(call, &command->delete_post->thread);
        break;
    case ZCHAT__V1__COMMAND__BODY_REMOVE_THREAD:
        title_form(call, &command->remove_thread->thread);
        break;
    case ZCHAT__V1__COMMAND__BODY_FOLLOW_THREAD:
        title_form(call, &command->follow_thread->thread);
        break;
    case ZCHAT__V1__COMMAND__BODY_UNFOLLOW_THREAD:
        title_form(call, &command->unfollow_thread->thread);
        break;
    case ZCHAT__V1__COMMAND__BODY_LIST_FILES:
        title_form(call, &command->list_files->thread);
        title_form(call, &command->list_files->after);
        break;
    case ZCHAT__V1__COMMAND__BODY_BEGIN_UPLOAD:
        title_form(call, &command->begin_upload->thread);
        title_form(call, &command->begin_upload->file);
        break;
    case ZCHAT__V1__COMMAND__BODY_GET_CHUNK:
        title_form(call, &command->get_chunk->thread);
        title_form(call, &command->get_chunk->file);
        break;
    default:
        break;
    }
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

bool thread_title_fits(struct call *call, const char *what, const char *title) {
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

/* ---- what is there, and what is not ---- */

/* Fits into a fault's sentence, cut where it must be. */
static const char *title_shown(const char *title, char shown[120]) {
    size_t bytes = strnlen(title, 119);

    memcpy(shown, title, bytes);
    shown[text_clean_line(shown, bytes)] = '\0';
    return shown;
}

void thread_not_found(struct call *call, const char *title) {
    char shown[120];

    call_fail(call, REASON(NO_SUCH_THREAD), "there is no thread %s", title_shown(title, shown));
}

bool thread_title_is_alike(struct call *call, const char *title) {
    char other[TITLE_BYTES], shown[120];

    if (call_store(call, store_thread_alike(call->core->store, title, other)) == STORE_OK)
        call_fail(call, REASON(TITLE_ALIKE),
                  "the title looks like that of the thread %s: take another one",
                  title_shown(other, shown));
    return call_failed(call) || call->core->failed;
}

bool thread_file_is_alike(struct call *call, const char *title, const char *name) {
    char other[FILE_NAME_BYTES], shown[120];

    if (call_store(call, store_file_alike(call->core->store, title, name, other)) == STORE_OK)
        call_fail(call, REASON(TITLE_ALIKE),
                  "the name looks like that of the thread's file %s: take another one",
                  title_shown(other, shown));
    return call_failed(call) || call->core->failed;
}
