/* The verb `files`: how fast files go up and down, compared with a plain encrypted copy, and what a
 * message beside an upload waits. */
#ifndef FILES_H
#define FILES_H

#include "option.h"

/* The exit status: 0, or 1 where anything failed or a byte arrived wrong. */
int files_main(const struct settings *settings);

#endif
