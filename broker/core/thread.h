/* Threads, their posts and their files in the schema's form. What is filled in borrows from what
 * the store returned. */
#ifndef THREAD_H
#define THREAD_H

#include "call.h"

void thread_info_fill(Zchat__V1__ThreadInfo *out, struct store_thread *thread);
void upload_fill(Zchat__V1__Upload *out, struct store_file *file);
/* post_fill fills in all but the text, which the caller sets, perhaps to post_text: a copy in the
 * call's memory (NULL: that is full). */
void post_fill(Zchat__V1__Post *out, struct store_post *post);
char *post_text(struct call *call, const struct store_post *post);
/* What stands for an entry that can't be read. */
Zchat__V1__EntryDamaged *entry_damaged(void);

#endif
