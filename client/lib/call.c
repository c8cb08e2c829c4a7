/* The public calls: each checks what it is given, packs its command and queues it. What would be
 * refused for its form is refused here, before it travels. Sessions are session.c's. */
#include "call.h"

#include "handle.h"
#include "id.h"

#include <string.h>

zchat_code call_begin(zchat *z) {
    if (z->over == ZCHAT_OK) {
        return ZCHAT_OK;
    }
    struct fault last = z->fault;
    return fault_set(&z->fault, z->over, "%s", last.text);
}

struct request *call_add(zchat *z, struct call call, Zchat__V1__Command *command) {
    struct request *request = handle_add(z, call.kind, command, false);
    if (!request) {
        fault_set(&z->fault, ZCHAT_NO_MEMORY, "no memory for the call");
        return NULL;
    }
    request->fn = call.fn;
    request->arg = call.arg;
    return request;
}

zchat_code call_queue(zchat *z, struct call call, Zchat__V1__Command *command) {
    return call_add(z, call, command) ? ZCHAT_OK : ZCHAT_NO_MEMORY;
}

/* ---- checks ---- */

zchat_code call_check_name(zchat *z, const char *user, char name[NAME_BYTES]) {
    if (user && name_fold(user, name)) {
        return ZCHAT_OK;
    }
    return fault_set(&z->fault, ZCHAT_INVALID,
                     "\"%.40s\" is no name: a name is 1 to %d of a-z 0-9 _ . -", user ? user : "",
                     NAME_BYTES_MAX);
}

zchat_code call_check_text(zchat *z, const char *text) {
    size_t bytes = text ? strlen(text) : 0;
    if (bytes == 0) {
        return fault_set(&z->fault, ZCHAT_INVALID, "the text is empty");
    }
    if (bytes > TEXT_BYTES_MAX) {
        return fault_set(&z->fault, ZCHAT_INVALID, "the text has %zu bytes; at most %d can be sent",
                         bytes, TEXT_BYTES_MAX);
    }
    if (!text_is_utf8(text, bytes)) {
        return fault_set(&z->fault, ZCHAT_INVALID, "the text is not UTF-8");
    }
    return ZCHAT_OK;
}

zchat_code call_check_password(zchat *z, const char *password) {
    size_t bytes = password ? strlen(password) : 0;
    if (bytes == 0 || bytes > PASSWORD_BYTES_MAX) {
        return fault_set(&z->fault, ZCHAT_INVALID, "a password has 1 to %d bytes",
                         PASSWORD_BYTES_MAX);
    }
    if (!text_is_utf8(password, bytes)) {
        return fault_set(&z->fault, ZCHAT_INVALID, "the password is not UTF-8");
    }
    return ZCHAT_OK;
}

static zchat_code no_title(zchat *z, const char *what) {
    return fault_set(&z->fault, ZCHAT_INVALID,
                     "%s is 1 to %d characters without control characters or \"/\"", what,
                     TITLE_CHARACTERS_MAX);
}

zchat_code call_check_new_title(zchat *z, const char *what, const char *title) {
    char clean[TITLE_BYTES];
    size_t bytes = title ? strlen(title) : 0;
    if (bytes == 0 || bytes > TITLE_BYTES_MAX || !text_is_utf8(title, bytes) ||
        text_characters(title, bytes) > TITLE_CHARACTERS_MAX || strchr(title, '/') ||
        strspn(title, " ") == bytes) {
        return no_title(z, what);
    }
    memcpy(clean, title, bytes + 1);
    bool is_clean = text_clean_line(clean, bytes) == bytes && memcmp(clean, title, bytes) == 0;
    return is_clean ? ZCHAT_OK : no_title(z, what);
}

zchat_code call_check_title(zchat *z, const char *what, const char *title) {
    size_t bytes = title ? strlen(title) : 0;
    if (bytes == 0) {
        return fault_set(&z->fault, ZCHAT_INVALID, "%s is empty", what);
    }
    if (bytes > TITLE_BYTES_MAX || !text_is_utf8(title, bytes)) {
        return fault_set(&z->fault, ZCHAT_NOT_FOUND, "%s is none that exists", what);
    }
    return ZCHAT_OK;
}

/* ---- accounts ---- */

