/* One timer of the process, and a signal handler that calls only what a handler may. The timer is
 * stopped while the poll loop waits, so that a deadline there is told by the loop, with what is
 * known of its reason. */
#include "bound.h"

#include "common/clock.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define STATUS_LATE 124
/* How long the poll loop has after its deadline to tell of it and to leave. */
#define GRACE_US     500000
#define TEXT_BYTES   64
#define LINE_BYTES   256 /* less than PIPE_BUF: a ready pipe takes it at once */
#define NOT_GOING_ON "the call did not go on"

struct bound {
    bool begun;
    bool patient; /* waits for who reads the output, and for each step */
    int64_t each_us;
    int64_t limit_us; /* NO_DEADLINE: each step has its own limit */
    int64_t write_began_us;
};

/* The state that the handler reads. */
struct last_words {
    const char *volatile what;   /* borrowed: a constant without quotes */
    volatile sig_atomic_t ended; /* the call has ended with `status` */
    volatile sig_atomic_t status;
    char head[TEXT_BYTES];
    char tail[TEXT_BYTES];
};

static struct bound bound;
static struct last_words last_words;

static size_t add(char *line, size_t used, const char *text) {
    size_t bytes = strlen(text);
    if (bytes > LINE_BYTES - used)
        bytes = LINE_BYTES - used;
    memcpy(line + used, text, bytes);
    return used + bytes;
}

/* If stderr takes nothing either, there is nobody to tell. */
static void tell(void) {
    struct pollfd err = {.fd = STDERR_FILENO, .events = POLLOUT};
    char line[LINE_BYTES];
    size_t bytes = add(line, 0, last_words.head);
    bytes = add(line, bytes, last_words.what);
    bytes = add(line, bytes, last_words.tail);
    if (poll(&err, 1, 0) == 1 && err.revents & POLLOUT)
        (void)!write(STDERR_FILENO, line, bytes);
}

static void on_alarm(int number) {
    (void)number;
    if (last_words.ended)
        _exit(last_words.status);
    tell();
    _exit(STATUS_LATE);
}

static void set_timer(int64_t after_us) {
    const struct itimerval value = {
        .it_value = {.tv_sec = after_us / 1000000, .tv_usec = after_us % 1000000}};
    setitimer(ITIMER_REAL, &value, NULL);
}

static void stop_timer(void) {
    set_timer(0);
}

static void start_timer(void) {
    int64_t now_us = clock_us(), until_us = bound.limit_us;
    bool endless = until_us == NO_DEADLINE;
    if (!bound.begun || (endless && bound.patient))
        return;
    if (endless)
        until_us = now_us + bound.each_us;
    set_timer((until_us > now_us ? until_us - now_us : 0) + GRACE_US);
}

static void catch_alarm(void) {
    struct sigaction action = {.sa_handler = on_alarm};
    sigset_t one;
    sigfillset(&action.sa_mask);
    sigaction(SIGALRM, &action, NULL);
    sigemptyset(&one);
    sigaddset(&one, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &one, NULL); /* the caller may have blocked it */
}

static void write_texts(const struct options *options) {
    bool json = option_flag(options, OPTION_JSON);
    snprintf(last_words.head, TEXT_BYTES, "%s",
             json ? "{\"error\":{\"code\":\"EXPIRED\",\"message\":\"" : "zmq-cli: ");
    snprintf(last_words.tail, TEXT_BYTES, " within --timeout, %.24s s%s",
             option_text(options, OPTION_TIMEOUT), json ? "\"}}\n" : "\n");
}

void bound_begin(const struct options *options) {
    stop_timer();
    write_texts(options);
    int64_t began_us = bound.begun ? bound.limit_us - bound.each_us : clock_us();
    bound.each_us = option_microseconds(options, OPTION_TIMEOUT);
    bound.limit_us = began_us + bound.each_us;
    bound.patient = !option_is_set(options, OPTION_TIMEOUT);
    if (!bound.begun)
        last_words.what = NOT_GOING_ON;
    if (!bound.begun)
        catch_alarm();
    bound.begun = true;
    start_timer();
}

void bound_until(int64_t limit_us) {
    bound.limit_us = limit_us;
    start_timer();
}

void bound_whole(const char *what) {
    last_words.what = what;
}

void bound_each_step(bool patient, const char *what) {
    stop_timer();
    bound.patient = patient;
    if (what)
        last_words.what = what;
    bound_until(NO_DEADLINE);
}

void bound_step(void) {
    if (bound.limit_us == NO_DEADLINE)
        start_timer();
}

void bound_end_with(int status) {
    last_words.status = status;
    last_words.ended = 1;
}

void bound_wait_begins(void) {
    if (bound.begun)
        stop_timer();
}

void bound_wait_ends(void) {
    start_timer();
}

const char *bound_write_begins(const char *what) {
    const char *before = last_words.what;
    last_words.what = what;
    bound.write_began_us = clock_us();
    if (bound.patient)
        stop_timer();
    return before;
}

void bound_write_ends(const char *before) {
    last_words.what = before;
    if (!bound.patient)
        return;
    if (bound.limit_us != NO_DEADLINE)
        bound.limit_us += clock_us() - bound.write_began_us;
    start_timer();
}
