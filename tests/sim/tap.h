/* The checker at the broker's mouth: each frame that leaves the core is compared with what the
 * model expects and with what is committed. Every breach ends the world. */
#ifndef TAP_H
#define TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct link;
struct world;

/* Whether it holds nothing but what the streams or a head told again make up for. */
bool tap_frame(struct world *world, struct link *link, const uint8_t *bytes, size_t length);
/* Whether it holds events, not only the topic's head. */
bool tap_publication(struct world *world, const uint8_t *bytes, size_t length);
/* All that the turn yields was seen. */
void tap_turn(struct world *world);

#endif
