#include "thread_topic.h"

#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

void thread_topics_init(struct thread_topics *topics) {
    memset(topics, 0, sizeof *topics);
}

static void topic_drop(struct thread_topics *topics, struct thread_topic *topic) {
    DL_DELETE(topics->waiting, topic);
    HASH_DEL(topics->by_name, topic);
    free(topic);
}

void thread_topics_release(struct thread_topics *topics) {
    struct thread_topic *topic, *next;

    HASH_ITER(hh, topics->by_name, topic, next) {
        topic_drop(topics, topic);
    }
}

void thread_topic_name(const unsigned char id[ID_BYTES], char name[THREAD_TOPIC_BYTES]) {
    char *end = name + sprintf(name, "thread/");

    for (size_t i = 0; i < ID_BYTES; i++)
        end += sprintf(end, "%02x", id[i]);
}

static struct thread_topic *topic_of(struct thread_topics *topics,
                                     const unsigned char id[ID_BYTES]) {
    char name[THREAD_TOPIC_BYTES];
    struct thread_topic *topic = NULL;

    thread_topic_name(id, name);
    HASH_FIND_STR(topics->by_name, name, topic);
    if (!topic) {
        topic = memory_new(sizeof *topic);
        memcpy(topic->name, name, sizeof name);
        HASH_ADD_STR(topics->by_name, name, topic);
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
