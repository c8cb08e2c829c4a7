/* Memory that is there or ends the process: a broker without memory can't keep its word, and its
 * supervisor starts it again with what the store holds. What peers can make grow is bounded
 * elsewhere. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>

/* Ends the process with its sentence, and status 1. */
_Noreturn void memory_missing(void);
/* Zeroed. Freed with free(). */
void *memory_new(size_t bytes);
void *memory_resize(void *memory, size_t bytes);
char *memory_copy_text(const char *text);
/* Overwrites secret bytes. */
void memory_wipe(void *memory, size_t bytes);
/* Overwrites, then frees; NULL is fine. */
void memory_wipe_text(char *text);

#endif
