#include "thread_topic.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

void thread_topics_init(struct thread_topics *topics) {
    memset(topics, 0, sizeof *topics);
}

static void topic_drop(struct thread_topics *topics, struct thread_topic *topic) {
    DL_DELETE(topics->waiting, topic);
    HASH_DEL(topics->by_id, topic);
    free(topic);
}

void thread_topics_release(struct thread_topics *topics) {
    struct thread_topic *topic, *next;

    HASH_ITER(hh, topics->by_id, topic, next) {
        topic_drop(topics, topic);
    }
}

void thread_topic_name(const unsigned char id[ID_BYTES], char name[THREAD_TOPIC_BYTES]) {
    static const char prefix[] = "thread/", digits[] = "0123456789abcdef";
    char *end = name + sizeof prefix - 1;

    memcpy(name, prefix, sizeof prefix);
    for (size_t i = 0; i < ID_BYTES; i++) {
        *end++ = digits[id[i] >> 4];
        *end++ = digits[id[i] & 15];
    }
    *end = '\0';
}

static struct thread_topic *topic_of(struct thread_topics *topics,
                                     const unsigned char id[ID_BYTES]) {
    struct thread_topic *topic = NULL;

    HASH_FIND(hh, topics->by_id, id, ID_BYTES, topic);
    if (!topic) {
        topic = memory_new(sizeof *topic);
        memcpy(topic->id, id, ID_BYTES);
        thread_topic_name(id, topic->name);
        HASH_ADD(hh, topics->by_id, id, ID_BYTES, topic);
    } else {
        DL_DELETE(topics->waiting, topic);
    }
    DL_APPEND(topics->waiting, topic);
    return topic;
}

void thread_topic_publish(struct thread_topics *topics, struct outbox *outbox,
                          const unsigned char id[ID_BYTES], uint64_t seq,
                          const struct outbox_packed *event, int64_t now_us) {
    struct thread_topic *topic = topic_of(topics, id);

    topic->head = seq;
    topic->repeat_us = now_us + HEAD_REPEAT_US;
    outbox_publish(outbox, &topic->open, topic->name, event);
}

int64_t thread_topics_deadline(const struct thread_topics *topics) {
    return topics->waiting ? topics->waiting->repeat_us : INT64_MAX;
}

void thread_topics_tick(struct thread_topics *topics, struct outbox *outbox, int64_t now_us) {
    while (now_us >= thread_topics_deadline(topics)) {
        struct thread_topic *topic = topics->waiting;

        if (topic->open) /* its events leave first: the outbox points to it */
            return;

        outbox_publish_head(outbox, topic->name, topic->head);
        topic_drop(topics, topic);
    }
}
