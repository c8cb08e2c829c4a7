/* The lines that were typed: in memory for the arrow keys and Ctrl-R, and in a file (0600) for the
 * next time. Each account has its own at each broker, so that nobody sends another one's line.
 *
 * A line that was said to a partner comes back only in the conversation with them: elsewhere Up and
 * Enter would send it to somebody else. */
#ifndef HISTORY_H
#define HISTORY_H

#include <stdbool.h>

struct conversation;
struct history;
struct line;

/* Where a line may be kept. */
enum history_place {
    HISTORY_NOWHERE,
    HISTORY_IN_MEMORY,
    HISTORY_IN_PRIVATE, /* in memory; in the file only if the user asked for that */
    HISTORY_IN_FILE
};

/* What the user wants in the file. */
enum history_extent { HISTORY_NOTHING, HISTORY_PUBLIC, HISTORY_ALL };

/* Nobody's yet. `line` is borrowed. Never NULL. */
struct history *history_new(struct line *line, enum history_extent extent);
void history_free(struct history *history);

/* Another account's history takes the place of this one's. NULL, or why it is not kept in a file:
 * the end of a sentence for people; what is typed is remembered for this run then. */
const char *history_open(struct history *history, const char *user, const char *broker);
/* The account has left: its lines are forgotten here. */
void history_close(struct history *history);
/* Once a turn: the arrow keys get the lines of this conversation, or those of none. */
void history_settle(struct history *history, const struct conversation *conversation);

/* Remembers a line that was typed in `conversation`; `plain`: it went to the partner. Not twice in
 * a row, and not one that begins with a space. */
void history_add(struct history *history, const struct conversation *conversation, bool plain,
                 const char *text, enum history_place place);

#endif
