/* See turn.h. */
#include "turn.h"

#include <string.h>

static const struct turn_use turn_bounds = {TURN_US, TURN_ANSWER_BYTES, TURN_ROWS,
                                            TURN_COMMAND_BYTES};
/* While others wait, the second half of a turn is for them. */
static const struct turn_use new_bounds = {TURN_US / 2, TURN_ANSWER_BYTES / 2, TURN_ROWS / 2,
                                           TURN_COMMAND_BYTES / 2};
static const struct turn_use slice_bounds = {SLICE_US, SLICE_ANSWER_BYTES, SLICE_ROWS, SIZE_MAX};

void turn_init(struct turn *turn, const struct core_options *options, const struct outbox *outbox) {
    memset(turn, 0, sizeof *turn);
    turn->options = options;
    turn->outbox = outbox;
}

void turn_end(struct turn *turn) {
    turn->used_us = 0;
    turn->rows = 0;
    turn->bytes = 0;
    turn->made = outbox_made(turn->outbox);
}

void turn_begin_work(struct turn *turn) {
    if (turn->options->clock_us)
        turn->at_us = turn->options->clock_us();
}

void turn_note_work(struct turn *turn) {
    int64_t now_us;

    if (!turn->options->clock_us)
        return;
    now_us = turn->options->clock_us();
    turn->used_us += now_us - turn->at_us;
    turn->at_us = now_us;
}

bool turn_has_room(struct turn *turn) {
    turn_note_work(turn);
    return !turn_is_full(turn);
}

struct turn_use turn_used(const struct turn *turn) {
    return (struct turn_use){turn->used_us, outbox_made(turn->outbox) - turn->made, turn->rows,
                             turn->bytes};
}

static bool is_used_up(const struct turn_use *used, const struct turn_use *since,
                       const struct turn_use *bounds) {
    return used->us - since->us >= bounds->us || used->made - since->made >= bounds->made ||
           used->rows - since->rows >= bounds->rows || used->bytes - since->bytes >= bounds->bytes;
}

static bool is_full(const struct turn_use *used, const struct turn_use *bounds) {
    static const struct turn_use nothing;

    return is_used_up(used, &nothing, bounds);
}

bool turn_is_full(const struct turn *turn) {
    struct turn_use used = turn_used(turn);

    return is_full(&used, &turn_bounds);
}

bool turn_is_full_for_new(const struct turn *turn, bool others_wait) {
    struct turn_use used = turn_used(turn);

    return is_full(&used, others_wait ? &new_bounds : &turn_bounds);
}

bool turn_slice_is_full(const struct turn *turn, const struct turn_use *since) {
    struct turn_use used = turn_used(turn);

    return is_full(&used, &turn_bounds) || is_used_up(&used, since, &slice_bounds);
}
