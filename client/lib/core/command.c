/* The commands' rows, and beside each what fills in its reply and what an answer changes in here.
 * An answer that does not fit its question, or lacks a part, is a fault of the broker, and becomes
 * an error. */
#include "command.h"

#include "client_state.h"
#include "crypto.h"
#include "reply.h"
#include "session.h"
#include "text.h"

#include <string.h>

/* ---- accounts ---- */

static void fill_login(struct client_core *core, const Zchat__V1__Reply *reply, zchat_reply *out) {
    const Zchat__V1__LoginResponse *body = reply->login;
    (void)core;
    out->user = reply_line(body->user);
    out->trusted = body->trusted;
    out->admin = body->admin;
    out->idle_timeout_s = body->idle_timeout_s;
    out->head = body->inbox_head;
    out->cursor = body->inbox_cursor;
    out->time_us = body->time_us;
}

static void fill_register(struct client_core *core, const Zchat__V1__Reply *reply,
                          zchat_reply *out) {
    (void)core;
    out->user = reply_line(reply->register_account->user);
}

static const char *fingerprint(struct client_core *core, const ProtobufCBinaryData *key) {
    char *text = wire_arena_take(core->client.arena, FINGERPRINT_TEXT);
    if (!text || key->len != KEY_BYTES)
        return "";
    key_fingerprint(key->data, text);
    return text;
}

static void fill_devices(struct client_core *core, const Zchat__V1__Reply *reply,
                         zchat_reply *out) {
    const Zchat__V1__ListDevicesResponse *body = reply->list_devices;
    zchat_device *list = reply_room(core->client.arena, body->n_devices, sizeof *list, out);
    for (size_t i = 0; list && i < body->n_devices; i++) {
        const Zchat__V1__Device *device = body->devices[i];
        list[i] = (zchat_device){.device = device->number,
                                 .label = reply_line(device->label),
                                 .fingerprint = fingerprint(core, &device->key),
                                 .trusted_us = device->trusted_us,
                                 .used_us = device->used_us,
                                 .current = device->current};
    }
    out->devices = list;
}

static void fill_settings(struct client_core *core, const Zchat__V1__Reply *reply,
                          zchat_reply *out) {
    (void)core;
    out->receipts = reply->change_settings->receipts == ZCHAT__V1__CHOICE__CHOICE_ON;
}

static void fill_revoked(struct client_core *core, const Zchat__V1__Reply *reply,
                         zchat_reply *out) {
    (void)core;
    out->sessions = reply->revoke_device->sessions;
}

static void fill_changed(struct client_core *core, const Zchat__V1__Reply *reply,
                         zchat_reply *out) {
    (void)core;
    out->user = reply_line(reply->change_account->user);
    out->sessions = reply->change_account->sessions;
}

static void fill_reset(struct client_core *core, const Zchat__V1__Reply *reply, zchat_reply *out) {
    (void)core;
    out->user = reply_line(reply->reset_password->user);
    out->sessions = reply->reset_password->sessions;
}

/* ---- people ---- */

static void fill_sent(struct client_core *core, const Zchat__V1__Reply *reply, zchat_reply *out) {
    (void)core;
    out->seq = reply->send_message->seq;
    out->time_us = reply->send_message->time_us;
    out->delivered = reply->send_message->delivered;
}

static void fill_receipt(struct client_core *core, const Zchat__V1__Reply *reply,
                         zchat_reply *out) {
    (void)core;
    reply_id(&reply->await_read->id, &out->id);
    out->user = reply_line(reply->await_read->user);
    out->read = reply->await_read->read;
}

/* The request is about nothing unless it waits. */
static void effect_receipt(struct client_core *core, const struct request *request,
                           const Zchat__V1__Reply *reply) {
    const Zchat__V1__AwaitReadResponse *body = reply->await_read;
    if (body->id.len == ID_BYTES)
        awaited_asked(&core->awaited, body->id.data, request->about && !body->read);
}

static void fill_broadcast(struct client_core *core, const Zchat__V1__Reply *reply,
                           zchat_reply *out) {
    (void)core;
    out->reached = reply->broadcast->reached;
    out->skipped = reply->broadcast->skipped;
}

