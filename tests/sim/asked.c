#include "asked.h"

#include "town.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *const stream_names[STREAMS] = {"inbox", "presence", "broadcast", "notice"};

/* ---- names ---- */

void account_name(int account, char name[NAME_TEXT]) {
    snprintf(name, NAME_TEXT, "u%d", account % 1000);
}

int account_of_name(const char *name) {
    int account;

    return sscanf(name, "u%d", &account) == 1 && account >= 0 && account < ACCOUNTS_MAX ? account
                                                                                        : -1;
}

int stream_of_name(const char *name) {
    for (int stream = 1; stream < STREAMS; stream++)
        if (!strcmp(stream_names[stream], name))
            return stream;
    return STREAM_INBOX;
}

bool is_thread_name(const char *stream) {
    return strncmp(stream, "thread/", sizeof "thread/" - 1) == 0;
}

/* ---- passwords ---- */

void password_text(int password, char text[PASSWORD_TEXT]) {
    if (password == 0)
        text[0] = '\0';
    else
        snprintf(text, PASSWORD_TEXT, "p%d", password);
}

int password_of_text(const char *text) {
    int password;

    return sscanf(text, "p%d", &password) == 1 ? password : 0;
}

void password_tag(const char *text, uint64_t link, uint64_t number, char tagged[PASSWORD_TEXT]) {
    snprintf(tagged, PASSWORD_TEXT, "%.10s#%" PRIu64 ".%" PRIu64, text, link, number);
}

bool password_read(const char *text, int *password, uint64_t *link, uint64_t *number) {
    return sscanf(text, "p%d#%" SCNu64 ".%" SCNu64, password, link, number) == 3;
}

void password_hash(int password, char *hash, size_t bytes) {
    if (password == 0)
        hash[0] = '\0';
    else
        snprintf(hash, bytes, "h%d", password);
}

bool asked_is_slow(const struct asked *asked) {
    return asked->kind == KIND(CHANGE_PASSWORD) || asked->kind == KIND(REGISTER_ACCOUNT) ||
           (asked->kind == KIND(LOGIN) && asked->password != 0);
}

/* ---- reading ---- */

static void read_login(struct asked *asked, const Zchat__V1__LoginRequest *login) {
    asked->user = account_of_name(login->user);
    asked->password = password_of_text(login->password);
    asked->no_trust = login->no_trust;
    asked->online = login->online;
    asked->inbox = login->inbox;
    asked->public_events = login->public_events;
    if (login->instance.len == INSTANCE_BYTES)
        memcpy(&asked->instance, login->instance.data, sizeof asked->instance);
}

/* Written under its own id, to whom it was written to; its text is what it was, or the other one of
 * whoever takes an id once more. */
static const char *read_message(struct asked *asked, const struct town *town,
                                const Zchat__V1__SendMessageRequest *send) {
    char text[TEXT_BYTES_MAX + 1];
    const struct message *message;

    if (!town_item_of(send->id.data, send->id.len, &asked->item) ||
        asked->item >= town->message_count)
        return "a message that nobody wrote";
    message = &town->messages[asked->item];
    asked->user = account_of_name(send->to);
    asked->require_online = send->require_online;
    message_text(asked->item, message->text_bytes, text);
    asked->other_text = strcmp(send->text, text) != 0;
    message_text(asked->item, 1, text);
    if (memcmp(send->id.data, message->id, ID_BYTES) != 0)
        return "a message under another id";
    if ((send->corrects.len > 0) != (message->about == STORE_CORRECTS) ||
        (send->retracts.len > 0) != (message->about == STORE_RETRACTS))
        return "a message that is not about what it was about";
    if (asked->other_text && (!message->in_disorder || strcmp(send->text, text) != 0))
        return "a message of another text";
    return asked->user == message->to ? NULL : "a message to somebody else";
}

static const char *read_broadcast(struct asked *asked, const struct town *town,
                                  const Zchat__V1__BroadcastRequest *broadcast) {
    char text[TEXT_BYTES_MAX + 1];

    if (!town_item_of(broadcast->id.data, broadcast->id.len, &asked->item) ||
        asked->item >= town->broadcast_count ||
        memcmp(broadcast->id.data, town->broadcasts[asked->item].id, ID_BYTES) != 0)
        return "a broadcast that nobody wrote";
    message_text(asked->item, 1, text);
    return strcmp(broadcast->text, text) != 0 ? "a broadcast of another text" : NULL;
}

static void read_small(struct asked *asked, const Zchat__V1__Command *command) {
    switch (asked->kind) {
    case KIND(LOGIN):
        read_login(asked, command->login);
        break;
    case KIND(REGISTER_ACCOUNT):
        asked->user = account_of_name(command->register_account->user);
        asked->new_password = password_of_text(command->register_account->password);
        asked->no_trust = command->register_account->no_trust;
        break;
    case KIND(CHANGE_PASSWORD):
        asked->password = password_of_text(command->change_password->old_password);
        asked->new_password = password_of_text(command->change_password->new_password);
        break;
    case KIND(REVOKE_DEVICE):
        asked->device = command->revoke_device->device;
        break;
    case KIND(BLOCK_USER):
        asked->user = account_of_name(command->block_user->user);
        break;
    case KIND(UNBLOCK_USER):
        asked->user = account_of_name(command->unblock_user->user);
        break;
    case KIND(SYNC):
        asked->stream = stream_of_name(command->sync->stream);
        break;
    case KIND(ACK):
        asked->received = command->ack->received;
        asked->read = command->ack->read;
        break;
    default:
        break;
    }
}

static bool is_about_thread(const Zchat__V1__Command *command) {
    int kind = (int)command->body_case;

    return kind == KIND(CREATE_THREAD) || kind == KIND(FOLLOW_THREAD) ||
           kind == KIND(POST_TO_THREAD) || kind == KIND(REMOVE_THREAD) ||
           (kind == KIND(SYNC) && is_thread_name(command->sync->stream));
}

const char *asked_read(struct asked *asked, const struct town *town,
                       const Zchat__V1__Command *command) {
    asked->number = command->request;
    asked->kind = (int)command->body_case;
    if (asked->kind == KIND(SYNC))
        asked->after_seq = command->sync->after_seq;
    if (is_about_thread(command))
        return forum_read(asked, &town->forum, command);
    if (asked->kind == KIND(SEND_MESSAGE))
        return read_message(asked, town, command->send_message);
    if (asked->kind == KIND(BROADCAST))
        return read_broadcast(asked, town, command->broadcast);
    read_small(asked, command);
    return NULL;
}
