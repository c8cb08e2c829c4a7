/* Columns are counted character by character. Where a terminal joins characters the text takes less
 * than was counted, so it fits in any case. */
#include "fit.h"

#include "memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define FIT_ELLIPSIS "\xE2\x80\xA6"
/* The longest character in UTF-8. */
#define FIT_CHARACTER_BYTES 4

/* The character at the start of `text`: its bytes, and its columns. It looks no further than that,
 * because the text may be long. */
static size_t fit_character(const char *text, size_t *columns) {
    mbstate_t state = {0};
    wchar_t character;
    size_t left = strnlen(text, FIT_CHARACTER_BYTES);
    size_t bytes = mbrtowc(&character, text, left, &state);
    bool broken = bytes == 0 || bytes > left;
    int width = broken ? 1 : wcwidth(character);
    *columns = width < 0 ? 1 : (size_t)width;
    return broken ? 1 : bytes;
}

size_t fit_columns(const char *text) {
    size_t all = 0;
    for (size_t columns; *text != '\0'; all += columns)
        text += fit_character(text, &columns);
    return all;
}

char *fit_text(const char *text, size_t columns) {
    size_t bytes = 0, used = 0, width, kept = 0;
    while (text[bytes] != '\0' && used <= columns) {
        bytes += fit_character(text + bytes, &width);
        used += width;
        kept = used < columns ? bytes : kept;
    }
    bool cut = used > columns;
    size_t length = cut ? kept : bytes;
    char *fitting = memory_take(length + sizeof FIT_ELLIPSIS);
    memcpy(fitting, text, length);
    if (cut && columns > 0)
        strcpy(fitting + length, FIT_ELLIPSIS);
    for (char *c = fitting; *c != '\0'; c++)
        if (*c == '\n' || *c == '\t')
            *c = ' ';
    return fitting;
}
