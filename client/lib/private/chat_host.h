/* What private chats ask of the program around them, besides links and files. Whoever links them
 * provides these functions. */
#ifndef CHAT_HOST_H
#define CHAT_HOST_H

#include "address.h"
#include "fault.h"
#include "limits.h"

#include <stdbool.h>
#include <stdint.h>

struct chat_host;

/* ZCHAT_OK: this key is pinned for the user or, if *known is false, none is. */
zchat_code chat_host_check(const struct chat_host *host, const char *user,
                           const unsigned char key[KEY_BYTES], bool *known, struct fault *fault);
zchat_code chat_host_pin(const struct chat_host *host, const char *user,
                         const unsigned char key[KEY_BYTES], struct fault *fault);

/* The address to tell others instead of the one that the broker sees; "": none. */
const char *chat_host_told_address(const struct chat_host *host);
/* This side's address on the way to that one (in digits; NULL: not known), or else the one that the
 * broker sees. */
void chat_host_own_address(const struct chat_host *host, const char *theirs, char own[HOST_BYTES]);

#endif
