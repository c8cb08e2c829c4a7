/* See turn.h. What waits of a frame is kept as it came. A frame is read as a whole before its first
 * command is carried out, and what waited of it then piece by piece: what a slice is long enough
 * for, not all that is left each time. */
#include "turn.h"

#include "address.h"
#include "command.h"
#include "memory.h"
#include "state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

/* What is read at once of a frame that waited. */
#define PIECE_BYTES (64 * 1024)

/* Whose waiting bytes count together: all sessions of an account; without one all connections of an
 * address. What waits stays theirs, whoever its connection is by then. */
struct waiter_name {
    int64_t account;                 /* 0: nobody's */
    char group[ADDRESS_GROUP_BYTES]; /* of an account: empty */
};

struct waiter {
    struct waiter_name name; /* without gaps: it is the key */
    size_t bytes;
    UT_hash_handle hh;
};

struct waiting_frame {
    struct waiting_frame *next, *prev; /* borrowed: the peer's list */
    struct waiter *waiter;             /* borrowed: the turn's, to whom it counts */
    size_t done;                       /* bytes of it that were carried out */
    size_t bytes;
    bool checked; /* it can be split into commands */
    uint8_t frame[];
};

/* What a waiting frame costs, with what the allocator adds: the empty ones, too. */
static size_t cost_of(size_t frame_bytes) {
    return sizeof(struct waiting_frame) + 2 * sizeof(size_t) + frame_bytes;
}

/* How far a turn is, as a share of each bound. */
struct bounds {
    int64_t us;
    size_t made;
    uint64_t rows;
    size_t bytes;
};

/* How many commands go between two looks at the clock. Those that take long count rows, or are in
 * long frames, of which few commands fit into one. */
#define COMMANDS_A_LOOK 16

static const struct bounds turn_bounds = {TURN_US, TURN_ANSWER_BYTES, TURN_ROWS,
                                          TURN_COMMAND_BYTES};
/* While others wait the second half of a turn is theirs. */
static const struct bounds new_bounds = {TURN_US / 2, TURN_ANSWER_BYTES / 2, TURN_ROWS / 2,
                                         TURN_COMMAND_BYTES / 2};
static const struct bounds slice_bounds = {SLICE_US, SLICE_ANSWER_BYTES, SLICE_ROWS, SIZE_MAX};

static void clock_note(struct core *core) {
    int64_t now_us;

    if (!core->options.clock_us)
        return;
    now_us = core->options.clock_us();
    core->turn.used_us += now_us - core->turn.at_us;
    core->turn.at_us = now_us;
}

static void clock_begin(struct core *core) {
    if (core->options.clock_us)
        core->turn.at_us = core->options.clock_us();
}

static struct bounds turn_used(const struct core *core) {
    return (struct bounds){core->turn.used_us, outbox_made(core->outbox) - core->turn.made,
                           core->turn.rows, core->turn.bytes};
}

static bool is_used_up(const struct core *core, const struct bounds *since,
                       const struct bounds *bounds) {
    struct bounds used = turn_used(core);

    return used.us - since->us >= bounds->us || used.made - since->made >= bounds->made ||
           used.rows - since->rows >= bounds->rows || used.bytes - since->bytes >= bounds->bytes;
}

static bool turn_is_full(const struct core *core) {
    static const struct bounds nothing;

    return is_used_up(core, &nothing, &turn_bounds);
}

void turn_begin_work(struct core *core) {
    clock_begin(core);
}

bool turn_has_room(struct core *core) {
    clock_note(core);
    return !turn_is_full(core);
}

bool turn_is_full_for_new(const struct core *core) {
    static const struct bounds nothing;

    return is_used_up(core, &nothing, core->turn.ring ? &new_bounds : &turn_bounds);
}

/* Only where it can't be split into commands. */
static void count_fault(struct core *core, enum wire_fault fault) {
    uint64_t *counters[WIRE_FAULTS] = {
        [WIRE_TOO_LARGE] = &core->stats.frames_too_large_total,
        [WIRE_TOO_MANY] = &core->stats.frames_too_many_total,
        [WIRE_MALFORMED] = &core->stats.frames_malformed_total,
        [WIRE_UNKNOWN_FIELD] = &core->stats.frames_unknown_field_total,
    };

    ++*counters[fault];
}

