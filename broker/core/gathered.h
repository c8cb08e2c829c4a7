/* News of who came and went, on their way to everybody. They are numbered and kept by their topic
 * when they happen; told they are together: the first after GATHER_US of silence (more where many
 * are told) at once, what follows GATHER_US after that. Whatever else goes to a session takes
 * along, in front of it, what the session was not told yet, so nothing overtakes them. What a block
 * forbids somebody to see waits here as well, and is told to each of the others. */
#ifndef GATHERED_H
#define GATHERED_H

#include "wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct core;
struct gathered_event;
struct member;
struct outbox_line;
struct session;

/* Events are counted: `last` is the newest one's number, those before it follow each other. */
struct gathered {
    struct gathered_event *events; /* owned: GATHERED_MAX of them */
    uint8_t *bytes;                /* owned: theirs, one behind the other */
    size_t length;
    size_t capacity;
    size_t count;
    uint64_t last;        /* 0: there never was one */
    uint64_t last_hidden; /* the newest that only some may see; 0: there never was one */
    uint64_t walked;      /* all have these, or will once the walk is over */
    int64_t told_us;      /* when the last walk began */
    int64_t walk_us;      /* when it goes on; INT64_MAX: none is under way */
};

void gathered_init(struct gathered *gathered);
void gathered_release(struct gathered *gathered);

/* Numbers the event, and keeps it until it is told. */
void gathered_add(struct core *core, Zchat__V1__Event *event, int64_t about);
/* The session is told what comes from now on, until it ends. */
void gathered_join(struct core *core, struct session *session);
/* Tells the member's sessions what they were not told yet. NULL: nobody. */
void gathered_catch_up(struct core *core, struct member *member);
/* The outbox's: `arg` is the core. */
void gathered_catch_up_line(void *arg, struct outbox_line *line);
/* Publishes what was not published yet. */
void gathered_publish(struct core *core);
/* Tells everybody at once, and no session anything from then on: all are about to end. */
void gathered_end(struct core *core);

int64_t gathered_deadline(const struct core *core);
void gathered_tick(struct core *core, int64_t now_us);

#endif
