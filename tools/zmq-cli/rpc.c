/* rpc: a connection for a program, as lines of JSON. Each line of stdin is one command, and each is
 * answered by one line; events have lines of their own. The commands under way are bounded: while
 * there are too many, stdin is not read, so that whoever writes has to wait. Printing blocks: a
 * line that the reader does not take holds everything up.
 *
 * Every accepted command is answered, whatever happens: at the end those that still wait are
 * answered with what is known of them. After a lost connection the library asks again, with the
 * same ids. */
#include "command_text.h"
#include "event_value.h"
#include "interrupt.h"
#include "rpc_input.h"
#include "verb.h"

#include "common/clock.h"
#include "json/to_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The most commands under way: as many as the broker takes in one frame. */
#define UNDER_WAY_MAX 64
/* ... and their bytes: enough for some of the largest commands. */
#define UNDER_WAY_BYTES_MAX (4 * 1024 * 1024)
/* An id is held until its command is answered. */
#define ID_TEXT_BYTES_MAX 256

struct rpc;

/* A command under way. */
struct asked {
    struct rpc *rpc; /* borrowed; NULL: the place is free */
    json_t *id;      /* owned */
    struct schema_command command;
    size_t bytes;
};

struct rpc {
    struct call *call; /* borrowed: from main */
    struct rpc_input input;
    struct asked asked[UNDER_WAY_MAX];
    size_t under_way;
    size_t under_way_bytes;
    bool bounded;        /* --timeout bounds the whole call */
    enum status trouble; /* of printing inside a callback */
};

/* ---- lines ---- */

static void print(struct rpc *rpc, json_t *line /* owned */) {
    enum status status = output_ascii(rpc->call->output, line);
    if (rpc->trouble == STATUS_DONE)
        rpc->trouble = status;
}

/* Both functions release the value but not the id. */
static void print_answer(struct rpc *rpc, json_t *id, const char *name, json_t *value) {
    json_t *line = json_object();
    bool good = line && value && json_object_set(line, "id", id) == 0;
    if (json_object_set_new(line, name, value) != 0 || !good) {
        json_decref(line);
        line = NULL;
    }
    print(rpc, line);
}

static void print_refusal(struct rpc *rpc, json_t *id, zchat_code code, const char *message) {
    print_answer(rpc, id, "error", value_error(code, ZCHAT_REASON_NONE, 0, message));
}

static void on_event(void *arg, const zchat_event *event) {
    struct rpc *rpc = arg;
    if (event->kind != ZCHAT_EVENT_NOTICE) /* a notice is printed as an event */
        call_tell_away(rpc->call, event);
    if (event_type(event))
        print(rpc, json_pack("{s:o}", "event", event_value(event)));
}

/* ---- answers ---- */

static struct asked *free_place(struct rpc *rpc) {
    struct asked *asked = rpc->asked;
    while (asked->rpc)
        asked++;
    return asked;
}

static void forget(struct asked *asked) {
    struct rpc *rpc = asked->rpc;
    rpc->under_way--;
    rpc->under_way_bytes -= asked->bytes;
    json_decref(asked->id);
    *asked = (struct asked){.rpc = NULL};
}

static void on_reply(void *arg, const zchat_reply *reply) {
    struct asked *asked = arg;
    struct rpc *rpc = asked->rpc;
    char name[SCHEMA_NAME_BYTES];
    schema_json_name(asked->command.name, name);
    if (reply->code == ZCHAT_OK)
        print_answer(rpc, asked->id, name,
                     to_json(asked->command.result, reply->result, reply->result_bytes));
    else
        print_answer(rpc, asked->id, "error",
                     value_error(reply->code, reply->reason, reply->retry_after_s, reply->text));
    forget(asked);
    call_renew_deadline(rpc->call);
}

/* ---- commands ---- */