/* What can't be read has no number to be answered under. */
static void refuse_unreadable(struct core *core, struct peer *peer, enum wire_fault fault,
                              uint32_t wait_s) {
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__CommandError error = ZCHAT__V1__COMMAND_ERROR__INIT;

    error_fill(&error, wait_s ? REASON(RATE) : REASON(MALFORMED), wire_fault_text(fault), wait_s);
    reply.error = &error;
    outbox_reply(core->outbox, &peer->line, &reply);
}

/* Reads a frame; NULL, and the peer is told, where it can't be split into commands. */
static Zchat__V1__CommandBatch *read_frame(struct core *core, struct peer *peer, const void *frame,
                                           size_t frame_bytes,
                                           enum wire_fault faults[FRAME_COMMANDS_MAX]) {
    Zchat__V1__CommandBatch *batch;
    enum wire_fault fault;

    wire_arena_reset(core->frame_arena);
    fault = wire_read_each_command(core->frame_arena, frame, frame_bytes, &batch, faults);
    if (fault == WIRE_FINE)
        return batch;
    count_fault(core, fault);
    refuse_unreadable(core, peer, fault,
                      command_charge_frame(core, peer, frame_bytes, core->now_us));
    return NULL;
}

static void refuse_faulty(struct core *core, struct peer *peer, Zchat__V1__Command *command,
                          enum wire_fault fault) {
    command_refuse_faulty(core, peer, command, fault, core->now_us);
    if (fault == WIRE_MALFORMED && command->request == 0)
        refuse_unreadable(core, peer, fault, 0);
}

/* Whether the slice that began at `since` ends before the next command. */
static bool slice_ends(const struct core *core, const struct peer *peer,
                       const struct bounds *since) {
    return turn_is_full(core) || is_used_up(core, since, &slice_bounds) ||
           outbox_line_is_full(core->outbox, &peer->line);
}

/* Carries commands out until the slice ends, but one. Returns how many. */
static size_t run_commands(struct core *core, struct peer *peer,
                           const Zchat__V1__CommandBatch *batch, const enum wire_fault *faults) {
    struct bounds since = turn_used(core);
    bool secret = false;
    size_t i;

    for (i = 0; i < batch->n_commands && !core->failed; i++) {
        if (i > 0 && slice_ends(core, peer, &since))
            break;
        secret = command_is_secret(batch->commands[i]) || secret;
        if (faults[i] == WIRE_FINE)
            command_dispatch(core, peer, batch->commands[i], core->now_us);
        else
            refuse_faulty(core, peer, batch->commands[i], faults[i]);
        if (i % 4 == 3 || core->turn.rows > since.rows)
            clock_note(core);
    }
    clock_note(core);
    if (secret)
        wire_arena_wipe(core->frame_arena);
    return i;
}

/* One slice of a frame, which is the rest of another one if it was checked before: at least one
 * command. Returns how many bytes that were; nothing is done of a frame that can't be split. */
static size_t run_frame(struct core *core, struct peer *peer, const uint8_t *frame,
                        size_t frame_bytes, bool checked) {
    size_t bytes =
        checked ? wire_commands_bytes(frame, frame_bytes, SIZE_MAX, PIECE_BYTES) : frame_bytes;
    enum wire_fault faults[FRAME_COMMANDS_MAX];
    Zchat__V1__CommandBatch *batch = read_frame(core, peer, frame, bytes, faults);
    size_t done = batch ? run_commands(core, peer, batch, faults) : 0;

    if (!batch || core->failed)
        return frame_bytes;
    if (batch->n_commands == 0)
        command_charge_frame(core, peer, frame_bytes, core->now_us);
    done = wire_commands_bytes(frame, bytes, done, SIZE_MAX);
    core->turn.bytes += done;
    return done;
}

/* ---- waiting ---- */

