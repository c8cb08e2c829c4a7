/* send, broadcast, who, since, block, unblock, blocked. */
#include "verbs_people.h"

#include "interrupt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STDIN_BYTES_MAX (1024 * 1024) /* a frame: no text can be longer, however it is cleaned */

static enum status no_memory(const struct call *call) {
    return output_error(call->output, ZCHAT_NO_MEMORY, 0, "There is not enough memory.");
}

/* The words from `first` on, joined by spaces. */
static enum status join_words(const struct call *call, int first, char **text) {
    size_t bytes = 1;
    for (int i = first; i < call->word_count; i++)
        bytes += strlen(call->words[i]) + 1;
    char *end = *text = malloc(bytes);
    if (!end)
        return no_memory(call);
    *end = 0;
    for (int i = first; i < call->word_count; i++)
        end += sprintf(end, "%s%s", i > first ? " " : "", call->words[i]);
    return STATUS_DONE;
}

static ssize_t read_stdin(char *buffer, size_t capacity) {
    size_t used = 0;
    ssize_t got = 1;
    while (got != 0 && used < capacity) {
        got = interrupt_read(STDIN_FILENO, buffer + used, capacity - used);
        if (got < 0)
            return -1;
        used += (size_t)got;
    }
    return (ssize_t)used;
}

static enum status check_stdin(const struct call *call, const char *buffer, ssize_t bytes) {
    if (interrupt_pending())
        return STATUS_INTERRUPTED;
    if (bytes < 0)
        return output_error(call->output, ZCHAT_IO, 0, "Cannot read standard input: %s.",
                            strerror(errno));
    if (bytes > STDIN_BYTES_MAX)
        return output_error(call->output, ZCHAT_INVALID, 0,
                            "The text on standard input is too long.");
    if (memchr(buffer, 0, (size_t)bytes))
        return output_error(call->output, ZCHAT_INVALID, 0,
                            "The text on standard input contains a NUL byte.");
    return STATUS_DONE;
}

/* All of stdin, without one newline at its end. */
static enum status take_stdin(const struct call *call, char **text) {
    char *buffer = *text = malloc(STDIN_BYTES_MAX + 2);
    if (!buffer)
        return no_memory(call);
    ssize_t bytes = read_stdin(buffer, STDIN_BYTES_MAX + 1);
    enum status status = check_stdin(call, buffer, bytes);
    if (status != STATUS_DONE)
        return status;
    if (bytes > 0 && buffer[bytes - 1] == '\n')
        bytes--;
    buffer[bytes] = 0;
    return STATUS_DONE;
}

/* The TEXT of a verb that begins with word `first`. The text is the caller's, also on failure. */
static enum status take_text(const struct call *call, int first, char **text) {
    bool from_stdin = call->word_count == first + 1 && strcmp(call->words[first], "-") == 0;
    return from_stdin ? take_stdin(call, text) : join_words(call, first, text);
}

static enum status print_sent(struct call *call, const zchat_reply *reply) {
    char id[ZCHAT_ID_TEXT], time[TIME_TEXT];
    const char *status = reply->delivered ? "delivered" : "stored";
    zchat_id_format(&reply->id, id);
    if (call->output->json)
        return output_object(call->output, json_pack("{s:s, s:o, s:o, s:s}", "id", id, "seq",
                                                     value_big(reply->seq), "time",
                                                     value_time(reply->time_us), "status", status));
    output_format(call->output, "%s %s %s\n", status, id, time_short(reply->time_us, time));
    return STATUS_DONE;
}

static zchat_id chosen_id(const struct call *call) {
    zchat_id id;
    const char *given = option_text(call->options, OPTION_ID);
    if (!given || !zchat_id_parse(given, &id))
        zchat_id_new(&id);
    return id;
}

