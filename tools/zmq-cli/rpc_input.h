/* Standard input, cut into lines of commands. A line that is too long is passed over, and told
 * once; its end begins the next one. */
#ifndef RPC_INPUT_H
#define RPC_INPUT_H

#include <stdbool.h>
#include <stddef.h>

enum rpc_line {
    RPC_LINE_NONE, /* no whole line is there */
    RPC_LINE_READ,
    RPC_LINE_TOO_LONG,
};

struct rpc_input { /* all zero: nothing was read yet */
    char *buffer;  /* owned */
    size_t begin;
    size_t end;
    size_t looked; /* bytes from `begin` on that hold no newline */
    bool passing;  /* inside a line that was too long */
    bool ended;    /* nothing more comes */
};

/* Reads what is there, once. False: it could not be read, errno says why; it has ended then. */
bool rpc_input_read(struct rpc_input *input);

/* The next line, without its newline, borrowed until the next read. What stands behind the last
 * newline is a line, too, once the input has ended. */
enum rpc_line rpc_input_next(struct rpc_input *input, const char **line, size_t *bytes);

void rpc_input_release(struct rpc_input *input);

#endif
