/* send, broadcast, who, since, block, unblock, blocked. */

#include "common/time_text.h"
#include "input.h"
#include "receipt.h"
#include "verb.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool waits_for_reading(const struct call *call) {
    return option_is_set(call->options, OPTION_WAIT_READ);
}

static json_t *sent_object(const zchat_reply *reply) {
    char id[ZCHAT_ID_TEXT];
    zchat_id_format(&reply->id, id);
    return json_pack("{s:s, s:o, s:o, s:s}", "id", id, "seq", value_big(reply->seq), "time",
                     value_time(reply->time_us), "status",
                     reply->delivered ? "delivered" : "stored");
}

/* As JSON it is one object, which says at the end whether it was read. */
static enum status print_sent(struct call *call, const zchat_reply *reply) {
    char id[ZCHAT_ID_TEXT], time[TIME_TEXT];
    if (call->output->json && waits_for_reading(call)) {
        *(json_t **)call->arg = sent_object(reply);
        return STATUS_DONE;
    }
    if (call->output->json)
        return output_object(call->output, sent_object(reply));
    zchat_id_format(&reply->id, id);
    output_format(call->output, "%s %s %s\n", reply->delivered ? "delivered" : "stored", id,
                  time_short(reply->time_us, time));
    return waits_for_reading(call) ? output_flush(call->output) : STATUS_DONE;
}

/* Prints what was sent even if it was not read in time, or nobody may know. */
static enum status await_reading(struct call *call, const zchat_id *id, json_t *sent) {
    struct receipt receipt;
    char text[ZCHAT_ID_TEXT];
    enum status status =
        receipt_await(call, id, 0, option_microseconds(call->options, OPTION_WAIT_READ), &receipt);
    if (call->output->json) {
        json_object_set_new(sent, "read",
                            receipt.user[0] ? json_boolean(receipt.read) : json_null());
        enum status printed = output_object(call->output, sent);
        return status == STATUS_DONE ? printed : status;
    }
    zchat_id_format(id, text);
    if (status == STATUS_DONE)
        output_format(call->output, "read %s by %s\n", text, receipt.user);
    return status;
}

/* What --corrects or --retracts say. */
static void take_original(const struct call *call, zchat_send_options *how) {
    const char *corrects = option_text(call->options, OPTION_CORRECTS);
    const char *retracts = option_text(call->options, OPTION_RETRACTS);
    if (corrects && zchat_id_parse(corrects, &how->original))
        how->about = ZCHAT_ABOUT_CORRECTS;
    else if (retracts && zchat_id_parse(retracts, &how->original))
        how->about = ZCHAT_ABOUT_RETRACTS;
}

static enum status send_text(struct call *call, const char *text) {
    char id_text[ZCHAT_ID_TEXT], if_unknown[SENTENCE_BYTES];
    zchat_id id = input_id(call);
    zchat_send_options how = {.id = &id,
                              .require_online = option_flag(call->options, OPTION_REQUIRE_ONLINE)};
    take_original(call, &how);
    zchat_id_format(&id, id_text);
    snprintf(if_unknown, sizeof if_unknown,
             "whether the message was stored is not known; with --id %s it can be sent again",
             id_text);
    call->if_unknown = if_unknown;
    json_t *sent = NULL;
    call->arg = &sent;
    enum status status = call_answer(
        call, zchat_send_with(call->z, call->words[0], text, &how, call_replied, call), print_sent);
    call->arg = NULL;
    call->if_unknown = NULL;
    return status == STATUS_DONE && waits_for_reading(call) ? await_reading(call, &id, sent)
                                                            : status;
}

static enum status check_original(const struct call *call) {
    if (!option_is_set(call->options, OPTION_RETRACTS))
        return STATUS_DONE;
    if (option_is_set(call->options, OPTION_CORRECTS))
        return output_error(call->output, ZCHAT_INVALID, 0,
                            "--corrects and --retracts don't go together");
    return call->word_count == 1 ? STATUS_DONE
                                 : output_error(call->output, ZCHAT_INVALID, 0,
                                                "--retracts takes a message back: it goes without "
                                                "a TEXT");
}

