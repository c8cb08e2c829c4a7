/* The lines on stdin that a private chat sends, as they come. An empty line can't be sent and is
 * passed over. */
#ifndef PRIVATE_INPUT_H
#define PRIVATE_INPUT_H

#include <stdbool.h>
#include <stddef.h>

struct private_input { /* all zero: nothing was read */
    char *buffer;      /* owned */
    size_t begin;      /* of what was not taken yet */
    size_t end;
    bool ended;     /* nothing more comes */
    bool exhausted; /* and all lines were taken */
};

void private_input_release(struct private_input *input);

/* Reads what is there: stdin is readable. NULL, or one sentence that says what is wrong; then it
 * has ended. */
const char *private_input_read(struct private_input *input);

/* The next whole line and its length, borrowed until the next call; NULL: none is here. */
char *private_input_next(struct private_input *input, size_t *bytes);

#endif