static struct peer **list_of(struct core *core, const struct peer *peer) {
    return peer->backlog.stalled ? &core->turn.stalled : &core->turn.ring;
}

static void list_leave(struct core *core, struct peer *peer) {
    DL_DELETE2(*list_of(core, peer), peer, backlog.prev, backlog.next);
}

/* To the end of the list that fits it. */
static void list_join(struct core *core, struct peer *peer) {
    peer->backlog.stalled = outbox_line_is_full(core->outbox, &peer->line);
    peer->backlog.refused = 0;
    if (peer->backlog.stalled && !core->turn.stalled) {
        core->turn.look_after_us = STALL_LOOK_US;
        core->turn.look_us = core->now_us + STALL_LOOK_US;
    }
    DL_APPEND2(*list_of(core, peer), peer, backlog.prev, backlog.next);
}

static struct waiter_name waiter_name(const struct peer *peer) {
    struct waiter_name name;

    memset(&name, 0, sizeof name);
    if (peer->session)
        name.account = peer->session->member->account;
    else
        snprintf(name.group, sizeof name.group, "%s", peer->group);
    return name;
}

/* NULL: nothing waits of them. */
static struct waiter *waiter_find(const struct core *core, const struct peer *peer) {
    struct waiter_name name = waiter_name(peer);
    struct waiter *waiter;

    HASH_FIND(hh, core->turn.waiters, &name, sizeof name, waiter);
    return waiter;
}

static struct waiter *waiter_make(struct core *core, const struct peer *peer) {
    struct waiter *waiter = waiter_find(core, peer);

    if (waiter)
        return waiter;
    waiter = memory_new(sizeof *waiter);
    waiter->name = waiter_name(peer);
    HASH_ADD(hh, core->turn.waiters, name, sizeof waiter->name, waiter);
    return waiter;
}

static void waiter_take_out(struct core *core, struct waiter *waiter, size_t bytes) {
    waiter->bytes -= bytes;
    if (waiter->bytes > 0)
        return;
    HASH_DEL(core->turn.waiters, waiter);
    free(waiter);
}

static void frame_drop(struct core *core, struct peer *peer, struct waiting_frame *frame) {
    DL_DELETE(peer->backlog.frames, frame);
    peer->backlog.bytes -= cost_of(frame->bytes);
    waiter_take_out(core, frame->waiter, cost_of(frame->bytes));
    core->turn.waiting_bytes -= cost_of(frame->bytes);
    core->stats.commands_waiting_bytes = core->turn.waiting_bytes;
    memory_wipe(frame->frame, frame->bytes);
    free(frame);
}

/* Whether there is room for one more waiting frame. */
static bool may_wait(const struct core *core, const struct peer *peer, size_t frame_bytes) {
    bool much = core->turn.waiting_bytes > WAITING_BYTES_ALL_MAX / 2;
    size_t most = much ? WAITING_BYTES_MAX / 4 : WAITING_BYTES_MAX;
    size_t cost = cost_of(frame_bytes);
    const struct waiter *waiter = waiter_find(core, peer);

    if (peer->backlog.stalled && peer->backlog.bytes + cost > WAITING_STALLED_BYTES_MAX)
        return false;
    return (waiter ? waiter->bytes : 0) + cost <= most &&
           core->turn.waiting_bytes + cost <= WAITING_BYTES_ALL_MAX;
}

/* Answers a frame's commands, or what is left of them: it can't wait, and later it can. */
static void refuse_rest(struct core *core, struct peer *peer, const void *frame,
                        size_t frame_bytes) {
    enum wire_fault faults[FRAME_COMMANDS_MAX];
    Zchat__V1__CommandBatch *batch = read_frame(core, peer, frame, frame_bytes, faults);

    for (size_t i = 0; batch && i < batch->n_commands; i++)
        command_refuse_busy(core, peer, batch->commands[i], core->now_us);
    if (batch && peer->backlog.stalled)
        peer->backlog.refused += (uint32_t)batch->n_commands;
    if (peer->backlog.refused > WAITING_REFUSED_MAX)
        outbox_line_give_up(core->outbox, &peer->line);
    wire_arena_wipe(core->frame_arena);
}

