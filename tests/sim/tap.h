/* The checker at the broker's mouth: each frame that leaves the core is compared with what the
 * model expects and with what is committed. Every breach ends the world. */
#ifndef TAP_H
#define TAP_H

#include "asked.h"

struct link;
struct world;

/* Whether it holds nothing but what the streams or a head told again make up for. */
bool tap_frame(struct world *world, struct link *link, const uint8_t *bytes, size_t length);
/* Whether it holds events, not only the topic's head. */
bool tap_publication(struct world *world, const uint8_t *bytes, size_t length);
/* All that the turn yields was seen. */
void tap_turn(struct world *world);

/* tap_forum.c: the same of threads. */
void tap_thread_reply(struct world *world, const struct link *link, const struct asked *asked,
                      const Zchat__V1__Reply *reply);
void tap_thread_page(struct world *world, const struct link *link, const struct asked *asked,
                     const Zchat__V1__SyncResponse *page);
void tap_thread_event(struct world *world, const Zchat__V1__ServerEvent *event);
void tap_thread_publication(struct world *world, const Zchat__V1__Publication *publication);
_Noreturn void tap_wrong(struct world *world, const struct link *link, const struct asked *asked,
                         const char *what, uint64_t is, uint64_t should);

#endif
