#include "source.h"

#include <arpa/inet.h>
#include <netinet/in.h>

void source_of(const struct sockaddr *address, char source[SOURCE_BYTES]) {
    char text[INET6_ADDRSTRLEN] = "";

    if (address->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, text, sizeof text);
    else if (address->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)address)->sin6_addr, text, sizeof text);
    address_group(text, source);
}

void source_of_socket(int fd, char source[SOURCE_BYTES]) {
    struct sockaddr_storage address;
    socklen_t bytes = sizeof address;

    source[0] = '\0';
    if (getpeername(fd, (struct sockaddr *)&address, &bytes) == 0)
        source_of((struct sockaddr *)&address, source);
}
