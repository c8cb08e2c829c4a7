/* Addresses as text. Nothing here looks a name up. */
#include "address.h"

#include <stdio.h>
#include <string.h>

#define SCHEME "tcp://"

static bool port_parse(const char *text, uint16_t *port) {
    unsigned long value = 0;
    size_t digits = 0;
    for (; text[digits] >= '0' && text[digits] <= '9' && digits < 6; digits++)
        value = value * 10 + (unsigned long)(text[digits] - '0');
    if (digits == 0 || text[digits] != '\0' || value == 0 || value > UINT16_MAX)
        return false;
    *port = (uint16_t)value;
    return true;
}

/* What names and numeric addresses consist of; a scope (fe80::1%eth0) only in IPv6. */
static bool host_set(struct address *address, const char *text, size_t text_bytes, bool ipv6) {
    if (text_bytes == 0 || text_bytes >= sizeof address->host)
        return false;
    for (size_t i = 0; i < text_bytes; i++) {
        char c = text[i];
        bool upper = c >= 'A' && c <= 'Z';
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr("-_.", c);
        if (c == '\0' || !(upper || plain || (ipv6 && strchr(":%", c))))
            return false;
        address->host[i] = upper ? (char)(c - 'A' + 'a') : c;
    }
    address->host[text_bytes] = '\0';
    return true;
}

bool address_parse(const char *text, uint16_t default_port, struct address *address) {
    if (strncmp(text, SCHEME, strlen(SCHEME)) == 0)
        text += strlen(SCHEME);
    bool ipv6 = text[0] == '[';
    const char *host = ipv6 ? text + 1 : text;
    size_t host_bytes = strcspn(host, ipv6 ? "]" : ":");
    const char *rest = host + host_bytes;
    if (ipv6 && *rest++ != ']')
        return false;
    if (!host_set(address, host, host_bytes, ipv6))
        return false;
    address->port = default_port;
    return *rest == '\0' || (*rest == ':' && port_parse(rest + 1, &address->port));
}

void address_endpoint(const struct address *address, char endpoint[ENDPOINT_BYTES]) {
    bool ipv6 = strchr(address->host, ':') != NULL;
    snprintf(endpoint, ENDPOINT_BYTES, SCHEME "%s%s%s:%u", ipv6 ? "[" : "", address->host,
             ipv6 ? "]" : "", (unsigned)address->port);
}

bool address_of_greeting(const char *endpoint, const char *host, struct address *address) {
    const char *any = SCHEME "*:";
    if (strncmp(endpoint, any, strlen(any)) == 0) {
        return host_set(address, host, strlen(host), true) &&
               port_parse(endpoint + strlen(any), &address->port);
    }
    return strncmp(endpoint, SCHEME, strlen(SCHEME)) == 0 && address_parse(endpoint, 0, address) &&
           address->port != 0;
}
