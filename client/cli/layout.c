/* Layout of characters in cells, as readline and terminals do it: a wide character that doesn't fit
 * moves to the next row whole, a control character shows as two. wcwidth() is X/Open's. */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif

#include "layout.h"

#include <stdbool.h>
#include <string.h>
#include <wchar.h>

struct layout {
    size_t columns;
    size_t row;
    size_t column;
};

static void layout_place(struct layout *layout, wchar_t character) {
    int width = wcwidth(character);
    if (character == L'\n') {
        layout->row++;
        layout->column = 0;
        return;
    }
    size_t cells = width < 0 ? 2 : (size_t)width;
    if (character == L'\t')
        cells = 8 - layout->column % 8;
    if (layout->column + cells > layout->columns) {
        layout->row++;
        layout->column = 0;
    }
    layout->column += cells;
    if (layout->column >= layout->columns) {
        layout->row++;
        layout->column = 0;
    }
}

static void layout_add(struct layout *layout, const char *text, size_t text_bytes) {
    mbstate_t state = {0};
    bool invisible = false;
    while (text_bytes > 0) {
        wchar_t character;
        size_t bytes = mbrtowc(&character, text, text_bytes, &state);
        if (bytes == 0 || bytes > text_bytes) {
            memset(&state, 0, sizeof state);
            character = L'?';
            bytes = 1;
        }
        if (character == L'\001' || character == L'\002')
            invisible = character == L'\001';
        else if (!invisible)
            layout_place(layout, character);
        text += bytes;
        text_bytes -= bytes;
    }
}

size_t layout_row(const char *prompt, const char *text, size_t text_bytes, size_t columns) {
    struct layout layout = {.columns = columns == 0 ? 1 : columns};
    layout_add(&layout, prompt, strlen(prompt));
    layout_add(&layout, text, text_bytes);
    return layout.row;
}
