/* Turns the given options into settings that need no further check. */
#include "settings.h"

#include "limits.h"
#include "resolve.h"
#include "text.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_CLIENT "libzchat " ZCHAT_VERSION

/* Writes user@hostname, as far as the system knows them. */
static void own_label(char *label, size_t label_bytes) {
    char host[128] = "";
    char buffer[1024];
    struct passwd entry;
    struct passwd *found = NULL;
    if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0')
        strcpy(host, "localhost");
    if (getpwuid_r(getuid(), &entry, buffer, sizeof buffer, &found) != 0 || !found) {
        snprintf(label, label_bytes, "%s", host);
        return;
    }
    snprintf(label, label_bytes, "%s@%s", found->pw_name, host);
}

/* Cuts at whole characters. */
static void cut(char *text, size_t characters_max) {
    size_t characters = 0;
    for (char *at = text; *at != '\0'; at++) {
        bool begins = ((unsigned char)*at & 0xC0) != 0x80;
        if (begins && characters++ == characters_max) {
            *at = '\0';
            return;
        }
    }
}

static zchat_code set_label(struct settings *settings, const char *device, struct fault *fault) {
    if (!device) {
        own_label(settings->device, sizeof settings->device);
        text_clean_line(settings->device, strlen(settings->device));
        cut(settings->device, LABEL_CHARACTERS_MAX);
        return ZCHAT_OK;
    }
    size_t bytes = strlen(device);
    if (bytes > LABEL_BYTES_MAX || !text_is_utf8(device, bytes) ||
        text_characters(device, bytes) > LABEL_CHARACTERS_MAX) {
        return fault_set(fault, ZCHAT_INVALID, "a device's label has at most %d characters",
                         LABEL_CHARACTERS_MAX);
    }
    strcpy(settings->device, device);
    return ZCHAT_OK;
}

static zchat_code set_client(struct settings *settings, const char *client, struct fault *fault) {
    const char *name = client ? client : DEFAULT_CLIENT;
    size_t bytes = strlen(name);
    if (bytes > CLIENT_BYTES_MAX || !text_is_utf8(name, bytes)) {
        return fault_set(fault, ZCHAT_INVALID, "a program's name has at most %d bytes",
                         CLIENT_BYTES_MAX);
    }
    strcpy(settings->client, name);
    return ZCHAT_OK;
}

/* Others who connect to a wildcard would find their own machine, or nobody. */
static bool is_wildcard(const char *host) {
    struct in6_addr ipv6;
    struct in_addr ipv4;
    return (inet_pton(AF_INET, host, &ipv4) == 1 && ipv4.s_addr == INADDR_ANY) ||
           (inet_pton(AF_INET6, host, &ipv6) == 1 && IN6_IS_ADDR_UNSPECIFIED(&ipv6));
}

/* Checks it now; otherwise a wrong address would only show when a private chat fails. */
static zchat_code check_private_address(const char *host, struct fault *fault) {
    const char *why;
    if (is_wildcard(host)) {
        return fault_set(fault, ZCHAT_INVALID,
                         "the address for private chats \"%.100s\" is none that others can "
                         "connect to: give the one at which they reach this machine",
                         host);
    }
    if (if_nametoindex(host) != 0) {
        return fault_set(fault, ZCHAT_INVALID,
                         "the address for private chats \"%.100s\" is a network interface: give "
                         "its address, at which others reach this machine",
                         host);
    }
    if (!resolve_within(host, PRIVATE_ADDRESS_MS, &why)) {
        return fault_set(fault, ZCHAT_INVALID,
                         "the address for private chats \"%.100s\" can't be resolved (%s): give a "
                         "host's name or an address at which others reach this machine",
                         host, why);
    }
    return ZCHAT_OK;
}

static zchat_code set_private_address(struct settings *settings, const char *host,
                                      struct fault *fault) {
    struct address address = {.port = 1};
    char endpoint[ENDPOINT_BYTES];
    settings->private_address[0] = '\0';
    if (!host || host[0] == '\0')
        return ZCHAT_OK;
    if (strlen(host) < sizeof address.host) {
        strcpy(address.host, host);
        address_endpoint(&address, endpoint);
        if (address_parse(endpoint, 1, &address)) {
            strcpy(settings->private_address, address.host);
            return check_private_address(address.host, fault);
        }
    }
    return fault_set(fault, ZCHAT_INVALID,
                     "the address for private chats \"%.100s\" is neither a host's name nor an "
                     "address",
                     host);
}

/* Takes the key itself, or its fingerprint: nobody can make another key with the same 128 bits. */
static zchat_code set_key(struct settings *settings, const char *key, struct fault *fault) {
    settings->fingerprint[0] = '\0';
    settings->key_given = key && key_parse(key, settings->key);
    if (!key || settings->key_given || key_parse_fingerprint(key, settings->fingerprint))
        return ZCHAT_OK;
    return fault_set(fault, ZCHAT_INVALID,
                     "the server's key can't be read: it is 40 characters of Z85, 64 hex digits, "
                     "or a fingerprint of 32 hex digits");
}

zchat_code settings_init(struct settings *settings, const zchat_options *options,
                         struct fault *fault) {
    if (!options || !options->server ||
        !address_parse(options->server, ZCHAT_DEFAULT_PORT, &settings->address)) {
        return fault_set(fault, ZCHAT_INVALID,
                         "the server's address \"%.100s\" can't be read: it is host, host:port or "
                         "[ipv6]:port",
                         options && options->server ? options->server : "");
    }
    address_endpoint(&settings->address, settings->endpoint);
    settings->name = settings->endpoint + strlen("tcp://");
    settings->trust_new = options->trust_new;
    settings->no_reconnect = options->no_reconnect;
    zchat_code code = set_key(settings, options->server_key, fault);
    if (code == ZCHAT_OK)
        code = set_client(settings, options->client, fault);
    if (code == ZCHAT_OK)
        code = set_label(settings, options->device, fault);
    if (code == ZCHAT_OK)
        code = set_private_address(settings, options->private_address, fault);
    return code == ZCHAT_OK ? folder_open(options->config_dir, settings->folder, fault) : code;
}
