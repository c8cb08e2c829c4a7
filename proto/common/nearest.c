/* The usual table of distances (Damerau, Levenshtein), of which three rows are kept. */
#include "common/nearest.h"

#include <string.h>

#define WORD_MAX 40

static size_t least_of(size_t a, size_t b) {
    return a < b ? a : b;
}

/* One row: `before` is the row above, `again` the one above that. */
static void fill_row(const char *typed, size_t at, const char *name, size_t name_bytes,
                     size_t rows[3][WORD_MAX + 1]) {
    size_t *again = rows[(at + 1) % 3], *before = rows[(at + 2) % 3], *row = rows[at % 3];
    row[0] = at;
    for (size_t i = 1; i <= name_bytes; i++) {
        size_t changed = before[i - 1] + (typed[at - 1] != name[i - 1]);
        row[i] = least_of(changed, least_of(before[i], row[i - 1]) + 1);
        if (at > 1 && i > 1 && typed[at - 1] == name[i - 2] && typed[at - 2] == name[i - 1])
            row[i] = least_of(row[i], again[i - 2] + 1);
    }
}

size_t word_distance(const char *typed, size_t typed_bytes, const char *name) {
    size_t rows[3][WORD_MAX + 1];
    size_t name_bytes = strlen(name);
    if (typed_bytes > WORD_MAX || name_bytes > WORD_MAX || typed_bytes <= NEAREST_MAX)
        return NEAREST_MAX + 1;
    for (size_t i = 0; i <= name_bytes; i++)
        rows[0][i] = i;
    for (size_t at = 1; at <= typed_bytes; at++)
        fill_row(typed, at, name, name_bytes, rows);
    return rows[typed_bytes % 3][name_bytes];
}
