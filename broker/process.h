/* What the process asks of the system for itself: memory, time, descriptors. */
#ifndef PROCESS_H
#define PROCESS_H

#include "config.h"

#include <stdbool.h>
#include <stddef.h>

/* ---- what malloc keeps of the memory that was freed, and when it gives it back to the kernel: the
 * threads of ZeroMQ have heaps of their own, and keep as much in each ---- */

/* At the start. */
void heap_init(void);
/* Whether there is a crowd: then what is kept would soon be part of new connections, which take
 * twice the memory that they use, and use it up. */
void heap_keep_less(bool is_crowd);
/* Gives back what is free; this takes some milliseconds. */
void heap_give_back(void);

/* ---- the share of time that the kernel lets a thread run before others get theirs ---- */

/* Asks for short ones, for this thread and those that it starts: so one that a message waits for is
 * not held up by one that hashes or encrypts for long. The share of the whole stays as it is, and
 * so does everything where the kernel has no such thing. */
void slice_shorten(void);

/* Makes this thread give way to the others of the process: where both want a core it gets about a
 * third of it. */
void slice_give_way(void);

/* ---- descriptors: 0 to 2 are open whatever the caller closed, and there may be as many as the
 * hard limit allows ---- */

/* Opens /dev/null as those of 0 to 2 that are closed, so that no file or socket of ours becomes one
 * of them and gets what is written for people; stdout only to be read, so that who writes to it
 * hears that nobody gets it. Called before anything is opened. */
void descriptors_open_standard(void);

/* Raises the limit as far as it goes; how many there may be then. */
size_t descriptors_raise(void);
/* How many are open. */
size_t descriptors_open(void);
/* Whether the broker can start and serve a few clients. libzmq ends the process if it gets none for
 * its own, so this is asked before it begins. false: `error` holds one sentence. */
bool descriptors_suffice(const struct config *config, char *error, size_t error_bytes);

#endif
