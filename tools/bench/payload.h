/* The text of a message: which run, which sender, the number of its pair, when it was due. */
#ifndef PAYLOAD_H
#define PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct payload {
    uint32_t run; /* random: what an earlier run left in a store is not of this one */
    uint32_t sender;
    uint32_t number;
    uint64_t due_us;
};

/* Writes the text's first bytes, so many; the rest is the caller's. */
#define PAYLOAD_BYTES 43
void payload_write(const struct payload *payload, char *text);

/* false: it is no text of the bench's. */
bool payload_read(const char *text, struct payload *payload);

#endif
