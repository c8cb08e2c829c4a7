/* One call: the connection, the login, one command and its answer.
 *
 * Every function that can fail returns an exit status; if that is not STATUS_DONE, the reason has
 * been told once on stderr. The call's --timeout bounds all of it together, including waiting for a
 * broker that is not there yet and a password command; only the time that somebody takes to type at
 * a terminal does not count. */
#ifndef CALL_H
#define CALL_H

#include "options.h"
#include "output.h"
#include "password.h"

#include "zchat.h"

#include <stdbool.h>
#include <stdint.h>

#define SENTENCE_BYTES 512

/* When to say that the broker is away: at once, and then at intervals that double while it stays
 * away, so that a program that runs for days does not fill a log. */
struct away { /* all zeros: it is there */
    zchat_code code;
    int64_t next_us;
    int64_t interval_us; /* 0: it is there */
};

struct call;

/* Prints what a reply brought. */
typedef enum status call_print_fn(struct call *call, const zchat_reply *reply);

struct call {
    const struct options *options;    /* borrowed: from main */
    const struct config_file *config; /* borrowed: from main; zmq-cli.conf */
    const char *config_dir;           /* borrowed: from main; NULL: the library's choice */
    const char *state_dir;            /* borrowed: from main; NULL: there is none */
    struct output *output;            /* borrowed: from main */
    const char *const *words;         /* borrowed: from main */
    int word_count;
    int plain_count;             /* of those: given before "--" */
    const char *const *settings; /* borrowed: from main; each value of --option */
    size_t setting_count;

    zchat *z;            /* owned; NULL before call_open */
    int64_t deadline_us; /* of the present wait */
    int64_t limit_us;    /* of the whole call: --timeout after its beginning */
    bool connected;
    bool lost;
    bool key_unknown;
    bool ended; /* the broker ended the session */
    zchat_code refused;
    zchat_code lost_code;
    char why[SENTENCE_BYTES]; /* why it was lost, ended or refused */
    struct away away;
    struct password password;

    int64_t asked_us;
    bool answered;
    zchat_code code; /* of the answer, with its text */
    zchat_reason reason;
    char text[SENTENCE_BYTES];
    uint32_t retry_after_s;
    zchat_code as_done;   /* an answer with this code is as good as one that it is done */
    call_print_fn *print; /* NULL: nothing to print */
    enum status print_status;

    const char *if_unknown; /* borrowed: what to say if it is unknown whether the command was done;
                             * NULL: nothing */
    const char *awaited;    /* borrowed: the sentence if the deadline is over; NULL: that the broker
                             * did not answer */
    zchat_event_fn *on_event; /* sees every event after the call did; NULL: nobody */
    void *arg;                /* for on_event, and for the print function */
};

/* How to log in, besides what the options say. */
struct call_login {
    const char *user; /* NULL: --user */
    bool by_password; /* a given password is tried first; if false, the device's key */
    bool no_trust;
    bool inbox;
    bool threads; /* the followed ones; with public events */
    bool public_events;
    bool private_chats;
    bool hidden;          /* not online, whatever --online says */
    uint64_t from_seq;    /* 0: from the cursor */
    call_print_fn *print; /* NULL: a login has nothing to print */
};

/* Starts the call's time. */
void call_begin_time(struct call *call);

/* Whether --timeout bounds all of the call, whatever moves meanwhile: where it was given. A call
 * that is `endless` by itself wants it in the call itself, or none could be configured. */
bool call_is_bounded(const struct call *call, bool endless);

/* Connects, and waits for a broker that is not there yet. Does nothing if it is connected
 * already. */
enum status call_open(struct call *call);

/* Connects and logs in. */
enum status call_login(struct call *call, const struct call_login *how);

/* Connects and logs in, ready for a command: most verbs begin with this. */
enum status call_start(struct call *call);

/* The callback of every command whose answer call_answer waits for; its arg is the call. */
void call_replied(void *arg, const zchat_reply *reply);

/* Waits for the answer to the command just queued, prints it with `print`, or reports its error.
 * `queued` is what the library's function returned. */
enum status call_answer(struct call *call, zchat_code queued, call_print_fn *print);

/* Lets the library work until *done, the deadline, a signal, or until it can't go on. */
enum status call_wait(struct call *call, const bool *done);

/* One round of that without waiting, for callers that wait for something else. */
enum status call_work(struct call *call);

/* Something moved: from now the call may take --timeout again. */
void call_renew_deadline(struct call *call);

/* For acknowledging what is done if the whole call is bounded: sets the deadline to its limit, or
 * to a moment from now if that is later. */
void call_last_deadline(struct call *call);

/* The time since then was spent by somebody typing at a terminal: moves the limit. */
void call_shift_limit(struct call *call, int64_t since_us);

/* Prints a notice to everybody from the broker or an administrator. */
void call_tell_notice(const struct call *call, const zchat_event *event);

/* Prints notices: that the broker is away or back, and notices to everybody. That it is away is
 * said at once, then at growing intervals. */
void call_tell_away(struct call *call, const zchat_event *event);

/* Reports that a deadline is over. */
enum status call_timed_out(struct call *call);

/* Leaves and closes. */
void call_close(struct call *call);

/* Reads the account's own password, once. */
enum status call_password(struct call *call);

/* Reads any other password, within the call's time. */
enum status call_read_password(struct call *call, const struct password_source *source,
                               struct password *password);

#endif
