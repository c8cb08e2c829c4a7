/* See outbox.h. Replies and events are packed into frames as they come, so that no turn holds them
 * unpacked. Frames are handed out in the order in which they were begun, once their turn is
 * sealed. */
#include "outbox.h"

#include "memory.h"
#include "pack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* The most that is held for one peer: one of the largest frames, and what came before it. Who reads
 * nothing loses what is beyond that, and with it the connection. */
#define HELD_BYTES_MAX (FRAME_BYTES_MAX + LINE_FULL_BYTES)
/* How long until full pipes are tried again: ZeroMQ does not tell which peer of a ROUTER has room.
 * The time doubles while none of them takes anything. */
#define RETRY_US          (5 * 1000)
#define RETRY_MAX_US      (100 * 1000)
#define FRAME_BYTES_FIRST 256
/* The most memory that a frame may get at first because the frame before it was as long. */
#define FRAME_BYTES_FIRST_MAX 8192
/* Holds nearly all replies and events; a page of history needs more. */
#define PACKED_BYTES_FIRST 4096
/* How many frames without bytes are kept for later use. */
#define SPARE_FRAMES_MAX 1024
#define TRIM_BYTES       (64 * 1024)

struct outbox_frame {
    struct outbox_frame *next;  /* borrowed: the list's */
    struct outbox_frame *prev;  /* borrowed: the list's */
    struct outbox_line *line;   /* borrowed: for whom; NULL: for the event socket */
    struct outbox_frame **open; /* borrowed: the pointer to this frame while it grows */
    uint8_t *bytes;             /* owned */
    size_t length;
    size_t capacity;
};

struct outbox {
    struct outbox_frame *frames; /* owned, in order: of this turn */
    struct outbox_frame *sealed; /* owned, in order: of earlier turns */
    struct outbox_frame *spare;  /* owned: without bytes, linked by next */
    size_t spare_count;
    uint8_t *packed; /* owned: the last element is at its end */
    size_t packed_bytes_max;
    struct outbox_line *holding;        /* borrowed: lines that hold frames or missed events */
    struct stats *stats;                /* borrowed: the core's */
    const struct core_options *options; /* borrowed: the core's */
    void (*catch_up)(void *arg, struct outbox_line *line);
    void *arg;           /* borrowed: catch_up's */
    size_t queued_bytes; /* in all frames */
    size_t made_bytes;   /* in all frames ever made */
    int64_t retry_us;    /* when listed lines are next looked at */
    int64_t retry_after_us;
};

struct outbox *outbox_new(struct stats *stats, const struct core_options *options,
                          void (*catch_up)(void *arg, struct outbox_line *line), void *arg) {
    struct outbox *outbox = memory_new(sizeof *outbox);

    outbox->stats = stats;
    outbox->options = options;
    outbox->packed_bytes_max = PACKED_BYTES_FIRST;
    outbox->packed = memory_new(PACKED_BYTES_FIRST);
    outbox->catch_up = catch_up;
    outbox->arg = arg;
    outbox->retry_us = INT64_MAX;
    outbox->retry_after_us = RETRY_US;
    return outbox;
}

/* Counts the frame out as it leaves the outbox. */
static void count_out(struct outbox *outbox, const struct outbox_frame *frame) {
    outbox->queued_bytes -= frame->length;
    if (frame->line)
        frame->line->queued_bytes -= frame->length;
}

/* A zeroed frame, without bytes. */
static struct outbox_frame *frame_take(struct outbox *outbox) {
    struct outbox_frame *frame = outbox->spare;

    if (!frame)
        return memory_new(sizeof *frame);
    LL_DELETE(outbox->spare, frame);
    outbox->spare_count--;
    memset(frame, 0, sizeof *frame);
    return frame;
}

/* Takes back a frame whose bytes somebody else owns by now. */
static void frame_put(struct outbox *outbox, struct outbox_frame *frame) {
    if (outbox->spare_count >= SPARE_FRAMES_MAX) {
        free(frame);
        return;
    }
    LL_PREPEND(outbox->spare, frame);
    outbox->spare_count++;
}

static void frame_free(struct outbox *outbox, struct outbox_frame *frame) {
    count_out(outbox, frame);
    free(frame->bytes);
    frame_put(outbox, frame);
}

