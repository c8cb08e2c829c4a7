/* Standard input, cut into lines: of rpc a command each, of raw a message. A line that is too long
 * is skipped and reported once; the next line begins after its end. */
#ifndef RPC_INPUT_H
#define RPC_INPUT_H

#include <stdbool.h>
#include <stddef.h>

enum rpc_line {
    RPC_LINE_NONE, /* no whole line is there */
    RPC_LINE_READ,
    RPC_LINE_TOO_LONG,
};

struct rpc_input {         /* all zero: nothing was read yet */
    size_t line_bytes_max; /* 0: what the longest command needs */
    bool by_nul;           /* a NUL ends a line instead of a newline */
    char *buffer;          /* owned */
    size_t begin;
    size_t end;
    size_t looked; /* bytes from `begin` on that hold no newline */
    bool passing;  /* inside a line that was too long */
    bool ended;    /* nothing more comes */
};

/* Reads what is there, once. False: it could not be read, and errno says why; the input has ended
 * then. */
bool rpc_input_read(struct rpc_input *input);

/* The next line, without its newline, borrowed until the next read. Once the input has ended, the
 * text after the last newline is a line, too. */
enum rpc_line rpc_input_next(struct rpc_input *input, const char **line, size_t *bytes);

void rpc_input_release(struct rpc_input *input);

#endif
