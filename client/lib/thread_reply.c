/* From the schema's threads, posts and uploads to zchat.h's. Lists lie in the handle's arena. A
 * part that a reply must have and has not is a fault of the broker: it becomes an error. */
#include "thread_reply.h"

#include "handle.h"
#include "reply.h"

#include <string.h>

void thread_id_fill(const ProtobufCBinaryData *id, zchat_id *out) {
    memset(out, 0, sizeof *out);
    if (id->len == ID_BYTES) {
        memcpy(out->bytes, id->data, ID_BYTES);
    }
}

static char *line(char *text) {
    text_clean_line(text, strlen(text));
    return text;
}

void thread_post_fill(const Zchat__V1__Post *post, zchat_post *out) {
    text_clean(post->text, strlen(post->text));
    *out = (zchat_post){.number = post->number,
                        .user = line(post->user),
                        .text = post->text,
                        .time_us = post->time_us,
                        .edited_us = post->edited_us};
    thread_id_fill(&post->id, &out->id);
}

void thread_upload_fill(const Zchat__V1__Upload *upload, zchat_upload *out) {
    *out = (zchat_upload){.user = line(upload->user),
                          .file = line(upload->file),
                          .size = upload->size,
                          .time_us = upload->time_us};
    thread_id_fill(&upload->id, &out->id);
    if (upload->digest.len == ZCHAT_HASH_BYTES) {
        memcpy(out->hash, upload->digest.data, ZCHAT_HASH_BYTES);
    }
}

static void fill_thread(const Zchat__V1__ThreadInfo *thread, zchat_thread *out) {
    *out = (zchat_thread){.title = line(thread->title),
                          .creator = line(thread->creator),
                          .posts = thread->posts,
                          .uploads = thread->uploads,
                          .created_us = thread->created_us,
                          .last_us = thread->last_us,
                          .head = thread->head};
    thread_id_fill(&thread->id, &out->id);
}

static void unreadable(zchat_reply *out) {
    *out = (zchat_reply){.code = ZCHAT_UNIMPLEMENTED, .text = "the broker's answer lacks a part"};
}

static void fill_one(zchat *z, const Zchat__V1__ThreadInfo *thread, zchat_reply *out) {
    if (!thread) {
        unreadable(out);
        return;
    }
    zchat_thread *one = reply_room(z, 1, sizeof *one, out);
    if (one) {
        fill_thread(thread, one);
        out->thread = one;
    }
}

static void fill_threads(zchat *z, const Zchat__V1__ListThreadsResponse *reply, zchat_reply *out) {
    zchat_thread *list = reply_room(z, reply->n_threads, sizeof *list, out);
    for (size_t i = 0; list && i < reply->n_threads; i++) {
        fill_thread(reply->threads[i], &list[i]);
    }
    if (list) {
        out->threads = list;
        out->more = reply->more;
    }
}

/* A post and an upload lie in the same place: an item is one of the two. */
union thing {
    zchat_post post;
    zchat_upload upload;
};

static void fill_item(const Zchat__V1__ThreadItem *item, zchat_item *out, union thing *thing) {
    *out = (zchat_item){.seq = item->seq};
    switch (item->item_case) {
    case ZCHAT__V1__THREAD_ITEM__ITEM_POST:
        thread_post_fill(item->post, &thing->post);
        out->post = &thing->post;
        break;
    case ZCHAT__V1__THREAD_ITEM__ITEM_UPLOAD:
        thread_upload_fill(item->upload, &thing->upload);
        out->upload = &thing->upload;
        break;
    default: /* damaged */
        break;
    }
}

static void fill_items(zchat *z, const Zchat__V1__ReadThreadResponse *reply, zchat_reply *out) {
    fill_one(z, reply->thread, out);
    zchat_item *list = out->thread ? reply_room(z, reply->n_items, sizeof(zchat_item), out) : NULL;
    union thing *things = list ? reply_room(z, reply->n_items, sizeof(union thing), out) : NULL;
    if (!things) {
        return;
    }
    for (size_t i = 0; i < reply->n_items; i++) {
        fill_item(reply->items[i], &list[i], &things[i]);
    }
    out->items = list;
    out->more = reply->more;
}

