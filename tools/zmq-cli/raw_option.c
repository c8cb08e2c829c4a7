/* One row for each option. What a value must be is checked here only as far as its form goes; its
 * range is libzmq's to know. */
#define _DEFAULT_SOURCE /* explicit_bzero */
#include "raw_option.h"

#include "common/option.h"
#include "raw_text.h"

#include "zchat.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <zmq.h>

#define KEY_BYTES       32
#define KEY_TEXT_BYTES  41
#define NAME_BYTES_MAX  40
#define VALUE_BYTES_MAX 1024 /* of what is no topic: the longest are paths and names */

enum kind { INTEGER, LONG, SWITCH, BYTES, TOPIC, KEY, BOTH_HWM };

struct row {
    const char *name;
    int option;
    enum kind kind;
};

static const struct row rows[] = {
    {"affinity", ZMQ_AFFINITY, LONG},
    {"backlog", ZMQ_BACKLOG, INTEGER},
    {"bindtodevice", ZMQ_BINDTODEVICE, BYTES},
    {"conflate", ZMQ_CONFLATE, SWITCH},
    {"connect_routing_id", ZMQ_CONNECT_ROUTING_ID, BYTES},
    {"connect_timeout", ZMQ_CONNECT_TIMEOUT, INTEGER},
    {"curve_publickey", ZMQ_CURVE_PUBLICKEY, KEY},
    {"curve_secretkey", ZMQ_CURVE_SECRETKEY, KEY},
    {"curve_server", ZMQ_CURVE_SERVER, SWITCH},
    {"curve_serverkey", ZMQ_CURVE_SERVERKEY, KEY},
    {"gssapi_plaintext", ZMQ_GSSAPI_PLAINTEXT, SWITCH},
    {"gssapi_principal", ZMQ_GSSAPI_PRINCIPAL, BYTES},
    {"gssapi_principal_nametype", ZMQ_GSSAPI_PRINCIPAL_NAMETYPE, INTEGER},
    {"gssapi_server", ZMQ_GSSAPI_SERVER, SWITCH},
    {"gssapi_service_principal", ZMQ_GSSAPI_SERVICE_PRINCIPAL, BYTES},
    {"gssapi_service_principal_nametype", ZMQ_GSSAPI_SERVICE_PRINCIPAL_NAMETYPE, INTEGER},
    {"handshake_ivl", ZMQ_HANDSHAKE_IVL, INTEGER},
    {"heartbeat_ivl", ZMQ_HEARTBEAT_IVL, INTEGER},
    {"heartbeat_timeout", ZMQ_HEARTBEAT_TIMEOUT, INTEGER},
    {"heartbeat_ttl", ZMQ_HEARTBEAT_TTL, INTEGER},
    {"hwm", 0, BOTH_HWM},
    {"identity", ZMQ_ROUTING_ID, BYTES},
    {"immediate", ZMQ_IMMEDIATE, SWITCH},
    {"invert_matching", ZMQ_INVERT_MATCHING, SWITCH},
    {"ipv6", ZMQ_IPV6, SWITCH},
    {"linger", ZMQ_LINGER, INTEGER},
    {"maxmsgsize", ZMQ_MAXMSGSIZE, LONG},
    {"multicast_hops", ZMQ_MULTICAST_HOPS, INTEGER},
    {"multicast_maxtpdu", ZMQ_MULTICAST_MAXTPDU, INTEGER},
    {"plain_password", ZMQ_PLAIN_PASSWORD, BYTES},
    {"plain_server", ZMQ_PLAIN_SERVER, SWITCH},
    {"plain_username", ZMQ_PLAIN_USERNAME, BYTES},
    {"probe_router", ZMQ_PROBE_ROUTER, SWITCH},
    {"rate", ZMQ_RATE, INTEGER},
    {"rcvbuf", ZMQ_RCVBUF, INTEGER},
    {"rcvhwm", ZMQ_RCVHWM, INTEGER},
    {"reconnect_ivl", ZMQ_RECONNECT_IVL, INTEGER},
    {"reconnect_ivl_max", ZMQ_RECONNECT_IVL_MAX, INTEGER},
    {"recovery_ivl", ZMQ_RECOVERY_IVL, INTEGER},
    {"req_correlate", ZMQ_REQ_CORRELATE, SWITCH},
    {"req_relaxed", ZMQ_REQ_RELAXED, SWITCH},
    {"router_handover", ZMQ_ROUTER_HANDOVER, SWITCH},
    {"router_mandatory", ZMQ_ROUTER_MANDATORY, SWITCH},
    {"routing_id", ZMQ_ROUTING_ID, BYTES},
    {"sndbuf", ZMQ_SNDBUF, INTEGER},
    {"sndhwm", ZMQ_SNDHWM, INTEGER},
    {"socks_proxy", ZMQ_SOCKS_PROXY, BYTES},
    {"stream_notify", ZMQ_STREAM_NOTIFY, SWITCH},
    {"subscribe", ZMQ_SUBSCRIBE, TOPIC},
    {"tcp_keepalive", ZMQ_TCP_KEEPALIVE, INTEGER},
    {"tcp_keepalive_cnt", ZMQ_TCP_KEEPALIVE_CNT, INTEGER},
    {"tcp_keepalive_idle", ZMQ_TCP_KEEPALIVE_IDLE, INTEGER},
    {"tcp_keepalive_intvl", ZMQ_TCP_KEEPALIVE_INTVL, INTEGER},
    {"tcp_maxrt", ZMQ_TCP_MAXRT, INTEGER},
    {"tos", ZMQ_TOS, INTEGER},
    {"unsubscribe", ZMQ_UNSUBSCRIBE, TOPIC},
    {"xpub_nodrop", ZMQ_XPUB_NODROP, SWITCH},
    {"xpub_verbose", ZMQ_XPUB_VERBOSE, SWITCH},
    {"xpub_verboser", ZMQ_XPUB_VERBOSER, SWITCH},
    {"xpub_welcome_msg", ZMQ_XPUB_WELCOME_MSG, BYTES},
    {"zap_domain", ZMQ_ZAP_DOMAIN, BYTES},
};
#define ROW_COUNT (sizeof rows / sizeof rows[0])

