/* doctor: the checks in their order, and those of the way to the broker. */
#include "doctor.h"

#include "common/clock.h"
#include "interrupt.h"
#include "verb.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- saying ---- */

static const char *const words[] = {"ok", "warning", "fail"};

static enum status print_object(struct doctor *doctor, enum finding finding, zchat_code code,
                                const char *text) {
    json_t *object = json_pack("{s:s, s:s, s:s}", "check", doctor->check, "result", words[finding],
                               "text", text);
    if (object && finding == FINDING_FAIL)
        json_object_set_new(object, "code", json_string(zchat_code_name(code)));
    return output_object(doctor->call->output, object);
}

void doctor_say(struct doctor *doctor, enum finding finding, zchat_code code, const char *format,
                ...) {
    char text[2 * SENTENCE_BYTES];
    struct output *output = doctor->call->output;
    enum status status = STATUS_DONE;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    zchat_text_clean(text);
    if (output->json)
        status = print_object(doctor, finding, code, text);
    else
        output_format(output, "%s %s: %s\n", words[finding], doctor->check, text);
    if (status == STATUS_DONE)
        status = output_flush(output);
    if (finding == FINDING_FAIL && doctor->status == STATUS_DONE)
        doctor->status = (enum status)zchat_exit_status(code);
    if (doctor->stop == STATUS_DONE)
        doctor->stop = status;
}

/* ---- the library ---- */

static void on_event(void *arg, const zchat_event *event) {
    struct doctor *doctor = arg;
    if (event->kind == ZCHAT_EVENT_UNKNOWN_KEY)
        doctor->key_unknown = true;
    else if (event->kind == ZCHAT_EVENT_CONNECTED)
        doctor->connected = true;
    if (event->kind != ZCHAT_EVENT_REFUSED && event->kind != ZCHAT_EVENT_SESSION_ENDED)
        return;
    doctor->refused = event->code ? event->code : ZCHAT_UNREACHABLE;
    snprintf(doctor->why, sizeof doctor->why, "%s", event->text);
}

void doctor_answered(void *arg, const zchat_reply *reply) {
    struct doctor *doctor = arg;
    doctor->answered = true;
    doctor->code = reply->code;
    snprintf(doctor->text, sizeof doctor->text, "%s", reply->text ? reply->text : "");
    doctor->broker_us = reply->time_us;
    if (reply->code == ZCHAT_OK && reply->software)
        snprintf(doctor->software, sizeof doctor->software, "%s", reply->software);
}

int64_t doctor_share_us(const struct doctor *doctor) {
    int64_t now_us = clock_us();
    return now_us + (doctor->call->limit_us - now_us) / 2;
}

bool doctor_work(struct doctor *doctor, const bool *done, int64_t deadline_us) {
    while (!*done && !doctor->refused) {
        zchat_code code = zchat_process(doctor->z);
        if (code && !doctor->refused) {
            doctor->refused = code;
            snprintf(doctor->why, sizeof doctor->why, "%s", zchat_error(doctor->z));
        }
        if (*done || doctor->refused || (doctor->key_unknown && done == &doctor->connected))
            break;
        enum wait_result result = interrupt_wait(zchat_fd(doctor->z), deadline_us);
        if (result == WAIT_INTERRUPTED)
            doctor->stop = STATUS_INTERRUPTED;
        if (result != WAIT_READY)
            break;
    }
    return *done;
}

/* ---- the way to the broker ---- */

static void check_settings(struct doctor *doctor) {
    const struct options *options = doctor->call->options;
    char error[SENTENCE_BYTES] = "";
    const zchat_options settings = {
        .server = option_text(options, OPTION_SERVER),
        .server_key = option_text(options, OPTION_SERVER_KEY),
        .config_dir = doctor->call->config_dir,
        .trust_new = option_flag(options, OPTION_TRUST_NEW),
        .no_reconnect = true,
        .client = "zmq-cli " ZCHAT_VERSION,
        .on_event = on_event,
        .arg = doctor,
    };
    zchat_code code = zchat_new(&doctor->z, &settings, error, sizeof error);
    if (code) {
        doctor_say(doctor, FINDING_FAIL, code, "%s", error);
        return;
    }
    doctor->have |= HAVE_HANDLE;
    doctor_say(doctor, FINDING_OK, ZCHAT_OK, "the broker is to be at %s", zchat_server(doctor->z));
}

static void say_probed(struct doctor *doctor, const struct probe *probe, zchat_code code,
                       unsigned have) {
    if (probe->interrupted)
        doctor->stop = STATUS_INTERRUPTED;
    if (code == ZCHAT_OK)
        doctor->have |= have;
    doctor_say(doctor, code ? FINDING_FAIL : FINDING_OK, code, "%s", probe->text);
}

static void check_name(struct doctor *doctor) {
    bool known = probe_init(&doctor->probe, zchat_server(doctor->z));
    zchat_code code =
        known ? probe_resolve(&doctor->probe, doctor_share_us(doctor)) : ZCHAT_INVALID;
    say_probed(doctor, &doctor->probe, code, HAVE_ADDRESS);
}

static void check_greeter_port(struct doctor *doctor) {
    zchat_code code = probe_port(&doctor->probe, "NULL", doctor_share_us(doctor));
    say_probed(doctor, &doctor->probe, code, HAVE_GREETER_PORT);
}

