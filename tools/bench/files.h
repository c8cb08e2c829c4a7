/* The verb `files`: how fast files go up and down, compared with a plain encrypted copy, and how
 * long a message waits beside an upload. */
#ifndef FILES_H
#define FILES_H

#include "option.h"

/* Returns the exit status: 0, or 1 if anything failed or a byte arrived wrong. */
int files_main(const struct settings *settings);

#endif
