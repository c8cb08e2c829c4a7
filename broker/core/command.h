/* What a command is to the core: one row beside its functions, in its own file. One dispatcher
 * applies the rows: who may, what it costs, and the functions in their order. A command that needs
 * a password checked or hashed stops between check and run, and goes on when the work comes back.
 * COMMANDS, which the build makes from the schema, is the list of all: a command without a row does
 * not link. */
#ifndef COMMAND_H
#define COMMAND_H

#include "call.h"
#include "commands.h"

enum command_state {
    COMMAND_MEMBER,
    COMMAND_ADMIN,
    COMMAND_ANYBODY,
};

struct command_row {
    enum command_state state; /* who may */
    uint32_t cost;            /* units of the rate budgets */
    bool passive;             /* does not count against the idle timeout */
    bool secret;              /* holds a password */
    /* Brings the command to its one form, and fails the call if it is not valid. Has no other
     * effect. NULL: there is nothing to check. */
    void (*check)(struct call *call);
    /* Begins work elsewhere, passwords to hash for example: the command goes on, or is answered,
     * when that is done. false: none is needed. NULL: none is ever needed. */
    bool (*work)(struct call *call);
    /* The store's operation. If it refuses, the dispatcher fails the call by the rows below, unless
     * the call failed already. NULL: none. */
    enum store_status (*run)(struct call *call);
    const struct refusal *refusals; /* for run, and for what the others ask the store */
    /* Reply and events. */
    void (*done)(struct call *call);
};

#define COMMAND_DECLARE(number, command) extern const struct command_row command##_row;
COMMANDS(COMMAND_DECLARE)
#undef COMMAND_DECLARE

/* The row of a command's field number; NULL: there is none. */
const struct command_row *command_row(int body_case);

/* Carries a command out as far as that goes without waiting. */
void command_dispatch(struct core *core, struct peer *peer, Zchat__V1__Command *command,
                      int64_t now_us);
/* Whether it holds a password. */
bool command_is_secret(const Zchat__V1__Command *command);
/* Answers a command that can't wait for its turn. */
void command_refuse_busy(struct core *core, struct peer *peer, Zchat__V1__Command *command,
                         int64_t now_us);
/* Charges for a frame in which no command can be read: a flat cost, and its bytes. If a budget has
 * too little, the peer owes it the cost. Returns for how many seconds there is too little; 0: there
 * was enough. */
uint32_t command_charge_frame(struct core *core, struct peer *peer, size_t frame_bytes,
                              int64_t now_us);
/* Answers a command that can't be read. */
void command_refuse_faulty(struct core *core, struct peer *peer, Zchat__V1__Command *command,
                           enum wire_fault fault, int64_t now_us);
/* Carries out the rest of a command whose password work came back. `session` is the number of the
 * session that sent it; 0: the peer had none. */
void command_resume(struct core *core, struct peer *peer, uint64_t session,
                    Zchat__V1__Command *command, const struct core_work *work, int64_t now_us);

#endif
