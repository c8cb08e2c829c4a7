/* The topics of threads that something happened in lately. A thread's events are gathered: the
 * first after some silence is told at the end of its own turn, those that follow a little later, in
 * one frame for all who subscribed and one for each who follows on the command connection. After a
 * topic fell silent it publishes its head once more. The store numbers the events. */
#ifndef THREAD_TOPIC_H
#define THREAD_TOPIC_H

#include "state.h"

#define THREAD_TOPIC_BYTES 40 /* "thread/", 32 hex digits, NUL */

struct thread_topics *thread_topics_new(void);
void thread_topics_free(struct thread_topics *topics, struct outbox *outbox);

/* Writes "thread/" and the id in hex; and reads that back. false: `name` is not of that form. */
void thread_topic_name(const unsigned char id[ID_BYTES], char name[THREAD_TOPIC_BYTES]);
bool thread_topic_parse(const char *name, unsigned char id[ID_BYTES]);
/* Something happened in the thread: has the event told on the thread's topic, and on the
 * connections that asked for it. */
void thread_topic_add(struct core *core, const struct store_thread *thread,
                      Zchat__V1__ServerEvent *event);
/* Tells in this turn what waits of the thread; or of all threads. */
void thread_topic_tell(struct core *core, const unsigned char id[ID_BYTES]);
void thread_topics_tell(struct core *core);
/* The turn is about to be sealed: adds to it what is due. */
void thread_topics_end_turn(struct core *core);

int64_t thread_topics_deadline(const struct core *core);
void thread_topics_tick(struct core *core, int64_t now_us);

#endif
