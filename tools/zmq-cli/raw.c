/* raw: a ZeroMQ socket of any type, its messages as lines. Written messages come from stdin, one
 * at a time, and stdin is read only while the socket takes them; what is received is printed before
 * the next is taken. So all that waits is in libzmq's two queues, which have their high-water
 * marks. */
#include "common/clock.h"
#include "interrupt.h"
#include "raw_socket.h"
#include "raw_text.h"
#include "rpc_input.h"
#include "verb.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#define LINE_BYTES_MAX (64 * 1024 * 1024)
/* A ROUTER does not tell when a peer whose queue was full has room again. */
#define AGAIN_US  20000
#define NOBODY    "nobody took what was written"
#define ALL_TAKEN "what was asked for did not come"

struct raw {
    struct call *call; /* borrowed: from main */
    struct raw_socket socket;
    struct raw_printer printer;
    struct rpc_input input;
    struct raw_form form; /* of what is written */
    struct raw_message message;
    size_t part; /* the next of the message to send */
    bool reads;  /* what arrives is printed */
    bool writes; /* stdin is sent */
    bool waits;  /* a message is to be sent */
    bool full;   /* the socket could not take it */
    uint64_t line;
    uint64_t received;
    uint64_t sent;
    uint64_t subscribers;
    uint64_t subscribers_wanted;
    int64_t limit_us;
    int64_t moved_us;
    enum status fault; /* of a line that was passed over; the call went on */
};

/* ---- what comes ---- */

/* A subscription begins with 1, its end with 0. */
static void count_subscriber(struct raw *raw, zmq_msg_t *message) {
    const unsigned char *bytes = zmq_msg_data(message);
    if (zmq_msg_size(message) == 0 || raw->subscribers_wanted == 0)
        return;
    if (bytes[0] == 1)
        raw->subscribers++;
    if (raw->subscribers >= raw->subscribers_wanted)
        raw->subscribers_wanted = 0; /* from now on it writes, whoever goes */
}

static enum status take_part(struct raw *raw, zmq_msg_t *part, bool more) {
    if (raw->socket.kind->feeds)
        count_subscriber(raw, part);
    if (!raw->reads)
        return STATUS_DONE;
    return raw_print(&raw->printer, zmq_msg_data(part), zmq_msg_size(part), more);
}

/* A REP that does not write answers for itself. */
static enum status answer_nothing(struct raw *raw) {
    if (!raw->socket.kind->answers || raw->writes)
        return STATUS_DONE;
    raw->waits = raw_message_empty(&raw->message);
    raw->part = 0;
    return raw->waits
               ? STATUS_DONE
               : output_error(raw->call->output, ZCHAT_NO_MEMORY, 0, "there is not enough memory");
}

/* Takes one message with all its parts: libzmq hands it out only once it is whole. */
static enum status receive(struct raw *raw, bool *moved) {
    enum status status = STATUS_DONE;
    bool more = true;
    while (more && status == STATUS_DONE) {
        zmq_msg_t part;
        zmq_msg_init(&part);
        if (zmq_msg_recv(&part, raw->socket.socket, ZMQ_DONTWAIT) < 0)
            return zmq_errno() == EAGAIN || zmq_errno() == EINTR
                       ? STATUS_DONE
                       : output_error(raw->call->output, ZCHAT_IO, 0, "cannot receive: %s",
                                      zmq_strerror(zmq_errno()));
        more = zmq_msg_more(&part);
        status = take_part(raw, &part, more);
        zmq_msg_close(&part);
    }
    *moved = true;
    raw->received++;
    return status == STATUS_DONE ? answer_nothing(raw) : status;
}

/* ---- what goes ---- */

