/* The table of commands and the one dispatcher that applies it: who may, what it costs, and the
 * three functions of a command. A command that needs a password checked or hashed stops between
 * check and run, and goes on when the work comes back. */
#ifndef COMMAND_H
#define COMMAND_H

#include "state.h"

enum command_state {
    COMMAND_ANYBODY,
    COMMAND_MEMBER,
    COMMAND_ADMIN,
};

struct command_row {
    const char *name; /* the field of Command.body */
    enum command_state state;
    uint32_t cost;                    /* units of the rate budgets */
    bool activity;                    /* counts against the idle timeout */
    void (*check)(struct call *call); /* no effects but a fault; NULL: nothing to check */
    bool (*work)(struct call *call);  /* NULL, or: queues password work; false: none is needed */
    void (*run)(struct call *call);   /* the store's operation; NULL: none */
    void (*done)(struct call *call);  /* reply and events */
};

/* The row of a command's field number; NULL: there is none. */
const struct command_row *command_row(int body_case);

/* A refusal as the schema has it; the text is borrowed. */
void error_fill(Zchat__V1__CommandError *error, Zchat__V1__Reason reason, const char *text,
                uint32_t retry_after_s);

/* Takes a command as far as it goes without waiting. */
void command_dispatch(struct core *core, struct peer *peer, Zchat__V1__Command *command,
                      int64_t now_us);
/* Whether it holds a password. */
bool command_is_secret(const Zchat__V1__Command *command);
/* Answers a command that can't wait for its turn. */
void command_refuse_busy(struct core *core, struct peer *peer, Zchat__V1__Command *command,
                         int64_t now_us);
/* Charges for a frame without a command that can be read: a flat cost, and its bytes. Returns how
 * many seconds there is too little for it, which is owed then. */
uint32_t command_charge_frame(struct core *core, struct peer *peer, size_t frame_bytes,
                              int64_t now_us);
/* Answers a command that can't be read. */
void command_refuse_faulty(struct core *core, struct peer *peer, Zchat__V1__Command *command,
                           enum wire_fault fault, int64_t now_us);
/* The rest of a command whose password work came back. `session` is the number of the one that gave
 * it; 0: it came from nobody. */
void command_resume(struct core *core, struct peer *peer, uint64_t session,
                    Zchat__V1__Command *command, const struct core_work *work, int64_t now_us);

#endif
