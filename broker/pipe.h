/* How many bytes libzmq holds of the frames that it was given: it says when it is done with one, in
 * threads of its own. A pipe outlives its owner as long as frames are still on their way. */
#ifndef PIPE_H
#define PIPE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct pipe;
struct zmq_msg_t;

/* What all pipes of one kind hold. It must outlive them: zmq_ctx_term comes first. */
struct pipe_total {
    atomic_size_t bytes;
};

struct pipe *pipe_new(struct pipe_total *total);
/* The owner gives the pipe up. NULL is fine. */
void pipe_release(struct pipe *pipe);

/* Makes a message of malloc'ed bytes. They are the pipe's from now on, and freed when libzmq is
 * done with them. */
void pipe_message(struct pipe *pipe, struct zmq_msg_t *message, uint8_t *bytes, size_t length);

/* How many bytes libzmq still holds; and how many it was done with in all, which only grows. */
size_t pipe_bytes(const struct pipe *pipe);
uint64_t pipe_taken(const struct pipe *pipe);
size_t pipe_total_bytes(const struct pipe_total *total);

#endif