/* Sends a command that was read completely; the caller still owns the request. */
static void ask(struct rpc *rpc, json_t *id, const struct schema_command *command,
                const uint8_t *request, size_t bytes) {
    zchat *z = rpc->call->z;
    struct asked *asked = free_place(rpc);
    *asked = (struct asked){rpc, json_incref(id), *command, bytes};
    rpc->under_way++;
    rpc->under_way_bytes += bytes;
    zchat_code code = zchat_command(z, command->number, request, bytes, on_reply, asked);
    if (code)
        on_reply(asked, &(zchat_reply){.code = code, .text = zchat_error(z)});
}

static bool is_id(const json_t *id) {
    return json_is_null(id) || json_is_integer(id) ||
           (json_is_string(id) && json_string_length(id) <= ID_TEXT_BYTES_MAX);
}

/* Finds the one member besides the id; false: `fault` says that there is not exactly one. */
static bool find_command(json_t *line, struct schema_command *command, json_t **request,
                         char fault[JSON_FAULT_BYTES]) {
    const char *name;
    json_t *value;
    *request = NULL;
    json_object_foreach(line, name, value) {
        if (strcmp(name, "id") == 0)
            continue;
        if (*request) {
            snprintf(fault, JSON_FAULT_BYTES, "there is more than one command in the line");
            return false;
        }
        *request = value;
        if (!schema_command_find(name, command)) {
            command_text_complain(name, fault);
            return false;
        }
    }
    if (!*request)
        snprintf(fault, JSON_FAULT_BYTES,
                 "there is no command in the line, as in {\"id\": 1, \"who\": {}}");
    return *request;
}

static void take_object(struct rpc *rpc, json_t *line) {
    json_t *null = json_null(), *id = json_object_get(line, "id"), *request;
    char fault[JSON_FAULT_BYTES];
    struct schema_command command;
    size_t bytes;
    id = id ? id : null;
    if (!is_id(id)) {
        print_refusal(rpc, null, ZCHAT_INVALID, "id: an integer or a text of at most 256 bytes");
        return;
    }
    uint8_t *packed = find_command(line, &command, &request, fault)
                          ? from_json(command.request, request, &bytes, fault)
                          : NULL;
    if (packed)
        ask(rpc, id, &command, packed, bytes);
    else
        print_refusal(rpc, id, ZCHAT_INVALID, fault);
    free(packed);
}

static bool is_blank(const char *line, size_t bytes) {
    size_t at = 0;
    while (at < bytes && strchr(" \t\r", line[at]) && line[at])
        at++;
    return at == bytes;
}

static void take_line(struct rpc *rpc, const char *line, size_t bytes) {
    char fault[JSON_FAULT_BYTES];
    if (is_blank(line, bytes))
        return;
    json_t *json = from_json_text(line, bytes, fault);
    if (json)
        take_object(rpc, json);
    else
        print_refusal(rpc, json_null(), ZCHAT_INVALID, fault);
    json_decref(json);
}

static bool has_room(const struct rpc *rpc) {
    return rpc->under_way < UNDER_WAY_MAX && rpc->under_way_bytes < UNDER_WAY_BYTES_MAX;
}

/* Takes the lines that are there, as long as there is room. False: there are no more. */
static bool take_lines(struct rpc *rpc) {
    const char *line;
    size_t bytes;
    while (has_room(rpc) && rpc->trouble == STATUS_DONE) {
        enum rpc_line found = rpc_input_next(&rpc->input, &line, &bytes);
        if (found == RPC_LINE_NONE)
            return false;
        if (found == RPC_LINE_READ)
            take_line(rpc, line, bytes);
        else
            print_refusal(rpc, json_null(), ZCHAT_INVALID, "the line is too long");
    }
    return true;
}

/* ---- the loop ---- */

/* Before the end of stdin there is always something to wait for. */
static int64_t wait_until(const struct rpc *rpc) {
    if (rpc->bounded)
        return rpc->call->limit_us;
    return rpc->input.ended ? rpc->call->deadline_us : NO_DEADLINE;
}

static enum status on_late(const struct rpc *rpc) {
    if (rpc->bounded && !rpc->call->lost)
        return output_error(rpc->call->output, ZCHAT_EXPIRED, 0, "the %s s of --timeout are over",
                            option_text(rpc->call->options, OPTION_TIMEOUT));
    return call_timed_out(rpc->call);
}

