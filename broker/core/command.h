/* What a command is to the core: one row beside its functions, in its own file. One dispatcher
 * applies the rows: who may, what it costs, and the functions in their order. A command that needs
 * a password checked or hashed stops between check and run, and goes on when the work comes back.
 * COMMANDS is the list of all. */
#ifndef COMMAND_H
#define COMMAND_H

#include "call.h"

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
    /* Brings the command to its one form, and fails the call where it is not valid. No other
     * effect; NULL: there is nothing to check. */
    void (*check)(struct call *call);
    /* Queues password work; false: none is needed. NULL: it never is. */
    bool (*work)(struct call *call);
    /* The store's operation, whose status the dispatcher refuses by the rows below, unless the call
     * failed already. NULL: none. */
    enum store_status (*run)(struct call *call);
    const struct refusal *refusals; /* of run, and of what the others ask of the store */
    /* Reply and events. */
    void (*done)(struct call *call);
};

/* The field of Command.body, and the name of the row. */
#define COMMANDS(COMMAND)                                                                          \
    COMMAND(LOGIN, login)                                                                          \
    COMMAND(LOGOUT, logout)                                                                        \
    COMMAND(REGISTER_ACCOUNT, register_account)                                                    \
    COMMAND(CHANGE_PASSWORD, change_password)                                                      \
    COMMAND(LIST_DEVICES, list_devices)                                                            \
    COMMAND(REVOKE_DEVICE, revoke_device)                                                          \
    COMMAND(SEND_MESSAGE, send_message)                                                            \
    COMMAND(BROADCAST, broadcast)                                                                  \
    COMMAND(WHO, who)                                                                              \
    COMMAND(SINCE, since)                                                                          \
    COMMAND(BLOCK_USER, block_user)                                                                \
    COMMAND(UNBLOCK_USER, unblock_user)                                                            \
    COMMAND(LIST_BLOCKED, list_blocked)                                                            \
    COMMAND(SYNC, sync)                                                                            \
    COMMAND(ACK, ack)                                                                              \
    COMMAND(PING, ping)                                                                            \
    COMMAND(KEEP_ALIVE, keep_alive)                                                                \
    COMMAND(GET_STATS, get_stats)                                                                  \
    COMMAND(SHUTDOWN, shutdown)                                                                    \
    COMMAND(CREATE_THREAD, create_thread)                                                          \
    COMMAND(LIST_THREADS, list_threads)                                                            \
    COMMAND(POST_TO_THREAD, post_to_thread)                                                        \
    COMMAND(READ_THREAD, read_thread)                                                              \
    COMMAND(EDIT_POST, edit_post)                                                                  \
    COMMAND(DELETE_POST, delete_post)                                                              \
    COMMAND(REMOVE_THREAD, remove_thread)                                                          \
    COMMAND(FOLLOW_THREAD, follow_thread)                                                          \
    COMMAND(UNFOLLOW_THREAD, unfollow_thread)                                                      \
    COMMAND(LIST_FOLLOWED, list_followed)                                                          \
    COMMAND(BEGIN_UPLOAD, begin_upload)                                                            \
    COMMAND(PUT_CHUNK, put_chunk)                                                                  \
    COMMAND(CANCEL_UPLOAD, cancel_upload)                                                          \
    COMMAND(GET_CHUNK, get_chunk)                                                                  \
    COMMAND(LIST_FILES, list_files)                                                                \
    COMMAND(INVITE_PRIVATE, invite_private)                                                        \
    COMMAND(ANSWER_PRIVATE, answer_private)                                                        \
    COMMAND(OPEN_PRIVATE, open_private)                                                            \
    COMMAND(CLOSE_PRIVATE, close_private)                                                          \
    COMMAND(ACTIVE, active)

#define COMMAND_DECLARE(number, command) extern const struct command_row command##_row;
COMMANDS(COMMAND_DECLARE)
#undef COMMAND_DECLARE

/* The row of a command's field number; NULL: there is none. */
const struct command_row *command_row(int body_case);

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