/* One value on its way to libzmq. */
struct setting {
    void *socket;     /* borrowed: from the caller, like all else */
    const char *type; /* of the socket */
    const struct row *row;
    const char *value;
    char *fault;
};

static const struct row *find(const char *name) {
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (strcasecmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

static bool complain_of_name(const char *name, char *fault) {
    const char *nearest = NULL;
    size_t least = NEAREST_MAX + 1;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        size_t distance = word_distance(name, strlen(name), rows[i].name);
        if (distance < least) {
            least = distance;
            nearest = rows[i].name;
        }
    }
    snprintf(fault, RAW_FAULT_BYTES, "a ZeroMQ socket has no option \"%s\" to set%s%s; %s", name,
             nearest ? ", the nearest is " : "", nearest ? nearest : "",
             "zmq_setsockopt(3) lists them");
    return false;
}

/* Whether the value is not to be told. */
static bool is_secret(const struct row *row) {
    return row->kind == KEY || row->option == ZMQ_PLAIN_PASSWORD;
}

static bool complain(const struct setting *setting, const char *wants) {
    bool secret = is_secret(setting->row);
    snprintf(setting->fault, RAW_FAULT_BYTES, "%s wants %s%s%s%s", setting->row->name, wants,
             secret ? "" : ", not \"", secret ? "" : setting->value, secret ? "" : "\"");
    return false;
}

static bool give(const struct setting *setting, int option, const void *bytes, size_t count) {
    if (zmq_setsockopt(setting->socket, option, bytes, count) == 0)
        return true;
    bool secret = is_secret(setting->row);
    snprintf(setting->fault, RAW_FAULT_BYTES, "a %s socket does not take %s%s%s: %s", setting->type,
             setting->row->name, secret ? "" : "=", secret ? "" : setting->value,
             zmq_strerror(zmq_errno()));
    return false;
}

static bool read_number(const char *text, long long *number) {
    char *end;
    errno = 0;
    *number = strtoll(text, &end, 10);
    return end != text && *end == 0 && errno == 0 && text[strspn(text, "-0123456789")] == 0;
}

static bool set_integer(const struct setting *setting) {
    long long number;
    if (!read_number(setting->value, &number) || number < INT32_MIN || number > INT32_MAX)
        return complain(setting, "a whole number");
    int value = (int)number;
    if (setting->row->kind == BOTH_HWM)
        return give(setting, ZMQ_SNDHWM, &value, sizeof value) &&
               give(setting, ZMQ_RCVHWM, &value, sizeof value);
    return give(setting, setting->row->option, &value, sizeof value);
}

static bool set_long(const struct setting *setting) {
    long long number;
    if (!read_number(setting->value, &number))
        return complain(setting, "a whole number");
    int64_t value = number;
    return give(setting, setting->row->option, &value, sizeof value);
}

static bool set_switch(const struct setting *setting) {
    static const char *const on[] = {"yes", "on", "1", "true"};
    static const char *const off[] = {"no", "off", "0", "false"};
    for (size_t i = 0; i < sizeof on / sizeof on[0]; i++)
        if (strcasecmp(setting->value, on[i]) == 0 || strcasecmp(setting->value, off[i]) == 0) {
            int value = strcasecmp(setting->value, on[i]) == 0;
            return give(setting, setting->row->option, &value, sizeof value);
        }
    return complain(setting, "yes or no");
}

static bool set_bytes(const struct setting *setting) {
    uint8_t bytes[VALUE_BYTES_MAX];
    size_t count = sizeof bytes;
    if (!raw_bytes_read(setting->value, strlen(setting->value), bytes, &count))
        return complain(setting, "at most 1024 bytes, as text or as 0x and hex digits");
    return give(setting, setting->row->option, bytes, count);
}

/* An XSUB subscribes with a message. */
static bool send_topic(const struct setting *setting, const uint8_t *topic, size_t count) {
    uint8_t message[VALUE_BYTES_MAX + 1];
    message[0] = setting->row->option == ZMQ_SUBSCRIBE;
    if (count > 0)
        memcpy(message + 1, topic, count);
    return zmq_send(setting->socket, message, count + 1, ZMQ_DONTWAIT) >= 0 ||
           complain(setting, "a topic that can be sent");
}

static bool set_topic(const struct setting *setting) {
    uint8_t bytes[VALUE_BYTES_MAX];
    size_t count = sizeof bytes;
    if (!raw_bytes_read(setting->value, strlen(setting->value), bytes, &count))
        return complain(setting, "at most 1024 bytes, as text or as 0x and hex digits");
    if (strcmp(setting->type, "XSUB") == 0)
        return send_topic(setting, bytes, count);
    return give(setting, setting->row->option, bytes, count);
}

/* A secret key brings its public half with it. */
static bool set_public_key(const struct setting *setting, const uint8_t secret[KEY_BYTES]) {
    char secret_text[KEY_TEXT_BYTES], public_text[KEY_TEXT_BYTES];
    if (!zmq_z85_encode(secret_text, secret, KEY_BYTES) ||
        zmq_curve_public(public_text, secret_text) != 0)
        return complain(setting, "a key that CURVE can use");
    return give(setting, ZMQ_CURVE_PUBLICKEY, public_text, KEY_TEXT_BYTES);
}

static bool set_key(const struct setting *setting, const struct raw_settings *settings) {
    char hex[2 + 2 * KEY_BYTES + 1] = "0x";
    uint8_t bytes[KEY_BYTES];
    size_t count = KEY_BYTES, text_bytes = strlen(setting->value);
    bool z85 = text_bytes == KEY_TEXT_BYTES - 1 && zmq_z85_decode(bytes, setting->value);
    if (text_bytes == 2 * KEY_BYTES) {
        snprintf(hex + 2, sizeof hex - 2, "%s", setting->value);
        z85 = raw_bytes_read(hex, strlen(hex), bytes, &count) && count == KEY_BYTES;
    }
    if (!z85)
        return complain(setting, "a key, as 40 characters of Z85 or 64 hex digits");
    if (!give(setting, setting->row->option, bytes, KEY_BYTES))
        return false;
    bool secret = setting->row->option == ZMQ_CURVE_SECRETKEY;
    return !secret || settings->own_key || set_public_key(setting, bytes);
}

static bool set(const struct setting *setting, const struct raw_settings *settings) {
    switch (setting->row->kind) {
    case INTEGER:
    case BOTH_HWM:
        return set_integer(setting);
    case LONG:
        return set_long(setting);
    case SWITCH:
        return set_switch(setting);
    case BYTES:
        return set_bytes(setting);
    case TOPIC:
        return set_topic(setting);
    case KEY:
        return set_key(setting, settings);
    }
    return false;
}

static void note(struct raw_settings *settings, int option) {
    settings->subscribed |= option == ZMQ_SUBSCRIBE || option == ZMQ_UNSUBSCRIBE;
    settings->linger |= option == ZMQ_LINGER;
    settings->server_key |= option == ZMQ_CURVE_SERVERKEY;
    settings->own_key |= option == ZMQ_CURVE_SECRETKEY || option == ZMQ_CURVE_PUBLICKEY;
}

/* Finds the row, and where the value begins. */
static bool split(struct setting *setting, const char *text) {
    char name[NAME_BYTES_MAX + 1];
    size_t prefix = strncasecmp(text, "ZMQ_", 4) == 0 ? 4 : 0, bytes = strcspn(text, "=");
    if (!text[bytes] || bytes <= prefix) {
        snprintf(setting->fault, RAW_FAULT_BYTES, "-o wants NAME=VALUE, not \"%.400s\"", text);
        return false;
    }
    snprintf(name, sizeof name, "%.*s", (int)(bytes - prefix), text + prefix);
    setting->value = text + bytes + 1;
    setting->row = bytes - prefix > NAME_BYTES_MAX ? NULL : find(name);
    return setting->row || complain_of_name(name, setting->fault);
}

/* A key in Z85 may begin with an @, too: it is one unless there is a file of that name. */
static bool is_file(const struct setting *setting) {
    const char *value = setting->value;
    bool may_be_key = setting->row->kind == KEY && strlen(value) == KEY_TEXT_BYTES - 1;
    return value[0] == '@' && (!may_be_key || access(value + 1, F_OK) == 0);
}

bool raw_option_set(void *socket, const char *type, const char *text, struct raw_settings *settings,
                    char fault[RAW_FAULT_BYTES]) {
    struct setting setting = {.socket = socket, .type = type, .fault = fault};
    char line[ZCHAT_PASSWORD_BYTES], error[RAW_FAULT_BYTES / 2];
    if (!split(&setting, text))
        return false;
    if (is_file(&setting)) {
        if (!zchat_password_read(setting.value + 1, line, error, sizeof error)) {
            snprintf(fault, RAW_FAULT_BYTES, "%s: %s", setting.row->name, error);
            return false;
        }
        setting.value = line;
    }
    bool done = set(&setting, settings);
    explicit_bzero(line, sizeof line);
    if (done)
        note(settings, setting.row->option);
    return done;
}

bool raw_option_complete(void *socket, const struct raw_settings *settings) {
    char public[KEY_TEXT_BYTES], secret[KEY_TEXT_BYTES];
    if (!settings->server_key || settings->own_key)
        return true;
    bool done = zmq_curve_keypair(public, secret) == 0 &&
                zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, public, sizeof public) == 0 &&
                zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, secret, sizeof secret) == 0;
    explicit_bzero(secret, sizeof secret);
    return done;
}
