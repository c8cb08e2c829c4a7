/* The public calls of accounts, people, the inbox and the broker: each checks what it is given and
 * queues its command. What would be refused for its form is refused here, before it is sent.
 * session.c has logins and logouts. */
#include "call.h"

#include "handle.h"
#include "id.h"
#include "session.h"

#include <stdlib.h>
#include <string.h>

/* ---- for all of them ---- */

static bool refuse(zchat *z, zchat_code code, const char *sentence) {
    fault_set(&z->fault, code, "%s", sentence);
    return false;
}

bool call_begin(zchat *z) {
    if (z->core.client.over == ZCHAT_OK)
        return true;
    struct fault last = z->fault;
    return refuse(z, z->core.client.over, last.text);
}

static struct request *add(zchat *z, command_number command, ProtobufCMessage *body,
                           zchat_reply_fn *fn, void *arg) {
    struct request *request =
        call_begin(z) ? client_ask(&z->core.client, REQUEST_CALL, command, body) : NULL;
    if (request) {
        request->fn = fn;
        request->arg = arg;
    } else if (z->core.client.over == ZCHAT_OK) {
        refuse(z, ZCHAT_NO_MEMORY, "no memory for the call");
    }
    return request;
}

zchat_code call_send(zchat *z, command_number command, ProtobufCMessage *body, zchat_reply_fn *fn,
                     void *arg) {
    return add(z, command, body, fn, arg) ? ZCHAT_OK : z->fault.code;
}

zchat_code call_send_id(zchat *z, command_number command, ProtobufCMessage *body,
                        const zchat_id *id, zchat_reply_fn *fn, void *arg) {
    struct request *request = add(z, command, body, fn, arg);
    if (!request)
        return z->fault.code;
    memcpy(request->id, id->bytes, ID_BYTES);
    return ZCHAT_OK;
}

zchat_code call_send_about(zchat *z, command_number command, ProtobufCMessage *body,
                           const char *about, zchat_reply_fn *fn, void *arg) {
    char *kept = strdup(about);
    struct request *request = kept ? add(z, command, body, fn, arg) : NULL;
    if (!request) {
        free(kept);
        return kept ? z->fault.code
                    : fault_set(&z->fault, ZCHAT_NO_MEMORY, "no memory for the call");
    }
    request->about = kept;
    return ZCHAT_OK;
}

ProtobufCBinaryData call_bytes(const zchat_id *id) {
    return (ProtobufCBinaryData){.data = (uint8_t *)id->bytes, .len = ID_BYTES};
}

/* ---- checks ---- */

bool call_check_login(zchat *z) {
    return call_begin(z) &&
           (z->core.client.session.intended || refuse(z, ZCHAT_AUTH, "nobody is logged in"));
}

bool call_check_name(zchat *z, const char *user, char name[NAME_BYTES]) {
    if (!call_begin(z) || (user && name_fold(user, name)))
        return z->core.client.over == ZCHAT_OK;
    fault_set(&z->fault, ZCHAT_INVALID, "\"%.40s\" is no name: a name is 1 to %d of a-z 0-9 _ . -",
              user ? user : "", NAME_BYTES_MAX);
    return false;
}

bool call_check_text(zchat *z, const char *text) {
    size_t bytes = text ? strlen(text) : 0;
    if (!call_begin(z))
        return false;
    if (bytes == 0)
        return refuse(z, ZCHAT_INVALID, "the text is empty");
    if (bytes > TEXT_BYTES_MAX) {
        fault_set(&z->fault, ZCHAT_INVALID, "the text has %zu bytes; at most %d can be sent", bytes,
                  TEXT_BYTES_MAX);
        return false;
    }
    return text_is_utf8(text, bytes) || refuse(z, ZCHAT_INVALID, "the text is not UTF-8");
}

bool call_check_password(zchat *z, const char *password) {
    size_t bytes = password ? strlen(password) : 0;
    if (!call_begin(z))
        return false;
    if (bytes == 0 || bytes > PASSWORD_BYTES_MAX) {
        fault_set(&z->fault, ZCHAT_INVALID, "a password has 1 to %d bytes", PASSWORD_BYTES_MAX);
        return false;
    }
    return text_is_utf8(password, bytes) || refuse(z, ZCHAT_INVALID, "the password is not UTF-8");
}

