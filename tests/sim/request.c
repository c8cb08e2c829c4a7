#include "request.h"

#include "town.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const stream_names[4] = {"inbox", "presence", "broadcast", "notice"};

void account_name(int account, char name[NAME_TEXT]) {
    snprintf(name, NAME_TEXT, "u%d", account % 1000);
}

int account_of_name(const char *name) {
    int account;

    return sscanf(name, "u%d", &account) == 1 && account >= 0 && account < ACCOUNTS_MAX ? account
                                                                                        : -1;
}

void password_text(int password, uint64_t link, uint64_t number, char text[PASSWORD_TEXT]) {
    if (password == 0)
        text[0] = '\0';
    else
        snprintf(text, PASSWORD_TEXT, "p%d#%" PRIu64 ".%" PRIu64, password, link, number);
}

void password_hash(int password, char *hash, size_t bytes) {
    if (password == 0)
        hash[0] = '\0';
    else
        snprintf(hash, bytes, "h%d", password);
}

bool password_read(const char *text, int *password, uint64_t *link, uint64_t *number) {
    return sscanf(text, "p%d#%" SCNu64 ".%" SCNu64, password, link, number) == 3;
}

/* Memory of one command that its fields point into. */
struct body {
    Zchat__V1__Command command;
    union {
        Zchat__V1__LoginRequest login;
        Zchat__V1__LogoutRequest logout;
        Zchat__V1__RegisterAccountRequest register_account;
        Zchat__V1__ChangePasswordRequest change_password;
        Zchat__V1__ListDevicesRequest list_devices;
        Zchat__V1__RevokeDeviceRequest revoke_device;
        Zchat__V1__SendMessageRequest send_message;
        Zchat__V1__BroadcastRequest broadcast;
        Zchat__V1__WhoRequest who;
        Zchat__V1__SinceRequest since;
        Zchat__V1__BlockUserRequest block_user;
        Zchat__V1__UnblockUserRequest unblock_user;
        Zchat__V1__ListBlockedRequest list_blocked;
        Zchat__V1__SyncRequest sync;
        Zchat__V1__AckRequest ack;
        Zchat__V1__PingRequest ping;
        Zchat__V1__KeepAliveRequest keep_alive;
        Zchat__V1__GetStatsRequest get_stats;
    } is;
    char user[NAME_TEXT];
    char password[PASSWORD_TEXT];
    char new_password[PASSWORD_TEXT];
    unsigned char id[ID_BYTES];
    unsigned char instance[INSTANCE_BYTES];
    char text[TEXT_BYTES_MAX + 1];
};

#define SET(body, field, name)                                                                     \
    (zchat__v1__##name##_request__init(&(body)->is.field),                                         \
     (body)->command.field = &(body)->is.field)

static void fill_login(struct body *body, const struct request *request) {
    Zchat__V1__LoginRequest *login = &body->is.login;

    SET(body, login, login);
    login->protocol = PROTOCOL_VERSION;
    login->user = body->user;
    login->password = body->password;
    login->no_trust = request->no_trust;
    login->online = request->online;
    login->inbox = request->inbox;
    login->public_events = request->public_events;
    if (request->instance != 0) {
        memcpy(body->instance, &request->instance, sizeof request->instance);
        login->instance.data = body->instance;
        login->instance.len = INSTANCE_BYTES;
    }
}

static void fill_password(struct body *body, const struct request *request) {
    if (request->kind == KIND(REGISTER_ACCOUNT)) {
        SET(body, register_account, register_account);
        body->is.register_account.protocol = PROTOCOL_VERSION;
        body->is.register_account.user = body->user;
        body->is.register_account.password = body->new_password;
        body->is.register_account.no_trust = request->no_trust;
    } else {
        SET(body, change_password, change_password);
        body->is.change_password.old_password = body->password;
        body->is.change_password.new_password = body->new_password;
    }
}

