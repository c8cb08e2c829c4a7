/* What a call brings to be sent: the TEXT of its words or of stdin, and the id of --id. */
#ifndef INPUT_H
#define INPUT_H

#include "call.h"

/* The TEXT that begins with word `first`: the words joined by spaces, or, where "-" is the only
 * one and was said before "--", all of stdin without one newline at its end. The text is the
 * caller's to free, also on a failure, which has been told. */
enum status input_text(struct call *call, int first, char **text);

/* Reads a descriptor to its end; `what` names it in the sentences. The bytes, with a NUL behind
 * them, are the caller's to free, also on a failure, which has been told; one is that there are
 * more than `bytes_max`. Whoever writes them may take their time, unless --timeout was given: the
 * one that it has by itself begins with their end. */
enum status input_read(struct call *call, int fd, const char *what, size_t bytes_max, char **bytes,
                       size_t *count);

/* The id that --id gives, or else a new one. */
zchat_id input_id(const struct call *call);

#endif
