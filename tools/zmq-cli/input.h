/* What a call sends: the TEXT from its words or from stdin, and the id from --id. */
#ifndef INPUT_H
#define INPUT_H

#include "call.h"

/* The TEXT that begins with word `first`: the words joined by spaces or, if "-" is the only word
 * and came before "--", all of stdin without one newline at its end. The caller frees the text,
 * even on a failure, which has been reported. */
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