static void fill_message(struct body *body, const struct town *town,
                         const struct request *request) {
    const struct message *message = &town->messages[request->item];

    SET(body, send_message, send_message);
    memcpy(body->id, message->id, ID_BYTES);
    message_text(request->item, request->other_text ? 1 : message->text_bytes, body->text);
    body->is.send_message.id.data = body->id;
    body->is.send_message.id.len = ID_BYTES;
    body->is.send_message.to = body->user;
    body->is.send_message.text = body->text;
    body->is.send_message.require_online = request->require_online;
}

static void fill_broadcast(struct body *body, const struct town *town,
                           const struct request *request) {
    SET(body, broadcast, broadcast);
    memcpy(body->id, town->broadcasts[request->item].id, ID_BYTES);
    message_text(request->item, 1, body->text);
    body->is.broadcast.id.data = body->id;
    body->is.broadcast.id.len = ID_BYTES;
    body->is.broadcast.text = body->text;
}

static void fill_stream(struct body *body, const struct request *request) {
    if (request->kind == KIND(SYNC)) {
        SET(body, sync, sync);
        body->is.sync.stream = (char *)stream_names[request->stream];
        body->is.sync.after_seq = request->after_seq;
        body->is.sync.limit = request->limit;
    } else {
        SET(body, ack, ack);
        body->is.ack.received = request->received;
        body->is.ack.read = request->read;
    }
}

static void fill_small(struct body *body, const struct request *request) {
    switch (request->kind) {
    case KIND(LOGOUT):
        SET(body, logout, logout);
        break;
    case KIND(LIST_DEVICES):
        SET(body, list_devices, list_devices);
        break;
    case KIND(REVOKE_DEVICE):
        SET(body, revoke_device, revoke_device);
        body->is.revoke_device.device = request->device;
        break;
    case KIND(WHO):
        SET(body, who, who);
        break;
    case KIND(SINCE):
        SET(body, since, since);
        body->is.since.seconds = INT64_MAX;
        break;
    case KIND(BLOCK_USER):
        SET(body, block_user, block_user);
        body->is.block_user.user = body->user;
        break;
    case KIND(UNBLOCK_USER):
        SET(body, unblock_user, unblock_user);
        body->is.unblock_user.user = body->user;
        break;
    case KIND(LIST_BLOCKED):
        SET(body, list_blocked, list_blocked);
        break;
    case KIND(PING):
        SET(body, ping, ping);
        break;
    case KIND(KEEP_ALIVE):
        SET(body, keep_alive, keep_alive);
        break;
    default:
        SET(body, get_stats, get_stats);
        break;
    }
}

static void fill(struct body *body, const struct town *town, uint64_t link,
                 const struct request *request) {
    zchat__v1__command__init(&body->command);
    body->command.request = request->silent ? 0 : request->number;
    body->command.body_case = (Zchat__V1__Command__BodyCase)request->kind;
    memset(body->instance, 0, sizeof body->instance);
    account_name(request->user, body->user);
    password_text(request->password, link, request->number, body->password);
    password_text(request->new_password, link, request->number, body->new_password);
    if (request->kind == KIND(LOGIN))
        fill_login(body, request);
    else if (request->kind == KIND(REGISTER_ACCOUNT) || request->kind == KIND(CHANGE_PASSWORD))
        fill_password(body, request);
    else if (request->kind == KIND(SEND_MESSAGE))
        fill_message(body, town, request);
    else if (request->kind == KIND(BROADCAST))
        fill_broadcast(body, town, request);
    else if (request->kind == KIND(SYNC) || request->kind == KIND(ACK))
        fill_stream(body, request);
    else
        fill_small(body, request);
}

uint8_t *request_pack(const struct town *town, uint64_t link, struct request *const *requests,
                      size_t count, size_t *bytes) {
    struct body body;
    uint8_t *frame = NULL;

    *bytes = 0;
    for (size_t i = 0; i < count; i++) {
        size_t size;

        fill(&body, town, link, requests[i]);
        size = wire_element_size(&body.command.base);
        if (!(frame = realloc(frame, *bytes + size)))
            abort();
        *bytes += wire_element_pack(WIRE_COMMANDS, &body.command.base, frame + *bytes);
    }
    return frame;
}