bool call_check_limit(zchat *z, uint32_t limit) {
    if (!call_begin(z) || limit <= SYNC_ENTRIES_MAX)
        return z->core.client.over == ZCHAT_OK;
    fault_set(&z->fault, ZCHAT_INVALID, "a page has at most %d entries", SYNC_ENTRIES_MAX);
    return false;
}

bool call_check_id(zchat *z, const char *what, const zchat_id *id) {
    if (!call_begin(z) || (id && id_is_valid(id->bytes, ID_BYTES)))
        return z->core.client.over == ZCHAT_OK;
    fault_set(&z->fault, ZCHAT_INVALID, "%s must be a UUID of version 7", what);
    return false;
}

bool call_check_new_id(zchat *z, const char *what, const zchat_id **id, zchat_id *own) {
    if (*id)
        return call_check_id(z, what, *id);
    zchat_id_new(own);
    *id = own;
    return call_begin(z);
}

static bool no_title(zchat *z, const char *what) {
    fault_set(&z->fault, ZCHAT_INVALID,
              "%s is 1 to %d characters without control characters or \"/\"", what,
              TITLE_CHARACTERS_MAX);
    return false;
}

bool call_check_new_title(zchat *z, const char *what, const char *title) {
    char clean[TITLE_BYTES];
    size_t bytes = title ? strlen(title) : 0;
    if (!call_begin(z))
        return false;
    if (bytes == 0 || bytes > TITLE_BYTES_MAX || !text_is_utf8(title, bytes) ||
        text_characters(title, bytes) > TITLE_CHARACTERS_MAX || strchr(title, '/') ||
        strspn(title, " ") == bytes)
        return no_title(z, what);
    memcpy(clean, title, bytes + 1);
    bool is_clean = text_clean_line(clean, bytes) == bytes && memcmp(clean, title, bytes) == 0;
    return is_clean || no_title(z, what);
}

bool call_check_title(zchat *z, const char *what, const char *title) {
    size_t bytes = title ? strlen(title) : 0;
    if (!call_begin(z))
        return false;
    if (bytes == 0) {
        fault_set(&z->fault, ZCHAT_INVALID, "%s is empty", what);
        return false;
    }
    if (bytes > TITLE_BYTES_MAX || !text_is_utf8(title, bytes)) {
        fault_set(&z->fault, ZCHAT_NOT_FOUND, "%s does not exist", what);
        return false;
    }
    return true;
}

/* ---- accounts ---- */

zchat_code zchat_login(zchat *z, const zchat_login_options *options, zchat_reply_fn *fn,
                       void *arg) {
    char name[NAME_BYTES];
    if (!call_check_name(z, options->user, name) ||
        (options->password && !call_check_password(z, options->password)))
        return z->fault.code;
    if (options->threads && options->public_events == ZCHAT_PUBLIC_NONE) {
        return fault_set(&z->fault, ZCHAT_INVALID,
                         "what happens in threads comes only with the public events");
    }
    return session_login(&z->core, options, name, fn, arg, &z->fault);
}

zchat_code zchat_logout(zchat *z, zchat_reply_fn *fn, void *arg) {
    return call_begin(z) ? session_logout(&z->core, fn, arg, &z->fault) : z->fault.code;
}

zchat_code zchat_register(zchat *z, const char *user, const char *password, bool no_trust,
                          zchat_reply_fn *fn, void *arg) {
    char name[NAME_BYTES];
    if (!call_check_name(z, user, name) || !call_check_password(z, password))
        return z->fault.code;
    Zchat__V1__RegisterAccountRequest body = ZCHAT__V1__REGISTER_ACCOUNT_REQUEST__INIT;
    body.protocol = PROTOCOL_VERSION;
    body.user = name;
    body.password = (char *)password;
    body.no_trust = no_trust;
    body.device_label = z->settings.device;
    return call_send(z, COMMAND(REGISTER_ACCOUNT), &body.base, fn, arg);
}

zchat_code zchat_passwd(zchat *z, const char *old_password, const char *new_password,
                        zchat_reply_fn *fn, void *arg) {
    bool has_old = old_password && old_password[0] != '\0';
    if ((has_old && !call_check_password(z, old_password)) || !call_check_password(z, new_password))
        return z->fault.code;
    Zchat__V1__ChangePasswordRequest body = ZCHAT__V1__CHANGE_PASSWORD_REQUEST__INIT;
    body.old_password = old_password ? (char *)old_password : (char *)"";
    body.new_password = (char *)new_password;
    return call_send(z, COMMAND(CHANGE_PASSWORD), &body.base, fn, arg);
}