zchat_code zchat_login(zchat *z, const zchat_login_options *options, zchat_reply_fn *fn,
                       void *arg) {
    char name[NAME_BYTES];
    zchat_code code = call_begin(z);
    if (code == ZCHAT_OK) {
        code = call_check_name(z, options->user, name);
    }
    if (code == ZCHAT_OK && options->password) {
        code = call_check_password(z, options->password);
    }
    if (code == ZCHAT_OK && options->threads && options->public_events == ZCHAT_PUBLIC_NONE) {
        code = fault_set(&z->fault, ZCHAT_INVALID,
                         "what happens in threads comes with the public events alone");
    }
    return code == ZCHAT_OK ? session_login(z, options, name, fn, arg) : code;
}

zchat_code zchat_logout(zchat *z, zchat_reply_fn *fn, void *arg) {
    zchat_code code = call_begin(z);
    return code == ZCHAT_OK ? session_logout(z, fn, arg) : code;
}

zchat_code zchat_register(zchat *z, const char *user, const char *password, bool no_trust,
                          zchat_reply_fn *fn, void *arg) {
    char name[NAME_BYTES];
    zchat_code code = call_begin(z);
    if (code == ZCHAT_OK) {
        code = call_check_name(z, user, name);
    }
    if (code == ZCHAT_OK) {
        code = call_check_password(z, password);
    }
    if (code != ZCHAT_OK) {
        return code;
    }
    Zchat__V1__RegisterAccountRequest body = ZCHAT__V1__REGISTER_ACCOUNT_REQUEST__INIT;
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    body.protocol = PROTOCOL_VERSION;
    body.user = name;
    body.password = (char *)password;
    body.no_trust = no_trust;
    body.device_label = z->settings.device;
    command.body_case = ZCHAT__V1__COMMAND__BODY_REGISTER_ACCOUNT;
    command.register_account = &body;
    return call_queue(z, (struct call){REQUEST_REGISTER, fn, arg}, &command);
}

zchat_code zchat_passwd(zchat *z, const char *old_password, const char *new_password,
                        zchat_reply_fn *fn, void *arg) {
    zchat_code code = call_begin(z);
    if (code == ZCHAT_OK && old_password && old_password[0] != '\0') {
        code = call_check_password(z, old_password);
    }
    if (code == ZCHAT_OK) {
        code = call_check_password(z, new_password);
    }
    if (code != ZCHAT_OK) {
        return code;
    }
    Zchat__V1__ChangePasswordRequest body = ZCHAT__V1__CHANGE_PASSWORD_REQUEST__INIT;
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    body.old_password = old_password ? (char *)old_password : (char *)"";
    body.new_password = (char *)new_password;
    command.body_case = ZCHAT__V1__COMMAND__BODY_CHANGE_PASSWORD;
    command.change_password = &body;
    return call_queue(z, (struct call){REQUEST_PASSWD, fn, arg}, &command);
}

zchat_code zchat_devices(zchat *z, zchat_reply_fn *fn, void *arg) {
    zchat_code code = call_begin(z);
    Zchat__V1__ListDevicesRequest body = ZCHAT__V1__LIST_DEVICES_REQUEST__INIT;
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    command.body_case = ZCHAT__V1__COMMAND__BODY_LIST_DEVICES;
    command.list_devices = &body;
    return code == ZCHAT_OK ? call_queue(z, (struct call){REQUEST_DEVICES, fn, arg}, &command)
                            : code;
}

zchat_code zchat_revoke(zchat *z, uint64_t device, zchat_reply_fn *fn, void *arg) {
    zchat_code code = call_begin(z);
    if (code == ZCHAT_OK && device == 0) {
        code = fault_set(&z->fault, ZCHAT_INVALID, "devices are numbered from 1");
    }
    Zchat__V1__RevokeDeviceRequest body = ZCHAT__V1__REVOKE_DEVICE_REQUEST__INIT;
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    body.device = device;
    command.body_case = ZCHAT__V1__COMMAND__BODY_REVOKE_DEVICE;
    command.revoke_device = &body;
    return code == ZCHAT_OK ? call_queue(z, (struct call){REQUEST_REVOKE, fn, arg}, &command)
                            : code;
}

/* ---- people ---- */

