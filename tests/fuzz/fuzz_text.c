/* text_clean and its kin: what comes out is UTF-8 without anything that a terminal acts on, and
 * stays as it is when it is cleaned again. */
#include "text.h"

#include "fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void check(size_t (*cleaner)(char *, size_t), const uint8_t *data, size_t size) {
    /* Exactly as long as the text, so that the sanitizer sees a step beyond it. */
    char *text = malloc(size > 0 ? size : 1), *again = malloc(size > 0 ? size : 1);
    assert(text != NULL && again != NULL);
    memcpy(text, data, size);
    size_t bytes = cleaner(text, size);
    assert(bytes <= size && text_is_utf8(text, bytes));
    assert(text_characters(text, bytes) <= bytes);
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)text[i];
        assert((c >= 0x20 || c == '\n' || c == '\t') && c != 0x7F);
        assert(c != 0xC2 || (unsigned char)text[i + 1] >= 0xA0);
    }
    memcpy(again, text, bytes);
    size_t same = cleaner(again, bytes);
    assert(same == bytes && memcmp(again, text, bytes) == 0);
    free(text);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        data = (const uint8_t *)"";
    check(text_clean, data, size);
    check(text_clean_line, data, size);
    (void)text_is_utf8((const char *)data, size);
    return 0;
}