__attribute__((format(printf, 3, 4))) static void pass_over(struct raw *raw, zchat_code code,
                                                            const char *format, ...) {
    char sentence[SENTENCE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    enum status fault = output_error(raw->call->output, code, 0,
                                     "line %" PRIu64 " %s, and was not sent", raw->line, sentence);
    if (raw->fault == STATUS_DONE)
        raw->fault = fault;
}

static void end_message(struct raw *raw) {
    raw_message_release(&raw->message);
    raw->waits = false;
    raw->part = 0;
}

/* Sends the parts that are left. A message whose first part was taken is taken as a whole. */
static enum status send_message(struct raw *raw, bool *moved) {
    while (raw->part < raw->message.count) {
        const struct raw_part *part = &raw->message.parts[raw->part];
        int more = raw->part + 1 < raw->message.count ? ZMQ_SNDMORE : 0;
        if (zmq_send(raw->socket.socket, part->bytes, part->count, more | ZMQ_DONTWAIT) < 0) {
            int error = zmq_errno();
            raw->full = error == EAGAIN;
            if (error == EAGAIN || error == EINTR)
                return STATUS_DONE;
            if (error != EHOSTUNREACH)
                return output_error(raw->call->output, ZCHAT_IO, 0,
                                    "cannot send line %" PRIu64 ": %s", raw->line,
                                    zmq_strerror(error));
            pass_over(raw, ZCHAT_NOT_FOUND, "is for a peer that is not connected");
            break;
        }
        raw->part++;
    }
    raw->sent += raw->part == raw->message.count;
    end_message(raw);
    *moved = true;
    return STATUS_DONE;
}

/* Makes the next line the message to send; one that is wrong is told and passed over. */
static bool take_line(struct raw *raw) {
    const char *line, *fault;
    size_t bytes;
    enum rpc_line found = rpc_input_next(&raw->input, &line, &bytes);
    if (found == RPC_LINE_NONE)
        return false;
    raw->line++;
    if (found == RPC_LINE_TOO_LONG)
        pass_over(raw, ZCHAT_INVALID, "is longer than %d bytes", LINE_BYTES_MAX);
    else if (!raw_message_read(&raw->message, &raw->form, line, bytes, &fault))
        pass_over(raw, ZCHAT_INVALID, "%s", fault);
    else
        raw->waits = true;
    return true;
}

static enum status read_input(struct raw *raw) {
    if (rpc_input_read(&raw->input))
        return STATUS_DONE;
    return output_error(raw->call->output, ZCHAT_IO, 0, "cannot read standard input: %s",
                        strerror(errno));
}

/* ---- the loop ---- */

static bool wants_line(const struct raw *raw) {
    return raw->writes && !raw->waits && raw->subscribers_wanted == 0;
}

/* Everything of stdin has been handed to the socket. */
static bool has_written(const struct raw *raw) {
    return raw->input.ended && raw->input.begin == raw->input.end && !raw->waits;
}

/* A REP counts what it answered: its last answer must go, too. */
static bool has_all(const struct raw *raw) {
    const struct raw_kind *kind = raw->socket.kind;
    uint64_t count = option_number(raw->call->options, OPTION_COUNT);
    bool by_sent = !raw->reads || kind->answers;
    if (count > 0 && (by_sent ? raw->sent : raw->received) >= count)
        return true;
    if (!raw->writes || !has_written(raw))
        return false;
    if (kind->asks)
        return raw->received >= raw->sent;
    return !raw->reads || (kind->answers && raw->received > raw->sent);
}

static int events(const struct raw *raw) {
    int bits = 0;
    size_t bytes = sizeof bits;
    return zmq_getsockopt(raw->socket.socket, ZMQ_EVENTS, &bits, &bytes) == 0 ? bits : 0;
}

/* Whether more lines may be sent, or more messages taken. */
static bool may_send(const struct raw *raw) {
    uint64_t count = option_number(raw->call->options, OPTION_COUNT);
    return raw->waits && (raw->reads || count == 0 || raw->sent < count);
}

/* Receives a message, sends one, and takes a line to send next, of each what can be done without
 * waiting. */
static enum status turn(struct raw *raw, bool *moved) {
    const struct raw_kind *kind = raw->socket.kind;
    bool takes = raw->reads || kind->asks || kind->answers || kind->feeds;
    enum status status = STATUS_DONE;
    raw->full = false;
    if (takes && events(raw) & ZMQ_POLLIN)
        status = receive(raw, moved);
    if (status == STATUS_DONE && wants_line(raw) && take_line(raw))
        *moved = true;
    if (status == STATUS_DONE && may_send(raw) && events(raw) & ZMQ_POLLOUT)
        status = send_message(raw, moved);
    /* The descriptor tells only once of what has changed, and each call into libzmq may take note
     * of it: so look again before waiting for it. */
    int left = *moved || status != STATUS_DONE ? 0 : events(raw);
    *moved |= (takes && left & ZMQ_POLLIN) || (may_send(raw) && !raw->full && left & ZMQ_POLLOUT);
    return status;
}

static enum status time_is_over(const struct raw *raw, int64_t now_us) {
    uint64_t count = option_number(raw->call->options, OPTION_COUNT);
    if (now_us >= raw->limit_us)
        return output_error(raw->call->output, ZCHAT_EXPIRED, 0, "%s within --timeout, %s s",
                            raw->waits ? NOBODY : ALL_TAKEN,
                            option_text(raw->call->options, OPTION_TIMEOUT));
    if (raw->received > 0 && count == 0)
        return STATUS_DONE;
    return output_error(raw->call->output, ZCHAT_EXPIRED, 0,
                        "%" PRIu64 " messages came, and no more within --wait, %s s", raw->received,
                        option_text(raw->call->options, OPTION_WAIT));
}

/* --wait begins anew with all that moves, and does not run while stdin is awaited. */
static int64_t silence_ends_us(const struct raw *raw) {
    int64_t wait_us = option_microseconds(raw->call->options, OPTION_WAIT);
    bool idle = !raw->writes || has_written(raw);
    return wait_us >= 0 && idle ? raw->moved_us + wait_us : NO_DEADLINE;
}

/* Waits for the socket or stdin. *over: there is nothing to wait for any more. */
static enum status wait_for_more(struct raw *raw, bool *over) {
    bool second, reading = wants_line(raw) && !raw->input.ended;
    int64_t silence_us = silence_ends_us(raw);
    int64_t until_us = silence_us < raw->limit_us ? silence_us : raw->limit_us;
    int64_t again_us = raw->full ? clock_us() + AGAIN_US : NO_DEADLINE;
    enum status status = output_flush(raw->call->output);
    if (status != STATUS_DONE)
        return status;
    switch (interrupt_wait_either(raw->socket.fd, reading ? STDIN_FILENO : -1,
                                  again_us < until_us ? again_us : until_us, &second)) {
    case WAIT_READY:
        return second ? read_input(raw) : STATUS_DONE;
    case WAIT_EXPIRED:
        *over = clock_us() >= until_us;
        return *over ? time_is_over(raw, clock_us()) : STATUS_DONE;
    case WAIT_INTERRUPTED:
        return STATUS_INTERRUPTED;
    case WAIT_FAILED:
        break;
    }
    return output_error(raw->call->output, ZCHAT_IO, 0, "cannot wait: %s", strerror(errno));
}

/* What is ready is taken turn by turn; the clock and the signals are looked at in each. */
static enum status work(struct raw *raw) {
    enum status status = STATUS_DONE;
    bool over = false;
    while (status == STATUS_DONE && !over && !has_all(raw)) {
        bool moved = false;
        if (interrupt_pending())
            return STATUS_INTERRUPTED;
        status = turn(raw, &moved);
        if (moved)
            raw->moved_us = clock_us();
        if (status == STATUS_DONE && moved && raw->moved_us >= raw->limit_us)
            return time_is_over(raw, raw->moved_us);
        if (status == STATUS_DONE && !moved)
            status = wait_for_more(raw, &over);
    }
    return status;
}

/* ---- the verb ---- */

/* What was sent last may still be on its way. */
static enum status close_socket(struct raw *raw, enum status status) {
    int64_t left_us = raw->limit_us == NO_DEADLINE
                          ? option_microseconds(raw->call->options, OPTION_TIMEOUT)
                          : raw->limit_us - clock_us();
    bool given_up = status == STATUS_INTERRUPTED || left_us <= 0 || raw->sent == 0;
    int64_t linger_ms = given_up ? 0 : left_us / 1000 + 1;
    if (raw_socket_close(&raw->socket, linger_ms > INT32_MAX ? INT32_MAX : (int)linger_ms) ||
        status != STATUS_DONE)
        return status;
    if (interrupt_pending())
        return STATUS_INTERRUPTED;
    return output_error(raw->call->output, ZCHAT_EXPIRED, 0,
                        "not all that was written was sent within --timeout, %s s",
                        option_text(raw->call->options, OPTION_TIMEOUT));
}

/* Both ways unless the call names one; a type that has only one way needs no name for it. */
static enum status choose_ways(struct raw *raw) {
    const struct output *output = raw->call->output;
    const struct raw_kind *kind = raw->socket.kind;
    bool reads = option_flag(raw->call->options, OPTION_READ);
    bool writes = option_flag(raw->call->options, OPTION_WRITE);
    raw->reads = reads || (!writes && kind->reads);
    raw->writes = writes || (!reads && kind->writes);
    if ((raw->reads && !kind->reads) || (raw->writes && !kind->writes))
        return output_error(output, ZCHAT_INVALID, 0, "a %s socket cannot %s: leave out -%c",
                            kind->name, kind->reads ? "write" : "read", kind->reads ? 'w' : 'r');
    if (kind->asks && !raw->writes)
        return output_error(output, ZCHAT_INVALID, 0,
                            "a REQ socket reads only what it asked for: leave out -r");
    raw->subscribers_wanted = option_number(raw->call->options, OPTION_SUBSCRIBERS);
    if (raw->subscribers_wanted > 0 && !kind->feeds)
        return output_error(output, ZCHAT_INVALID, 0,
                            "only a PUB or XPUB socket has --subscribers, not a %s", kind->name);
    return STATUS_DONE;
}

static enum status choose(struct raw *raw) {
    const struct options *options = raw->call->options;
    raw->socket.kind = raw_kind_find(raw->call->words[0]);
    if (!raw->socket.kind)
        return output_error(raw->call->output, ZCHAT_INVALID, 0,
                            "there is no socket type \"%s\": it is PUB, SUB, XPUB, XSUB, PUSH, "
                            "PULL, REQ, REP, DEALER, ROUTER, PAIR or STREAM",
                            raw->call->words[0]);
    if (option_flag(options, OPTION_BIND) == option_flag(options, OPTION_CONNECT))
        return output_error(raw->call->output, ZCHAT_INVALID, 0,
                            "give either -b, to bind, or -c, to connect");
    bool nul = option_flag(options, OPTION_NULL), peers = raw->socket.kind->peers;
    bool json = option_flag(options, OPTION_JSON_IN);
    raw->form = (struct raw_form){
        .json = json, .peer = peers, .split = option_flag(options, OPTION_MULTIPART)};
    raw->printer = (struct raw_printer){.output = raw->call->output,
                                        .form = {.json = raw->call->output->json, .peer = peers},
                                        .delimiter = nul ? '\0' : '\n',
                                        .terminal = isatty(STDOUT_FILENO)};
    raw->input = (struct rpc_input){.line_bytes_max = LINE_BYTES_MAX, .by_nul = nul && !json};
    return choose_ways(raw);
}

/* It goes on for as long as somebody writes and reads, unless the call itself says --timeout. */
static void bound(struct raw *raw) {
    bool bounded = call_is_bounded(raw->call, true);
    raw->moved_us = clock_us();
    raw->limit_us = bounded ? raw->call->limit_us : NO_DEADLINE;
    if (bounded)
        bound_whole(ALL_TAKEN);
    else
        bound_each_step(true, NULL);
}

static enum status run_raw(struct call *call) {
    struct raw raw = {.call = call};
    enum status status = choose(&raw);
    bound(&raw);
    if (status == STATUS_DONE)
        status = raw_socket_open(&raw.socket, call,
                                 raw.subscribers_wanted > 0 && raw.socket.kind->type == ZMQ_PUB);
    if (status == STATUS_DONE)
        status = work(&raw);
    status = close_socket(&raw, status);
    raw_message_release(&raw.message);
    raw_printer_release(&raw.printer);
    rpc_input_release(&raw.input);
    return status == STATUS_DONE ? raw.fault : status;
}

static const struct verb raw_verb = {
    .name = "raw",
    .words = "TYPE ADDRESS...",
    .words_min = 2,
    .words_max = VERB_WORDS_ANY,
    .option_group = OPTION_GROUP_RAW,
    .options = VERB_OPTIONS(OPTION_READ, OPTION_WRITE, OPTION_BIND, OPTION_CONNECT, OPTION_SETTING,
                            OPTION_NULL, OPTION_MULTIPART, OPTION_JSON_IN, OPTION_SUBSCRIBERS,
                            OPTION_COUNT, OPTION_WAIT),
    .run = run_raw,
    .examples = VERB_EXAMPLES(
        "seq 3 | zmq-cli raw -wb PUSH ipc://jobs & zmq-cli raw -rc PULL -n 3 ipc://jobs",
        "zmq-cli raw -rb REP -n 1 ipc://do & echo stop | zmq-cli raw -c REQ ipc://do",
        "zmq-cli raw -rc SUB -o subscribe=rain --wait 1 tcp://localhost:5556"),
    .help = "a plain ZeroMQ socket: sends lines of stdin, and prints what arrives as lines",
    .more =
        "TYPE is PUB, SUB, XPUB, XSUB, PUSH, PULL, REQ, REP, DEALER, ROUTER, PAIR or STREAM; it "
        "needs no broker; parts of a message have a TAB between them; a ROUTER or STREAM has the "
        "peer before the first TAB, as text, or if that is not readable as 0x and hex digits; with "
        "--json a line is {\"peer\": PEER, \"parts\": [TEXT...]} or, in base64, has parts_b64; "
        "behind the end of stdin a socket that reads, too, goes on until --count, --wait or "
        "--timeout end it, but a REQ ends with the last answer; what was written is sent before it "
        "ends, or within --timeout; a PUB without subscribers drops what it sends",
    .exits = "124 nobody took it, or too little came; 5 no such peer",
};

const struct verb *const raw_verbs[] = {&raw_verb, NULL};
