/* Frames of a link. Until both have said Hello nothing but Hello and Bye counts. A line is handed
 * out once: what was had already is only acknowledged again. */
#include "peer_talk.h"

#include "handle.h"
#include "id.h"
#include "invitation.h"
#include "known_peers.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* Each step acknowledges what it took: often, so that the other side has something to do. */
#define FRAMES_A_STEP 4

/* ---- Hello ---- */

static void say_hello(zchat *z, struct chat *chat, bool nonce) {
    Zchat__V1__PeerHello body = ZCHAT__V1__PEER_HELLO__INIT;
    Zchat__V1__PeerMessage message = ZCHAT__V1__PEER_MESSAGE__INIT;
    body.protocol_min = body.protocol_max = PROTOCOL_VERSION;
    if (nonce) {
        body.nonce.data = chat->link->nonce;
        body.nonce.len = NONCE_BYTES;
    }
    body.user = z->session.user;
    body.chat.data = chat->id;
    body.chat.len = ID_BYTES;
    body.received = chat->lines.received;
    message.body_case = ZCHAT__V1__PEER_MESSAGE__BODY_HELLO;
    message.hello = &body;
    chat_say(chat, &message);
}

void peer_talk_hello(zchat *z, struct chat *chat) {
    say_hello(z, chat, true);
}

/* CURVE has proved the key by now. */
static zchat_code pin(zchat *z, const struct chat *chat, bool *known, struct fault *fault) {
    zchat_code code = known_peers_check(z->settings.folder, chat->user, z->settings.name, chat->key,
                                        known, fault);
    if (code == ZCHAT_OK && !*known) {
        code = known_peers_pin(z->settings.folder, chat->user, z->settings.name, chat->key, fault);
    }
    return code;
}

static void tell_open(zchat *z, struct chat *chat, bool known) {
    char fingerprint[FINGERPRINT_TEXT];
    zchat_reply_fn *fn = chat->fn;
    chat->fn = NULL;
    key_fingerprint(chat->key, fingerprint);
    if (fn) {
        fn(chat->arg,
           &(zchat_reply){.code = ZCHAT_OK, .text = "", .user = chat->user, .software = ""});
    }
    zchat_event event = {.kind = ZCHAT_EVENT_PRIVATE_OPEN,
                         .user = chat->user,
                         .text = fingerprint,
                         .online = !known};
    memcpy(event.id.bytes, chat->id, ID_BYTES);
    if (!z->doomed) {
        handle_tell(z, &event);
    }
}

static void opened(zchat *z, struct chat *chat, uint64_t received) {
    struct fault fault;
    bool known = true;
    if (pin(z, chat, &known, &fault) != ZCHAT_OK) {
        chat_end(z, chat, fault.code, fault.text, "the other side can't keep this device's key");
        return;
    }
    chat->state = CHAT_OPEN;
    chat->attempts = 0;
    chat->strange = false;
    chat->deadline_us = chat->retry_us = chat->left_us = chat->gone_us = WAKE_NEVER;
    if (!chat->opened) {
        chat->opened = true;
        invitation_open(z, chat);
    }
    tell_open(z, chat, known);
    lines_relink(&chat->lines, received);
}

/* Single use: the link is closed, and with it the consent is used up. */
static void wrong_nonce(zchat *z, struct chat *chat) {
    char text[160];
    snprintf(text, sizeof text,
             "what came with %s's key showed a wrong nonce: that consent is used up; invite anew",
             chat->user);
    chat_end(z, chat, ZCHAT_FORBIDDEN, text,
             "the nonce was wrong, and the consent is used up: invite anew");
}

static void take_hello(zchat *z, struct chat *chat, const Zchat__V1__PeerHello *hello) {
    char text[160];
    bool fits =
        chat->mine || (hello->nonce.len == NONCE_BYTES &&
                       sodium_memcmp(hello->nonce.data, chat->link->nonce, NONCE_BYTES) == 0);
    sodium_memzero(chat->link->nonce, NONCE_BYTES);
    if (!fits || hello->chat.len != ID_BYTES || memcmp(hello->chat.data, chat->id, ID_BYTES) != 0) {
        wrong_nonce(z, chat);
        return;
    }
    if (hello->protocol_min > PROTOCOL_VERSION || hello->protocol_max < PROTOCOL_VERSION) {
        snprintf(text, sizeof text,
                 "%s's program speaks other versions of the protocol: update the older of the two",
                 chat->user);
        chat_end(z, chat, ZCHAT_WRONG_PROTOCOL, text,
                 "the other side's program speaks another version of the protocol");
        return;
    }
    if (!chat->mine) {
        say_hello(z, chat, false);
    }
    opened(z, chat, hello->received);
}

static bool goes_on(const zchat *z, const struct chat *chat) {
    return !z->doomed && !chat->over && chat->link && chat->link->state == LINK_UP;
}

/* ---- lines ---- */

static void breach(zchat *z, struct chat *chat) {
    char text[128];
    snprintf(text, sizeof text, "%s's program says what the protocol does not allow", chat->user);
    chat_end(z, chat, ZCHAT_WRONG_PROTOCOL, text,
             "this program said what the protocol does not allow");
}