static void wait_frame(struct core *core, struct peer *peer, const void *frame, size_t frame_bytes,
                       bool checked) {
    struct waiting_frame *waiting;

    if (frame_bytes > FRAME_BYTES_MAX || !may_wait(core, peer, frame_bytes)) {
        refuse_rest(core, peer, frame, frame_bytes);
        return;
    }
    waiting = memory_new(sizeof *waiting + frame_bytes);
    waiting->checked = checked;
    waiting->bytes = frame_bytes;
    memcpy(waiting->frame, frame, frame_bytes);
    if (!peer->backlog.frames)
        list_join(core, peer);
    DL_APPEND(peer->backlog.frames, waiting);
    waiting->waiter = waiter_make(core, peer);
    waiting->waiter->bytes += cost_of(frame_bytes);
    peer->backlog.bytes += cost_of(frame_bytes);
    core->turn.waiting_bytes += cost_of(frame_bytes);
    core->stats.commands_waiting_bytes = core->turn.waiting_bytes;
    core->stats.frames_waited_total++;
}

void turn_take(struct core *core, struct peer *peer, const void *frame, size_t frame_bytes) {
    size_t done;

    if (peer->backlog.frames || turn_is_full_for_new(core) ||
        outbox_line_is_full(core->outbox, &peer->line)) {
        wait_frame(core, peer, frame, frame_bytes, false);
        return;
    }
    clock_begin(core);
    done = run_frame(core, peer, frame, frame_bytes, false);
    if (done < frame_bytes)
        wait_frame(core, peer, (const uint8_t *)frame + done, frame_bytes - done, true);
}

/* Those of the stalled ones that have read go on. */
static void look_at_stalled(struct core *core) {
    struct peer *peer, *next;
    bool any = false;

    if (!core->turn.stalled || core->now_us < core->turn.look_us)
        return;
    DL_FOREACH_SAFE2(core->turn.stalled, peer, next, backlog.next) {
        if (outbox_line_is_full(core->outbox, &peer->line))
            continue;
        list_leave(core, peer);
        list_join(core, peer);
        any = true;
    }
    core->turn.look_after_us = any ? STALL_LOOK_US : 2 * core->turn.look_after_us;
    if (core->turn.look_after_us > STALL_LOOK_MAX_US)
        core->turn.look_after_us = STALL_LOOK_MAX_US;
    core->turn.look_us = core->now_us + core->turn.look_after_us;
}

static void go_on(struct core *core, struct peer *peer) {
    struct waiting_frame *waiting = peer->backlog.frames;

    list_leave(core, peer);
    if (!outbox_line_is_full(core->outbox, &peer->line)) {
        waiting->done += run_frame(core, peer, waiting->frame + waiting->done,
                                   waiting->bytes - waiting->done, waiting->checked);
        waiting->checked = true;
        if (waiting->done >= waiting->bytes)
            frame_drop(core, peer, waiting);
    }
    if (peer->backlog.frames)
        list_join(core, peer);
}

void turn_go_on(struct core *core) {
    look_at_stalled(core);
    if (!core->turn.ring)
        return;
    clock_begin(core);
    while (core->turn.ring && !turn_is_full(core) && core_begin(core))
        go_on(core, core->turn.ring);
}

void turn_end(struct core *core) {
    core->turn.used_us = 0;
    core->turn.rows = 0;
    core->turn.bytes = 0;
    core->turn.made = outbox_made(core->outbox);
}

void turn_forget(struct core *core, struct peer *peer) {
    struct waiting_frame *waiting, *next;

    if (!peer->backlog.frames)
        return;
    list_leave(core, peer);
    DL_FOREACH_SAFE(peer->backlog.frames, waiting, next) {
        frame_drop(core, peer, waiting);
    }
}

int64_t turn_deadline(const struct core *core) {
    if (core->turn.ring && !turn_is_full(core))
        return 0;
    return core->turn.stalled ? core->turn.look_us : INT64_MAX;
}
