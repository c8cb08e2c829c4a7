/* A list of bunches with a mark in it: bunches before the mark were sent on this link. The last
 * bunch takes more lines until it is sent. The window counts frames, because each frame is
 * acknowledged. */
#include "lines.h"

#include "id.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* The lines of one bunch are written within this time. */
#define SAME_TIME_US 1000
/* How many bytes the texts of one bunch may have, so that the bunch fits into a frame. */
#define TEXTS_BYTES_MAX (FRAME_BYTES_MAX - 128)

/* Each line adds one to the id's last byte, which has room for that. */
static void new_id(struct lines *lines, int64_t time_us, unsigned char id[ID_BYTES]) {
    size_t i = lines->ids_used++ % LINES_IDS;
    if (i == 0)
        randombytes_buf(lines->random, sizeof lines->random);
    id_make(id, (uint64_t)time_us / 1000, lines->random[i]);
    id[ID_BYTES - 1] &= 0x7F;
}

/* ---- adding ---- */

static bool takes(const struct lines *lines, size_t text_bytes, int64_t now_us) {
    const struct bunch *bunch = lines->unsent ? lines->last : NULL;
    return bunch && bunch->count < LINES_A_FRAME && now_us - bunch->made_us < SAME_TIME_US &&
           bunch->texts_bytes + text_bytes + WIRE_TEXT_ADDS <= TEXTS_BYTES_MAX;
}

static struct bunch *bunch_new(struct lines *lines, int64_t now_us, int64_t wall_us) {
    struct bunch *bunch = malloc(sizeof *bunch);
    if (bunch) {
        memset(bunch, 0, offsetof(struct bunch, lines));
        bunch->number = lines->last_number + 1;
        bunch->made_us = now_us;
        bunch->time_us = wall_us;
        new_id(lines, bunch->time_us, bunch->id);
    }
    return bunch;
}

static void bunch_free(struct bunch *bunch) {
    free(bunch->texts);
    free(bunch);
}

/* Grows the memory in large steps, because many lines are likely to be followed by many more. */
static bool make_room(struct lines *lines, struct bunch *bunch, size_t bytes) {
    if (bytes <= bunch->room_bytes)
        return true;
    size_t likely_bytes =
        bunch->room_bytes == 0 && lines->last ? lines->last->texts_bytes : 2 * bunch->room_bytes;
    size_t room_bytes = bytes > likely_bytes ? bytes : likely_bytes;
    uint8_t *texts = realloc(bunch->texts, room_bytes);
    if (!texts)
        return false;
    bunch->texts = texts;
    bunch->room_bytes = room_bytes;
    return true;
}

static void append(struct lines *lines, struct bunch *bunch) {
    *(lines->last ? &lines->last->next : &lines->first) = bunch;
    lines->last = bunch;
    lines->unsent = lines->unsent ? lines->unsent : bunch;
}

bool lines_add(struct lines *lines, int64_t now_us, int64_t wall_us, const char *text,
               zchat_reply_fn *fn, void *arg) {
    size_t bytes = strlen(text);
    bool fits = takes(lines, bytes, now_us);
    struct bunch *bunch = fits ? lines->last : bunch_new(lines, now_us, wall_us);
    if (!bunch || !make_room(lines, bunch, bunch->texts_bytes + bytes + WIRE_TEXT_ADDS)) {
        if (bunch && !fits)
            bunch_free(bunch);
        return false;
    }
    if (!fits)
        append(lines, bunch);
    bunch->texts_bytes += wire_text_pack(text, bytes, bunch->texts + bunch->texts_bytes);
    bunch->lines[bunch->count++] = (struct line_caller){.fn = fn, .arg = arg};
    lines->last_number++;
    lines->count++;
    return true;
}

/* ---- sending ---- */

static bool is_open(const struct lines *lines) {
    return lines->frames_count < LINES_FRAMES_MAX && lines->under_way_bytes < LINES_BYTES_MAX;
}

bool lines_wait(const struct lines *lines) {
    return lines->ack_due || (lines->unsent && is_open(lines));
}

static void ack_message(const struct lines *lines, Zchat__V1__PeerAck *body,
                        Zchat__V1__PeerMessage *message) {
    zchat__v1__peer_ack__init(body);
    zchat__v1__peer_message__init(message);
    body->received = lines->received;
    message->body_case = ZCHAT__V1__PEER_MESSAGE__BODY_ACK;
    message->ack = body;
}

