#include "source.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static void source_of_six(const struct in6_addr *address, char source[SOURCE_BYTES]) {
    struct in6_addr network = *address;

    if (IN6_IS_ADDR_V4MAPPED(address)) {
        inet_ntop(AF_INET, &address->s6_addr[12], source, SOURCE_BYTES);
        return;
    }
    memset(&network.s6_addr[8], 0, 8);
    inet_ntop(AF_INET6, &network, source, SOURCE_BYTES);
}

void source_of(const struct sockaddr *address, char source[SOURCE_BYTES]) {
    source[0] = '\0';
    if (address->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, source, SOURCE_BYTES);
    else if (address->sa_family == AF_INET6)
        source_of_six(&((const struct sockaddr_in6 *)address)->sin6_addr, source);
}

void source_of_socket(int fd, char source[SOURCE_BYTES]) {
    struct sockaddr_storage address;
    socklen_t bytes = sizeof address;

    source[0] = '\0';
    if (getpeername(fd, (struct sockaddr *)&address, &bytes) == 0)
        source_of((struct sockaddr *)&address, source);
}
