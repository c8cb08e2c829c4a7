/* What libzmq holds of the frames that it was given, in bytes: it says when it is done with one, in
 * threads of its own. A pipe outlives its owner by the frames that are still on their way. */
#ifndef PIPE_H
#define PIPE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct pipe;
struct zmq_msg_t;

/* What all pipes of one kind hold. Outlives them: zmq_ctx_term comes first. */
struct pipe_total {
    atomic_size_t bytes;
};

struct pipe *pipe_new(struct pipe_total *total);
/* The owner's end. NULL is fine. */
void pipe_release(struct pipe *pipe);

/* Makes a message of malloc'ed bytes, which are the pipe's until libzmq is done with them. */
void pipe_message(struct pipe *pipe, struct zmq_msg_t *message, uint8_t *bytes, size_t length);

/* What libzmq still holds; and all that it was done with, which only grows. */
size_t pipe_bytes(const struct pipe *pipe);
uint64_t pipe_taken(const struct pipe *pipe);
size_t pipe_total_bytes(const struct pipe_total *total);

#endif
