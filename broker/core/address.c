#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define PREFIX_BYTES 8

void address_group(const char *address, char group[ADDRESS_GROUP_BYTES]) {
    struct in6_addr ip;

    snprintf(group, ADDRESS_GROUP_BYTES, "%s", address);
    group[strcspn(group, "%")] = '\0';
    if (inet_pton(AF_INET6, group, &ip) != 1)
        return;
    if (IN6_IS_ADDR_V4MAPPED(&ip)) {
        inet_ntop(AF_INET, &ip.s6_addr[12], group, ADDRESS_GROUP_BYTES);
        return;
    }
    memset(&ip.s6_addr[PREFIX_BYTES], 0, sizeof ip.s6_addr - PREFIX_BYTES);
    inet_ntop(AF_INET6, &ip, group, ADDRESS_GROUP_BYTES - 4);
    strcat(group, "/64");
}
