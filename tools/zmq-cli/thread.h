/* Threads, posts and uploads as they are shown. */
#ifndef THREAD_H
#define THREAD_H

#include "output.h"

enum status thread_print(struct output *output, const zchat_thread *thread, int creator_width);

/* A post with the number that it has for this user. */
enum status post_print(struct output *output, const zchat_post *post, uint64_t number);
/* What is there of an entry that the broker can't read. */
enum status damaged_print(struct output *output, uint64_t seq);

/* An upload among a thread's posts. */
enum status upload_print(struct output *output, const zchat_upload *upload);

/* The same as an object, for who adds to it. */
json_t *upload_object(const zchat_upload *upload);

#endif
