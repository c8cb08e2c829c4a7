/* What was said lately, by the user and to them: what may be corrected or taken back, and how it
 * read before. Only so much is kept; what is older is not known any more. */
#ifndef SAID_H
#define SAID_H

#include "name.h"
#include "zchat.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct said_message {
    zchat_id id;
    char user[NAME_BYTES]; /* the other one */
    bool own;
    bool gone;       /* taken back */
    char *text;      /* owned; as it stands */
    uint64_t number; /* counts from 1, and tells the message for as long as it is kept */
};

struct said {                  /* all zero: nothing */
    struct said_message *list; /* owned; the newest is last */
    size_t count;
    uint64_t last_number;
};

void said_release(struct said *said);
/* Adds a message, unless it is there already. */
void said_add(struct said *said, const zchat_id *id, const char *user, bool own, const char *text);
/* It was not sent after all. */
void said_drop(struct said *said, const zchat_id *id);

/* NULL: not known. The message is borrowed until one is added or dropped. */
struct said_message *said_find(const struct said *said, const zchat_id *id);
struct said_message *said_numbered(const struct said *said, uint64_t number);
/* The last one of the user's own to `user` (NULL: to anybody) that was not taken back; NULL: none.
 */
struct said_message *said_last_own(const struct said *said, const char *user);
void said_set_text(struct said_message *message, const char *text);

/* What the text says that its sender does, "/me waves" that they wave; NULL: it is no such text. */
const char *said_action(const char *text);

#endif