static void fill_announced(struct client_core *core, const Zchat__V1__Reply *reply,
                           zchat_reply *out) {
    (void)core;
    out->reached = reply->announce->reached;
}

static void fill_people(struct client_core *core, Zchat__V1__Person *const *people, size_t count,
                        zchat_reply *out) {
    zchat_person *list = reply_room(core->client.arena, count, sizeof *list, out);
    for (size_t i = 0; list && i < count; i++) {
        list[i] = (zchat_person){.user = reply_line(people[i]->user),
                                 .online = people[i]->online,
                                 .last_seen_us = people[i]->last_seen_us};
    }
    out->people = list;
}

static void fill_who(struct client_core *core, const Zchat__V1__Reply *reply, zchat_reply *out) {
    fill_people(core, reply->who->people, reply->who->n_people, out);
    out->more = reply->who->more;
}

static void fill_since(struct client_core *core, const Zchat__V1__Reply *reply, zchat_reply *out) {
    fill_people(core, reply->since->people, reply->since->n_people, out);
    out->more = reply->since->more;
}

static void fill_blocked(struct client_core *core, const Zchat__V1__Reply *reply,
                         zchat_reply *out) {
    const Zchat__V1__ListBlockedResponse *body = reply->list_blocked;
    const char **list = reply_room(core->client.arena, body->n_users, sizeof *list, out);
    for (size_t i = 0; list && i < body->n_users; i++)
        list[i] = reply_line(body->users[i]);
    out->users = list;
}

static void effect_block(struct client_core *core, const struct request *request,
                         const Zchat__V1__Reply *reply) {
    char name[NAME_BYTES];
    (void)reply;
    if (name_fold(request->about, name))
        published_block(&core->published, name);
}

static void effect_unblock(struct client_core *core, const struct request *request,
                           const Zchat__V1__Reply *reply) {
    char name[NAME_BYTES];
    (void)reply;
    if (name_fold(request->about, name))
        published_unblock(&core->published, name);
}

/* ---- streams ---- */

/* Entries of a kind that this library is too old for are left out. */
static zchat_message *fill_entries(struct client_core *core, Zchat__V1__ServerEvent *const *events,
                                   size_t count, zchat_reply *out) {
    zchat_message *list = reply_room(core->client.arena, count, sizeof *list, out);
    out->count = 0;
    for (size_t i = 0; list && i < count; i++)
        out->count += inbox_message(&core->inbox, events[i], &list[out->count]);
    out->messages = list;
    return list;
}

static void fill_page(struct client_core *core, const Zchat__V1__Reply *reply, zchat_reply *out) {
    const Zchat__V1__SyncResponse *page = reply->sync;
    (void)fill_entries(core, page->events, page->n_events, out);
    out->head = page->head;
    out->more = page->more;
}

static void fill_history(struct client_core *core, const Zchat__V1__Reply *reply,
                         zchat_reply *out) {
    const Zchat__V1__ReadHistoryResponse *page = reply->read_history;
    zchat_message *list = fill_entries(core, page->events, page->n_events, out);
    for (size_t i = 0; i < out->count; i++)
        list[i].missed = false; /* whoever looks back was told, or will be */
    out->seq = page->before_seq;
    out->more = page->more && page->before_seq > 0;
}

/* ---- searching ---- */

struct hit {
    zchat_message message;
    zchat_post post;
};

static void found_of(struct client_core *core, const Zchat__V1__Found *found, zchat_found *out,
                     struct hit *hit) {
    *out = (zchat_found){0};
    if (found->body_case == ZCHAT__V1__FOUND__BODY_MESSAGE && found->message->message) {
        Zchat__V1__ServerEvent event = ZCHAT__V1__SERVER_EVENT__INIT;
        event.seq = found->message->seq;
        event.time_us = found->message->time_us;
        event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_MESSAGE;
        event.message = found->message->message;
        out->message = inbox_message(&core->inbox, &event, &hit->message) ? &hit->message : NULL;
        hit->message.missed = false;
    } else if (found->body_case == ZCHAT__V1__FOUND__BODY_POST && found->post->post) {
        reply_post(found->post->post, &hit->post);
        out->post = &hit->post;
        out->thread = reply_line(found->post->thread);
    }
}