static void fill_edited(zchat *z, const Zchat__V1__EditPostResponse *reply, zchat_reply *out) {
    if (!reply->post) {
        unreadable(out);
        return;
    }
    zchat_post *post = reply_room(z, 1, sizeof *post, out);
    if (post) {
        thread_post_fill(reply->post, post);
        out->post = post;
        out->seq = reply->seq;
    }
}

static void fill_followed(zchat *z, Zchat__V1__FollowedThread *const *threads, size_t count,
                          zchat_reply *out) {
    zchat_followed *list = reply_room(z, count, sizeof *list, out);
    for (size_t i = 0; list && i < count; i++) {
        list[i] = (zchat_followed){.title = line(threads[i]->title),
                                   .head = threads[i]->head,
                                   .cursor = threads[i]->cursor};
        thread_id_fill(&threads[i]->id, &list[i].id);
    }
    out->followed = list;
}

/* A list's thread tells no more of it than a followed one does. */
static void fill_follow(zchat *z, const Zchat__V1__FollowThreadResponse *reply, zchat_reply *out) {
    if (!reply->followed) {
        unreadable(out);
        return;
    }
    fill_followed(z, (Zchat__V1__FollowedThread *const *)&reply->followed, 1, out);
    const zchat_followed *followed = out->followed;
    zchat_thread *thread = followed ? reply_room(z, 1, sizeof *thread, out) : NULL;
    if (thread) {
        *thread = (zchat_thread){
            .id = followed->id, .title = followed->title, .creator = "", .head = followed->head};
        out->thread = thread;
        out->head = followed->head;
        out->cursor = followed->cursor;
    }
}

static void fill_uploads(zchat *z, const Zchat__V1__ListFilesResponse *reply, zchat_reply *out) {
    zchat_upload *list = reply_room(z, reply->n_files, sizeof *list, out);
    for (size_t i = 0; list && i < reply->n_files; i++) {
        thread_upload_fill(reply->files[i], &list[i]);
    }
    out->uploads = list;
    out->more = reply->more;
}

void thread_reply_fill(zchat *z, const Zchat__V1__Reply *reply, zchat_reply *out) {
    switch (reply->body_case) {
    case ZCHAT__V1__REPLY__BODY_CREATE_THREAD:
        fill_one(z, reply->create_thread->thread, out);
        break;
    case ZCHAT__V1__REPLY__BODY_LIST_THREADS:
        fill_threads(z, reply->list_threads, out);
        break;
    case ZCHAT__V1__REPLY__BODY_POST_TO_THREAD:
        out->number = reply->post_to_thread->number;
        out->seq = reply->post_to_thread->seq;
        out->time_us = reply->post_to_thread->time_us;
        break;
    case ZCHAT__V1__REPLY__BODY_READ_THREAD:
        fill_items(z, reply->read_thread, out);
        break;
    case ZCHAT__V1__REPLY__BODY_EDIT_POST:
        fill_edited(z, reply->edit_post, out);
        break;
    case ZCHAT__V1__REPLY__BODY_DELETE_POST:
        out->seq = reply->delete_post->seq;
        break;
    case ZCHAT__V1__REPLY__BODY_FOLLOW_THREAD:
        fill_follow(z, reply->follow_thread, out);
        break;
    case ZCHAT__V1__REPLY__BODY_LIST_FOLLOWED:
        fill_followed(z, reply->list_followed->threads, reply->list_followed->n_threads, out);
        break;
    case ZCHAT__V1__REPLY__BODY_LIST_FILES:
        fill_uploads(z, reply->list_files, out);
        break;
    default:
        break;
    }
}