static void frames_free(struct outbox *outbox, struct outbox_frame **list) {
    struct outbox_frame *frame, *next;

    DL_FOREACH_SAFE(*list, frame, next) {
        frame_free(outbox, frame);
    }
    *list = NULL;
}

void outbox_free(struct outbox *outbox) {
    struct outbox_frame *frame, *next;

    if (!outbox)
        return;
    frames_free(outbox, &outbox->frames);
    frames_free(outbox, &outbox->sealed);
    LL_FOREACH_SAFE(outbox->spare, frame, next) {
        free(frame);
    }
    free(outbox->packed);
    free(outbox);
}

/* How many bytes a frame of the line, or of a topic, has room for at first. */
static size_t bytes_first(const struct outbox_line *line) {
    size_t last = line ? line->last_bytes : 0;

    if (last > FRAME_BYTES_FIRST_MAX)
        return FRAME_BYTES_FIRST_MAX;
    return last > FRAME_BYTES_FIRST ? last : FRAME_BYTES_FIRST;
}

/* The frame is in no list yet. */
static struct outbox_frame *frame_new(struct outbox *outbox, struct outbox_line *line) {
    struct outbox_frame *frame = frame_take(outbox);

    frame->line = line;
    frame->capacity = bytes_first(line);
    frame->bytes = memory_resize(NULL, frame->capacity);
    return frame;
}

static struct outbox_frame *frame_begin(struct outbox *outbox, struct outbox_line *line,
                                        struct outbox_frame **open) {
    struct outbox_frame *frame = frame_new(outbox, line);

    frame->open = open;
    DL_APPEND(outbox->frames, frame);
    if (open)
        *open = frame;
    return frame;
}

static uint8_t *frame_grow(struct outbox *outbox, struct outbox_frame *frame, size_t bytes) {
    size_t capacity = frame->capacity;
    uint8_t *end;

    while (frame->length + bytes > capacity)
        capacity *= 2;
    if (capacity > frame->capacity)
        frame->bytes = memory_resize(frame->bytes, capacity);
    frame->capacity = capacity;
    end = frame->bytes + frame->length;
    frame->length += bytes;
    outbox->queued_bytes += bytes;
    outbox->made_bytes += bytes;
    if (frame->line)
        frame->line->queued_bytes += bytes;
    return end;
}

static void frame_close(struct outbox_frame *frame) {
    if (frame->open)
        *frame->open = NULL;
    frame->open = NULL;
}

void outbox_line_init(struct outbox_line *line, struct peer *peer, void *owner) {
    memset(line, 0, sizeof *line);
    line->peer = peer;
    line->owner = owner;
}

static void frames_drop(struct outbox *outbox, struct outbox_frame **list,
                        const struct outbox_line *line) {
    struct outbox_frame *frame, *next;

    DL_FOREACH_SAFE(*list, frame, next) {
        if (frame->line != line)
            continue;
        DL_DELETE(*list, frame);
        frame_free(outbox, frame);
    }
}

void outbox_line_release(struct outbox *outbox, struct outbox_line *line) {
    if (line->queued_bytes > 0) {
        frames_drop(outbox, &outbox->frames, line);
        frames_drop(outbox, &outbox->sealed, line);
    }
    if (line->listed)
        DL_DELETE(outbox->holding, line);
    line->listed = false;
    frames_free(outbox, &line->held);
}

static size_t line_in_pipe(const struct outbox *outbox, const struct outbox_line *line) {
    return outbox->options->in_pipe ? outbox->options->in_pipe(line->owner) : 0;
}

static size_t line_waiting(const struct outbox *outbox, const struct outbox_line *line) {
    return line->queued_bytes + line_in_pipe(outbox, line);
}

/* How much may wait for one peer: less if much waits for all of them. */
static size_t bound_of(const struct outbox *outbox, size_t bytes) {
    size_t all = outbox->queued_bytes;

    if (outbox->options->in_all_pipes)
        all += outbox->options->in_all_pipes(outbox->options->pipes_arg);
    return all > PEERS_BYTES_MAX / 2 ? bytes / 8 : bytes;
}

