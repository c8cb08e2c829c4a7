/* One call: the connection, the login, one command and its answer.
 *
 * Every function that can fail returns an exit status, and what it returns beside STATUS_DONE has
 * been told on stderr, once. The call's --timeout bounds all of it together, a broker that is not
 * there yet and a password command included; only the time that somebody types at a terminal
 * doesn't count. */
#ifndef CALL_H
#define CALL_H

#include "options.h"
#include "output.h"
#include "password.h"

#include "zchat.h"

#include <stdbool.h>
#include <stdint.h>

#define SENTENCE_BYTES 512

/* When to say that the broker is away: at once, and while it stays away at intervals that double,
 * so that a program that runs for days fills no log. */
struct away { /* all zero: it is there */
    zchat_code code;
    int64_t next_us;
    int64_t interval_us; /* 0: it is there */
};

struct call;

/* Prints what a reply brought. */
typedef enum status call_print_fn(struct call *call, const zchat_reply *reply);

struct call {
    const struct options *options; /* borrowed: from main */
    const char *config_dir;        /* borrowed: from main; NULL: the library's choice */
    const char *state_dir;         /* borrowed: from main; NULL: there is none */
    struct output *output;         /* borrowed: from main */
    const char *const *words;      /* borrowed: from main */
    int word_count;
    int plain_count; /* of those: said before "--" */

    zchat *z;            /* owned; NULL before call_open */
    int64_t deadline_us; /* of what is waited for now */
    int64_t limit_us;    /* of the whole call: --timeout after its beginning */
    bool connected;
    bool lost;
    bool key_unknown;
    bool ended; /* the broker ended the session */
    zchat_code refused;
    zchat_code lost_code;
    char why[SENTENCE_BYTES]; /* of lost, ended or refused */
    struct away away;
    struct password password;

    int64_t asked_us;
    bool answered;
    zchat_code code; /* of the answer, with its text */
    zchat_reason reason;
    char text[SENTENCE_BYTES];
    uint32_t retry_after_s;
    call_print_fn *print; /* NULL: nothing to print */
    enum status print_status;

    const char *if_unknown; /* borrowed: what to say where it is not known whether the command was
                               done; NULL: nothing */
    const char *awaited;    /* borrowed: the sentence for a deadline that is over; NULL: the broker
                               did not answer */
    zchat_event_fn *on_event; /* sees every event after the call did; NULL: nobody */
    void *arg;                /* what on_event gets, and where a print function finds its own */
};

/* How to log in: beside what the options say. */
struct call_login {
    const char *user; /* NULL: --user */
    bool by_password; /* a password that is given comes first, else the device's key does */
    bool no_trust;
    bool inbox;
    bool threads; /* the followed ones; with public events */
    bool public_events;
    bool private_chats;
    bool hidden;          /* not online, whatever --online says */
    uint64_t from_seq;    /* 0: from the cursor on */
    call_print_fn *print; /* NULL: a login has nothing to print */
};

/* Begins the call's time. */
void call_begin_time(struct call *call);

/* Connects: waits for a broker that is not there yet. Does nothing where that is done. */
enum status call_open(struct call *call);

/* Connects and logs in. */
enum status call_login(struct call *call, const struct call_login *how);

/* Logs in and is ready for a command: what most verbs begin with. */
enum status call_start(struct call *call);

/* The callback of every command whose answer call_answer waits for; its arg is the call. */
void call_replied(void *arg, const zchat_reply *reply);

/* Waits for the answer to the command that was just asked, prints it with `print`, and tells the
 * error where there is one. `queued` is what the library's function returned. */
enum status call_answer(struct call *call, zchat_code queued, call_print_fn *print);

/* Lets the library work until *done, the deadline, a signal, or until it can't go on. */
enum status call_wait(struct call *call, const bool *done);

/* One round of it, for who waits for something else: lets the library work, without waiting. */
enum status call_work(struct call *call);

/* Something moved: from now on the call may take --timeout again. */
void call_renew_deadline(struct call *call);

/* For the acknowledgement of what is done, where the whole call is bounded: its limit, or a moment
 * after it. */
void call_last_deadline(struct call *call);

/* The time that went by since then was somebody's at a terminal. */
void call_shift_limit(struct call *call, int64_t since_us);

/* Says what the broker, or an administrator, has to say to all. */
void call_tell_notice(const struct call *call, const zchat_event *event);

/* Says, as a notice, that the broker is away or back, and what is said to all: away for the first
 * time at once, then at growing intervals. */
void call_tell_away(struct call *call, const zchat_event *event);

/* What is said when a deadline is over. */
enum status call_timed_out(struct call *call);

/* Leaves and closes. */
void call_close(struct call *call);

/* The account's own password, read once. */
enum status call_password(struct call *call);

/* Any other one, within the call's time. */
enum status call_read_password(struct call *call, const struct password_source *source,
                               struct password *password);

#endif
