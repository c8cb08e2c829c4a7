/* How much room the disk of a file has. A part of it is kept for messages, so that an upload that
 * fills the disk does not keep everybody from writing. */
#ifndef ROOM_H
#define ROOM_H

#include <stdint.h>

/* How many bytes files may still take. UINT64_MAX: it is not known, for example because the disk is
 * in memory. */
uint64_t disk_room(const char *path);
/* How many bytes are free for this process; UINT64_MAX: likewise. */
uint64_t disk_free_bytes(const char *path);
/* The size of the whole disk; UINT64_MAX: likewise. */
uint64_t disk_all_bytes(const char *path);

#endif