static enum status read_input(struct rpc *rpc) {
    if (!rpc_input_read(&rpc->input))
        return output_error(rpc->call->output, ZCHAT_IO, 0, "cannot read standard input: %s",
                            strerror(errno));
    if (rpc->input.ended)
        call_renew_deadline(rpc->call);
    return STATUS_DONE;
}

static enum status await(struct rpc *rpc, bool full) {
    bool readable;
    int input = full || rpc->input.ended ? -1 : STDIN_FILENO;
    if (rpc->bounded && clock_us() >= rpc->call->limit_us)
        return on_late(rpc);
    switch (interrupt_wait_either(zchat_fd(rpc->call->z), input, wait_until(rpc), &readable)) {
    case WAIT_EXPIRED:
        return on_late(rpc);
    case WAIT_INTERRUPTED:
        return STATUS_INTERRUPTED;
    case WAIT_FAILED:
        return output_error(rpc->call->output, ZCHAT_IO, 0, "cannot wait: %s", strerror(errno));
    case WAIT_READY:
        break;
    }
    return readable ? read_input(rpc) : STATUS_DONE;
}

/* One turn; *more is whether another one follows. */
static enum status turn(struct rpc *rpc, bool *more) {
    struct call *call = rpc->call;
    enum status status = call_work(call);
    bool full = status == STATUS_DONE && !call->ended && take_lines(rpc);
    enum status written = output_flush(call->output);
    *more = false;
    if (written != STATUS_DONE || rpc->trouble != STATUS_DONE)
        return written != STATUS_DONE ? written : rpc->trouble;
    if (status != STATUS_DONE)
        return status;
    if (call->ended)
        return output_error(call->output, ZCHAT_AUTH, 0, "%s", call->why);
    if (rpc->input.ended && !full && rpc->under_way == 0)
        return STATUS_DONE;
    status = await(rpc, full);
    *more = status == STATUS_DONE;
    return status;
}

/* The library answers what is under way when it closes. */
static enum status close_rpc(struct rpc *rpc, enum status status) {
    if (status == STATUS_INTERRUPTED)
        interrupt_accept();
    call_close(rpc->call);
    rpc_input_release(&rpc->input);
    enum status written = output_flush(rpc->call->output);
    return status == STATUS_DONE ? written : status;
}

static enum status run_rpc(struct call *call) {
    struct rpc rpc = {.call = call, .bounded = call_is_bounded(call, true)};
    bool quiet = option_flag(call->options, OPTION_NO_EVENTS);
    const struct call_login how = {.inbox = !quiet, .public_events = !quiet, .threads = !quiet};
    call->on_event = on_event;
    call->arg = &rpc;
    enum status status = call_login(call, &how);
    if (!rpc.bounded)
        bound_each_step(true, NULL);
    bool more = status == STATUS_DONE;
    while (more)
        status = turn(&rpc, &more);
    return close_rpc(&rpc, status);
}

static const struct verb rpc_verb = {
    .name = "rpc",
    .words = "",
    .options = VERB_OPTIONS(OPTION_NO_EVENTS),
    .run = run_rpc,
    .examples = VERB_EXAMPLES("echo '{\"id\": 1, \"who\": {}}' | zmq-cli rpc --no-events"),
    .help =
        "stay connected: each line of stdin is a command, and each answer and each event is a line",
    .more =
        "{\"id\": 1, \"send_message\": {\"to\": \"bob\", \"text\": \"hi\"}} is answered by a line "
        "{\"id\": 1, \"sendMessage\": {...}} or {\"id\": 1, \"error\": {...}}; what happens has "
        "lines {\"event\": {...}}; messages stay unread until a command acknowledges them, "
        "{\"ack\": {\"read\": SEQ}}; it ends with stdin, after the last answer",
    .exits = "0 also if commands failed: each answer says so",
};

const struct verb *const rpc_verbs[] = {&rpc_verb, NULL};
