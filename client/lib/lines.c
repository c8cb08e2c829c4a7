/* A list of packed lines with a mark in it: what is before it was sent on this link. The window
 * counts frames, since each frame is acknowledged. */
#include "lines.h"

#include "id.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What a packed line needs at most besides its text: to measure it costs as much as to pack it. */
#define LINE_ADDS 64

static int64_t clock_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void new_id(struct lines *lines, int64_t now_us, unsigned char id[ID_BYTES]) {
    size_t i = lines->random_used % LINES_IDS;
    if (i == 0) {
        randombytes_buf(lines->random, sizeof lines->random);
    }
    lines->random_used++;
    id_make(id, (uint64_t)now_us / 1000, lines->random + 10 * i);
}

bool lines_add(struct lines *lines, const char *text, zchat_reply_fn *fn, void *arg) {
    unsigned char id[ID_BYTES];
    Zchat__V1__PeerLine body = ZCHAT__V1__PEER_LINE__INIT;
    Zchat__V1__PeerMessage message = ZCHAT__V1__PEER_MESSAGE__INIT;
    body.time_us = clock_us();
    new_id(lines, body.time_us, id);
    body.number = lines->last_number + 1;
    body.id.data = id;
    body.id.len = ID_BYTES;
    body.text = (char *)text;
    message.body_case = ZCHAT__V1__PEER_MESSAGE__BODY_LINE;
    message.line = &body;
    struct line *line = malloc(sizeof *line + strlen(text) + LINE_ADDS);
    if (!line) {
        return false;
    }
    *line = (struct line){.number = body.number, .fn = fn, .arg = arg, .time_us = body.time_us};
    memcpy(line->id, id, ID_BYTES);
    line->bytes = wire_element_pack(WIRE_MESSAGES, &message.base, line->element);
    *(lines->last ? &lines->last->next : &lines->first) = line;
    lines->last = line;
    lines->unsent = lines->unsent ? lines->unsent : line;
    lines->last_number++;
    lines->count++;
    return true;
}

bool lines_wait(const struct lines *lines) {
    return lines->ack_due || (lines->unsent && lines->frames_count < LINES_FRAMES_MAX);
}

static void ack_message(const struct lines *lines, Zchat__V1__PeerAck *body,
                        Zchat__V1__PeerMessage *message) {
    zchat__v1__peer_ack__init(body);
    zchat__v1__peer_message__init(message);
    body->received = lines->received;
    message->body_case = ZCHAT__V1__PEER_MESSAGE__BODY_ACK;
    message->ack = body;
}

size_t lines_frame_bytes(const struct lines *lines, size_t *count) {
    Zchat__V1__PeerAck body;
    Zchat__V1__PeerMessage message;
    size_t bytes = 0;
    *count = 0;
    if (lines->ack_due) {
        ack_message(lines, &body, &message);
        bytes = wire_element_size(&message.base);
    }
    if (lines->frames_count == LINES_FRAMES_MAX) {
        return bytes;
    }
    for (const struct line *line = lines->unsent;
         line && *count < LINES_A_FRAME && bytes + line->bytes <= FRAME_BYTES_MAX;
         line = line->next) {
        bytes += line->bytes;
        ++*count;
    }
    return bytes;
}

void lines_pack(struct lines *lines, size_t count, uint8_t *out) {
    Zchat__V1__PeerAck body;
    Zchat__V1__PeerMessage message;
    if (lines->ack_due) {
        ack_message(lines, &body, &message);
        out += wire_element_pack(WIRE_MESSAGES, &message.base, out);
        lines->ack_due = false;
    }
    for (size_t i = 0; i < count; i++) {
        struct line *line = lines->unsent;
        memcpy(out, line->element, line->bytes);
        out += line->bytes;
        lines->unsent = line->next;
        if (i + 1 == count) {
            size_t place = (lines->frames_first + lines->frames_count++) % LINES_FRAMES_MAX;
            lines->frames[place] = line->number;
        }
    }
}

static struct line *pop(struct lines *lines) {
    struct line *line = lines->first;
    lines->first = line->next;
    lines->last = lines->first ? lines->last : NULL;
    lines->unsent = lines->unsent == line ? line->next : lines->unsent;
    lines->count--;
    return line;
}

static void answer(struct line *line, zchat_code code, const char *text) {
    zchat_reply reply = {
        .code = code, .text = text, .user = "", .software = "", .time_us = line->time_us};
    memcpy(reply.id.bytes, line->id, ID_BYTES);
    if (line->fn) {
        line->fn(line->arg, &reply);
    }
    free(line);
}

/* An acknowledgement of what was never sent means nothing. */
void lines_acked(struct lines *lines, uint64_t received) {
    while (lines->frames_count > 0 && lines->frames[lines->frames_first] <= received) {
        lines->frames_first = (lines->frames_first + 1) % LINES_FRAMES_MAX;
        lines->frames_count--;
    }
    while (lines->first && lines->first != lines->unsent && lines->first->number <= received) {
        answer(pop(lines), ZCHAT_OK, "");
    }
}

void lines_relink(struct lines *lines, uint64_t received) {
    lines->ack_due = false;
    lines_acked(lines, received);
    lines->unsent = lines->first;
    lines->frames_count = 0;
}

void lines_end(struct lines *lines, zchat_code code, const char *text) {
    while (lines->first) {
        answer(pop(lines), code, text);
    }
}