static enum status run_send(struct call *call) {
    char *text = NULL;
    enum status status = check_original(call);
    if (status == STATUS_DONE)
        status = input_text(call, 1, &text);
    if (status == STATUS_DONE)
        status = call_start(call);
    if (status == STATUS_DONE)
        status = send_text(call, text);
    free(text);
    return status;
}

static const struct verb send_verb = {
    .name = "send",
    .classic = "message",
    .words = "USER TEXT...",
    .words_min = 2,
    .words_max = VERB_WORDS_ANY,
    .options = VERB_OPTIONS(OPTION_ID, OPTION_REQUIRE_ONLINE, OPTION_WAIT_READ, OPTION_CORRECTS,
                            OPTION_RETRACTS),
    .run = run_send,
    .examples = VERB_EXAMPLES("zmq-cli send bob the build is red",
                              "tail -n 3 build.log | zmq-cli send bob -",
                              "zmq-cli send --wait-read 60 bob are you there"),
    .help = "send a message; the TEXT \"-\" is read from stdin; after -- it may begin with a dash",
    .exits =
        "6 blocked, somebody else's message, or not online with --require-online; 7 taken back "
        "already; 124 not read within --wait-read",
};

static enum status print_broadcast(struct call *call, const zchat_reply *reply) {
    if (call->output->json)
        return output_object(call->output,
                             json_pack("{s:I, s:I}", "reached", (json_int_t)reply->reached,
                                       "skipped", (json_int_t)reply->skipped));
    output_format(call->output, "reached %" PRIu32 ", skipped %" PRIu32 "\n", reply->reached,
                  reply->skipped);
    return STATUS_DONE;
}

static enum status run_broadcast(struct call *call) {
    char *text = NULL;
    enum status status = input_text(call, 0, &text);
    if (status == STATUS_DONE)
        status = call_start(call);
    if (status == STATUS_DONE)
        status =
            call_answer(call, zchat_broadcast(call->z, text, call_replied, call), print_broadcast);
    free(text);
    return status;
}

static const struct verb broadcast_verb = {
    .name = "broadcast",
    .words = "TEXT...",
    .words_min = 1,
    .words_max = VERB_WORDS_ANY,
    .run = run_broadcast,
    .examples = VERB_EXAMPLES("zmq-cli broadcast the coffee is ready"),
    .help = "tell everyone who is online; not stored",
};

static enum status print_person(struct output *output, const zchat_person *person, int width) {
    char seen[TIME_TEXT];
    if (output->json)
        return output_object(output, json_pack("{s:s, s:b, s:o}", "user", person->user, "online",
                                               person->online, "last_seen",
                                               value_time(person->last_seen_us)));
    output_format(output, "%-*s  %-7s  %s\n", width, person->user,
                  person->online ? "online" : "offline",
                  person->last_seen_us ? time_short(person->last_seen_us, seen) : "never");
    return STATUS_DONE;
}

/* A list comes page by page. */
struct people {
    uint64_t seconds;  /* 0: who is online */
    char user[64];     /* the last one of the page before, and */
    zchat_person last; /* ... what is known of them; user NULL: the first page */
    bool more;
};

static void keep_last(struct people *people, const zchat_reply *reply) {
    people->more = reply->more && reply->count > 0;
    if (people->more) {
        people->last = reply->people[reply->count - 1];
        snprintf(people->user, sizeof people->user, "%s", people->last.user);
        people->last.user = people->user;
    }
}

static enum status print_people(struct call *call, const zchat_reply *reply) {
    enum status status = STATUS_DONE;
    int width = 0;
    for (size_t i = 0; i < reply->count; i++)
        if ((int)strlen(reply->people[i].user) > width)
            width = (int)strlen(reply->people[i].user);
    for (size_t i = 0; i < reply->count && status == STATUS_DONE; i++)
        status = print_person(call->output, &reply->people[i], width);
    keep_last(call->arg, reply);
    return status;
}

static zchat_code ask_people(struct call *call, const struct people *people) {
    const zchat_person *last = people->last.user ? &people->last : NULL;
    if (people->seconds)
        return zchat_since(call->z, people->seconds, last, 0, call_replied, call);
    return zchat_who(call->z, last, 0, call_replied, call);
}

