#define _DEFAULT_SOURCE /* explicit_bzero */
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void memory_missing(void) {
    fputs("zchatd: out of memory\n", stderr); /* stderr needs no buffer */
    _Exit(1);
}

static void *memory_there(void *memory) {
    if (!memory)
        memory_missing();
    return memory;
}

void *memory_new(size_t bytes) {
    return memory_there(calloc(1, bytes));
}

void *memory_resize(void *memory, size_t bytes) {
    return memory_there(realloc(memory, bytes));
}

char *memory_copy_text(const char *text) {
    size_t bytes = strlen(text) + 1;

    return memcpy(memory_new(bytes), text, bytes);
}

void memory_wipe(void *memory, size_t bytes) {
    explicit_bzero(memory, bytes);
}

void memory_wipe_text(char *text) {
    if (!text)
        return;
    memory_wipe(text, strlen(text));
    free(text);
}
