/* See ledger.h. The list of gaps is searched from end to end: it is empty unless something is
 * wrong. */
#include "ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool reading_init(struct reading *reading, size_t pairs) {
    memset(reading, 0, sizeof *reading);
    reading->pairs = pairs;
    reading->last = calloc(pairs, sizeof *reading->last);
    return reading->last != NULL;
}

void reading_release(struct reading *reading) {
    free(reading->last);
    free(reading->missing);
    memset(reading, 0, sizeof *reading);
}

static bool miss(struct reading *reading, size_t pair, uint32_t number) {
    if (reading->missing_count == reading->missing_room) {
        size_t room = reading->missing_room ? 2 * reading->missing_room : 64;
        struct ledger_gap *grown = realloc(reading->missing, room * sizeof *grown);
        if (!grown)
            return false;
        reading->missing = grown;
        reading->missing_room = room;
    }
    reading->missing[reading->missing_count++] = (struct ledger_gap){pair, number};
    return true;
}

/* Takes the number out of the gaps; false: it is in none. */
static bool fill(struct reading *reading, size_t pair, uint32_t number) {
    for (size_t i = 0; i < reading->missing_count; i++) {
        if (reading->missing[i].pair == pair && reading->missing[i].number == number) {
            reading->missing[i] = reading->missing[--reading->missing_count];
            return true;
        }
    }
    return false;
}

bool reading_take(struct reading *reading, size_t pair, uint32_t number) {
    uint32_t *last = &reading->last[pair];
    reading->read++;
    if (number <= *last) {
        bool late = fill(reading, pair, number);
        reading->out_of_order += late;
        reading->doubled += !late;
        return true;
    }
    while (++*last < number)
        if (!miss(reading, pair, *last))
            return false;
    return true;
}

void reading_close(struct reading *reading, size_t pair, uint32_t acknowledged, uint32_t sent) {
    size_t i = 0;
    while (i < reading->missing_count) {
        if (reading->missing[i].pair == pair) {
            reading->lost++;
            reading->missing[i] = reading->missing[--reading->missing_count];
        } else {
            i++;
        }
    }
    if (reading->last[pair] < acknowledged)
        reading->lost += acknowledged - reading->last[pair];
    if (reading->last[pair] > sent)
        reading->doubled += reading->last[pair] - sent;
}

/* ---- texts: four hexadecimal numbers of fixed width, each followed by a space ---- */

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