static enum status list_people(struct call *call, uint64_t seconds) {
    struct people people = {.seconds = seconds, .more = true};
    call->arg = &people;
    enum status status = call_start(call);
    while (status == STATUS_DONE && people.more)
        status = call_answer(call, ask_people(call, &people), print_people);
    return status;
}

static enum status run_who(struct call *call) {
    return list_people(call, 0);
}

static const struct verb who_verb = {
    .name = "who",
    .classic = "whoelse",
    .words = "",
    .run = run_who,
    .examples = VERB_EXAMPLES("zmq-cli who", "zmq-cli --json who"),
    .help = "list who is online",
};

static enum status run_since(struct call *call) {
    uint64_t seconds;
    if (!option_parse_number(call->words[0], &seconds) || seconds == 0)
        return output_error(call->output, ZCHAT_INVALID, 0,
                            "SECONDS is a whole number from 1 on, not \"%s\"", call->words[0]);
    return list_people(call, seconds);
}

static const struct verb since_verb = {
    .name = "since",
    .classic = "whoelsesince",
    .words = "SECONDS",
    .words_min = 1,
    .words_max = 1,
    .run = run_since,
    .examples = VERB_EXAMPLES("zmq-cli since 3600"),
    .help = "list who was online in the last SECONDS",
};

static enum status print_user(struct call *call, const char *user, const char *done) {
    if (call->output->json)
        return output_object(call->output, json_pack("{s:s}", "user", user));
    output_format(call->output, "%s%s\n", done, user);
    return STATUS_DONE;
}

/* The broker accepted the name, so it is valid; the broker folds upper case. */
static enum status print_named(struct call *call, const char *done) {
    char user[64];
    snprintf(user, sizeof user, "%s", call->words[0]);
    for (char *letter = user; *letter; letter++)
        if (*letter >= 'A' && *letter <= 'Z')
            *letter = (char)(*letter - 'A' + 'a');
    return print_user(call, user, done);
}

static enum status print_block(struct call *call, const zchat_reply *reply) {
    (void)reply;
    return print_named(call, "blocked ");
}

static enum status print_unblock(struct call *call, const zchat_reply *reply) {
    (void)reply;
    return print_named(call, "unblocked ");
}

static enum status run_block(struct call *call) {
    enum status status = call_start(call);
    if (status != STATUS_DONE)
        return status;
    return call_answer(call, zchat_block(call->z, call->words[0], call_replied, call), print_block);
}

static const struct verb block_verb = {
    .name = "block",
    .words = "USER",
    .words_min = 1,
    .words_max = 1,
    .run = run_block,
    .examples = VERB_EXAMPLES("zmq-cli block mallory"),
    .help = "block USER: nothing passes between you",
    .exits = "7 blocked already",
};

static enum status run_unblock(struct call *call) {
    enum status status = call_start(call);
    if (status != STATUS_DONE)
        return status;
    return call_answer(call, zchat_unblock(call->z, call->words[0], call_replied, call),
                       print_unblock);
}

static const struct verb unblock_verb = {
    .name = "unblock",
    .words = "USER",
    .words_min = 1,
    .words_max = 1,
    .run = run_unblock,
    .examples = VERB_EXAMPLES("zmq-cli unblock mallory"),
    .help = "take a block back",
    .exits = "7 not blocked",
};

static enum status print_blocked(struct call *call, const zchat_reply *reply) {
    enum status status = STATUS_DONE;
    for (size_t i = 0; i < reply->count && status == STATUS_DONE; i++)
        status = print_user(call, reply->users[i], "");
    return status;
}

static enum status run_blocked(struct call *call) {
    enum status status = call_start(call);
    if (status != STATUS_DONE)
        return status;
    return call_answer(call, zchat_blocked(call->z, call_replied, call), print_blocked);
}

static const struct verb blocked_verb = {
    .name = "blocked",
    .words = "",
    .run = run_blocked,
    .examples = VERB_EXAMPLES("zmq-cli blocked"),
    .help = "list whom you have blocked",
};

const struct verb *const people_verbs[] = {
    &send_verb,  &broadcast_verb, &who_verb,     &since_verb,
    &block_verb, &unblock_verb,   &blocked_verb, NULL,
};
