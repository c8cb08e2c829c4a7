/* Commands that wait for a password to be checked or hashed, which takes long and is done
 * elsewhere. The queue is bounded, each address has a budget in it, and of one name no more
 * attempts are under way than it has left before it is locked: parallel guesses don't get around
 * the lock. A command waits as its packed bytes; they and the passwords are wiped when it is
 * answered. */
#include "command.h"
#include "handlers.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct attempt {
    struct attempt *prev;
    struct attempt *next;
    uint64_t peer;         /* number of who asked; it may have left */
    uint64_t session;      /* number of the one that asked; 0: anonymous */
    char name[NAME_BYTES]; /* whose failures count; "": nobody's */
    uint8_t *frame;        /* owned, wiped: the command, alone in a batch */
    size_t frame_bytes;
    struct core_work *work; /* owned, until it is handed out */
    uint64_t number;
    bool under_way;
};

struct passwords {
    struct attempt *attempts; /* owned, in order */
    size_t count;
    uint32_t under_way;
    uint64_t number; /* the last one given */
};

struct passwords *passwords_new(void) {
    return memory_new(sizeof(struct passwords));
}

static void work_free(struct core_work *work) {
    if (!work)
        return;
    memory_wipe_text(work->password);
    memory_wipe_text(work->new_password);
    free(work);
}

static void wipe(void *memory, size_t bytes) {
    volatile unsigned char *byte = memory;

    while (bytes-- > 0)
        *byte++ = 0;
}

static void attempt_free(struct passwords *passwords, struct attempt *attempt) {
    DL_DELETE(passwords->attempts, attempt);
    passwords->count--;
    if (attempt->under_way)
        passwords->under_way--;
    wipe(attempt->frame, attempt->frame_bytes);
    free(attempt->frame);
    work_free(attempt->work);
    free(attempt);
}

void passwords_free(struct passwords *passwords) {
    struct attempt *attempt, *next;

    if (!passwords)
        return;
    DL_FOREACH_SAFE(passwords->attempts, attempt, next) {
        attempt_free(passwords, attempt);
    }
    free(passwords);
}

size_t passwords_waiting(const struct passwords *passwords) {
    return passwords->count;
}

static struct core_work *work_new(const char *hash, const char *password,
                                  const char *new_password) {
    struct core_work *work = memory_new(sizeof *work);

    if (hash) {
        work->verify = true;
        strncpy(work->hash, hash, sizeof work->hash - 1);
    }
    work->password = memory_copy_text(password ? password : "");
    if (new_password)
        work->new_password = memory_copy_text(new_password);
    return work;
}

void passwords_queue(struct call *call, const char *name, const char *hash, const char *password,
                     const char *new_password) {
    struct passwords *passwords = call->core->passwords;
    struct attempt *attempt;
    uint32_t wait_s = 1;

    if (passwords->count >= PASSWORD_QUEUE_MAX ||
        !limit_take(call->core->limits, call->peer->password_budget, 1, call->now_us, &wait_s)) {
        call->core->stats.commands_busy_total++;
        call_fail_later(call, ZCHAT__V1__CODE__CODE_BUSY, wait_s,
                        "too many passwords are being checked: try again in %u s",
                        (unsigned)wait_s);
        return;
    }
    attempt = memory_new(sizeof *attempt);
    attempt->peer = call->peer->number;
    attempt->session = call->session ? call->session->number : 0;
    attempt->number = ++passwords->number;
    if (name)
        strcpy(attempt->name, name);
    attempt->frame_bytes = wire_element_size(&call->command->base);
    attempt->frame = memory_new(attempt->frame_bytes);
    wire_element_pack(WIRE_COMMANDS, &call->command->base, attempt->frame);
    attempt->work = work_new(hash, password, new_password);
    attempt->work->number = attempt->number;
    DL_APPEND(passwords->attempts, attempt);
    passwords->count++;
}

static uint32_t attempts_under_way(const struct passwords *passwords, const char *name) {
    const struct attempt *attempt;
    uint32_t count = 0;

    DL_FOREACH(passwords->attempts, attempt) {
        if (attempt->under_way && !strcmp(attempt->name, name))
            count++;
    }
    return count;
}

/* Whether the name has a guess left that is not under way. Locked ones may go: they are refused
 * when they come back. */
static bool attempt_may_start(struct core *core, const struct attempt *attempt, int64_t now_us) {
    uint32_t failures = 0;
    int64_t locked_until_us = 0;

    if (attempt->name[0] == '\0')
        return true;
    if (core_store(core, store_login_state(core->store, attempt->name, now_us, &failures,
                                           &locked_until_us)))
        return false;
    return locked_until_us > now_us ||
           failures + attempts_under_way(core->passwords, attempt->name) < LOGIN_FAILURES_MAX;
}

struct core_work *passwords_next(struct core *core, int64_t now_us) {
    struct passwords *passwords = core->passwords;
    struct attempt *attempt;

    if (passwords->under_way >= core->options.password_workers)
        return NULL;
    DL_FOREACH(passwords->attempts, attempt) {
        if (!attempt->under_way && attempt_may_start(core, attempt, now_us)) {
            struct core_work *work = attempt->work;

            attempt->under_way = true;
            attempt->work = NULL;
            passwords->under_way++;
            return work;
        }
    }
    return NULL;
}

void passwords_done(struct core *core, struct core_work *work, int64_t now_us) {
    Zchat__V1__CommandBatch *batch;
    struct attempt *attempt = NULL;
    struct peer *peer = NULL;

    DL_SEARCH_SCALAR(core->passwords->attempts, attempt, number, work->number);
    if (attempt)
        HASH_FIND(hh, core->peers, &attempt->peer, sizeof attempt->peer, peer);
    if (peer) {
        wire_arena_reset(core->frame_arena);
        if (wire_read_commands(core->frame_arena, attempt->frame, attempt->frame_bytes, &batch) ==
            WIRE_FINE)
            command_resume(core, peer, attempt->session, batch->commands[0], work, now_us);
    }
    if (attempt)
        attempt_free(core->passwords, attempt);
    work_free(work);
}
