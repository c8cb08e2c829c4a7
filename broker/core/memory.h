/* Memory allocation that succeeds or ends the process: a broker without memory can't keep its
 * promises, and its supervisor starts it again with what the store holds. Other files bound what
 * peers can make grow. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>

/* Prints a sentence and ends the process with status 1. */
_Noreturn void memory_missing(void);
/* Zeroed. Freed with free(). */
void *memory_new(size_t bytes);
void *memory_resize(void *memory, size_t bytes);
char *memory_copy_text(const char *text);
/* Overwrites secret bytes. */
void memory_wipe(void *memory, size_t bytes);
/* Overwrites the text, then frees it; NULL is fine. */
void memory_wipe_text(char *text);

#endif
