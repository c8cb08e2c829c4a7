/* What the process asks of the system for itself: memory, CPU time, descriptors. */
#ifndef PROCESS_H
#define PROCESS_H

#include "config.h"

#include <stdbool.h>
#include <stddef.h>

/* ---- how much freed memory malloc keeps, and when it gives memory back to the kernel: the threads
 * of ZeroMQ have heaps of their own, and each keeps as much ---- */

/* At the start. */
void heap_init(void);
/* Tells whether there is a crowd: then kept memory would soon go into new connections, which take
 * twice the memory that they use, and be used up. */
void heap_keep_less(bool is_crowd);
/* Gives free memory back; this takes some milliseconds. */
void heap_give_back(void);

/* ---- for how long the kernel lets a thread run before others get their turn ---- */

/* Asks for short slices for this thread and those that it starts, so that a thread that a message
 * waits for is not held up by one that hashes or encrypts for long. Each thread's share of the
 * whole stays as it is. Has no effect if the kernel does not support it. */
void slice_shorten(void);

/* Makes this thread give way to the others of the process: if it competes with one of them for a
 * core, it gets about a third of it. */
void slice_give_way(void);

/* ---- descriptors: 0 to 2 are open even if the caller closed them, and the limit is as high as the
 * hard limit allows ---- */

/* Opens /dev/null for each of 0 to 2 that is closed, so that no file or socket of ours becomes one
 * of them and gets what is written for people. stdout is opened only for reading, so that writing
 * to it fails instead of being lost. Called before anything else is opened. */
void descriptors_open_standard(void);

/* Raises the limit as far as it goes; returns how many descriptors there may be then. */
size_t descriptors_raise(void);
/* How many descriptors are open. */
size_t descriptors_open(void);
/* Whether there are enough to start the broker and serve a few clients. libzmq ends the process if
 * it gets none for itself, so this is asked before libzmq begins. false: `error` holds one
 * sentence. */
bool descriptors_suffice(const struct config *config, char *error, size_t error_bytes);

#endif
