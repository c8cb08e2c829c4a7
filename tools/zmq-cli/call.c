/* Connecting, logging in, asking and waiting. After the first connection a lost connection is no
 * failure: the library connects again and asks again, until the deadline. */
#include "call.h"

#include "bound.h"
#include "common/clock.h"
#include "interrupt.h"

#include <errno.h>
#include <string.h>

#define LAST_MOMENT_US 500000 /* an answer takes some milliseconds */
#define AWAY_MIN_US    (60 * INT64_C(1000000))
#define AWAY_MAX_US    (3600 * INT64_C(1000000))

static const struct password_source own_password = {OPTION_PASSWORD_FILE, OPTION_PASSWORD_CMD,
                                                    "Password: ", false};

static void keep(char sentence[SENTENCE_BYTES], const char *text) {
    snprintf(sentence, SENTENCE_BYTES, "%s", text ? text : "");
}

static void on_event(void *arg, const zchat_event *event) {
    struct call *call = arg;
    switch (event->kind) {
    case ZCHAT_EVENT_UNKNOWN_KEY:
        call->key_unknown = true;
        break;
    case ZCHAT_EVENT_CONNECTED:
        call->connected = true;
        call->lost = false;
        output_detail(call->output, "connected to %s, key %s", zchat_server(call->z),
                      zchat_fingerprint(call->z));
        break;
    case ZCHAT_EVENT_LOST:
        call->lost = true;
        call->lost_code = event->code;
        keep(call->why, event->text);
        if (!call->connected)
            output_detail(call->output, "no broker yet: %s", event->text);
        break;
    case ZCHAT_EVENT_RESUMED:
        call->lost = false;
        break;
    case ZCHAT_EVENT_REFUSED:
        call->refused = event->code;
        keep(call->why, event->text);
        break;
    case ZCHAT_EVENT_SESSION_ENDED:
        call->ended = true;
        keep(call->why, event->text);
        break;
    default:
        break;
    }
    bool never_stood = event->kind == ZCHAT_EVENT_LOST && !call->connected;
    if (call->on_event && !never_stood)
        call->on_event(call->arg, event);
}

void call_renew_deadline(struct call *call) {
    call->deadline_us = clock_us() + option_microseconds(call->options, OPTION_TIMEOUT);
    bound_step();
}

void call_begin_time(struct call *call) {
    call_renew_deadline(call);
    call->limit_us = call->deadline_us;
    bound_until(call->limit_us);
}

bool call_is_bounded(const struct call *call, bool endless) {
    return endless ? option_is_given(call->options, OPTION_TIMEOUT)
                   : option_is_set(call->options, OPTION_TIMEOUT);
}

void call_last_deadline(struct call *call) {
    int64_t moment_us = clock_us() + LAST_MOMENT_US;
    call->deadline_us = call->limit_us > moment_us ? call->limit_us : moment_us;
}

void call_shift_limit(struct call *call, int64_t since_us) {
    call->limit_us += clock_us() - since_us;
    call->deadline_us = call->limit_us;
    bound_until(call->limit_us);
}

/* Another attempt failed with that code. Returns whether to say so, which is always done for a new
 * reason. */
static bool away_is_due(struct away *away, zchat_code code, int64_t now_us) {
    bool again = away->interval_us > 0 && away->code == code;
    if (again && now_us < away->next_us)
        return false;
    away->code = code;
    away->interval_us = again ? 2 * away->interval_us : AWAY_MIN_US;
    if (away->interval_us > AWAY_MAX_US)
        away->interval_us = AWAY_MAX_US;
    away->next_us = now_us + away->interval_us;
    return true;
}

/* The broker is back. Returns whether it was said that it was away. */
static bool away_end(struct away *away) {
    bool was_away = away->interval_us > 0;
    *away = (struct away){0};
    return was_away;
}

void call_tell_notice(const struct call *call, const zchat_event *event) {
    if (event->user[0])
        output_notice(call->output, "announcement from %s: %s", event->user, event->text);
    else
        output_notice(call->output, "%s", event->text);
}

void call_tell_away(struct call *call, const zchat_event *event) {
    const struct output *output = call->output;
    if (event->kind == ZCHAT_EVENT_NOTICE)
        call_tell_notice(call, event);
    else if (event->kind == ZCHAT_EVENT_LOST && away_is_due(&call->away, event->code, clock_us()))
        output_notice(output, "lost the broker, trying again: %s", event->text);
    else if (event->kind == ZCHAT_EVENT_RESUMED && away_end(&call->away))
        output_notice(output, "the broker is back");
}

static enum status fail_because(const struct call *call, zchat_code code, zchat_reason reason,
                                uint32_t retry_after_s, const char *text) {
    bool unknown = call->if_unknown && (code == ZCHAT_EXPIRED || code >= ZCHAT_UNREACHABLE);
    return output_refusal(call->output, code, reason, retry_after_s, "%s%s%s%s", text,
                          unknown ? " (" : "", unknown ? call->if_unknown : "", unknown ? ")" : "");
}

