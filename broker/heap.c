#include "heap.h"

#include <malloc.h>

/* Frames come and go by the megabyte: what is given back to the kernel after each would be fetched
 * page by page for the next one. */
#define BLOCK_BYTES      (4 * 1024 * 1024)
#define KEPT_BYTES       (16 * 1024 * 1024)
#define KEPT_BYTES_CROWD (2 * 1024 * 1024)

void heap_init(void) {
    mallopt(M_MMAP_THRESHOLD, BLOCK_BYTES);
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
}

void heap_keep_less(bool is_crowd) {
    mallopt(M_TRIM_THRESHOLD, is_crowd ? KEPT_BYTES_CROWD : KEPT_BYTES);
}

void heap_give_back(void) {
    malloc_trim(0);
}