bool outbox_line_is_clogged(const struct outbox *outbox, const struct outbox_line *line) {
    size_t waiting = line_waiting(outbox, line);

    return line->held ||
           (waiting > LINE_EVENTS_BYTES / 8 && waiting > bound_of(outbox, LINE_EVENTS_BYTES));
}

bool outbox_line_is_full(const struct outbox *outbox, const struct outbox_line *line) {
    size_t waiting = line_waiting(outbox, line);

    return waiting > LINE_FULL_BYTES / 8 && waiting > bound_of(outbox, LINE_FULL_BYTES);
}

size_t outbox_line_queued(const struct outbox_line *line) {
    return line->queued_bytes;
}

size_t outbox_queued(const struct outbox *outbox) {
    return outbox->queued_bytes;
}

size_t outbox_made(const struct outbox *outbox) {
    return outbox->made_bytes;
}

/* Lists the line among those that are looked at until nothing waits. */
static void line_list(struct outbox *outbox, struct outbox_line *line, int64_t now_us) {
    if (line->listed)
        return;
    if (!outbox->holding) {
        outbox->retry_after_us = RETRY_US;
        outbox->retry_us = now_us + RETRY_US;
    }
    line->listed = true;
    DL_APPEND(outbox->holding, line);
}

/* The open frame, with room for an element of so many bytes. Gathered events go in before that
 * element. */
static struct outbox_frame *line_frame(struct outbox *outbox, struct outbox_line *line,
                                       size_t bytes) {
    if (line->gathered && line->taken < *line->gathered)
        outbox->catch_up(outbox->arg, line);
    if (line->open && line->open->length + bytes > FRAME_BYTES_FULL)
        frame_close(line->open);
    return line->open ? line->open : frame_begin(outbox, line, &line->open);
}

void outbox_break(struct outbox_frame *open) {
    if (open)
        frame_close(open);
}

void outbox_line_break(struct outbox_line *line) {
    outbox_break(line->open);
}

void outbox_charge(struct outbox *outbox, size_t bytes) {
    outbox->made_bytes += bytes;
}

void outbox_line_give_up(struct outbox *outbox, struct outbox_line *line) {
    bool first = !line->lost_replies;

    outbox->stats->replies_dropped_total++;
    line->lost_replies = true;
    if (first && outbox->options->gave_up)
        outbox->options->gave_up(outbox->options->note_arg, line->owner);
}

/* Packs the element at the end of the outbox's buffer, which grows until the element fits. */
static struct outbox_packed pack(struct outbox *outbox, uint32_t field,
                                 const ProtobufCMessage *element) {
    uint8_t *end = outbox->packed + outbox->packed_bytes_max;
    const uint8_t *at = pack_element_before(field, element, outbox->packed, end);

    while (!at) {
        outbox->packed_bytes_max *= 2;
        outbox->packed = memory_resize(outbox->packed, outbox->packed_bytes_max);
        end = outbox->packed + outbox->packed_bytes_max;
        at = pack_element_before(field, element, outbox->packed, end);
    }
    return (struct outbox_packed){at, (size_t)(end - at)};
}

/* Adds an element that nothing makes up for if it is lost: it waits for a full pipe, and if too
 * much waits the peer is cut off. */
static void line_add(struct outbox *outbox, struct outbox_line *line,
                     const struct outbox_packed *element) {
    size_t bytes = element->length;
    struct outbox_frame *frame;

    if (line->held && line->queued_bytes + bytes > HELD_BYTES_MAX) {
        outbox_line_give_up(outbox, line);
        return;
    }
    frame = line_frame(outbox, line, bytes);
    memcpy(frame_grow(outbox, frame, bytes), element->bytes, bytes);
}

bool outbox_reply(struct outbox *outbox, struct outbox_line *line, const Zchat__V1__Reply *reply) {
    struct outbox_packed packed = pack(outbox, WIRE_REPLIES, &reply->base);

    if (packed.length > FRAME_BYTES_MAX)
        return false;
    line_add(outbox, line, &packed);
    return true;
}

void outbox_event_kept(struct outbox *outbox, struct outbox_line *line,
                       const Zchat__V1__ServerEvent *event) {
    struct outbox_packed packed = outbox_pack(outbox, event);

    outbox->stats->events_pushed_total++;
    line_add(outbox, line, &packed);
}