static Zchat__V1__PeerLines head_of(const struct bunch *bunch) {
    Zchat__V1__PeerLines head = ZCHAT__V1__PEER_LINES__INIT;
    head.number = bunch->number;
    head.id.data = (uint8_t *)bunch->id;
    head.id.len = ID_BYTES;
    head.time_us = bunch->time_us;
    return head;
}

size_t lines_frame_bytes(const struct lines *lines, size_t *bunches) {
    Zchat__V1__PeerAck body;
    Zchat__V1__PeerMessage message;
    size_t bytes = 0, count = 0;
    *bunches = 0;
    if (lines->ack_due) {
        ack_message(lines, &body, &message);
        bytes = wire_element_size(&message.base);
    }
    if (!is_open(lines))
        return bytes;
    for (const struct bunch *bunch = lines->unsent; bunch; bunch = bunch->next) {
        Zchat__V1__PeerLines head = head_of(bunch);
        size_t more_bytes = wire_lines_size(&head, bunch->texts_bytes);
        count += bunch->count;
        if (count > LINES_A_FRAME || bytes + more_bytes > FRAME_BYTES_MAX)
            break;
        bytes += more_bytes;
        ++*bunches;
    }
    return bytes;
}

static void add_frame(struct lines *lines, uint64_t last_number, size_t bytes) {
    size_t place = (lines->frames_first + lines->frames_count++) % LINES_FRAMES_MAX;
    lines->frames[place] = (struct lines_frame){.last_number = last_number, .bytes = bytes};
    lines->under_way_bytes += bytes;
}

void lines_pack(struct lines *lines, size_t bunches, uint8_t *out) {
    const uint8_t *start = out;
    Zchat__V1__PeerAck body;
    Zchat__V1__PeerMessage message;
    if (lines->ack_due) {
        ack_message(lines, &body, &message);
        out += wire_element_pack(WIRE_MESSAGES, &message.base, out);
        lines->ack_due = false;
    }
    for (size_t i = 0; i < bunches; i++) {
        struct bunch *bunch = lines->unsent;
        Zchat__V1__PeerLines head = head_of(bunch);
        out += wire_lines_pack(&head, bunch->texts, bunch->texts_bytes, out);
        bunch->sent = true;
        lines->unsent = bunch->next;
        if (i + 1 == bunches)
            add_frame(lines, bunch->number + bunch->count - 1, (size_t)(out - start));
    }
}

/* ---- answering ---- */

static void drop_first(struct lines *lines) {
    struct bunch *bunch = lines->first;
    lines->first = bunch->next;
    lines->last = lines->first ? lines->last : NULL;
    lines->unsent = lines->unsent == bunch ? bunch->next : lines->unsent;
    bunch_free(bunch);
}

/* The caller's function may add lines. */
static void answer(struct lines *lines, zchat_reply *reply) {
    struct bunch *bunch = lines->first;
    struct line_caller line = bunch->lines[bunch->answered];
    reply->time_us = bunch->time_us;
    memcpy(reply->id.bytes, bunch->id, ID_BYTES);
    reply->id.bytes[ID_BYTES - 1] += (unsigned char)bunch->answered;
    lines->count--;
    if (++bunch->answered == bunch->count)
        drop_first(lines);
    if (line.fn)
        line.fn(line.arg, reply);
}

/* An acknowledgement of lines that were never sent is ignored. */
void lines_acked(struct lines *lines, uint64_t received) {
    zchat_reply reply = {.code = ZCHAT_OK, .text = "", .user = "", .software = ""};
    while (lines->frames_count > 0 && lines->frames[lines->frames_first].last_number <= received) {
        lines->under_way_bytes -= lines->frames[lines->frames_first].bytes;
        lines->frames_first = (lines->frames_first + 1) % LINES_FRAMES_MAX;
        lines->frames_count--;
    }
    while (lines->first && lines->first != lines->unsent &&
           lines->first->number + lines->first->answered <= received)
        answer(lines, &reply);
}

void lines_relink(struct lines *lines, uint64_t received) {
    lines->ack_due = false;
    lines_acked(lines, received);
    lines->unsent = lines->first;
    lines->frames_count = 0;
    lines->under_way_bytes = 0;
}

void lines_end(struct lines *lines, zchat_code code, const char *text, bool certain) {
    while (lines->first) {
        bool unknown = lines->first->sent && !certain;
        zchat_reply reply = {.code = unknown ? ZCHAT_UNKNOWN : code,
                             .text = unknown ? "the line may or may not have been seen: the chat "
                                               "ended before the other side acknowledged it"
                                             : text,
                             .user = "",
                             .software = ""};
        answer(lines, &reply);
    }
}

void lines_release(struct lines *lines) {
    while (lines->first)
        drop_first(lines);
}
