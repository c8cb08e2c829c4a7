/* A run: the positions in the log of some entries of a stream that follow each other, as the table
 * entry keeps them, 8 bytes each, the highest first. */
#ifndef RUN_H
#define RUN_H

#include <stddef.h>
#include <stdint.h>

#define RUN_ENTRY_BYTES 8
/* As many as fit in a page of the table without overflow. */
#define RUN_ENTRIES 112

/* The `at`th position of a run, from 0 on. */
void run_put(unsigned char *run, size_t at, int64_t position);
int64_t run_get(const unsigned char *run, size_t at);

#endif