static void fill_search(struct client_core *core, const Zchat__V1__Reply *reply, zchat_reply *out) {
    const Zchat__V1__SearchResponse *page = reply->search;
    zchat_found *list = reply_room(core->client.arena, page->n_found, sizeof *list, out);
    struct hit *hits =
        list ? reply_room(core->client.arena, page->n_found, sizeof *hits, out) : NULL;
    if (!hits)
        return;
    for (size_t i = 0; i < page->n_found; i++)
        found_of(core, page->found[i], &list[i], &hits[i]);
    out->found = list;
    out->before = page->before;
    out->behind = page->behind;
    out->more = page->before != 0;
}

static void fill_ack(struct client_core *core, const Zchat__V1__Reply *reply, zchat_reply *out) {
    (void)core;
    out->cursor = reply->ack->cursor;
}

/* Only the inbox's cursor is told as an event; a thread's cursor, which comes with an id or its
 * stream's name, concerns only the program that moved it. */
static void effect_ack(struct client_core *core, const struct request *request,
                       const Zchat__V1__Reply *reply) {
    static const unsigned char none[ID_BYTES];
    const char *stream = request->about ? request->about : "";
    bool inbox = !*stream || strcmp(stream, "inbox") == 0;
    if (inbox && memcmp(request->id, none, ID_BYTES) == 0)
        inbox_cursor(&core->inbox, reply->ack->cursor);
}

/* ---- the broker ---- */

static void fill_ping(struct client_core *core, const Zchat__V1__Reply *reply, zchat_reply *out) {
    (void)core;
    out->time_us = reply->ping->time_us;
    out->software = reply_line(reply->ping->software);
}

static void fill_stats(struct client_core *core, const Zchat__V1__Reply *reply, zchat_reply *out) {
    const Zchat__V1__GetStatsResponse *body = reply->get_stats;
    zchat_stat *list = reply_room(core->client.arena, body->n_stats, sizeof *list, out);
    for (size_t i = 0; list && i < body->n_stats; i++) {
        list[i] =
            (zchat_stat){.name = reply_line(body->stats[i]->name), .value = body->stats[i]->value};
    }
    out->stats = list;
}

/* ---- threads ---- */

static void unreadable(zchat_reply *out) {
    *out = (zchat_reply){.code = ZCHAT_UNIMPLEMENTED, .text = "the broker's answer lacks a part"};
}

static void fill_thread(struct client_core *core, const Zchat__V1__ThreadInfo *thread,
                        zchat_reply *out) {
    if (!thread) {
        unreadable(out);
        return;
    }
    zchat_thread *one = reply_room(core->client.arena, 1, sizeof *one, out);
    if (one) {
        reply_thread(thread, one);
        out->thread = one;
    }
}

static void fill_created(struct client_core *core, const Zchat__V1__Reply *reply,
                         zchat_reply *out) {
    fill_thread(core, reply->create_thread->thread, out);
}

static void fill_threads(struct client_core *core, const Zchat__V1__Reply *reply,
                         zchat_reply *out) {
    const Zchat__V1__ListThreadsResponse *body = reply->list_threads;
    zchat_thread *list = reply_room(core->client.arena, body->n_threads, sizeof *list, out);
    for (size_t i = 0; list && i < body->n_threads; i++)
        reply_thread(body->threads[i], &list[i]);
    if (list) {
        out->threads = list;
        out->more = body->more;
    }
}

static void fill_posted(struct client_core *core, const Zchat__V1__Reply *reply, zchat_reply *out) {
    (void)core;
    out->number = reply->post_to_thread->number;
    out->seq = reply->post_to_thread->seq;
    out->time_us = reply->post_to_thread->time_us;
}

/* A post and an upload share the memory: an item is one of the two. */
union thing {
    zchat_post post;
    zchat_upload upload;
};

