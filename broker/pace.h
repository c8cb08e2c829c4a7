/* Log lines that anybody can cause come at most once a minute for each kind and source, and only so
 * many in all: a flood must not fill the log. What is passed over is counted and told with the next
 * line. */
#ifndef PACE_H
#define PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace;

struct pace *pace_new(void);
void pace_free(struct pace *pace);

/* Whether a line of this kind may be written about this source (NULL: no special one) now.
 * `passed_over` becomes the number of lines of that kind and source that were not, since the last
 * one; it may be NULL. */
bool pace_due(struct pace *pace, const char *kind, const char *source, int64_t now_us,
              uint64_t *passed_over);

#endif