void outbox_events_missed(struct outbox *outbox, struct outbox_line *line, size_t count) {
    outbox->stats->events_dropped_total += count;
    line->missed_events = true;
    line_list(outbox, line, 0); /* so that the next tick looks at it */
}

/* Does not charge these to whoever makes the next thing for the line. */
bool outbox_events(struct outbox *outbox, struct outbox_line *line, const uint8_t *packed,
                   size_t bytes, size_t count) {
    struct outbox_frame *frame;

    if (outbox_line_is_clogged(outbox, line)) {
        outbox_events_missed(outbox, line, count);
        return false;
    }
    outbox->stats->events_pushed_total += count;
    frame = line_frame(outbox, line, bytes);
    memcpy(frame_grow(outbox, frame, bytes), packed, bytes);
    outbox->made_bytes -= bytes;
    return true;
}

struct outbox_packed outbox_pack(struct outbox *outbox, const Zchat__V1__ServerEvent *event) {
    return pack(outbox, WIRE_EVENTS, &event->base);
}

bool outbox_push(struct outbox *outbox, struct outbox_line *line,
                 const struct outbox_packed *event) {
    struct outbox_frame *frame;

    if (outbox_line_is_clogged(outbox, line)) {
        outbox_events_missed(outbox, line, 1);
        return false;
    }
    outbox->stats->events_pushed_total++;
    frame = line_frame(outbox, line, event->length);
    memcpy(frame_grow(outbox, frame, event->length), event->bytes, event->length);
    return true;
}

bool outbox_event(struct outbox *outbox, struct outbox_line *line,
                  const Zchat__V1__ServerEvent *event) {
    struct outbox_packed packed = outbox_pack(outbox, event);

    return outbox_push(outbox, line, &packed);
}

static size_t topic_bytes(const char *topic) {
    return 2 + strlen(topic);
}

static void frame_address(struct outbox *outbox, struct outbox_frame *frame, const char *topic) {
    wire_subscription(topic, frame_grow(outbox, frame, topic_bytes(topic)));
}

static struct outbox_frame *topic_frame(struct outbox *outbox, struct outbox_frame **open,
                                        const char *topic) {
    struct outbox_frame *frame = frame_begin(outbox, NULL, open);

    frame_address(outbox, frame, topic);
    return frame;
}

static size_t publication_full(const struct outbox *outbox) {
    return outbox->stats->connections > PUBLICATION_CROWD ? PUBLICATION_BYTES_CROWD
                                                          : PUBLICATION_BYTES_FULL;
}

bool outbox_may_gather(const struct outbox *outbox, const struct outbox_frame *waiting,
                       const struct outbox_packed *event) {
    return waiting->length + event->length <= publication_full(outbox);
}

void outbox_publish(struct outbox *outbox, struct outbox_frame **open, const char *topic,
                    const struct outbox_packed *event) {
    struct outbox_frame *frame = *open;

    if (frame && !outbox_may_gather(outbox, frame, event))
        frame_close(frame);
    frame = *open ? *open : topic_frame(outbox, open, topic);
    memcpy(frame_grow(outbox, frame, event->length), event->bytes, event->length);
    outbox->stats->events_published_total++;
}

void outbox_publish_head(struct outbox *outbox, const char *topic, uint64_t head) {
    Zchat__V1__Publication publication = ZCHAT__V1__PUBLICATION__INIT;
    struct outbox_frame *frame = frame_begin(outbox, NULL, NULL);

    publication.topic = (char *)topic;
    publication.head = head;
    wire_pack(&publication.base, frame_grow(outbox, frame, wire_size(&publication.base)));
}

void outbox_gather(struct outbox *outbox, struct outbox_frame **waiting, const char *topic,
                   const struct outbox_packed *event) {
    if (!*waiting) {
        *waiting = frame_new(outbox, NULL);
        frame_address(outbox, *waiting, topic);
    }
    memcpy(frame_grow(outbox, *waiting, event->length), event->bytes, event->length);
}

struct outbox_packed outbox_publish_gathered(struct outbox *outbox, struct outbox_frame **waiting,
                                             const char *topic, size_t count) {
    struct outbox_frame *frame = *waiting;
    size_t before = topic_bytes(topic);

    *waiting = NULL;
    DL_APPEND(outbox->frames, frame);
    outbox->stats->events_published_total += count;
    return (struct outbox_packed){frame->bytes + before, frame->length - before};
}

