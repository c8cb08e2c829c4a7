/* The options of zmq-cli, and the values that a call has for them.
 *
 * A value remembers where it came from; a value from a stronger source (see option_source) replaces
 * one from a weaker source, never the other way round, so sources may be read in any order. Every
 * value in here has been checked against its type. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "common/option.h"

#include <stdbool.h>
#include <stdint.h>

enum option_id {
    OPTION_SERVER,
    OPTION_USER,
    OPTION_PASSWORD_FILE,
    OPTION_PASSWORD_CMD,
    OPTION_SERVER_KEY,
    OPTION_TRUST_NEW,
    OPTION_CONFIG_DIR,
    OPTION_CONTEXT,
    OPTION_TIMEOUT,
    OPTION_ONLINE,
    OPTION_JSON,
    OPTION_QUIET,
    OPTION_VERBOSE,
    OPTION_VERSION,
    OPTION_HELP,
    OPTION_GLOBAL_COUNT, /* options before it go with every verb */
    OPTION_NO_TRUST = OPTION_GLOBAL_COUNT,
    OPTION_NEW_PASSWORD_FILE,
    OPTION_NEW_PASSWORD_CMD,
    OPTION_ID,
    OPTION_REQUIRE_ONLINE,
    OPTION_WAIT_READ,
    OPTION_CORRECTS,
    OPTION_RETRACTS,
    OPTION_ACK,
    OPTION_EXEC,
    OPTION_FOLLOW,
    OPTION_COUNT,
    OPTION_WAIT,
    OPTION_FROM_SEQ,
    OPTION_DRAIN,
    OPTION_SENT,
    OPTION_TOPIC,
    OPTION_FROM,
    OPTION_MATCH,
    OPTION_THREAD,
    OPTION_SINCE,
    OPTION_UNTIL,
    OPTION_LIMIT,
    OPTION_AS,
    OPTION_NAME,
    OPTION_OUTPUT,
    OPTION_FORCE,
    OPTION_ADMIN_PASSWORD_FILE,
    OPTION_ADMIN_PASSWORD_CMD,
    OPTION_WIPE,
    OPTION_YES,
    OPTION_ONCE,
    OPTION_ALL,
    OPTION_FILES_TO,
    OPTION_FILES_MAX,
    OPTION_FILES_COUNT,
    OPTION_FILES_TOTAL,
    OPTION_PRIVATE_ADDRESS,
    OPTION_NO_EVENTS,
    OPTION_REVOKE,
    OPTION_READ,
    OPTION_WRITE,
    OPTION_BIND,
    OPTION_CONNECT,
    OPTION_SETTING,
    OPTION_NULL,
    OPTION_MULTIPART,
    OPTION_JSON_IN,
    OPTION_SUBSCRIBERS,
    OPTION_END /* how many there are; also ends a verb's list */
};

/* The letter -o has two meanings: of raw it is an option of the socket, as zmqc has it. */
enum { OPTION_GROUP_CHAT = 1, OPTION_GROUP_RAW = 2 };

/* From the weakest to the strongest. */
enum option_source {
    OPTION_UNSET,
    OPTION_FROM_DEFAULT,
    OPTION_FROM_FILE,
    OPTION_FROM_CONTEXT,
    OPTION_FROM_ENVIRONMENT,
    OPTION_FROM_FLAG
};

struct option_value {
    const char *text; /* borrowed: from argv, the environment or struct preferences */
    enum option_source source;
};

struct options {
    struct option_value values[OPTION_END];
};

extern const struct option_table option_table;

const struct option *option_row(enum option_id id);
enum option_id option_id(const struct option *row);

/* Fills in the defaults. */
void options_init(struct options *options);

/* Sets the value unless there is a stronger one. false: the option does not take the text, and
 * `fault` says what it takes. */
bool options_set(struct options *options, const struct option *row, const char *text,
                 enum option_source source, char fault[OPTION_FAULT_BYTES]);

bool option_is_set(const struct options *options, enum option_id id); /* a default does not count */
bool option_is_given(const struct options *options, enum option_id id); /* on the command line */
bool option_flag(const struct options *options, enum option_id id);
const char *option_text(const struct options *options, enum option_id id);     /* NULL: not set */
int64_t option_microseconds(const struct options *options, enum option_id id); /* -1: not set */
uint64_t option_number(const struct options *options, enum option_id id);      /* 0: not set */

/* Reads the number in a text: only decimal digits, 1 to 2^64 - 1. */
bool option_parse_number(const char *text, uint64_t *number);

#endif
