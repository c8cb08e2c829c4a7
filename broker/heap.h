/* What malloc keeps of the memory that was freed, and when it gives it back to the kernel. The
 * threads of ZeroMQ have heaps of their own, and keep as much in each. */
#ifndef HEAP_H
#define HEAP_H

#include <stdbool.h>

/* At the start. */
void heap_init(void);
/* Whether there is a crowd: then what is kept would soon be part of new connections, which take
 * twice the memory that they use, and use it up. */
void heap_keep_less(bool is_crowd);
/* Gives back what is free; this takes some milliseconds. */
void heap_give_back(void);

#endif
