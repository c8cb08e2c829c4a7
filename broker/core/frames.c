/* See frames.h. What waits of a frame is kept as it came. A frame is read as a whole before its
 * first command is carried out. What waited of it is read again in pieces: each time as much as a
 * slice has time for, not all that is left. */
#include "frames.h"

#include "command.h"
#include "limit.h"
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

/* How much is read at once of a frame that waited. */
#define PIECE_BYTES (64 * 1024)

/* Whose waiting bytes count together: those of all sessions of an account; without an account,
 * those of all connections of an address. They stay counted there, even if their connection has
 * logged in or out since. */
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
    struct waiter *waiter;             /* borrowed: the one for whom it counts */
    size_t done;                       /* bytes of it that were carried out */
    size_t bytes;
    bool checked; /* it can be split into commands */
    uint8_t frame[];
};

struct frames {
    struct peer *ring;      /* borrowed: peers whose commands wait for time */
    struct peer *stalled;   /* borrowed: peers whose commands wait until they have read */
    size_t bytes;           /* of everything that waits */
    struct waiter *waiters; /* owned: whose they are, by account or address */
    int64_t look_us;        /* when the stalled ones are next looked at */
    int64_t look_after_us;  /* grows while none of them reads */
};

struct frames *frames_new(void) {
    return memory_new(sizeof(struct frames));
}

void frames_free(struct frames *frames) {
    free(frames);
}

/* The memory that a waiting frame costs, with what the allocator adds: an empty frame costs,
 * too. */
static size_t cost_of(size_t frame_bytes) {
    return sizeof(struct waiting_frame) + 2 * sizeof(size_t) + frame_bytes;
}

/* Called only for a frame that can't be split into commands. */
static void count_fault(struct core *core, enum wire_fault fault) {
    uint64_t *counters[WIRE_FAULTS] = {
        [WIRE_TOO_LARGE] = &core->stats.frames_too_large_total,
        [WIRE_TOO_MANY] = &core->stats.frames_too_many_total,
        [WIRE_MALFORMED] = &core->stats.frames_malformed_total,
        [WIRE_UNKNOWN_FIELD] = &core->stats.frames_unknown_field_total,
    };

    ++*counters[fault];
}

/* A command that can't be read has no number, so the reply has none. */
static void refuse_unreadable(struct core *core, struct peer *peer, enum wire_fault fault,
                              uint32_t wait_s) {
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__CommandError error = ZCHAT__V1__COMMAND_ERROR__INIT;

    error_fill(&error, wait_s ? REASON(RATE) : REASON(MALFORMED), wire_fault_text(fault), wait_s);
    reply.error = &error;
    outbox_reply(core->outbox, &peer->line, &reply);
}

/* Reads a frame. NULL: it can't be split into commands, and the peer was told. */
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
                       const struct turn_use *since) {
    return turn_slice_is_full(&core->turn, since) || outbox_line_is_full(core->outbox, &peer->line);
}

/* Carries commands out until the slice ends, but at least one. Returns how many. */
static size_t run_commands(struct core *core, struct peer *peer,
                           const Zchat__V1__CommandBatch *batch, const enum wire_fault *faults) {
    struct turn_use since = turn_used(&core->turn);
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
            turn_note_work(&core->turn);
    }
    turn_note_work(&core->turn);
    if (secret)
        wire_arena_wipe(core->frame_arena);
    return i;
}

/* Carries out one slice of a frame, at least one command. If `checked`, the frame is the rest of
 * one that was checked before. Returns how many bytes were carried out; nothing is done of a frame
 * that can't be split. */
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
    return peer->backlog.stalled ? &core->frames->stalled : &core->frames->ring;
}

static void list_leave(struct core *core, struct peer *peer) {
    DL_DELETE2(*list_of(core, peer), peer, backlog.prev, backlog.next);
}