static enum status send_text(struct call *call, const char *text) {
    char id_text[ZCHAT_ID_TEXT], if_unknown[SENTENCE_BYTES];
    zchat_id id = chosen_id(call);
    bool require_online = option_flag(call->options, OPTION_REQUIRE_ONLINE);
    zchat_id_format(&id, id_text);
    snprintf(if_unknown, sizeof if_unknown,
             "whether the message was stored is not known; with --id %s it can be sent again",
             id_text);
    call->if_unknown = if_unknown;
    enum status status = call_answer(
        call, zchat_send(call->z, call->words[0], text, &id, require_online, call_replied, call),
        print_sent);
    call->if_unknown = NULL;
    return status;
}

enum status people_send(struct call *call) {
    char *text = NULL;
    enum status status = take_text(call, 1, &text);
    if (status == STATUS_DONE)
        status = call_begin(call);
    if (status == STATUS_DONE)
        status = send_text(call, text);
    free(text);
    return status;
}

static enum status print_broadcast(struct call *call, const zchat_reply *reply) {
    if (call->output->json)
        return output_object(call->output,
                             json_pack("{s:I, s:I}", "reached", (json_int_t)reply->reached,
                                       "skipped", (json_int_t)reply->skipped));
    output_format(call->output, "reached %" PRIu32 ", skipped %" PRIu32 "\n", reply->reached,
                  reply->skipped);
    return STATUS_DONE;
}

enum status people_broadcast(struct call *call) {
    char *text = NULL;
    enum status status = take_text(call, 0, &text);
    if (status == STATUS_DONE)
        status = call_begin(call);
    if (status == STATUS_DONE)
        status =
            call_answer(call, zchat_broadcast(call->z, text, call_replied, call), print_broadcast);
    free(text);
    return status;
}

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

static enum status print_people(struct call *call, const zchat_reply *reply) {
    enum status status = STATUS_DONE;
    int width = 0;
    for (size_t i = 0; i < reply->count; i++)
        if ((int)strlen(reply->people[i].user) > width)
            width = (int)strlen(reply->people[i].user);
    for (size_t i = 0; i < reply->count && status == STATUS_DONE; i++)
        status = print_person(call->output, &reply->people[i], width);
    return status;
}

enum status people_who(struct call *call) {
    enum status status = call_begin(call);
    if (status != STATUS_DONE)
        return status;
    return call_answer(call, zchat_who(call->z, call_replied, call), print_people);
}

enum status people_since(struct call *call) {
    uint64_t seconds;
    if (!option_parse_number(call->words[0], &seconds))
        return output_error(call->output, ZCHAT_INVALID, 0,
                            "SECONDS is a whole number from 1 on, not \"%s\".", call->words[0]);
    enum status status = call_begin(call);
    if (status != STATUS_DONE)
        return status;
    return call_answer(call, zchat_since(call->z, seconds, call_replied, call), print_people);
}

static enum status print_user(struct call *call, const char *user, const char *done) {
    if (call->output->json)
        return output_object(call->output, json_pack("{s:s}", "user", user));
    output_format(call->output, "%s%s\n", done, user);
    return STATUS_DONE;
}

/* The broker took the name, so it is one; it folds upper case. */
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

enum status people_block(struct call *call) {
    enum status status = call_begin(call);
    if (status != STATUS_DONE)
        return status;
    return call_answer(call, zchat_block(call->z, call->words[0], call_replied, call), print_block);
}

enum status people_unblock(struct call *call) {
    enum status status = call_begin(call);
    if (status != STATUS_DONE)
        return status;
    return call_answer(call, zchat_unblock(call->z, call->words[0], call_replied, call),
                       print_unblock);
}

static enum status print_blocked(struct call *call, const zchat_reply *reply) {
    enum status status = STATUS_DONE;
    for (size_t i = 0; i < reply->count && status == STATUS_DONE; i++)
        status = print_user(call, reply->users[i], "");
    return status;
}

enum status people_blocked(struct call *call) {
    enum status status = call_begin(call);
    if (status != STATUS_DONE)
        return status;
    return call_answer(call, zchat_blocked(call->z, call_replied, call), print_blocked);
}
