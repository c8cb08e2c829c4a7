/* One epoll over everything that the bench waits for: handles, the broker's output, timers and the
 * signals that end it. It never spins: events wake it. */
#ifndef LOOP_H
#define LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;

struct loop_source {
    void (*fn)(void *arg);
    void *arg; /* borrowed: from who adds it */
};

struct loop_timer {
    struct loop_source source;
    int fd; /* -1: none */
};

enum loop_end {
    LOOP_DONE,
    LOOP_EXPIRED,
    LOOP_STOPPED, /* by loop_stop() or a signal */
};

/* Takes SIGINT and SIGTERM from now on, so it is made before any thread begins. NULL: see errno. */
struct loop *loop_new(void);
/* The same for another thread, without signals. */
struct loop *loop_new_for_thread(void);
void loop_free(struct loop *loop);

/* Calls the source whenever the fd is readable. The source must not move until it is removed. */
bool loop_add(struct loop *loop, int fd, struct loop_source *source);
void loop_remove(struct loop *loop, int fd);

/* Calls the timer's source at intervals until loop_unset. */
bool loop_every(struct loop *loop, struct loop_timer *timer, int64_t interval_us);
void loop_unset(struct loop *loop, struct loop_timer *timer);

/* Runs until done(arg), or until_us on clock_us's clock, or it is stopped. done is asked before
 * waiting and after each batch of events; NULL: only the time ends it. */
enum loop_end loop_run(struct loop *loop, int64_t until_us, bool (*done)(void *arg), void *arg);

/* Ends the present loop_run, and all later ones. */
void loop_stop(struct loop *loop);
bool loop_is_stopped(const struct loop *loop);

#endif
