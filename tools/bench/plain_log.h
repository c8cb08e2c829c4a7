/* The limit of whatever is on the disk before it is acknowledged: one pwrite and one fdatasync at
 * a time. */
#ifndef PLAIN_LOG_H
#define PLAIN_LOG_H

#include <stdbool.h>
#include <stddef.h>

/* Writes `bytes` at a time (4 MiB at most) for so long, then removes the file. *per_s: writes a
 * second. false: it said why on stderr. */
bool plain_log(const char *path, size_t bytes, double seconds, double *per_s);

#endif
