/* See pipe.h. One number counts both the bytes that the pipe holds and how many still point to it,
 * so that each frame costs one atomic operation in either thread. */
#include "pipe.h"

#include "core/memory.h"

#include <malloc.h>
#include <stdlib.h>
#include <zmq.h>

#define REFERENCE  (1ULL << 40)
#define BYTES_MASK (REFERENCE - 1)

struct pipe {
    atomic_ullong held;       /* REFERENCE for the owner and each frame, plus the frames' bytes */
    uint64_t given;           /* bytes of all frames; only for the owner's thread */
    struct pipe_total *total; /* borrowed */
};

struct pipe *pipe_new(struct pipe_total *total) {
    struct pipe *pipe = memory_new(sizeof *pipe);

    atomic_init(&pipe->held, REFERENCE);
    pipe->total = total;
    return pipe;
}

static void let_go(struct pipe *pipe, unsigned long long held) {
    if (atomic_fetch_sub_explicit(&pipe->held, held, memory_order_acq_rel) < 2 * REFERENCE)
        free(pipe);
}

void pipe_release(struct pipe *pipe) {
    if (pipe)
        let_go(pipe, REFERENCE);
}

static void frame_done(void *bytes, void *hint) {
    struct pipe *pipe = hint;
    size_t length = malloc_usable_size(bytes);

    free(bytes);
    atomic_fetch_sub_explicit(&pipe->total->bytes, length, memory_order_relaxed);
    let_go(pipe, REFERENCE + length);
}

/* Counts the bytes that the allocator gave: that is the real cost, and can be asked for again at
 * the end. */
void pipe_message(struct pipe *pipe, zmq_msg_t *message, uint8_t *bytes, size_t length) {
    size_t size = malloc_usable_size(bytes);

    pipe->given += size;
    atomic_fetch_add_explicit(&pipe->held, REFERENCE + size, memory_order_relaxed);
    atomic_fetch_add_explicit(&pipe->total->bytes, size, memory_order_relaxed);
    if (zmq_msg_init_data(message, bytes, length, frame_done, pipe) != 0)
        memory_missing();
}

size_t pipe_bytes(const struct pipe *pipe) {
    return (size_t)(atomic_load_explicit(&pipe->held, memory_order_relaxed) & BYTES_MASK);
}

uint64_t pipe_taken(const struct pipe *pipe) {
    return pipe->given - pipe_bytes(pipe);
}

size_t pipe_total_bytes(const struct pipe_total *total) {
    return atomic_load_explicit(&total->bytes, memory_order_relaxed);
}
