/* See thread_info.h. */
#include "thread_info.h"

#include <string.h>

void thread_info_fill(Zchat__V1__ThreadInfo *out, struct store_thread *thread) {
    zchat__v1__thread_info__init(out);
    out->id.data = thread->id;
    out->id.len = ID_BYTES;
    out->title = thread->title;
    out->creator = thread->creator;
    out->posts = thread->posts;
    out->uploads = thread->uploads;
    out->created_us = thread->created_us;
    out->last_us = thread->last_us;
    out->head = thread->head;
}

void upload_fill(Zchat__V1__Upload *out, struct store_file *file) {
    zchat__v1__upload__init(out);
    out->id.data = file->id;
    out->id.len = ID_BYTES;
    out->user = file->user;
    out->file = file->name;
    out->size = file->size;
    out->time_us = file->time_us;
    out->digest.data = file->hash;
    out->digest.len = HASH_BYTES;
}

void post_fill(Zchat__V1__Post *out, struct store_post *post) {
    zchat__v1__post__init(out);
    out->id.data = post->id;
    out->id.len = ID_BYTES;
    out->number = post->number;
    out->user = post->user;
    out->time_us = post->time_us;
    out->edited_us = post->edited_us;
}

char *post_text(struct call *call, const struct store_post *post) {
    char *text = call_memory(call, post->text_bytes + 1);

    return text ? memcpy(text, post->text, post->text_bytes) : NULL;
}

Zchat__V1__EntryDamaged *entry_damaged(void) {
    static const Zchat__V1__EntryDamaged damaged = ZCHAT__V1__ENTRY_DAMAGED__INIT;

    return (Zchat__V1__EntryDamaged *)(uintptr_t)&damaged; /* it is only packed */
}
