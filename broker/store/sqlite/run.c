/* The highest byte first, so that a dump of the table reads well. */
#include "run.h"

void run_put(unsigned char *run, size_t at, int64_t position) {
    uint64_t left = (uint64_t)position;
    for (size_t i = RUN_ENTRY_BYTES; i-- > 0; left >>= 8)
        run[at * RUN_ENTRY_BYTES + i] = (unsigned char)(left & 0xff);
}

int64_t run_get(const unsigned char *run, size_t at) {
    uint64_t position = 0;
    for (size_t i = 0; i < RUN_ENTRY_BYTES; i++)
        position = position << 8 | run[at * RUN_ENTRY_BYTES + i];
    return (int64_t)position;
}
