/* The verbs ping, forget, stats, announce, shutdown. */

#include "common/clock.h"
#include "input.h"
#include "interrupt.h"
#include "verb.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum status print_ping(struct call *call, const zchat_reply *reply) {
    int64_t took_us = clock_us() - call->asked_us;
    if (call->output->json)
        return output_object(
            call->output, json_pack("{s:s, s:s, s:o, s:I}", "server", zchat_server(call->z),
                                    "software", reply->software, "time", value_time(reply->time_us),
                                    "round_trip_us", (json_int_t)took_us));
    output_format(call->output, "%s answers in %.3f ms; %s\n", zchat_server(call->z),
                  (double)took_us / 1000, reply->software);
    return STATUS_DONE;
}

static enum status run_ping(struct call *call) {
    enum status status = call_open(call);
    if (status != STATUS_DONE)
        return status;
    return call_answer(call, zchat_ping(call->z, call_replied, call), print_ping);
}

static const struct verb ping_verb = {
    .name = "ping",
    .words = "",
    .run = run_ping,
    .examples =
        VERB_EXAMPLES("zmq-cli ping", "zmq-cli --timeout 60 ping && echo the broker is there"),
    .help = "ask whether the broker answers; needs no account",
};

static enum status run_forget(struct call *call) {
    char fingerprint[ZCHAT_FINGERPRINT_TEXT], error[SENTENCE_BYTES];
    zchat_code code =
        zchat_forget(call->words[0], call->config_dir, fingerprint, error, sizeof error);
    if (code)
        return output_error(call->output, code, 0, "%s", error);
    if (call->output->json)
        return output_object(call->output, json_pack("{s:s, s:s}", "forgotten", call->words[0],
                                                     "fingerprint", fingerprint));
    output_format(call->output, "forgot %s, whose key was %s\n", call->words[0], fingerprint);
    return STATUS_DONE;
}

static const struct verb forget_verb = {
    .name = "forget",
    .words = "HOST",
    .words_min = 1,
    .words_max = 1,
    .run = run_forget,
    .examples = VERB_EXAMPLES("zmq-cli forget chat.example"),
    .help = "forget the pinned key of a broker; or with USER@HOST the one that a private chat "
            "pinned; needs no broker",
};

static enum status print_stats_object(struct call *call, const zchat_reply *reply) {
    json_t *object = json_object();
    for (size_t i = 0; object && i < reply->count; i++) {
        if (json_object_set_new(object, reply->stats[i].name, value_big(reply->stats[i].value))) {
            json_decref(object);
            object = NULL;
        }
    }
    return output_object(call->output, object);
}

static enum status print_stats(struct call *call, const zchat_reply *reply) {
    int width = 0;
    if (call->output->json)
        return print_stats_object(call, reply);
    for (size_t i = 0; i < reply->count; i++)
        if ((int)strlen(reply->stats[i].name) > width)
            width = (int)strlen(reply->stats[i].name);
    for (size_t i = 0; i < reply->count; i++)
        output_format(call->output, "%-*s  %" PRIu64 "\n", width, reply->stats[i].name,
                      reply->stats[i].value);
    return STATUS_DONE;
}

static enum status run_stats(struct call *call) {
    enum status status = call_start(call);
    if (status != STATUS_DONE)
        return status;
    return call_answer(call, zchat_stats(call->z, call_replied, call), print_stats);
}

static const struct verb stats_verb = {
    .name = "stats",
    .words = "",
    .run = run_stats,
    .examples = VERB_EXAMPLES("zmq-cli stats", "zmq-cli --json stats"),
    .help = "print the broker's counters",
};

static enum status print_announced(struct call *call, const zchat_reply *reply) {
    if (call->output->json)
        return output_object(call->output,
                             json_pack("{s:I}", "reached", (json_int_t)reply->reached));
    output_format(call->output, "reached %" PRIu32 "\n", reply->reached);
    return STATUS_DONE;
}

static enum status run_announce(struct call *call) {
    char *text = NULL;
    enum status status = input_text(call, 0, &text);
    if (status == STATUS_DONE)
        status = call_start(call);
    if (status == STATUS_DONE)
        status =
            call_answer(call, zchat_announce(call->z, text, call_replied, call), print_announced);
    free(text);
    return status;
}

