/* The verb `private`: how fast lines go through a private chat, compared with a plain encrypted
 * pair of sockets. */
#ifndef PRIVATE_H
#define PRIVATE_H

#include "option.h"

/* Returns the exit status: 0, or 1 if anything failed or a line did not arrive once and in
 * order. */
int private_main(const struct settings *settings);

#endif
