/* A message as it is shown: to people, to programs, and to the command of --exec. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "output.h"

/* Prints it: as one object, or as text. */
enum status message_print(struct output *output, const zchat_message *message);

/* The same object, or without --json the bare text, with a newline at its end. Owned by the caller;
 * NULL where there is no memory. */
char *message_line(const struct output *output, const zchat_message *message);

#endif
