/* See field.h. */
#include "field.h"

#include "id.h"
#include "text.h"

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

size_t field_limit(uint32_t limit) {
    return limit == 0 || limit > SYNC_ENTRIES_MAX ? SYNC_ENTRIES_MAX : limit;
}