static void item_of(const Zchat__V1__ThreadItem *item, zchat_item *out, union thing *thing) {
    *out = (zchat_item){.seq = item->seq};
    switch (item->item_case) {
    case ZCHAT__V1__THREAD_ITEM__ITEM_POST:
        reply_post(item->post, &thing->post);
        out->post = &thing->post;
        break;
    case ZCHAT__V1__THREAD_ITEM__ITEM_UPLOAD:
        reply_upload(item->upload, &thing->upload);
        out->upload = &thing->upload;
        break;
    case ZCHAT__V1__THREAD_ITEM__ITEM_DAMAGED:
        out->damaged = true;
        break;
    default: /* of a kind that is newer than this library */
        break;
    }
}

static void fill_items(struct client_core *core, const Zchat__V1__Reply *reply, zchat_reply *out) {
    const Zchat__V1__ReadThreadResponse *body = reply->read_thread;
    fill_thread(core, body->thread, out);
    size_t count = body->n_items;
    zchat_item *list =
        out->thread ? reply_room(core->client.arena, count, sizeof(zchat_item), out) : NULL;
    union thing *things =
        list ? reply_room(core->client.arena, count, sizeof(union thing), out) : NULL;
    if (!things)
        return;
    for (size_t i = 0; i < count; i++)
        item_of(body->items[i], &list[i], &things[i]);
    out->items = list;
    out->more = body->more;
}

static void fill_edited(struct client_core *core, const Zchat__V1__Reply *reply, zchat_reply *out) {
    if (!reply->edit_post->post) {
        unreadable(out);
        return;
    }
    zchat_post *post = reply_room(core->client.arena, 1, sizeof *post, out);
    if (post) {
        reply_post(reply->edit_post->post, post);
        out->post = post;
        out->seq = reply->edit_post->seq;
    }
}

static void fill_deleted(struct client_core *core, const Zchat__V1__Reply *reply,
                         zchat_reply *out) {
    (void)core;
    out->seq = reply->delete_post->seq;
}

/* ---- followed threads ---- */

static void fill_followed(struct client_core *core, Zchat__V1__FollowedThread *const *threads,
                          size_t count, zchat_reply *out) {
    zchat_followed *list = reply_room(core->client.arena, count, sizeof *list, out);
    for (size_t i = 0; list && i < count; i++) {
        list[i] = (zchat_followed){.title = reply_line(threads[i]->title),
                                   .head = threads[i]->head,
                                   .cursor = threads[i]->cursor};
        reply_id(&threads[i]->id, &list[i].id);
    }
    out->followed = list;
}

static void fill_follows(struct client_core *core, const Zchat__V1__Reply *reply,
                         zchat_reply *out) {
    fill_followed(core, reply->list_followed->threads, reply->list_followed->n_threads, out);
}

/* The reply's `thread` has only what a followed thread tells. */
static void fill_follow(struct client_core *core, const Zchat__V1__Reply *reply, zchat_reply *out) {
    if (!reply->follow_thread->followed) {
        unreadable(out);
        return;
    }
    fill_followed(core, &reply->follow_thread->followed, 1, out);
    const zchat_followed *followed = out->followed;
    zchat_thread *thread = followed ? reply_room(core->client.arena, 1, sizeof *thread, out) : NULL;
    if (thread) {
        *thread = (zchat_thread){
            .id = followed->id, .title = followed->title, .creator = "", .head = followed->head};
        out->thread = thread;
        out->head = followed->head;
        out->cursor = followed->cursor;
    }
}

static void effect_follow(struct client_core *core, const struct request *request,
                          const Zchat__V1__Reply *reply) {
    (void)request;
    followed_add(&core->followed, reply->follow_thread->followed);
}

static void effect_unfollow(struct client_core *core, const struct request *request,
                            const Zchat__V1__Reply *reply) {
    (void)reply;
    followed_drop(&core->followed, request->about);
}

/* ---- files ---- */

