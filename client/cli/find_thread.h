/* Pages of a thread: the last posts and files, and those before them. */
#ifndef FIND_THREAD_H
#define FIND_THREAD_H

struct find_source;

extern const struct find_source find_thread_source;

#endif
