/* Makes zchat.h's structs from the schema's messages: refusals, and what both replies and events
 * tell. */
#include "reply.h"

#include "limits.h"
#include "text.h"

#include <string.h>

void *reply_room(struct wire_arena *arena, size_t count, size_t bytes, zchat_reply *out) {
    void *list = wire_arena_take(arena, count > 0 ? count * bytes : 1);
    if (!list) {
        *out = (zchat_reply){.code = ZCHAT_NO_MEMORY, .text = "the answer is too large"};
        return NULL;
    }
    out->count = count;
    return list;
}

void reply_refuse(const Zchat__V1__CommandError *error, zchat_reply *out) {
    bool known = error->code >= ZCHAT__V1__CODE__CODE_INVALID &&
                 error->code <= ZCHAT__V1__CODE__CODE_EXPIRED;
    out->code = known ? (zchat_code)error->code : ZCHAT_UNIMPLEMENTED;
    out->reason = (zchat_reason)error->reason;
    out->text = reply_line(error->message);
    out->retry_after_s = error->retry_after_s;
}

char *reply_line(char *text) {
    text_clean_line(text, strlen(text));
    return text;
}

void reply_id(const ProtobufCBinaryData *id, zchat_id *out) {
    memset(out, 0, sizeof *out);
    if (id->len == ID_BYTES)
        memcpy(out->bytes, id->data, ID_BYTES);
}

void reply_thread(const Zchat__V1__ThreadInfo *thread, zchat_thread *out) {
    *out = (zchat_thread){.title = reply_line(thread->title),
                          .creator = reply_line(thread->creator),
                          .posts = thread->posts,
                          .uploads = thread->uploads,
                          .created_us = thread->created_us,
                          .last_us = thread->last_us,
                          .head = thread->head};
    reply_id(&thread->id, &out->id);
}

void reply_post(const Zchat__V1__Post *post, zchat_post *out) {
    text_clean(post->text, strlen(post->text));
    *out = (zchat_post){.number = post->number,
                        .user = reply_line(post->user),
                        .text = post->text,
                        .time_us = post->time_us,
                        .edited_us = post->edited_us};
    reply_id(&post->id, &out->id);
}

void reply_upload(const Zchat__V1__Upload *upload, zchat_upload *out) {
    *out = (zchat_upload){.user = reply_line(upload->user),
                          .file = reply_line(upload->file),
                          .size = upload->size,
                          .time_us = upload->time_us};
    reply_id(&upload->id, &out->id);
    if (upload->digest.len == ZCHAT_HASH_BYTES)
        memcpy(out->hash, upload->digest.data, ZCHAT_HASH_BYTES);
}
