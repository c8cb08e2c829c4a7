/* What a call brings to be sent: the TEXT of its words or of stdin, and the id of --id. */
#ifndef INPUT_H
#define INPUT_H

#include "call.h"

/* The TEXT that begins with word `first`: the words joined by spaces, or, where "-" is the only
 * one and was said before "--", all of stdin without one newline at its end. The text is the
 * caller's to free, also on a failure, which has been told. */
enum status input_text(struct call *call, int first, char **text);

/* The id that --id gives, or else a new one. */
zchat_id input_id(const struct call *call);

#endif