zchat_code zchat_send(zchat *z, const char *to, const char *text, const zchat_id *id,
                      bool require_online, zchat_reply_fn *fn, void *arg) {
    char name[NAME_BYTES];
    zchat_id own;
    zchat_code code = call_begin(z);
    if (code == ZCHAT_OK) {
        code = call_check_name(z, to, name);
    }
    if (code == ZCHAT_OK) {
        code = call_check_text(z, text);
    }
    if (code == ZCHAT_OK && id && !id_is_valid(id->bytes, ID_BYTES)) {
        code = fault_set(&z->fault, ZCHAT_INVALID, "a message's id is a UUID of version 7");
    }
    if (code != ZCHAT_OK) {
        return code;
    }
    if (!id) {
        zchat_id_new(&own);
        id = &own;
    }
    Zchat__V1__SendMessageRequest body = ZCHAT__V1__SEND_MESSAGE_REQUEST__INIT;
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    body.id.data = (uint8_t *)id->bytes;
    body.id.len = ID_BYTES;
    body.to = name;
    body.text = (char *)text;
    body.require_online = require_online;
    command.body_case = ZCHAT__V1__COMMAND__BODY_SEND_MESSAGE;
    command.send_message = &body;
    struct request *request = call_add(z, (struct call){REQUEST_SEND, fn, arg}, &command);
    if (!request) {
        return ZCHAT_NO_MEMORY;
    }
    memcpy(request->id, id->bytes, ID_BYTES);
    return ZCHAT_OK;
}

zchat_code zchat_broadcast(zchat *z, const char *text, zchat_reply_fn *fn, void *arg) {
    zchat_id id;
    zchat_code code = call_begin(z);
    if (code == ZCHAT_OK) {
        code = call_check_text(z, text);
    }
    if (code != ZCHAT_OK) {
        return code;
    }
    zchat_id_new(&id);
    Zchat__V1__BroadcastRequest body = ZCHAT__V1__BROADCAST_REQUEST__INIT;
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    body.id.data = id.bytes;
    body.id.len = ID_BYTES;
    body.text = (char *)text;
    command.body_case = ZCHAT__V1__COMMAND__BODY_BROADCAST;
    command.broadcast = &body;
    struct request *request = call_add(z, (struct call){REQUEST_BROADCAST, fn, arg}, &command);
    if (!request) {
        return ZCHAT_NO_MEMORY;
    }
    memcpy(request->id, id.bytes, ID_BYTES);
    return ZCHAT_OK;
}

static zchat_code begin_page(zchat *z, const zchat_person *after) {
    char name[NAME_BYTES];
    zchat_code code = call_begin(z);
    return code == ZCHAT_OK && after ? call_check_name(z, after->user, name) : code;
}

zchat_code zchat_who(zchat *z, const zchat_person *after, uint32_t limit, zchat_reply_fn *fn,
                     void *arg) {
    zchat_code code = begin_page(z, after);
    Zchat__V1__WhoRequest body = ZCHAT__V1__WHO_REQUEST__INIT;
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    body.after = after ? (char *)after->user : (char *)"";
    body.limit = limit;
    command.body_case = ZCHAT__V1__COMMAND__BODY_WHO;
    command.who = &body;
    return code == ZCHAT_OK ? call_queue(z, (struct call){REQUEST_WHO, fn, arg}, &command) : code;
}

zchat_code zchat_since(zchat *z, uint64_t seconds, const zchat_person *after, uint32_t limit,
                       zchat_reply_fn *fn, void *arg) {
    zchat_code code = begin_page(z, after);
    if (code == ZCHAT_OK && seconds == 0) {
        code = fault_set(&z->fault, ZCHAT_INVALID, "the number of seconds is positive");
    }
    Zchat__V1__SinceRequest body = ZCHAT__V1__SINCE_REQUEST__INIT;
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    body.seconds = seconds;
    body.after = after ? (char *)after->user : (char *)"";
    body.after_seen_us = after && !after->online ? after->last_seen_us : 0;
    body.limit = limit;
    command.body_case = ZCHAT__V1__COMMAND__BODY_SINCE;
    command.since = &body;
    return code == ZCHAT_OK ? call_queue(z, (struct call){REQUEST_SINCE, fn, arg}, &command) : code;
}

static zchat_code add_block(zchat *z, struct call call, Zchat__V1__Command *command,
                            const char *name) {
    struct request *request = call_add(z, call, command);
    if (!request) {
        return ZCHAT_NO_MEMORY;
    }
    strcpy(request->user, name);
    return ZCHAT_OK;
}

zchat_code zchat_block(zchat *z, const char *user, zchat_reply_fn *fn, void *arg) {
    char name[NAME_BYTES];
    zchat_code code = call_begin(z);
    if (code == ZCHAT_OK) {
        code = call_check_name(z, user, name);
    }
    Zchat__V1__BlockUserRequest body = ZCHAT__V1__BLOCK_USER_REQUEST__INIT;
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    body.user = name;
    command.body_case = ZCHAT__V1__COMMAND__BODY_BLOCK_USER;
    command.block_user = &body;
    return code == ZCHAT_OK ? add_block(z, (struct call){REQUEST_BLOCK, fn, arg}, &command, name)
                            : code;
}