static void check_greeter(struct doctor *doctor) {
    doctor_work(doctor, &doctor->connected, doctor_share_us(doctor));
    const char *commands = zchat_commands_at(doctor->z), *events = zchat_events_at(doctor->z);
    if (!commands[0]) {
        doctor_say(doctor, FINDING_FAIL, doctor->refused ? doctor->refused : ZCHAT_UNREACHABLE,
                   "%s",
                   doctor->refused ? doctor->why
                                   : "it takes the connection but does not greet within a part of "
                                     "--timeout: give more, or restart zchatd");
        return;
    }
    doctor->have |= HAVE_GREETING;
    doctor_say(doctor, FINDING_OK, ZCHAT_OK,
               "it says that commands go to %s, and events come from %s", commands, events);
}

static void check_key(struct doctor *doctor) {
    const char *fingerprint = zchat_fingerprint(doctor->z);
    bool given = option_is_set(doctor->call->options, OPTION_SERVER_KEY);
    if (doctor->key_unknown) {
        doctor_say(doctor, FINDING_FAIL, ZCHAT_UNKNOWN_KEY,
                   "the broker is not known here; its key is %s: compare it with the broker's, "
                   "then trust it with --trust-new, or give it as --server-key",
                   fingerprint);
        return;
    }
    if (doctor->refused == ZCHAT_WRONG_KEY) {
        doctor_say(doctor, FINDING_FAIL, ZCHAT_WRONG_KEY, "%s", doctor->why);
        return;
    }
    doctor->have |= HAVE_KEY;
    doctor_say(doctor, FINDING_OK, ZCHAT_OK, "it is the %s one, %s", given ? "given" : "pinned",
               fingerprint);
}

static void check_second_port(struct doctor *doctor, const char *endpoint, unsigned have) {
    struct probe probe;
    if (!probe_init(&probe, endpoint)) {
        doctor_say(doctor, FINDING_FAIL, ZCHAT_UNREACHABLE, "the greeter names no port: \"%s\"",
                   endpoint);
        return;
    }
    zchat_code code = probe_resolve(&probe, doctor_share_us(doctor));
    if (code == ZCHAT_OK)
        code = probe_port(&probe, "CURVE", doctor_share_us(doctor));
    say_probed(doctor, &probe, code, have);
    probe_release(&probe);
}

static void check_commands_port(struct doctor *doctor) {
    check_second_port(doctor, zchat_commands_at(doctor->z), HAVE_COMMANDS_PORT);
}

static void check_events_port(struct doctor *doctor) {
    check_second_port(doctor, zchat_events_at(doctor->z), HAVE_EVENTS_PORT);
}

static void check_commands(struct doctor *doctor) {
    if (doctor_work(doctor, &doctor->connected, doctor_share_us(doctor))) {
        doctor->have |= HAVE_BROKER;
        doctor_say(doctor, FINDING_OK, ZCHAT_OK,
                   "the connection is encrypted, and the broker has proved its key");
        return;
    }
    doctor_say(doctor, FINDING_FAIL, doctor->refused ? doctor->refused : ZCHAT_UNREACHABLE, "%s",
               doctor->refused ? doctor->why
                               : "the broker does not prove its key within a part of --timeout: "
                                 "give more, or restart zchatd");
}

/* ---- the verb ---- */

static const struct {
    const char *name;
    void (*check)(struct doctor *doctor);
    unsigned needs;
} checks[] = {
    {"descriptors", check_descriptors, 0},
    {"config-folder", check_folder, 0},
    {"config-space", check_space, 0},
    {"config-file", check_config_file, 0},
    {"device-key", check_device_key, 0},
    {"password", check_password, 0},
    {"settings", check_settings, 0},
    {"name", check_name, HAVE_HANDLE},
    {"greeter-port", check_greeter_port, HAVE_ADDRESS},
    {"greeter", check_greeter, HAVE_GREETER_PORT},
    {"key", check_key, HAVE_GREETING},
    {"commands-port", check_commands_port, HAVE_GREETING},
    {"events-port", check_events_port, HAVE_GREETING},
    {"commands", check_commands, HAVE_KEY | HAVE_COMMANDS_PORT},
    {"schema", check_schema, HAVE_BROKER},
    {"round-trip", check_round_trip, HAVE_BROKER},
    {"clock", check_clock, HAVE_BROKER},
    {"login", check_login, HAVE_BROKER},
    {"events", check_events, HAVE_SESSION | HAVE_EVENTS_PORT},
};

static enum status run_doctor(struct call *call) {
    struct doctor doctor = {.call = call};
    for (size_t i = 0; i < sizeof checks / sizeof checks[0] && doctor.stop == STATUS_DONE; i++) {
        if ((doctor.have & checks[i].needs) != checks[i].needs)
            continue;
        doctor.check = checks[i].name;
        checks[i].check(&doctor);
    }
    if (doctor.z && zchat_user(doctor.z)[0])
        (void)zchat_logout(doctor.z, NULL, NULL); /* sent if that needs no waiting */
    zchat_free(doctor.z);
    probe_release(&doctor.probe);
    return doctor.stop != STATUS_DONE ? doctor.stop : doctor.status;
}

static const struct verb doctor_verb = {
    .name = "doctor",
    .words = "",
    .run = run_doctor,
    .examples = VERB_EXAMPLES("zmq-cli doctor", "zmq-cli --json doctor"),
    .help = "say what is wrong between here and the broker; a line a check: ok, warning or fail",
    .more = "it looks at this machine, the way to the broker, its key, and with --user at the "
            "login, for which it uses a given password once; what depends on something that failed "
            "is left out; with --json a line is {\"check\", \"result\", \"text\"}, and \"code\" of "
            "a fail",
    .exits = "0 nothing failed; else that of the first fail",
};

const struct verb *const doctor_verbs[] = {&doctor_verb, NULL};
