/* The budget for messages of members that are not complete: libzmq keeps their parts outside of
 * every bound of its own. What a connection is known to hold so is charged to it, to its account
 * and to all; beyond a bound the connection that holds the most is cut.
 *
 * Bytes are those that came over TCP. libzmq makes up to 4.5 times as much of them: a part of one
 * byte comes as 36, and is kept as a zmq_msg_t of 64 in a queue that grows by 256 of them, with 96
 * of heap for the frame in which it was decrypted. */
#ifndef UNFINISHED_H
#define UNFINISHED_H

#include <stdint.h>

struct link;
struct links;

/* The link is known to hold so much of a message that is not complete. */
void unfinished_charge(struct links *links, struct link *link, uint64_t bytes);
/* Its message was completed, or the link has ended. */
void unfinished_release(struct links *links, struct link *link);
/* Cuts until all bounds hold. */
void unfinished_bound(struct links *links);

#endif
