/* Entries of threads as they are shown. */
#ifndef THREAD_H
#define THREAD_H

#include "forum.h"
#include "zchat.h"

#include <stdint.h>

struct app;

/* Shows a post, and notes that its number was shown. */
void thread_show_post(struct app *app, struct forum_thread *thread, const zchat_post *post);
/* The same for a file. */
void thread_show_upload(struct app *app, struct forum_thread *thread, const zchat_upload *upload);
void thread_show_damaged(struct app *app, uint64_t seq);

#endif
