/* Four hexadecimal numbers of fixed width, each followed by a space. */
#include "payload.h"

#include <inttypes.h>
#include <stdio.h>

static char *put(char *out, uint64_t value, int digits) {
    static const char hex[] = "0123456789abcdef";
    for (int i = digits - 1; i >= 0; i--, value >>= 4)
        out[i] = hex[value & 15];
    out[digits] = ' ';
    return out + digits + 1;
}

void payload_write(const struct payload *payload, char *text) {
    text = put(text, payload->run, 8);
    text = put(text, payload->sender, 7);
    text = put(text, payload->number, 8);
    put(text, payload->due_us, 16);
}

bool payload_read(const char *text, struct payload *payload) {
    return sscanf(text, "%8" SCNx32 " %7" SCNx32 " %8" SCNx32 " %16" SCNx64 " ", &payload->run,
                  &payload->sender, &payload->number, &payload->due_us) == 4;
}