static void fill_files(struct client_core *core, const Zchat__V1__Reply *reply, zchat_reply *out) {
    const Zchat__V1__ListFilesResponse *body = reply->list_files;
    zchat_upload *list = reply_room(core->client.arena, body->n_files, sizeof *list, out);
    for (size_t i = 0; list && i < body->n_files; i++)
        reply_upload(body->files[i], &list[i]);
    out->uploads = list;
    out->seq = body->after_seq;
    out->more = body->more;
}

static void fill_file_deleted(struct client_core *core, const Zchat__V1__Reply *reply,
                              zchat_reply *out) {
    (void)core;
    out->seq = reply->remove_file->seq;
}

/* ---- the rows ---- */

#define ROW(name)    [ZCHAT__V1__COMMAND__BODY_##name]
#define DONE(reason) .repeat = true, .done = ZCHAT__V1__REASON__REASON_##reason

/* clang-format off */
const struct command_row command_rows[] = {
    ROW(LOGIN) = {"login", .repeat = true, .barrier = true, .secret = true,
                  .fill = fill_login, .answer = session_login_done},
    ROW(LOGOUT) = {"logout", .repeat = true, .barrier = true, .answer = session_logout_done},
    ROW(REGISTER_ACCOUNT) = {"register_account", .barrier = true, .secret = true,
                             .fill = fill_register},
    ROW(CHANGE_PASSWORD) = {"change_password", .barrier = true, .secret = true},
    ROW(LIST_DEVICES) = {"list_devices", .repeat = true, .fill = fill_devices},
    ROW(REVOKE_DEVICE) = {"revoke_device", DONE(NO_SUCH_DEVICE), .fill = fill_revoked},
    ROW(CHANGE_SETTINGS) = {"change_settings", .repeat = true, .fill = fill_settings},
    ROW(SEND_MESSAGE) = {"send_message", .repeat = true, .makes = true, .fill = fill_sent},
    ROW(BROADCAST) = {"broadcast", .repeat = true, .makes = true, .fill = fill_broadcast},
    ROW(WHO) = {"who", .repeat = true, .fill = fill_who},
    ROW(SINCE) = {"since", .repeat = true, .fill = fill_since},
    ROW(BLOCK_USER) = {"block_user", DONE(ALREADY_BLOCKED), .about = "user",
                       .effect = effect_block},
    ROW(UNBLOCK_USER) = {"unblock_user", DONE(NOT_BLOCKED), .about = "user",
                         .effect = effect_unblock},
    ROW(LIST_BLOCKED) = {"list_blocked", .repeat = true, .fill = fill_blocked},
    ROW(AWAIT_READ) = {"await_read", .repeat = true, .fill = fill_receipt,
                       .effect = effect_receipt},
    ROW(SYNC) = {"sync", .repeat = true, .fill = fill_page},
    ROW(ACK) = {"ack", .repeat = true, .about = "stream", .fill = fill_ack, .effect = effect_ack},
    ROW(READ_HISTORY) = {"read_history", .repeat = true, .fill = fill_history},
    ROW(PING) = {"ping", .repeat = true, .fill = fill_ping},
    ROW(KEEP_ALIVE) = {.name = "keep_alive"},
    ROW(ACTIVE) = {.name = "active"},
    ROW(GET_STATS) = {"get_stats", .repeat = true, .fill = fill_stats},
    ROW(SHUTDOWN) = {"shutdown", .secret = true},
    ROW(ANNOUNCE) = {"announce", .repeat = true, .makes = true, .fill = fill_announced},
    ROW(CHANGE_ACCOUNT) = {"change_account", .repeat = true, .fill = fill_changed},
    ROW(RESET_PASSWORD) = {"reset_password", .repeat = true, .barrier = true, .secret = true,
                           .fill = fill_reset},
    ROW(CREATE_THREAD) = {"create_thread", .repeat = true, .makes = true, .fill = fill_created},
    ROW(LIST_THREADS) = {"list_threads", .repeat = true, .fill = fill_threads},
    ROW(READ_THREAD) = {"read_thread", .repeat = true, .fill = fill_items},
    ROW(POST_TO_THREAD) = {"post_to_thread", .repeat = true, .makes = true, .fill = fill_posted},
    ROW(EDIT_POST) = {"edit_post", .repeat = true, .makes = true, .fill = fill_edited},
    ROW(DELETE_POST) = {"delete_post", .repeat = true, .makes = true, .fill = fill_deleted},
    ROW(REMOVE_THREAD) = {.name = "remove_thread"},
    ROW(FOLLOW_THREAD) = {"follow_thread", .fill = fill_follow, .effect = effect_follow},
    ROW(UNFOLLOW_THREAD) = {"unfollow_thread", DONE(NOT_FOLLOWING), .about = "thread",
                            .effect = effect_unfollow},
    ROW(LIST_FOLLOWED) = {"list_followed", .repeat = true, .fill = fill_follows},
    ROW(LIST_FILES) = {"list_files", .repeat = true, .fill = fill_files},
    ROW(REMOVE_FILE) = {"remove_file", .repeat = true, .makes = true, .fill = fill_file_deleted},
    ROW(SEARCH) = {"search", .repeat = true, .fill = fill_search},
    ROW(BEGIN_UPLOAD) = {.name = "begin_upload", .makes = true},
    ROW(PUT_CHUNK) = {.name = "put_chunk"},
    ROW(CANCEL_UPLOAD) = {.name = "cancel_upload"},
    ROW(GET_CHUNK) = {.name = "get_chunk"},
    ROW(START_BACKUP) = {.name = "start_backup"},
    ROW(READ_BACKUP) = {.name = "read_backup"},
    ROW(END_BACKUP) = {.name = "end_backup"},
    ROW(INVITE_PRIVATE) = {.name = "invite_private", .makes = true},
    ROW(ANSWER_PRIVATE) = {"answer_private", .secret = true},
    ROW(OPEN_PRIVATE) = {.name = "open_private"},
    ROW(CLOSE_PRIVATE) = {.name = "close_private"},
};
/* clang-format on */
const size_t command_row_count = sizeof command_rows / sizeof *command_rows;