/* The i-th of them. One that is not new is dropped. */
static void take_one(zchat *z, struct chat *chat, const Zchat__V1__PeerLines *lines, size_t i) {
    size_t bytes = strlen(lines->text[i]);
    zchat_event event = {.kind = ZCHAT_EVENT_PRIVATE_LINE,
                         .user = chat->user,
                         .text = lines->text[i],
                         .seq = lines->number + i,
                         .time_us = lines->time_us};
    if (event.seq <= chat->lines.received) {
        return;
    }
    if (event.seq != chat->lines.received + 1 || bytes > TEXT_BYTES_MAX) {
        breach(z, chat);
        return;
    }
    chat->lines.received = event.seq;
    text_clean(lines->text[i], bytes);
    memcpy(event.id.bytes, lines->id.data, ID_BYTES);
    event.id.bytes[ID_BYTES - 1] += (unsigned char)i;
    handle_tell(z, &event);
}

static void take_lines(zchat *z, struct chat *chat, const Zchat__V1__PeerLines *lines) {
    if (lines->id.len != ID_BYTES || lines->n_text > LINES_A_FRAME) {
        breach(z, chat);
        return;
    }
    chat->lines.ack_due = true;
    for (size_t i = 0; i < lines->n_text && goes_on(z, chat); i++) {
        take_one(z, chat, lines, i);
    }
}

static void take_line(zchat *z, struct chat *chat, const Zchat__V1__PeerLine *line) {
    Zchat__V1__PeerLines lines = ZCHAT__V1__PEER_LINES__INIT;
    char *text = line->text;
    lines.number = line->number;
    lines.id = line->id;
    lines.time_us = line->time_us;
    lines.n_text = 1;
    lines.text = &text;
    take_lines(z, chat, &lines);
}

static void take_bye(zchat *z, struct chat *chat, const Zchat__V1__PeerBye *bye) {
    char text[512];
    text_clean_line(bye->reason, strlen(bye->reason));
    if (bye->reason[0] != '\0') {
        snprintf(text, sizeof text, "%.400s", bye->reason);
    } else {
        snprintf(text, sizeof text, "%s ended the private chat", chat->user);
    }
    chat->parted = chat->state == CHAT_OPEN; /* its acknowledgements came before it */
    chat_end(z, chat, chat->opened ? ZCHAT_UNREACHABLE : ZCHAT_FORBIDDEN, text, NULL);
}

/* ---- frames ---- */

static void take_open(zchat *z, struct chat *chat, const Zchat__V1__PeerMessage *message) {
    switch (message->body_case) {
    case ZCHAT__V1__PEER_MESSAGE__BODY_LINE:
        take_line(z, chat, message->line);
        break;
    case ZCHAT__V1__PEER_MESSAGE__BODY_LINES:
        take_lines(z, chat, message->lines);
        break;
    case ZCHAT__V1__PEER_MESSAGE__BODY_ACK:
        lines_acked(&chat->lines, message->ack->received);
        break;
    case ZCHAT__V1__PEER_MESSAGE__BODY_HELLO:
        breach(z, chat);
        break;
    default:
        peer_files_take(z, chat, message);
        break;
    }
}

static void take(zchat *z, struct chat *chat, const Zchat__V1__PeerMessage *message) {
    if (message->body_case == ZCHAT__V1__PEER_MESSAGE__BODY_BYE) {
        take_bye(z, chat, message->bye);
    } else if (chat->state == CHAT_OPEN) {
        take_open(z, chat, message);
    } else if (message->body_case == ZCHAT__V1__PEER_MESSAGE__BODY_HELLO) {
        take_hello(z, chat, message->hello);
    } else {
        breach(z, chat);
    }
}

static void take_frame(zchat *z, struct chat *chat, const void *frame, size_t frame_bytes) {
    Zchat__V1__PeerBatch *batch = NULL;
    wire_arena_reset(z->arena);
    if (wire_read_peer(z->arena, frame, frame_bytes, &batch) != WIRE_FINE) {
        breach(z, chat);
        return;
    }
    for (size_t i = 0; i < batch->n_messages && goes_on(z, chat); i++) {
        take(z, chat, batch->messages[i]);
    }
}

void peer_talk_receive(zchat *z, struct chat *chat) {
    const void *frame;
    size_t frame_bytes;
    for (int i = 0; i < FRAMES_A_STEP && goes_on(z, chat); i++) {
        if (!link_receive(chat->link, &frame, &frame_bytes)) {
            return;
        }
        take_frame(z, chat, frame, frame_bytes);
    }
}

void peer_talk_flush(zchat *z, struct chat *chat) {
    size_t bunches;
    size_t bytes;
    while (goes_on(z, chat) && (bytes = lines_frame_bytes(&chat->lines, &bunches)) > 0) {
        uint8_t *frame = link_frame(chat->link, bytes);
        if (!frame) {
            return;
        }
        lines_pack(&chat->lines, bunches, frame);
        if (!link_send(chat->link)) {
            return;
        }
        if (bunches > 0) {
            invitation_active(z);
        }
    }
}