zchat_code zchat_devices(zchat *z, zchat_reply_fn *fn, void *arg) {
    Zchat__V1__ListDevicesRequest body = ZCHAT__V1__LIST_DEVICES_REQUEST__INIT;
    return call_send(z, COMMAND(LIST_DEVICES), &body.base, fn, arg);
}

zchat_code zchat_revoke(zchat *z, uint64_t device, zchat_reply_fn *fn, void *arg) {
    if (call_begin(z) && device == 0)
        return fault_set(&z->fault, ZCHAT_INVALID, "devices are numbered from 1");
    Zchat__V1__RevokeDeviceRequest body = ZCHAT__V1__REVOKE_DEVICE_REQUEST__INIT;
    body.device = device;
    return call_send(z, COMMAND(REVOKE_DEVICE), &body.base, fn, arg);
}

zchat_code zchat_settings(zchat *z, zchat_choice receipts, zchat_reply_fn *fn, void *arg) {
    Zchat__V1__ChangeSettingsRequest body = ZCHAT__V1__CHANGE_SETTINGS_REQUEST__INIT;
    body.receipts = (Zchat__V1__Choice)receipts;
    return call_send(z, COMMAND(CHANGE_SETTINGS), &body.base, fn, arg);
}

/* ---- people ---- */

zchat_code zchat_send(zchat *z, const char *to, const char *text, const zchat_id *id,
                      bool require_online, zchat_reply_fn *fn, void *arg) {
    const zchat_send_options options = {.id = id, .require_online = require_online};
    return zchat_send_with(z, to, text, &options, fn, arg);
}

static bool check_original(zchat *z, const char *text, const zchat_send_options *options) {
    bool retracts = options->about == ZCHAT_ABOUT_RETRACTS;
    if (retracts ? !call_begin(z) : !call_check_text(z, text))
        return false;
    if (retracts && text && text[0])
        return refuse(z, ZCHAT_INVALID, "what takes a message back has no text");
    return !options->about || call_check_id(z, "the id of an earlier message", &options->original);
}

zchat_code zchat_send_with(zchat *z, const char *to, const char *text,
                           const zchat_send_options *options, zchat_reply_fn *fn, void *arg) {
    char name[NAME_BYTES];
    const zchat_id *id = options->id;
    zchat_id own;
    if (!call_check_name(z, to, name) || !check_original(z, text, options) ||
        !call_check_new_id(z, "a message's id", &id, &own))
        return z->fault.code;
    Zchat__V1__SendMessageRequest body = ZCHAT__V1__SEND_MESSAGE_REQUEST__INIT;
    body.id = call_bytes(id);
    body.to = name;
    body.text = options->about == ZCHAT_ABOUT_RETRACTS ? (char *)"" : (char *)text;
    body.require_online = options->require_online;
    if (options->about == ZCHAT_ABOUT_CORRECTS)
        body.corrects = call_bytes(&options->original);
    else if (options->about == ZCHAT_ABOUT_RETRACTS)
        body.retracts = call_bytes(&options->original);
    return call_send_id(z, COMMAND(SEND_MESSAGE), &body.base, id, fn, arg);
}

zchat_code zchat_receipt(zchat *z, const zchat_id *id, uint64_t seq, bool wait, zchat_reply_fn *fn,
                         void *arg) {
    Zchat__V1__AwaitReadRequest body = ZCHAT__V1__AWAIT_READ_REQUEST__INIT;
    if ((id && !call_check_id(z, "a message's id", id)) || !call_begin(z))
        return z->fault.code;
    if (!id && seq == 0)
        return fault_set(&z->fault, ZCHAT_INVALID, "entries are numbered from 1");
    if (id)
        body.id = call_bytes(id);
    else
        body.seq = seq;
    body.wait = wait;
    return wait ? call_send_about(z, COMMAND(AWAIT_READ), &body.base, "wait", fn, arg)
                : call_send(z, COMMAND(AWAIT_READ), &body.base, fn, arg);
}