const struct command_row *command_row_of(command_number number) {
    static const struct command_row any = {.name = ""};
    bool known = (size_t)number < command_row_count && command_rows[number].name;
    return known ? &command_rows[number] : &any;
}

/* ---- answers ---- */

/* The result as it came, before `fill` cleans its texts: what a Reply's body holds begins with its
 * base, so any member of the union stands for it. */
static void keep_packed(struct client_core *core, const Zchat__V1__Reply *reply, zchat_reply *out) {
    const ProtobufCMessage *result = &reply->ping->base;
    size_t bytes = wire_size(result);
    uint8_t *packed = wire_arena_take(core->client.arena, bytes);
    if (packed) {
        out->result_bytes = wire_pack(result, packed);
        out->result = packed;
    } else {
        *out = (zchat_reply){.code = ZCHAT_NO_MEMORY, .text = "the answer is too large"};
    }
}

static void fill(struct client_core *core, const struct request *request,
                 const Zchat__V1__Reply *reply, zchat_reply *out) {
    *out = (zchat_reply){.code = ZCHAT_OK, .text = "", .result = ""};
    memcpy(out->id.bytes, request->id, ID_BYTES);
    if (reply->error && request_was_done(request, reply->error))
        return;
    if (reply->error) {
        reply_refuse(reply->error, out);
    } else if (!request_fits(request, reply)) {
        out->code = ZCHAT_UNIMPLEMENTED;
        out->text = "the broker's answer does not fit the question";
    } else {
        if (request->packed)
            keep_packed(core, reply, out);
        if (request->row->fill && out->code == ZCHAT_OK)
            request->row->fill(core, reply, out);
    }
}

void command_answer(struct client_core *core, struct request *request,
                    const Zchat__V1__Reply *reply) {
    const struct command_row *row = request->row;
    zchat_reply answer;
    fill(core, request, reply, &answer);
    if (row->answer) {
        row->answer(core, request, reply, &answer);
        return;
    }
    if (row->effect && answer.code == ZCHAT_OK)
        row->effect(core, request, reply);
    client_answer(request, &answer);
}