zchat_code zchat_unblock(zchat *z, const char *user, zchat_reply_fn *fn, void *arg) {
    char name[NAME_BYTES];
    zchat_code code = call_begin(z);
    if (code == ZCHAT_OK) {
        code = call_check_name(z, user, name);
    }
    Zchat__V1__UnblockUserRequest body = ZCHAT__V1__UNBLOCK_USER_REQUEST__INIT;
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    body.user = name;
    command.body_case = ZCHAT__V1__COMMAND__BODY_UNBLOCK_USER;
    command.unblock_user = &body;
    return code == ZCHAT_OK ? add_block(z, (struct call){REQUEST_UNBLOCK, fn, arg}, &command, name)
                            : code;
}

zchat_code zchat_blocked(zchat *z, zchat_reply_fn *fn, void *arg) {
    zchat_code code = call_begin(z);
    Zchat__V1__ListBlockedRequest body = ZCHAT__V1__LIST_BLOCKED_REQUEST__INIT;
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    command.body_case = ZCHAT__V1__COMMAND__BODY_LIST_BLOCKED;
    command.list_blocked = &body;
    return code == ZCHAT_OK ? call_queue(z, (struct call){REQUEST_BLOCKED, fn, arg}, &command)
                            : code;
}

/* ---- the inbox ---- */

zchat_code zchat_sync(zchat *z, uint64_t after_seq, uint32_t limit, zchat_reply_fn *fn, void *arg) {
    zchat_code code = call_begin(z);
    if (code == ZCHAT_OK && limit > SYNC_ENTRIES_MAX) {
        code =
            fault_set(&z->fault, ZCHAT_INVALID, "a page has at most %d entries", SYNC_ENTRIES_MAX);
    }
    Zchat__V1__SyncRequest body = ZCHAT__V1__SYNC_REQUEST__INIT;
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    body.after_seq = after_seq;
    body.limit = limit;
    command.body_case = ZCHAT__V1__COMMAND__BODY_SYNC;
    command.sync = &body;
    return code == ZCHAT_OK ? call_queue(z, (struct call){REQUEST_SYNC, fn, arg}, &command) : code;
}

static zchat_code ack_later(zchat *z, uint64_t seq) {
    if (!z->session.intended || !z->session.login) {
        return fault_set(&z->fault, ZCHAT_AUTH, "nobody is logged in");
    }
    inbox_want_read(z, seq);
    if (!z->running) {
        wake_fire(z->wake);
    }
    return ZCHAT_OK;
}

zchat_code zchat_ack(zchat *z, uint64_t seq, zchat_reply_fn *fn, void *arg) {
    zchat_code code = call_begin(z);
    if (code == ZCHAT_OK && seq == 0) {
        code = fault_set(&z->fault, ZCHAT_INVALID, "entries are numbered from 1");
    }
    if (code != ZCHAT_OK || !fn) {
        return code != ZCHAT_OK ? code : ack_later(z, seq);
    }
    Zchat__V1__AckRequest body = ZCHAT__V1__ACK_REQUEST__INIT;
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    body.read = seq;
    command.body_case = ZCHAT__V1__COMMAND__BODY_ACK;
    command.ack = &body;
    return call_queue(z, (struct call){REQUEST_ACK, fn, arg}, &command);
}

/* ---- the broker ---- */

zchat_code zchat_ping(zchat *z, zchat_reply_fn *fn, void *arg) {
    zchat_code code = call_begin(z);
    Zchat__V1__PingRequest body = ZCHAT__V1__PING_REQUEST__INIT;
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    command.body_case = ZCHAT__V1__COMMAND__BODY_PING;
    command.ping = &body;
    return code == ZCHAT_OK ? call_queue(z, (struct call){REQUEST_PING, fn, arg}, &command) : code;
}

zchat_code zchat_stats(zchat *z, zchat_reply_fn *fn, void *arg) {
    zchat_code code = call_begin(z);
    Zchat__V1__GetStatsRequest body = ZCHAT__V1__GET_STATS_REQUEST__INIT;
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    command.body_case = ZCHAT__V1__COMMAND__BODY_GET_STATS;
    command.get_stats = &body;
    return code == ZCHAT_OK ? call_queue(z, (struct call){REQUEST_STATS, fn, arg}, &command) : code;
}
