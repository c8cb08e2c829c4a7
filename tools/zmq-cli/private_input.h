/* The lines on stdin that a private chat sends, as they come. An empty line can't be sent and is
 * passed over. */
#ifndef PRIVATE_INPUT_H
#define PRIVATE_INPUT_H

#include <stdbool.h>
#include <stddef.h>

struct private_input { /* all zeros: nothing was read */
    char *buffer;      /* owned */
    size_t begin;      /* of what was not taken yet */
    size_t end;
    bool ended;     /* nothing more comes */
    bool exhausted; /* stdin ended, and all lines were taken */
};

void private_input_release(struct private_input *input);

/* Reads what is there; stdin must be readable. Returns NULL, or one sentence that says what is
 * wrong; then the input has ended. */
const char *private_input_read(struct private_input *input);

/* The next whole line and its length, borrowed until the next call; NULL: there is none yet. */
char *private_input_next(struct private_input *input, size_t *bytes);

#endif
