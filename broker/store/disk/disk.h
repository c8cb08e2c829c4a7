/* How much room the disk of a file has. A part of it stays for messages, so that an upload that
 * fills the disk does not keep everybody from writing. */
#ifndef DISK_H
#define DISK_H

#include <stdint.h>

/* What files may still take, in bytes; 0: none. UINT64_MAX where nothing is known, as of a disk in
 * memory. */
uint64_t disk_room(const char *path);
/* What the disk has free for this process; UINT64_MAX likewise. */
uint64_t disk_free_bytes(const char *path);
/* All of it, free or not; UINT64_MAX likewise. */
uint64_t disk_all_bytes(const char *path);

#endif
