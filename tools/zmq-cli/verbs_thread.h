/* The verbs about threads and their posts. */
#ifndef VERBS_THREAD_H
#define VERBS_THREAD_H

#include "call.h"

enum status thread_create(struct call *call);
enum status thread_list(struct call *call);
enum status thread_post(struct call *call);
enum status thread_read(struct call *call);
enum status thread_edit(struct call *call);
enum status thread_delete(struct call *call);
enum status thread_remove(struct call *call);
enum status thread_follow(struct call *call);
enum status thread_unfollow(struct call *call);

#endif
