#include "zmtp.h"

#include <string.h>
#include <strings.h>

#define GREETING_LENGTH 64
#define FLAG_MORE       1
#define FLAG_LONG       2
#define FLAG_COMMAND    4
#define PING_CONTEXT    16 /* at most; a time to live of two bytes comes before it */

struct frame {
    uint8_t flags;
    const uint8_t *body;
    size_t length;
};

static const struct zmtp_news nothing = {.event = ZMTP_NOTHING};

void zmtp_init(struct zmtp *zmtp) {
    memset(zmtp, 0, sizeof *zmtp);
}

uint8_t *zmtp_room(struct zmtp *zmtp, size_t *bytes) {
    zmtp->used -= zmtp->taken;
    memmove(zmtp->bytes, zmtp->bytes + zmtp->taken, zmtp->used);
    zmtp->taken = 0;
    *bytes = sizeof zmtp->bytes - zmtp->used;
    return zmtp->bytes + zmtp->used;
}

void zmtp_add(struct zmtp *zmtp, size_t bytes) {
    zmtp->used += bytes;
}

static struct zmtp_news wrong(struct zmtp *zmtp) {
    zmtp->state = ZMTP_OVER;
    return (struct zmtp_news){.event = ZMTP_WRONG};
}

/* ---- the greeting ---- */

/* Whether the bytes so far can still become a greeting: a signature, version 3, NULL. */
static bool greeting_is_fine(const uint8_t *bytes, size_t count) {
    static const uint8_t null[20] = "NULL";

    return (count < 1 || bytes[0] == 0xff) && (count < 10 || bytes[9] == 0x7f) &&
           (count < 11 || bytes[10] >= 3) &&
           (count < 32 || memcmp(bytes + 12, null, sizeof null) == 0);
}

static bool take_greeting(struct zmtp *zmtp) {
    size_t count = zmtp->used - zmtp->taken;

    if (!greeting_is_fine(zmtp->bytes + zmtp->taken, count))
        zmtp->state = ZMTP_OVER;
    if (zmtp->state == ZMTP_OVER || count < GREETING_LENGTH)
        return false;
    zmtp->taken += GREETING_LENGTH;
    zmtp->state = ZMTP_HANDSHAKE;
    return true;
}

/* ---- frames ---- */

static uint64_t number(const uint8_t *bytes, size_t count) {
    uint64_t value = 0;

    for (size_t i = 0; i < count; i++)
        value = value << 8 | bytes[i];
    return value;
}

/* Takes the next frame off. false: it is not whole yet, or it is too long, and the peer is done
 * with. */
static bool take_frame(struct zmtp *zmtp, struct frame *frame) {
    const uint8_t *bytes = zmtp->bytes + zmtp->taken;
    size_t count = zmtp->used - zmtp->taken, header = 2;
    uint64_t length;

    if (count < 1)
        return false;
    header = bytes[0] & FLAG_LONG ? 9 : 2;
    if (count < header)
        return false;
    length = number(bytes + 1, header - 1);
    if (length > GREETING_BYTES_MAX || bytes[0] > (FLAG_MORE | FLAG_LONG | FLAG_COMMAND)) {
        zmtp->state = ZMTP_OVER;
        return false;
    }
    if (count < header + length)
        return false;
    *frame = (struct frame){.flags = bytes[0], .body = bytes + header, .length = (size_t)length};
    zmtp->taken += header + (size_t)length;
    return true;
}

/* ---- the handshake ---- */

static bool command_is(const struct frame *frame, const char *name) {
    size_t bytes = strlen(name);

    return frame->flags & FLAG_COMMAND && frame->length > bytes && frame->body[0] == bytes &&
           memcmp(frame->body + 1, name, bytes) == 0;
}

static bool is_client(const uint8_t *type, size_t bytes) {
    return (bytes == 6 && (!memcmp(type, "DEALER", 6) || !memcmp(type, "ROUTER", 6))) ||
           (bytes == 3 && !memcmp(type, "REQ", 3));
}

