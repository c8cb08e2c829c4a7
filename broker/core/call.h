/* One command on its way through its row's functions: what they are given, how they fail and how
 * they answer. */
#ifndef CALL_H
#define CALL_H

#include "state.h"

struct command_row;

struct fault {
    Zchat__V1__Reason reason; /* UNSPECIFIED: none */
    uint32_t retry_after_s;
    char text[256];
    char about[120]; /* what the text is about, if it had to be composed */
};

/* One command on its way through its row's functions. */
struct call {
    struct core *core;
    struct peer *peer;
    struct session *session; /* NULL: anonymous */
    const struct command_row *row;
    Zchat__V1__Command *command; /* in the frame's arena */
    int64_t now_us;
    uint64_t rows_before; /* rows read and bytes made before it began */
    size_t made_before;
    const struct core_work *work; /* the password work's result, once it is there */
    struct fault fault;
    ProtobufCMessage *response; /* in the call's memory; NULL: there is none yet */
    union {
        struct {
            struct store_account account;
            int64_t locked_until_us;
            bool trusted;
            bool first; /* this session made the account come online */
            bool last;  /* it replaced the account's last session that counted as online */
        } login;
        struct {
            struct store_message_stored stored;
            struct member *to; /* borrowed: the table's; NULL: they have no session */
        } sent;
        struct {
            int64_t other;
        } block;
        struct {
            struct store_device devices[DEVICES_MAX];
            size_t count;
            unsigned char key[KEY_BYTES];
        } device;
        struct {
            uint64_t cursor;
            bool moved;
        } ack;
        struct store_account invited;
        struct store_account chosen;
        struct store_message_sent awaited;
        uint32_t sessions_ended;
        struct store_thread thread;
        struct store_post_changed changed;
        struct store_file_deleted deleted;
        struct store_followed followed;
        struct {
            struct store_file file;
            struct store_thread thread;
            bool done;
        } upload;
    } result;
};

#define REASON(name) ZCHAT__V1__REASON__REASON_##name

/* Makes the call fail: the reason is for programs and implies the code; the text is one sentence
 * for people. */
void call_fail(struct call *call, Zchat__V1__Reason reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void call_fail_later(struct call *call, Zchat__V1__Reason reason, uint32_t retry_after_s,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));
static inline bool call_failed(const struct call *call) {
    return call->fault.reason != REASON(UNSPECIFIED);
}

/* How a command answers when the store refuses: one row for each status. The table ends with an
 * empty row. */
struct refusal {
    enum store_status status;
    Zchat__V1__Reason reason;
    const char *text; /* "%s" in it stands for what `about` returns */
    /* Returns what the sentence is about, from the command or from the fault's `about`. NULL: the
     * sentence needs nothing. */
    const char *(*about)(struct call *call);
};
/* Whether the store refused; then the call fails with its row's sentence, unless it failed before.
 * STORE_FAILED and STORE_FULL have no rows: call_store takes them. Any other status without a row
 * would pass as success: that is our bug, and an assert catches it. */
bool call_refused(struct call *call, const struct refusal *refusals, enum store_status status);
/* Two functions for `about`: a number; and a title or a file's name, cut to what fits into the
 * sentence. */
const char *call_about_number(struct call *call, uint64_t number);
const char *call_about_title(struct call *call, const char *title);
/* Makes text of a limit's value, for a sentence. */
#define TEXT_OF(limit)  TEXT_OF_(limit)
#define TEXT_OF_(limit) #limit

/* Takes a status of the store and returns it. STORE_FAILED fails the core, STORE_FULL fails the
 * call; the handler, or its refusals, deal with all others. */
enum store_status call_store(struct call *call, enum store_status status);
/* The same for an operation that refuses nothing. Returns whether it failed. */
bool call_store_fails(struct call *call, enum store_status status);
/* Answers the call with its fault, or with the reply's body that the caller has set. */
void call_reply(struct call *call, Zchat__V1__Reply *reply);
/* The command's response, in the call's memory: the same one each time, empty at first. Ask for it
 * before much else is taken from that memory. */
void *call_response(struct call *call);
/* Answers with that response as `run` left it; with an empty one if `run` did not ask for it. */
void call_reply_response(struct call *call);
/* Answers a call that failed. */
void call_refuse(struct call *call);
/* Fills in a refusal as the schema has it; the text is borrowed. */
void error_fill(Zchat__V1__CommandError *error, Zchat__V1__Reason reason, const char *text,
                uint32_t retry_after_s);

/* Counts rows that were read from the store, or from a list in memory. */
void call_read(struct call *call, uint64_t count);
/* Zeroed memory that lives until the call is answered; NULL if the reply's cap is reached. */
void *call_memory(struct call *call, size_t bytes);
/* The same, but if the cap is reached the call fails. */
void *call_need(struct call *call, size_t bytes);

#endif
