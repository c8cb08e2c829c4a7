/* The budget for incomplete messages of members: libzmq keeps their parts outside of all its own
 * bounds. What a connection is known to hold of such a message is charged to it, to its account and
 * to all connections together; beyond a bound the connection that holds the most is cut.
 *
 * Bytes are those that came over TCP. libzmq uses up to 4.5 times as much memory: a part of one
 * byte comes as 36, and is kept as a zmq_msg_t of 64 in a queue that grows by 256 of them, with 96
 * of heap for the frame in which it was decrypted. */
#ifndef UNFINISHED_H
#define UNFINISHED_H

#include <stdint.h>

struct link;
struct links;

/* Charges the link for so many bytes of a message that is known to be incomplete. */
void unfinished_charge(struct links *links, struct link *link, uint64_t bytes);
/* Releases the link's charge: its message was completed, or the link has ended. */
void unfinished_release(struct links *links, struct link *link);
/* Cuts links until all bounds hold. */
void unfinished_bound(struct links *links);

#endif