static enum status fail(const struct call *call, zchat_code code, const char *text) {
    return fail_because(call, code, ZCHAT_REASON_NONE, 0, text);
}

/* Whether the broker is away, or broke the protocol before: such a one may have come back a moment
 * ago, to do it again. */
static bool has_failed(const struct call *call) {
    return call->lost || call->lost_code == ZCHAT_WRONG_PROTOCOL;
}

enum status call_timed_out(struct call *call) {
    char text[2 * SENTENCE_BYTES];
    const char *seconds = option_text(call->options, OPTION_TIMEOUT);
    const char *server = zchat_server(call->z);
    if (!call->connected)
        snprintf(text, sizeof text, "no broker answered at %s within %s s%s%s", server, seconds,
                 call->why[0] ? ": " : "", call->why);
    else if (has_failed(call))
        snprintf(text, sizeof text,
                 "the connection to %s broke and did not come back within %s s: %s", server,
                 seconds, call->why);
    else if (call->awaited)
        snprintf(text, sizeof text, "%s", call->awaited);
    else
        snprintf(text, sizeof text, "%s did not answer within %s s", server, seconds);
    if (call->connected && !has_failed(call))
        return fail(call, ZCHAT_EXPIRED, text);
    return fail(call, call->lost_code ? call->lost_code : ZCHAT_UNREACHABLE, text);
}

/* Decides whether to trust the key of a broker met for the first time. */
static enum status meet(struct call *call) {
    char question[SENTENCE_BYTES];
    const char *server = zchat_server(call->z), *fingerprint = zchat_fingerprint(call->z);
    call->key_unknown = false;
    if (!terminal_present())
        return output_error(call->output, ZCHAT_UNKNOWN_KEY, 0,
                            "the broker at %s is not known here; its key is %s; give --server-key, "
                            "or --trust-new to trust it from now on",
                            server, fingerprint);
    snprintf(
        question, sizeof question,
        "The broker at %s is not known here. Its key is\n  %s\nTrust it from now on? (yes/no) ",
        server, fingerprint);
    int64_t asked_us = clock_us();
    bool trusted = terminal_confirm(question);
    call_shift_limit(call, asked_us);
    if (interrupt_pending())
        return STATUS_INTERRUPTED;
    if (!trusted)
        return output_error(call->output, ZCHAT_UNKNOWN_KEY, 0, "the broker's key was not trusted");
    zchat_code code = zchat_trust(call->z);
    return code ? output_error(call->output, code, 0, "%s", zchat_error(call->z)) : STATUS_DONE;
}

/* Whether what zchat_process returned, or what it told meanwhile, ends the call. */
static enum status look_for_trouble(struct call *call, zchat_code code) {
    if (call->refused)
        return fail(call, call->refused, call->why);
    if (code)
        return fail(call, code, zchat_error(call->z));
    if (call->key_unknown)
        return meet(call);
    if (call->lost && !call->connected && call->lost_code == ZCHAT_NO_MEMORY)
        return fail(call, call->lost_code, call->why); /* waiting would not help */
    return STATUS_DONE;
}

enum status call_work(struct call *call) {
    return look_for_trouble(call, zchat_process(call->z));
}

enum status call_wait(struct call *call, const bool *done) {
    while (!*done) {
        zchat_code code = zchat_process(call->z);
        if (*done)
            break; /* a failed answer itself tells why */
        enum status status = look_for_trouble(call, code);
        if (status != STATUS_DONE)
            return status;
        switch (interrupt_wait(zchat_fd(call->z), call->deadline_us)) {
        case WAIT_READY:
            break;
        case WAIT_EXPIRED:
            return call_timed_out(call);
        case WAIT_INTERRUPTED:
            return STATUS_INTERRUPTED;
        case WAIT_FAILED:
            return output_error(call->output, ZCHAT_IO, 0, "cannot wait: %s", strerror(errno));
        }
    }
    return STATUS_DONE;
}

enum status call_open(struct call *call) {
    char error[SENTENCE_BYTES] = "";
    if (call->z)
        return STATUS_DONE;
    const zchat_options options = {
        .server = option_text(call->options, OPTION_SERVER),
        .server_key = option_text(call->options, OPTION_SERVER_KEY),
        .config_dir = call->config_dir,
        .trust_new = option_flag(call->options, OPTION_TRUST_NEW),
        .private_address = option_text(call->options, OPTION_PRIVATE_ADDRESS),
        .client = "zmq-cli " ZCHAT_VERSION,
        .on_event = on_event,
        .arg = call,
    };
    zchat_code code = zchat_new(&call->z, &options, error, sizeof error);
    if (code)
        return output_error(call->output, code, 0, "%s", error);
    return call_wait(call, &call->connected);
}