static const struct verb announce_verb = {
    .name = "announce",
    .words = "TEXT...",
    .words_min = 1,
    .words_max = VERB_WORDS_ANY,
    .run = run_announce,
    .examples = VERB_EXAMPLES("zmq-cli --user keeper announce no chat from noon to one"),
    .help = "tell everyone who is online, whatever they block; for administrators; not stored",
};

static const struct password_source admin_password = {
    OPTION_ADMIN_PASSWORD_FILE, OPTION_ADMIN_PASSWORD_CMD, "Admin password: ", false};

/* Everything is deleted only if somebody said so twice. */
static enum status confirm_wipe(struct call *call) {
    char question[SENTENCE_BYTES];
    if (!option_flag(call->options, OPTION_WIPE) || option_flag(call->options, OPTION_YES))
        return STATUS_DONE;
    if (!terminal_present())
        return output_error(call->output, ZCHAT_INVALID, 0,
                            "--wipe deletes everything that the broker keeps: it needs --yes, or a "
                            "terminal to ask at");
    snprintf(question, sizeof question,
             "All threads, files, messages and accounts of %s will be deleted. Go on? (yes/no) ",
             option_text(call->options, OPTION_SERVER));
    int64_t asked_us = clock_us();
    bool sure = terminal_confirm(question);
    call_shift_limit(call, asked_us);
    if (interrupt_pending())
        return STATUS_INTERRUPTED;
    return sure ? STATUS_DONE
                : output_error(call->output, ZCHAT_CANCELLED, 0, "nothing was deleted");
}

static enum status note_admin(struct call *call, const zchat_reply *reply) {
    *(bool *)call->arg = reply->admin;
    return STATUS_DONE;
}

/* If the user is no administrator, asks for the admin password, provided that there is somebody to
 * ask. */
static enum status enter(struct call *call, struct password *password) {
    bool admin = false, given = password_is_given(call->options, &admin_password);
    const struct call_login how = {.print = note_admin};
    enum status status = STATUS_DONE;
    call->arg = &admin;
    if (given)
        status = call_read_password(call, &admin_password, password);
    if (status == STATUS_DONE)
        status = call_login(call, &how);
    if (status == STATUS_DONE && !given && !admin && terminal_present())
        status = call_read_password(call, &admin_password, password);
    if (status == STATUS_DONE && password->known && !password->text[0])
        status = output_error(call->output, ZCHAT_INVALID, 0, "the admin password is empty");
    call->arg = NULL;
    return status;
}

static enum status print_shutdown(struct call *call, const zchat_reply *reply) {
    bool wipe = option_flag(call->options, OPTION_WIPE);
    (void)reply;
    if (call->output->json)
        return output_object(
            call->output, json_pack("{s:s, s:b}", "server", zchat_server(call->z), "wipe", wipe));
    output_format(call->output, "%s shuts down%s\n", zchat_server(call->z),
                  wipe ? " and deletes everything" : "");
    return STATUS_DONE;
}

static enum status run_shutdown(struct call *call) {
    struct password password = {0};
    if (call->word_count > 0)
        return output_error(call->output, ZCHAT_INVALID, 0,
                            "a password in a command can be seen by others: give "
                            "--admin-password-file or --admin-password-cmd");
    enum status status = confirm_wipe(call);
    if (status == STATUS_DONE)
        status = enter(call, &password);
    if (status == STATUS_DONE)
        status =
            call_answer(call,
                        zchat_shutdown(call->z, password.known ? password.text : NULL,
                                       option_flag(call->options, OPTION_WIPE), call_replied, call),
                        print_shutdown);
    password_release(&password);
    return status;
}

static const struct verb shutdown_verb = {
    .name = "shutdown",
    .classic = "SHT",
    .words = "",
    .words_max = 1,
    .options = VERB_OPTIONS(OPTION_ADMIN_PASSWORD_FILE, OPTION_ADMIN_PASSWORD_CMD, OPTION_WIPE,
                            OPTION_YES),
    .run = run_shutdown,
    .examples = VERB_EXAMPLES("zmq-cli --user keeper shutdown"),
    .help = "stop the broker; its data stays; for administrators, and for whoever has the admin "
            "password",
};

const struct verb *const admin_verbs[] = {
    &ping_verb, &forget_verb, &stats_verb, &announce_verb, &shutdown_verb, NULL,
};
