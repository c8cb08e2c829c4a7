/* Allocation for the terminal client. This program holds little, and without memory it can neither
 * show nor send anything: so it exits, and an exit handler restores the terminal. */
#include "memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *memory_check(void *memory) {
    if (!memory) {
        fputs("zchat: out of memory\n", stderr);
        exit(1);
    }
    return memory;
}

void *memory_take(size_t bytes) {
    return memory_check(calloc(1, bytes == 0 ? 1 : bytes));
}

void *memory_grow(void *memory, size_t count, size_t element_bytes) {
    memory_check(count <= SIZE_MAX / element_bytes ? &count : NULL);
    return memory_check(realloc(memory, count == 0 ? 1 : count * element_bytes));
}

char *memory_text(const char *text) {
    return !text ? NULL : memory_check(strdup(text));
}

void memory_wipe(void *memory, size_t bytes) {
    volatile unsigned char *byte = memory;
    while (bytes-- > 0)
        *byte++ = 0;
}

void memory_free_secret(char *secret) {
    if (secret)
        memory_wipe(secret, strlen(secret));
    free(secret);
}
