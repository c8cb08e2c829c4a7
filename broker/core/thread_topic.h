/* The topics of threads that something happened in lately. A thread's events are gathered: the
 * first after some silence is told at the end of its own turn, what follows a little later, in one
 * frame for all who subscribed and one for each who follows on the command connection. After it
 * fell silent a topic publishes its head once more. Their numbers are the store's. */
#ifndef THREAD_TOPIC_H
#define THREAD_TOPIC_H

#include "state.h"

#define THREAD_TOPIC_BYTES 40 /* "thread/", 32 hex digits, NUL */

struct thread_topics *thread_topics_new(void);
void thread_topics_free(struct thread_topics *topics, struct outbox *outbox);

/* "thread/" and the id in hex; and back: false where it is not that. */
void thread_topic_name(const unsigned char id[ID_BYTES], char name[THREAD_TOPIC_BYTES]);
bool thread_topic_parse(const char *name, unsigned char id[ID_BYTES]);
/* Something happened in the thread: the event is to be told on its topic, and on the connections
 * that asked for it. */
void thread_topic_add(struct core *core, const struct store_thread *thread,
                      Zchat__V1__ServerEvent *event);
/* What waits of the thread is told in this turn; of all threads. */
void thread_topic_tell(struct core *core, const unsigned char id[ID_BYTES]);
void thread_topics_tell(struct core *core);
/* The turn is about to be sealed: what is due goes with it. */
void thread_topics_end_turn(struct core *core);

int64_t thread_topics_deadline(const struct core *core);
void thread_topics_tick(struct core *core, int64_t now_us);

#endif
