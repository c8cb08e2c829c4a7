/* The lines that were typed: in memory for the arrow keys and Ctrl-R, and in a file (0600) for the
 * next time. Each account has its own for each broker, so that nobody sends another account's line.
 *
 * A line that was sent to a partner comes back only in the conversation with them: elsewhere Up and
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

/* A history for no account yet. `line` is borrowed. Never NULL. */
struct history *history_new(struct line *line, enum history_extent extent);
void history_free(struct history *history);

/* Whether somebody has logged in to this broker from here before, as far as histories tell. */
bool history_knows(const char *broker);

/* Replaces the present history by that of another account. Returns NULL, or why the history is not
 * kept in a file, as the end of a sentence for people; then what is typed is remembered only for
 * this run. */
const char *history_open(struct history *history, const char *user, const char *broker);
/* The account has logged out: forgets its lines in this program. */
void history_close(struct history *history);
/* Called once a turn: gives the arrow keys the lines of this conversation, or the lines outside of
 * conversations. */
void history_settle(struct history *history, const struct conversation *conversation);

/* Remembers a line that was typed in `conversation`; `plain`: it went to the partner. Does not keep
 * the same line twice in a row, or a line that begins with a space. Returns NULL, or why it is not
 * in the file, as the end of a sentence for people; that is returned only for the first of several
 * such lines. */
const char *history_add(struct history *history, const struct conversation *conversation,
                        bool plain, const char *text, enum history_place place);

#endif
