/* Memory for a program that can do nothing without it: if none is left, it says so and exits. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>

/* Zeroed; never NULL. */
void *memory_take(size_t bytes);
/* Like realloc, for count elements; never NULL. */
void *memory_grow(void *memory, size_t count, size_t element_bytes);
/* A copy of a string; NULL stays NULL. */
char *memory_text(const char *text);
/* Overwrites a secret in a way that compilers don't remove. */
void memory_wipe(void *memory, size_t bytes);
/* Wipes and frees a secret string; NULL is fine. */
void memory_free_secret(char *secret);

#endif