zchat_code zchat_broadcast(zchat *z, const char *text, zchat_reply_fn *fn, void *arg) {
    zchat_id id;
    if (!call_check_text(z, text))
        return z->fault.code;
    zchat_id_new(&id);
    Zchat__V1__BroadcastRequest body = ZCHAT__V1__BROADCAST_REQUEST__INIT;
    body.id = call_bytes(&id);
    body.text = (char *)text;
    return call_send_id(z, COMMAND(BROADCAST), &body.base, &id, fn, arg);
}

static bool check_after(zchat *z, const zchat_person *after) {
    char name[NAME_BYTES];
    return after ? call_check_name(z, after->user, name) : call_begin(z);
}

zchat_code zchat_who(zchat *z, const zchat_person *after, uint32_t limit, zchat_reply_fn *fn,
                     void *arg) {
    Zchat__V1__WhoRequest body = ZCHAT__V1__WHO_REQUEST__INIT;
    body.after = after ? (char *)after->user : (char *)"";
    body.limit = limit;
    return check_after(z, after) ? call_send(z, COMMAND(WHO), &body.base, fn, arg) : z->fault.code;
}

zchat_code zchat_since(zchat *z, uint64_t seconds, const zchat_person *after, uint32_t limit,
                       zchat_reply_fn *fn, void *arg) {
    if (!check_after(z, after))
        return z->fault.code;
    if (seconds == 0)
        return fault_set(&z->fault, ZCHAT_INVALID, "the number of seconds must be positive");
    Zchat__V1__SinceRequest body = ZCHAT__V1__SINCE_REQUEST__INIT;
    body.seconds = seconds;
    body.after = after ? (char *)after->user : (char *)"";
    body.after_seen_us = after && !after->online ? after->last_seen_us : 0;
    body.limit = limit;
    return call_send(z, COMMAND(SINCE), &body.base, fn, arg);
}

zchat_code zchat_block(zchat *z, const char *user, zchat_reply_fn *fn, void *arg) {
    char name[NAME_BYTES];
    Zchat__V1__BlockUserRequest body = ZCHAT__V1__BLOCK_USER_REQUEST__INIT;
    body.user = name;
    return call_check_name(z, user, name)
               ? call_send_about(z, COMMAND(BLOCK_USER), &body.base, name, fn, arg)
               : z->fault.code;
}

zchat_code zchat_unblock(zchat *z, const char *user, zchat_reply_fn *fn, void *arg) {
    char name[NAME_BYTES];
    Zchat__V1__UnblockUserRequest body = ZCHAT__V1__UNBLOCK_USER_REQUEST__INIT;
    body.user = name;
    return call_check_name(z, user, name)
               ? call_send_about(z, COMMAND(UNBLOCK_USER), &body.base, name, fn, arg)
               : z->fault.code;
}

zchat_code zchat_blocked(zchat *z, zchat_reply_fn *fn, void *arg) {
    Zchat__V1__ListBlockedRequest body = ZCHAT__V1__LIST_BLOCKED_REQUEST__INIT;
    return call_send(z, COMMAND(LIST_BLOCKED), &body.base, fn, arg);
}

/* ---- the inbox ---- */

zchat_code zchat_sync(zchat *z, uint64_t after_seq, uint32_t limit, zchat_reply_fn *fn, void *arg) {
    Zchat__V1__SyncRequest body = ZCHAT__V1__SYNC_REQUEST__INIT;
    body.after_seq = after_seq;
    body.limit = limit;
    return call_check_limit(z, limit) ? call_send(z, COMMAND(SYNC), &body.base, fn, arg)
                                      : z->fault.code;
}

zchat_code zchat_history(zchat *z, const char *user, uint64_t before_seq, int64_t since_us,
                         int64_t until_us, uint32_t limit, zchat_reply_fn *fn, void *arg) {
    char name[NAME_BYTES] = "";
    if ((user && !call_check_name(z, user, name)) || !call_check_limit(z, limit))
        return z->fault.code;
    Zchat__V1__ReadHistoryRequest body = ZCHAT__V1__READ_HISTORY_REQUEST__INIT;
    body.user = name;
    body.before_seq = before_seq;
    body.since_us = since_us;
    body.until_us = until_us;
    body.limit = limit;
    return call_send(z, COMMAND(READ_HISTORY), &body.base, fn, arg);
}

