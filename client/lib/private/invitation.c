/* What the broker is told about private chats. */
#include "invitation.h"

#include "limits.h"

#include <string.h>

static struct request *ask(struct client *client, command_number command, ProtobufCMessage *body,
                           const unsigned char *id) {
    struct request *request = client_ask(client, REQUEST_CHATS, command, body);
    if (request && id)
        memcpy(request->id, id, ID_BYTES);
    return request;
}

bool invitation_ask(struct chat *chat) {
    Zchat__V1__InvitePrivateRequest body = ZCHAT__V1__INVITE_PRIVATE_REQUEST__INIT;
    chat_new_id(chat, chat->invitation);
    if (chat->opened) {
        body.again.data = chat->id;
        body.again.len = ID_BYTES;
    } else {
        memcpy(chat->id, chat->invitation, ID_BYTES);
        chat->deadline_us = chat->client->now_us + INVITATION_LATE_US;
    }
    body.id.data = chat->invitation;
    body.id.len = ID_BYTES;
    body.user = chat->user;
    chat->asked = true;
    chat->left = false;
    chat->retry_us = NEVER_US;
    return ask(chat->client, COMMAND(INVITE_PRIVATE), &body.base, chat->invitation) != NULL;
}

void invitation_answer(struct chat *chat, enum invitation_word word) {
    Zchat__V1__AnswerPrivateRequest body = ZCHAT__V1__ANSWER_PRIVATE_REQUEST__INIT;
    body.id.data = chat->invitation;
    body.id.len = ID_BYTES;
    body.accept = word == INVITATION_ACCEPTED;
    body.unable = word == INVITATION_UNABLE;
    if (body.accept) {
        body.port = chat->link->port;
        body.address = (char *)chat_host_told_address(chat->chats->host);
        body.nonce.data = chat->link->nonce;
        body.nonce.len = NONCE_BYTES;
    }
    ask(chat->client, COMMAND(ANSWER_PRIVATE), &body.base,
        chat->invitation); /* otherwise it runs out of time */
}

void invitation_open(const struct chat *chat) {
    Zchat__V1__OpenPrivateRequest body = ZCHAT__V1__OPEN_PRIVATE_REQUEST__INIT;
    if (!chat->client->session.live)
        return; /* told after the resume */
    body.id.data = (uint8_t *)chat->id;
    body.id.len = ID_BYTES;
    body.user = (char *)chat->user;
    ask(chat->client, COMMAND(OPEN_PRIVATE), &body.base, chat->id);
}

static void close_at_broker(struct client *client, const unsigned char *id) {
    Zchat__V1__ClosePrivateRequest body = ZCHAT__V1__CLOSE_PRIVATE_REQUEST__INIT;
    body.id.data = (uint8_t *)id;
    body.id.len = ID_BYTES;
    ask(client, COMMAND(CLOSE_PRIVATE), &body.base, id);
}

/* Not needed if the session ends or has ended: that closes all chats. */
void invitation_close(const struct chat *chat) {
    if (!chat->client->session.live || !chat->client->session.intended)
        return;
    bool is_again = memcmp(chat->id, chat->invitation, ID_BYTES) != 0;
    if (chat->mine && chat->asked && (is_again || !chat->opened))
        close_at_broker(chat->client, chat->invitation);
    if (chat->opened)
        close_at_broker(chat->client, chat->id);
}

void invitation_active(struct chats *chats) {
    Zchat__V1__ActiveRequest body = ZCHAT__V1__ACTIVE_REQUEST__INIT;
    chats->active_waits = chats->client->session.live && chats->client->now_us < chats->active_us;
    if (!chats->client->session.live || chats->active_waits)
        return;
    ask(chats->client, COMMAND(ACTIVE), &body.base, NULL);
    chats->active_us = chats->client->now_us + chats->active_every_us;
}
