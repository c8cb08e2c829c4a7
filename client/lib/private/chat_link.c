/* A chat outlives its links. When it ends, everything that waits is answered in order before the
 * end is told. */
#include "chat_link.h"

#include "invitation.h"
#include "limits.h"
#include "peer_files.h"

#include <string.h>

#define SECOND_US INT64_C(1000000)
/* The acceptor waits longer than the inviter tries. */
#define ACCEPT_MORE_US (2 * SECOND_US)
#define AGAIN_MORE_US  (5 * SECOND_US)
/* If a session and a link end together, the two ends may be noticed this far apart. */
#define TOGETHER_US (30 * SECOND_US)
/* How long the last frames get to be written. */
#define LINGER_MS 100

/* ---- links ---- */

static zchat_code listen_for(struct chat *chat, struct fault *fault) {
    chat_drop_link(chat, 0);
    chat->link = link_listen(chat->chats->host, chat->key, fault);
    if (!chat->link)
        return fault->code;
    chat->state = CHAT_LINKING;
    if (!chat->opened) {
        chat->deadline_us =
            chat->client->now_us + PRIVATE_CONNECT_MS * INT64_C(1000) + ACCEPT_MORE_US;
    }
    return ZCHAT_OK;
}

zchat_code chat_dial(struct chat *chat, const unsigned char *nonce, struct fault *fault) {
    chat_drop_link(chat, 0);
    chat->link = link_dial(chat->chats->host, &chat->address, chat->key, nonce, fault);
    if (!chat->link)
        return fault->code;
    chat->state = CHAT_LINKING;
    chat->retry_us = chat->client->now_us + PRIVATE_CONNECT_MS * INT64_C(1000);
    if (!chat->opened)
        chat->deadline_us = chat->retry_us;
    return ZCHAT_OK;
}

zchat_code chat_accept(struct chat *chat, struct fault *fault) {
    bool known;
    zchat_code code = chat_host_check(chat->chats->host, chat->user, chat->key, &known, fault);
    if (code == ZCHAT_OK)
        code = listen_for(chat, fault);
    invitation_answer(chat, code == ZCHAT_OK ? INVITATION_ACCEPTED : INVITATION_UNABLE);
    return code;
}

void chat_break(struct chat *chat, const char *text) {
    chat_retry(chat);
    chat->deadline_us =
        chat->client->now_us + PRIVATE_AGAIN_S * SECOND_US + (chat->mine ? 0 : AGAIN_MORE_US);
    if (chat->left_us != NEVER_US && chat->client->now_us - chat->left_us < TOGETHER_US)
        chat->gone_us = chat->client->now_us + PRIVATE_GONE_S * SECOND_US;
    peer_files_unlink(chat);
    client_tell(
        chat->client,
        &(zchat_event){.kind = ZCHAT_EVENT_PRIVATE_BROKEN, .user = chat->user, .text = text});
}

/* ---- lines ---- */

void chat_flush(struct chat *chat) {
    size_t bunches;
    size_t bytes;
    while (chat_is_linked(chat) && (bytes = lines_frame_bytes(&chat->lines, &bunches)) > 0) {
        uint8_t *frame = link_frame(chat->link, bytes);
        if (!frame)
            return;
        lines_pack(&chat->lines, bunches, frame);
        if (!link_send(chat->link))
            return;
        if (bunches > 0)
            invitation_active(chat->chats);
    }
}

/* ---- the end ---- */

static void say_bye(struct chat *chat, const char *bye) {
    Zchat__V1__PeerBye body = ZCHAT__V1__PEER_BYE__INIT;
    Zchat__V1__PeerMessage message = ZCHAT__V1__PEER_MESSAGE__INIT;
    if (bye && chat->link) {
        body.reason = (char *)bye;
        message.body_case = ZCHAT__V1__PEER_MESSAGE__BODY_BYE;
        message.bye = &body;
        chat_say(chat, &message);
    }
}

/* Sends the last acknowledgement with the Bye: what the other side said last was handed out, and
 * nothing else would acknowledge it. */
static void say_last(struct chat *chat, const char *bye) {
    if (chat->link && chat->state == CHAT_OPEN)
        chat_flush(chat);
    say_bye(chat, bye);
    chat_drop_link(chat, bye ? LINGER_MS : 0);
}

void chat_end(struct chat *chat, zchat_code code, const char *text, const char *bye) {
    struct fault told;
    bool is_told = chat->opened || (chat->state == CHAT_ASKED && !chat->leaving);
    zchat_code undelivered = code == ZCHAT_CANCELLED ? code : ZCHAT_UNREACHABLE;
    if (chat->over)
        return;
    fault_set(&told, code, "%s", text);
    say_last(chat, bye);
    invitation_close(chat);
    chat->over = true;
    lines_end(&chat->lines, undelivered, "the line was not delivered: the chat is over",
              chat->parted);
    peer_files_end(chat, undelivered);
    chat_answer_call(chat, code == ZCHAT_OK ? ZCHAT_CANCELLED : code, told.text);
    if (chat->stop_fn) {
        chat->stop_fn(chat->stop_arg,
                      &(zchat_reply){.text = "", .user = chat->user, .software = ""});
    }
    if (is_told && !chat->client->doomed) {
        zchat_event event = {.kind = ZCHAT_EVENT_PRIVATE_CLOSED,
                             .user = chat->user,
                             .text = told.text,
                             .online = chat->opened};
        memcpy(event.id.bytes, chat->id, ID_BYTES);
        client_tell(chat->client, &event);
    }
}
