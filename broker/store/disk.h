/* How much room files may still take of the disk: a part of it stays for messages, so that an
 * upload that fills the disk does not end the broker for all. */
#ifndef DISK_H
#define DISK_H

#include <stdint.h>

/* In bytes; 0: none. UINT64_MAX where nothing is known, as of a disk in memory. */
uint64_t disk_room(const char *path);

#endif
