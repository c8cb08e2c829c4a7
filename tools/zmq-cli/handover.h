/* Hands messages or events to the command of --exec, one after the other, and acknowledges each one
 * when its command has accepted it.
 *
 * The acknowledgement goes over a connection of its own and is waited for: the receiving connection
 * is inside its callback meanwhile and must not go on, or everything unread would pile up in memory
 * behind a slow command. */
#ifndef HANDOVER_H
#define HANDOVER_H

#include "call.h"
#include "child.h"

struct handover {
    const char *command; /* borrowed: from the options; NULL: there is none */
    bool patient;        /* waits for a broker that is away, however long */
    bool bounded;        /* its call's limit bounds it, commands included: --timeout was given */
    struct call call;    /* of the acknowledgements */
};

void handover_init(struct handover *handover, const struct call *call, bool patient);
void handover_release(struct handover *handover);

/* Connects and logs in, before there is a message. */
enum status handover_open(struct handover *handover);

/* What the command gets. */
struct handover_item {
    char *line;        /* owned; on its stdin; NULL: there was no memory for it */
    const char *stays; /* what stays unread if it fails, as in "entry 7"; "": nothing does */
    const struct child_variable *variables; /* borrowed, as are those of the next */
    size_t variable_count;
};

/* Runs the command, and frees the line. STATUS_DONE: it exited with 0. */
enum status handover_run(struct handover *handover, const struct handover_item *item);

/* Acknowledges up to `seq` in the thread, or (NULL) the inbox; STATUS_DONE: the broker has it, or
 * the thread is no longer followed. */
enum status handover_ack(struct handover *handover, const zchat_id *thread, uint64_t seq);

#endif