/* Adds the peer to the end of the list in which it belongs. */
static void list_join(struct core *core, struct peer *peer) {
    peer->backlog.stalled = outbox_line_is_full(core->outbox, &peer->line);
    peer->backlog.refused = 0;
    if (peer->backlog.stalled && !core->frames->stalled) {
        core->frames->look_after_us = STALL_LOOK_US;
        core->frames->look_us = core->now_us + STALL_LOOK_US;
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

/* NULL: nothing of theirs waits. */
static struct waiter *waiter_find(const struct core *core, const struct peer *peer) {
    struct waiter_name name = waiter_name(peer);
    struct waiter *waiter;

    HASH_FIND(hh, core->frames->waiters, &name, sizeof name, waiter);
    return waiter;
}

static struct waiter *waiter_make(struct core *core, const struct peer *peer) {
    struct waiter *waiter = waiter_find(core, peer);

    if (waiter)
        return waiter;
    waiter = memory_new(sizeof *waiter);
    waiter->name = waiter_name(peer);
    HASH_ADD(hh, core->frames->waiters, name, sizeof waiter->name, waiter);
    return waiter;
}

static void waiter_take_out(struct core *core, struct waiter *waiter, size_t bytes) {
    waiter->bytes -= bytes;
    if (waiter->bytes > 0)
        return;
    HASH_DEL(core->frames->waiters, waiter);
    free(waiter);
}

static void frame_drop(struct core *core, struct peer *peer, struct waiting_frame *frame) {
    DL_DELETE(peer->backlog.frames, frame);
    peer->backlog.bytes -= cost_of(frame->bytes);
    waiter_take_out(core, frame->waiter, cost_of(frame->bytes));
    core->frames->bytes -= cost_of(frame->bytes);
    core->stats.commands_waiting_bytes = core->frames->bytes;
    memory_wipe(frame->frame, frame->bytes);
    free(frame);
}

/* Whether there is room for one more waiting frame. */
static bool may_wait(const struct core *core, const struct peer *peer, size_t frame_bytes) {
    bool much = core->frames->bytes > WAITING_BYTES_ALL_MAX / 2;
    size_t most = much ? WAITING_BYTES_MAX / 4 : WAITING_BYTES_MAX;
    size_t cost = cost_of(frame_bytes);
    const struct waiter *waiter = waiter_find(core, peer);

    if (peer->backlog.stalled && peer->backlog.bytes + cost > WAITING_STALLED_BYTES_MAX)
        return false;
    return (waiter ? waiter->bytes : 0) + cost <= most &&
           core->frames->bytes + cost <= WAITING_BYTES_ALL_MAX;
}

/* Refuses a frame's commands, or what is left of them, as busy: the frame can't wait now, but could
 * later. */
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
    core->frames->bytes += cost_of(frame_bytes);
    core->stats.commands_waiting_bytes = core->frames->bytes;
    core->stats.frames_waited_total++;
}

bool frames_wait(const struct core *core) {
    return core->frames->ring != NULL;
}

bool frames_are_full(const struct core *core) {
    return turn_is_full_for_new(&core->turn, frames_wait(core));
}

void frames_take(struct core *core, struct peer *peer, const void *frame, size_t frame_bytes) {
    size_t done;

    if (peer->backlog.frames || frames_are_full(core) ||
        outbox_line_is_full(core->outbox, &peer->line)) {
        wait_frame(core, peer, frame, frame_bytes, false);
        return;
    }
    turn_begin_work(&core->turn);
    done = run_frame(core, peer, frame, frame_bytes, false);
    if (done < frame_bytes)
        wait_frame(core, peer, (const uint8_t *)frame + done, frame_bytes - done, true);
}

/* Stalled peers that have read their answers go on. */
static void look_at_stalled(struct core *core) {
    struct peer *peer, *next;
    bool any = false;

    if (!core->frames->stalled || core->now_us < core->frames->look_us)
        return;
    DL_FOREACH_SAFE2(core->frames->stalled, peer, next, backlog.next) {
        if (outbox_line_is_full(core->outbox, &peer->line))
            continue;
        list_leave(core, peer);
        list_join(core, peer);
        any = true;
    }
    core->frames->look_after_us = any ? STALL_LOOK_US : 2 * core->frames->look_after_us;
    if (core->frames->look_after_us > STALL_LOOK_MAX_US)
        core->frames->look_after_us = STALL_LOOK_MAX_US;
    core->frames->look_us = core->now_us + core->frames->look_after_us;
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

void frames_go_on(struct core *core) {
    look_at_stalled(core);
    if (!core->frames->ring)
        return;
    turn_begin_work(&core->turn);
    while (core->frames->ring && !turn_is_full(&core->turn) && core_begin(core))
        go_on(core, core->frames->ring);
}

void frames_forget(struct core *core, struct peer *peer) {
    struct waiting_frame *waiting, *next;

    if (!peer->backlog.frames)
        return;
    list_leave(core, peer);
    DL_FOREACH_SAFE(peer->backlog.frames, waiting, next) {
        frame_drop(core, peer, waiting);
    }
}

int64_t frames_deadline(const struct core *core) {
    if (core->frames->ring && !turn_is_full(&core->turn))
        return 0;
    return core->frames->stalled ? core->frames->look_us : INT64_MAX;
}