void outbox_drop_gathered(struct outbox *outbox, struct outbox_frame **waiting) {
    if (*waiting)
        frame_free(outbox, *waiting);
    *waiting = NULL;
}

void outbox_seal(struct outbox *outbox) {
    struct outbox_frame *frame;

    DL_FOREACH(outbox->frames, frame) {
        frame_close(frame);
    }
    DL_CONCAT(outbox->sealed, outbox->frames);
    outbox->frames = NULL;
}

/* Gives back the memory that a long frame does not need: the frame may have to wait. */
static void frame_trim(struct outbox_frame *frame) {
    if (frame->capacity >= TRIM_BYTES && frame->capacity - frame->length > frame->capacity / 4)
        frame->bytes = memory_resize(frame->bytes, frame->length);
}

bool outbox_next(struct outbox *outbox, struct core_frame *out) {
    struct outbox_frame *frame = outbox->sealed;

    while (frame && frame->line && frame->line->held) { /* behind what waits for its pipe */
        DL_DELETE(outbox->sealed, frame);
        DL_APPEND(frame->line->held, frame);
        frame = outbox->sealed;
    }
    if (!frame)
        return false;
    DL_DELETE(outbox->sealed, frame);
    frame_trim(frame);
    count_out(outbox, frame);
    out->peer = frame->line ? frame->line->peer : NULL;
    out->bytes = frame->bytes;
    out->length = frame->length;
    if (frame->line)
        frame->line->last_bytes = frame->length;
    outbox->stats->frames_out_total++;
    frame_put(outbox, frame);
    return true;
}

void outbox_refused(struct outbox *outbox, struct outbox_line *line, struct core_frame *refused,
                    int64_t now_us) {
    struct outbox_frame *frame = frame_take(outbox);

    outbox->stats->frames_out_total--;
    frame->line = line;
    frame->bytes = refused->bytes;
    frame->length = frame->capacity = refused->length;
    refused->bytes = NULL;
    line->queued_bytes += frame->length;
    outbox->queued_bytes += frame->length;
    line->pipe_bytes = line_in_pipe(outbox, line);
    DL_PREPEND(line->held, frame);
    line_list(outbox, line, now_us);
}

int64_t outbox_deadline(const struct outbox *outbox) {
    return outbox->holding ? outbox->retry_us : INT64_MAX;
}

/* Whether the line's pipe may take something now. */
static bool line_may_go(const struct outbox *outbox, const struct outbox_line *line) {
    return !outbox->options->in_pipe || line->lost_replies ||
           line_in_pipe(outbox, line) < line->pipe_bytes || line->pipe_bytes == 0;
}

/* Has the frames that the line holds yielded again, before those made for it since. */
static void line_go(struct outbox *outbox, struct outbox_line *line) {
    struct outbox_frame *held = line->held;

    line->held = NULL;
    DL_CONCAT(held, outbox->sealed);
    outbox->sealed = held;
}

/* Looks at one line. true: it may go on. */
static bool line_look(struct outbox *outbox, struct outbox_line *line,
                      void (*drained)(void *arg, struct peer *peer), void *arg) {
    bool missed = line->missed_events;

    if (line->held ? !line_may_go(outbox, line) : outbox_line_is_full(outbox, line))
        return false;
    DL_DELETE(outbox->holding, line);
    line->listed = false;
    if (line->held)
        line_go(outbox, line);
    line->missed_events = false;
    if (missed)
        drained(arg, line->peer);
    return true;
}

void outbox_tick(struct outbox *outbox, int64_t now_us,
                 void (*drained)(void *arg, struct peer *peer), void *arg) {
    struct outbox_line *line, *next;
    bool any = false;

    if (now_us < outbox_deadline(outbox))
        return;
    DL_FOREACH_SAFE(outbox->holding, line, next) {
        any = line_look(outbox, line, drained, arg) || any;
    }
    outbox->retry_after_us = any ? RETRY_US : 2 * outbox->retry_after_us;
    if (outbox->retry_after_us > RETRY_MAX_US)
        outbox->retry_after_us = RETRY_MAX_US;
    outbox->retry_us = now_us + outbox->retry_after_us;
}
