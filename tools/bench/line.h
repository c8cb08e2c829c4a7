/* Lines: DEALER and SUB sockets of one context in the bench's loop, for a load that must cost this
 * program less than it costs the server. Frames are given to a function; sending does not wait.
 *
 * ZeroMQ's descriptors are edge-triggered, and a send may swallow an edge: so whoever sends outside
 * of on_frame and on_open calls board_settle() before the loop waits again. */
#ifndef LINE_H
#define LINE_H

#include "curve.h"
#include "loop.h"

#include <stddef.h>
#include <stdint.h>

enum line_kind {
    LINE_DEALER,
    LINE_SUB,
};

struct line;

struct board {
    struct loop *loop;    /* borrowed: from the caller */
    void *context;        /* owned */
    struct line *touched; /* borrowed: the first that may have something to read */
    uint64_t monitors;    /* made so far; numbers their names, which stay taken for a while */
};

struct line {
    struct board *board; /* borrowed: from the caller */
    void *socket;        /* owned */
    void *monitor;       /* owned; NULL: nobody waits for the end of the handshake */
    int fd;
    int monitor_fd;
    struct loop_source source;
    struct loop_source monitor_source;
    void (*on_frame)(void *arg, const void *frame, size_t frame_bytes);
    void (*on_open)(void *arg); /* called after the handshake; NULL: not called */
    void *arg;                  /* borrowed: of both */
    struct line *next;
    bool is_touched;
    bool is_reading;
};

/* false: see errno; board_release() must follow anyway, after the last line_close(). */
bool board_init(struct board *board, struct loop *loop);
void board_release(struct board *board);

/* Begins to connect. on_frame, on_open and arg must be set before, all else zero; the line must not
 * move. false: see errno; line_close() must follow anyway. */
bool line_open(struct line *line, struct board *board, enum line_kind kind,
               const struct curve_keys *keys, const char *server_key, const char *endpoint);
void line_close(struct line *line);

bool line_send(struct line *line, const void *frame, size_t frame_bytes);
bool line_subscribe(struct line *line, const void *prefix, size_t prefix_bytes);

/* Reads the frames whose edges sends may have swallowed. */
void board_settle(struct board *board);

#endif
