/* Log lines that anybody can cause come at most once a minute for each kind and source, and only so
 * many in all: a flood must not fill the log. Lines that are passed over are counted, and the next
 * line tells the number. */
#ifndef PACE_H
#define PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace;

struct pace *pace_new(void);
void pace_free(struct pace *pace);

/* Whether a line of this kind about this source (NULL: none in particular) may be written now.
 * `passed_over` (may be NULL) becomes the number of such lines that were passed over since the last
 * one written. */
bool pace_due(struct pace *pace, const char *kind, const char *source, int64_t now_us,
              uint64_t *passed_over);

#endif
