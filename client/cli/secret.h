/* An answer that is typed without echo, as the terminal's own line editing gives it. */
#ifndef SECRET_H
#define SECRET_H

#include <stddef.h>

#define SECRET_BYTES 2048

struct secret { /* all zero: nothing was read */
    char text[SECRET_BYTES];
    size_t bytes;
};

enum secret_state {
    SECRET_BEGUN,  /* more is to come */
    SECRET_WHOLE,  /* `text` is the answer */
    SECRET_BROKEN, /* there was a NUL byte in it: `text` is "" */
    SECRET_ENDED   /* the input has ended */
};

/* Reads what is there from stdin. */
enum secret_state secret_read(struct secret *secret);
void secret_wipe(struct secret *secret);

#endif