/* Whoever reads the output may take their time, unless --timeout was given. */
static void print_reply(struct call *call, const zchat_reply *reply) {
    int64_t began_us = clock_us();
    call->print_status = call->print(call, reply);
    if (!option_is_set(call->options, OPTION_TIMEOUT))
        call->deadline_us += clock_us() - began_us;
}

void call_replied(void *arg, const zchat_reply *reply) {
    struct call *call = arg;
    call->answered = true;
    call->code = reply->code;
    call->reason = reply->reason;
    call->retry_after_s = reply->retry_after_s;
    keep(call->text, reply->text);
    if (reply->code == ZCHAT_OK && call->print)
        print_reply(call, reply);
}

/* Waits for the answer and leaves it in the call; reports only what kept it from coming. */
static enum status exchange(struct call *call, zchat_code queued, call_print_fn *print) {
    call->asked_us = clock_us();
    call->answered = false;
    call->print = print;
    call->print_status = STATUS_DONE;
    if (queued == ZCHAT_OK)
        return call_wait(call, &call->answered);
    call->code = queued;
    call->reason = ZCHAT_REASON_NONE;
    call->retry_after_s = 0;
    keep(call->text, zchat_error(call->z));
    return STATUS_DONE;
}

static enum status tell(struct call *call) {
    if (call->code == ZCHAT_OK || call->code == call->as_done)
        return call->print_status;
    return fail_because(call, call->code, call->reason, call->retry_after_s, call->text);
}

enum status call_answer(struct call *call, zchat_code queued, call_print_fn *print) {
    enum status status = exchange(call, queued, print);
    return status == STATUS_DONE ? tell(call) : status;
}

enum status call_read_password(struct call *call, const struct password_source *source,
                               struct password *password) {
    int64_t began_us = clock_us();
    bool typed = false;
    enum status status =
        password_read(password, call->options, source, call->deadline_us, &typed, call->output);
    if (typed)
        call_shift_limit(call, began_us);
    return status;
}

enum status call_password(struct call *call) {
    if (call->password.known)
        return STATUS_DONE;
    return call_read_password(call, &own_password, &call->password);
}

static enum status ask_login(struct call *call, const struct call_login *how,
                             const char *password) {
    const zchat_login_options options = {
        .user = how->user ? how->user : option_text(call->options, OPTION_USER),
        .password = password,
        .no_trust = how->no_trust,
        .online = !how->hidden && option_flag(call->options, OPTION_ONLINE),
        .inbox = how->inbox,
        .private_chats = how->private_chats,
        .from_seq_set = how->from_seq > 0,
        .from_seq = how->from_seq,
        .threads = how->threads,
        .public_events = how->public_events ? ZCHAT_PUBLIC_INLINE : ZCHAT_PUBLIC_NONE,
    };
    return exchange(call, zchat_login(call->z, &options, call_replied, call), how->print);
}

static enum status login_by_password(struct call *call, const struct call_login *how) {
    enum status status = call_password(call);
    output_detail(call->output, "logging in with the password");
    if (status == STATUS_DONE && !call->password.text[0])
        return output_error(call->output, ZCHAT_INVALID, 0, "the password is empty");
    if (status == STATUS_DONE)
        status = ask_login(call, how, call->password.text);
    return status == STATUS_DONE ? tell(call) : status;
}

/* Tries the device's key first: that costs the broker nothing, and a wrong password file can't lock
 * the account then. If there is no password to try, the error says what would have helped. */
static enum status login_by_key(struct call *call, const struct call_login *how) {
    output_detail(call->output, "logging in with this device's key");
    enum status status = ask_login(call, how, NULL);
    if (status != STATUS_DONE || call->code != ZCHAT_AUTH)
        return status == STATUS_DONE ? tell(call) : status;
    if (password_is_available(call->options, &own_password))
        return login_by_password(call, how);
    return output_refusal(call->output, ZCHAT_AUTH, call->reason, call->retry_after_s,
                          "%s (no password was given: see --password-file and --password-cmd)",
                          call->text);
}

enum status call_login(struct call *call, const struct call_login *how) {
    if (!how->user && !option_is_set(call->options, OPTION_USER))
        return output_error(call->output, ZCHAT_INVALID, 0,
                            "no user is named: give --user, ZCHAT_USER, or user in zmq-cli.conf");
    enum status status = call_open(call);
    if (status != STATUS_DONE)
        return status;
    if (how->by_password && password_is_given(call->options, &own_password))
        return login_by_password(call, how);
    return login_by_key(call, how);
}

enum status call_start(struct call *call) {
    return call_login(call, &(struct call_login){0});
}

void call_close(struct call *call) {
    call->print = NULL; /* what the verb kept for printing is gone */
    call->on_event = NULL;
    if (call->z && zchat_user(call->z)[0])
        (void)zchat_logout(call->z, NULL, NULL); /* sent if that needs no waiting */
    zchat_free(call->z);
    call->z = NULL;
    password_release(&call->password);
}
