/* The share of time that the kernel lets a thread run before others get theirs. */
#ifndef SLICE_H
#define SLICE_H

/* Asks for short ones, for this thread and those that it starts: so one that a message waits for is
 * not held up by one that hashes or encrypts for long. The share of the whole stays as it is, and
 * so does everything where the kernel has no such thing. */
void slice_shorten(void);

/* Makes this thread give way to the others of the process: where both want a core it gets about a
 * third of it. */
void slice_give_way(void);

#endif
