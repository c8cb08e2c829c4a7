/* Few words are offered at once, so the list grows by one. */
#include "candidates.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>

void candidates_add(struct candidates *candidates, const char *text) {
    candidates->words = memory_grow(candidates->words, candidates->count + 1, sizeof(char *));
    candidates->words[candidates->count++] = memory_text(text);
}

char *candidates_take(struct candidates *candidates) {
    return candidates->next == candidates->count ? NULL : candidates->words[candidates->next++];
}

bool candidates_go_on(const struct candidates *candidates) {
    const char *word = candidates->count == 1 ? candidates->words[0] : "";
    return *word != '\0' && word[strlen(word) - 1] == '/';
}

void candidates_release(struct candidates *candidates) {
    while (candidates->next < candidates->count)
        free(candidates->words[candidates->next++]);
    free(candidates->words);
    candidates->words = NULL;
    candidates->count = 0;
    candidates->next = 0;
}
