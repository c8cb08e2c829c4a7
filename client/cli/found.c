/* Copies of what the library hands out only while it calls. */
#include "found.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>

static void found_release(struct found *found) {
    free((char *)found->message.from);
    free((char *)found->message.to);
    free((char *)found->message.text);
    free((char *)found->post.user);
    free((char *)found->post.text);
    free((char *)found->upload.user);
    free((char *)found->upload.file);
    free(found->thread);
}

void founds_release(struct founds *founds) {
    founds_keep_last(founds, 0);
    free(founds->list);
    founds->list = NULL;
}

static struct found *founds_add(struct founds *founds, enum found_kind kind) {
    founds->list = memory_grow(founds->list, founds->count + 1, sizeof *founds->list);
    struct found *found = &founds->list[founds->count++];
    memset(found, 0, sizeof *found);
    found->kind = kind;
    return found;
}

void founds_add_message(struct founds *founds, const zchat_message *message) {
    struct found *found = founds_add(founds, FOUND_MESSAGE);
    found->message = *message;
    found->message.from = memory_text(message->from);
    found->message.to = memory_text(message->to);
    found->message.text = memory_text(message->text);
}

void founds_add_post(struct founds *founds, const zchat_post *post, const char *thread) {
    struct found *found = founds_add(founds, FOUND_POST);
    found->post = *post;
    found->post.user = memory_text(post->user);
    found->post.text = memory_text(post->text);
    found->thread = memory_text(thread);
}

static void founds_add_upload(struct founds *founds, const zchat_upload *upload) {
    struct found *found = founds_add(founds, FOUND_UPLOAD);
    found->upload = *upload;
    found->upload.user = memory_text(upload->user);
    found->upload.file = memory_text(upload->file);
}

void founds_add_item(struct founds *founds, const zchat_item *item) {
    if (item->post)
        founds_add_post(founds, item->post, NULL);
    else if (item->upload)
        founds_add_upload(founds, item->upload);
    else if (item->damaged)
        founds_add(founds, FOUND_DAMAGED);
    else
        return;
    founds->list[founds->count - 1].seq = item->seq;
}

void founds_keep_last(struct founds *founds, size_t count) {
    size_t dropped = founds->count > count ? founds->count - count : 0;
    if (dropped == 0)
        return;
    for (size_t i = 0; i < dropped; i++)
        found_release(&founds->list[i]);
    founds->count -= dropped;
    memmove(founds->list, founds->list + dropped, founds->count * sizeof *founds->list);
}

void founds_put_before(struct founds *founds, struct founds *earlier) {
    earlier->list =
        memory_grow(earlier->list, earlier->count + founds->count, sizeof *earlier->list);
    if (founds->count > 0)
        memcpy(earlier->list + earlier->count, founds->list, founds->count * sizeof *founds->list);
    earlier->count += founds->count;
    free(founds->list);
    *founds = *earlier;
    *earlier = (struct founds){0};
}