/* Properties: a name after one byte of length, a value after four. */
static bool ready_is_fine(const struct frame *frame) {
    static const char wanted[] = "Socket-Type";
    size_t at = 6;
    bool fine = false;

    while (at < frame->length) {
        size_t name_bytes = frame->body[at], value_at = at + 1 + name_bytes + 4, value_bytes;

        if (value_at > frame->length)
            return false;
        value_bytes = (size_t)number(frame->body + value_at - 4, 4);
        if (value_bytes > frame->length - value_at)
            return false;
        if (name_bytes == sizeof wanted - 1 &&
            !strncasecmp((const char *)frame->body + at + 1, wanted, name_bytes))
            fine = is_client(frame->body + value_at, value_bytes);
        at = value_at + value_bytes;
    }
    return fine;
}

static bool take_ready(struct zmtp *zmtp) {
    struct frame frame;

    if (!take_frame(zmtp, &frame))
        return false;
    zmtp->state = command_is(&frame, "READY") && ready_is_fine(&frame) ? ZMTP_TRAFFIC : ZMTP_OVER;
    return zmtp->state == ZMTP_TRAFFIC;
}

/* ---- traffic ---- */

static struct zmtp_news take_command(struct zmtp *zmtp, const struct frame *frame) {
    struct zmtp_news ping = {.event = ZMTP_PING};

    if (!command_is(frame, "PING"))
        return command_is(frame, "PONG") ? nothing : wrong(zmtp);
    if (frame->length < 7 || frame->length > 7 + PING_CONTEXT)
        return wrong(zmtp);
    ping.bytes = frame->body + 7;
    ping.length = frame->length - 7;
    return ping;
}

static struct zmtp_news take_part(struct zmtp *zmtp, const struct frame *frame) {
    struct zmtp_news request = {.event = ZMTP_REQUEST, .delimited = zmtp->delimited};

    if (frame->flags & FLAG_MORE) {
        if (zmtp->delimited || frame->length > 0)
            return wrong(zmtp);
        zmtp->delimited = true;
        return nothing;
    }
    zmtp->delimited = false;
    request.bytes = frame->body;
    request.length = frame->length;
    return request;
}

static struct zmtp_news take_traffic(struct zmtp *zmtp) {
    struct zmtp_news news = nothing;
    struct frame frame;

    while (news.event == ZMTP_NOTHING && take_frame(zmtp, &frame))
        news = frame.flags & FLAG_COMMAND ? take_command(zmtp, &frame) : take_part(zmtp, &frame);
    return news;
}

struct zmtp_news zmtp_next(struct zmtp *zmtp) {
    struct zmtp_news news = nothing;

    if (zmtp->state == ZMTP_GREETING)
        take_greeting(zmtp);
    if (zmtp->state == ZMTP_HANDSHAKE)
        take_ready(zmtp);
    if (zmtp->state == ZMTP_TRAFFIC)
        news = take_traffic(zmtp);
    if (zmtp->state == ZMTP_OVER && news.event == ZMTP_NOTHING)
        news = wrong(zmtp);
    return news;
}

/* ---- what the server says ---- */

size_t zmtp_hello(uint8_t out[ZMTP_HELLO_BYTES]) {
    static const char ready[] = "\x04\x1c\x05READY\x0bSocket-Type\x00\x00\x00\x06ROUTER";

    memset(out, 0, GREETING_LENGTH);
    out[0] = 0xff;
    out[8] = 1;
    out[9] = 0x7f;
    out[10] = 3;
    memcpy(out + 12, "NULL", 4);
    memcpy(out + GREETING_LENGTH, ready, sizeof ready - 1);
    return GREETING_LENGTH + sizeof ready - 1;
}

static size_t put_header(uint8_t *out, uint8_t flags, size_t length) {
    out[0] = flags;
    if (length <= 255) {
        out[1] = (uint8_t)length;
        return 2;
    }
    out[0] |= FLAG_LONG;
    for (size_t i = 0; i < 8; i++)
        out[1 + i] = (uint8_t)((uint64_t)length >> (56 - 8 * i));
    return 9;
}

size_t zmtp_message(uint8_t *out, const void *bytes, size_t length, bool delimited) {
    size_t at = delimited ? put_header(out, FLAG_MORE, 0) : 0;

    at += put_header(out + at, 0, length);
    memcpy(out + at, bytes, length);
    return at + length;
}

size_t zmtp_pong(uint8_t *out, const uint8_t *context, size_t length) {
    size_t at = put_header(out, FLAG_COMMAND, 5 + length);

    memcpy(out + at, "\x04PONG", 5);
    memcpy(out + at + 5, context, length);
    return at + 5 + length;
}