zchat_code zchat_search(zchat *z, const char *words, int64_t before, uint32_t limit,
                        zchat_reply_fn *fn, void *arg) {
    Zchat__V1__SearchRequest body = ZCHAT__V1__SEARCH_REQUEST__INIT;
    if (!text_is_utf8(words, strlen(words)))
        return fault_set(&z->fault, ZCHAT_INVALID, "the words are not UTF-8");
    body.words = (char *)words;
    body.before = before;
    body.limit = limit;
    return call_check_limit(z, limit) ? call_send(z, COMMAND(SEARCH), &body.base, fn, arg)
                                      : z->fault.code;
}

static zchat_code ack_later(zchat *z, uint64_t seq) {
    if (!z->core.client.session.intended || !z->core.client.session.login)
        return fault_set(&z->fault, ZCHAT_AUTH, "nobody is logged in");
    inbox_want_read(&z->core.inbox, seq);
    client_stir(&z->core.client);
    return ZCHAT_OK;
}

zchat_code zchat_ack(zchat *z, uint64_t seq, zchat_reply_fn *fn, void *arg) {
    if (!call_begin(z))
        return z->fault.code;
    if (seq == 0)
        return fault_set(&z->fault, ZCHAT_INVALID, "entries are numbered from 1");
    Zchat__V1__AckRequest body = ZCHAT__V1__ACK_REQUEST__INIT;
    body.read = seq;
    return fn ? call_send(z, COMMAND(ACK), &body.base, fn, arg) : ack_later(z, seq);
}

/* ---- the broker ---- */

zchat_code zchat_ping(zchat *z, zchat_reply_fn *fn, void *arg) {
    Zchat__V1__PingRequest body = ZCHAT__V1__PING_REQUEST__INIT;
    return call_send(z, COMMAND(PING), &body.base, fn, arg);
}

zchat_code zchat_stats(zchat *z, zchat_reply_fn *fn, void *arg) {
    Zchat__V1__GetStatsRequest body = ZCHAT__V1__GET_STATS_REQUEST__INIT;
    return call_send(z, COMMAND(GET_STATS), &body.base, fn, arg);
}

zchat_code zchat_shutdown(zchat *z, const char *password, bool wipe, zchat_reply_fn *fn,
                          void *arg) {
    Zchat__V1__ShutdownRequest body = ZCHAT__V1__SHUTDOWN_REQUEST__INIT;
    body.password = password ? (char *)password : (char *)"";
    body.wipe = wipe;
    return !password || call_check_password(z, password)
               ? call_send(z, COMMAND(SHUTDOWN), &body.base, fn, arg)
               : z->fault.code;
}

zchat_code zchat_announce(zchat *z, const char *text, zchat_reply_fn *fn, void *arg) {
    zchat_id id;
    if (!call_check_text(z, text))
        return z->fault.code;
    zchat_id_new(&id);
    Zchat__V1__AnnounceRequest body = ZCHAT__V1__ANNOUNCE_REQUEST__INIT;
    body.id = call_bytes(&id);
    body.text = (char *)text;
    return call_send_id(z, COMMAND(ANNOUNCE), &body.base, &id, fn, arg);
}

zchat_code zchat_change_account(zchat *z, const char *user, zchat_account_change change,
                                zchat_reply_fn *fn, void *arg) {
    char name[NAME_BYTES];
    Zchat__V1__ChangeAccountRequest body = ZCHAT__V1__CHANGE_ACCOUNT_REQUEST__INIT;
    body.user = name;
    body.change = (Zchat__V1__AccountChange)change;
    return call_check_name(z, user, name)
               ? call_send(z, COMMAND(CHANGE_ACCOUNT), &body.base, fn, arg)
               : z->fault.code;
}

zchat_code zchat_reset_password(zchat *z, const char *user, const char *new_password,
                                zchat_reply_fn *fn, void *arg) {
    char name[NAME_BYTES];
    Zchat__V1__ResetPasswordRequest body = ZCHAT__V1__RESET_PASSWORD_REQUEST__INIT;
    body.user = name;
    body.new_password = (char *)new_password;
    return call_check_name(z, user, name) && call_check_password(z, new_password)
               ? call_send(z, COMMAND(RESET_PASSWORD), &body.base, fn, arg)
               : z->fault.code;
}
