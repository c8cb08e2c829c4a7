/* The public calls about threads, and shutdown: as in call.c each checks what it is given, packs
 * its command and queues it. Edits and deletions get ids of their own here, so that one that is
 * asked again after a lost connection is done once. */
#include "call.h"
#include "followed.h"
#include "handle.h"
#include "id.h"

#include <stdlib.h>
#include <string.h>

static const char THREAD[] = "the thread's title";

static ProtobufCBinaryData bytes_of(const zchat_id *id) {
    return (ProtobufCBinaryData){.data = (uint8_t *)id->bytes, .len = ID_BYTES};
}

static zchat_code check_named(zchat *z, const char *title) {
    zchat_code code = call_begin(z);
    return code == ZCHAT_OK ? call_check_title(z, THREAD, title) : code;
}

/* The given id, or a new one in `own`. NULL: it is none. */
static const zchat_id *id_or_new(zchat *z, const zchat_id *id, zchat_id *own) {
    if (id && !id_is_valid(id->bytes, ID_BYTES)) {
        fault_set(&z->fault, ZCHAT_INVALID, "an id is a UUID of version 7");
        return NULL;
    }
    if (!id) {
        zchat_id_new(own);
        id = own;
    }
    return id;
}

static zchat_code queue_with_id(zchat *z, struct call call, Zchat__V1__Command *command,
                                const zchat_id *id) {
    struct request *request = call_add(z, call, command);
    if (!request) {
        return ZCHAT_NO_MEMORY;
    }
    memcpy(request->id, id->bytes, ID_BYTES);
    return ZCHAT_OK;
}

static zchat_code check_page(zchat *z, uint32_t limit) {
    return limit <= SYNC_ENTRIES_MAX ? ZCHAT_OK
                                     : fault_set(&z->fault, ZCHAT_INVALID,
                                                 "a page has at most %d entries", SYNC_ENTRIES_MAX);
}

/* ---- threads ---- */

zchat_code zchat_thread_create(zchat *z, const char *title, const zchat_id *id, zchat_reply_fn *fn,
                               void *arg) {
    zchat_id own;
    zchat_code code = call_begin(z);
    if (code == ZCHAT_OK) {
        code = call_check_new_title(z, "a title", title);
    }
    if (code != ZCHAT_OK) {
        return code;
    }
    id = id_or_new(z, id, &own);
    if (!id) {
        return ZCHAT_INVALID;
    }
    Zchat__V1__CreateThreadRequest body = ZCHAT__V1__CREATE_THREAD_REQUEST__INIT;
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    body.id = bytes_of(id);
    body.title = (char *)title;
    command.body_case = ZCHAT__V1__COMMAND__BODY_CREATE_THREAD;
    command.create_thread = &body;
    return queue_with_id(z, (struct call){REQUEST_THREAD_CREATE, fn, arg}, &command, id);
}

zchat_code zchat_thread_list(zchat *z, const char *after_title, uint32_t limit, zchat_reply_fn *fn,
                             void *arg) {
    bool first = !after_title || after_title[0] == '\0';
    zchat_code code = first ? call_begin(z) : check_named(z, after_title);
    if (code == ZCHAT_OK) {
        code = check_page(z, limit);
    }
    Zchat__V1__ListThreadsRequest body = ZCHAT__V1__LIST_THREADS_REQUEST__INIT;
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    body.after = first ? (char *)"" : (char *)after_title;
    body.limit = limit;
    command.body_case = ZCHAT__V1__COMMAND__BODY_LIST_THREADS;
    command.list_threads = &body;
    return code == ZCHAT_OK ? call_queue(z, (struct call){REQUEST_THREAD_LIST, fn, arg}, &command)
                            : code;
}

zchat_code zchat_thread_read(zchat *z, const char *title, uint64_t after_seq, uint32_t limit,
                             zchat_reply_fn *fn, void *arg) {
    zchat_code code = check_named(z, title);
    if (code == ZCHAT_OK) {
        code = check_page(z, limit);
    }
    Zchat__V1__ReadThreadRequest body = ZCHAT__V1__READ_THREAD_REQUEST__INIT;
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    body.thread = (char *)title;
    body.after_seq = after_seq;
    body.limit = limit;
    command.body_case = ZCHAT__V1__COMMAND__BODY_READ_THREAD;
    command.read_thread = &body;
    return code == ZCHAT_OK ? call_queue(z, (struct call){REQUEST_THREAD_READ, fn, arg}, &command)
                            : code;
}

zchat_code zchat_thread_remove(zchat *z, const char *title, zchat_reply_fn *fn, void *arg) {
    zchat_code code = check_named(z, title);
    Zchat__V1__RemoveThreadRequest body = ZCHAT__V1__REMOVE_THREAD_REQUEST__INIT;
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    body.thread = (char *)title;
    command.body_case = ZCHAT__V1__COMMAND__BODY_REMOVE_THREAD;
    command.remove_thread = &body;
    return code == ZCHAT_OK ? call_queue(z, (struct call){REQUEST_THREAD_REMOVE, fn, arg}, &command)
                            : code;
}

/* ---- posts ---- */

zchat_code zchat_thread_post(zchat *z, const char *title, const char *text, const zchat_id *id,
                             zchat_reply_fn *fn, void *arg) {
    zchat_id own;
    zchat_code code = check_named(z, title);
    if (code == ZCHAT_OK) {
        code = call_check_text(z, text);
    }
    if (code != ZCHAT_OK) {
        return code;
    }
    id = id_or_new(z, id, &own);
    if (!id) {
        return ZCHAT_INVALID;
    }
    Zchat__V1__PostToThreadRequest body = ZCHAT__V1__POST_TO_THREAD_REQUEST__INIT;
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    body.id = bytes_of(id);
    body.thread = (char *)title;
    body.text = (char *)text;
    command.body_case = ZCHAT__V1__COMMAND__BODY_POST_TO_THREAD;
    command.post_to_thread = &body;
    return queue_with_id(z, (struct call){REQUEST_THREAD_POST, fn, arg}, &command, id);
}

static zchat_code check_post(zchat *z, const zchat_id *post, uint64_t number) {
    if (post ? id_is_valid(post->bytes, ID_BYTES) : number > 0) {
        return ZCHAT_OK;
    }
    return fault_set(&z->fault, ZCHAT_INVALID,
                     post ? "a post's id is a UUID of version 7" : "posts are numbered from 1");
}

zchat_code zchat_thread_edit(zchat *z, const char *title, const zchat_id *post, uint64_t number,
                             const char *text, zchat_reply_fn *fn, void *arg) {
    zchat_id id;
    zchat_code code = check_named(z, title);
    if (code == ZCHAT_OK) {
        code = check_post(z, post, number);
    }
    if (code == ZCHAT_OK) {
        code = call_check_text(z, text);
    }
    if (code != ZCHAT_OK) {
        return code;
    }
    zchat_id_new(&id);
    Zchat__V1__EditPostRequest body = ZCHAT__V1__EDIT_POST_REQUEST__INIT;
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    body.id = bytes_of(&id);
    body.thread = (char *)title;
    if (post) {
        body.target_case = ZCHAT__V1__EDIT_POST_REQUEST__TARGET_POST;
        body.post = bytes_of(post);
        body.shown_number = number;
    } else {
        body.target_case = ZCHAT__V1__EDIT_POST_REQUEST__TARGET_NUMBER;
        body.number = number;
    }
    body.text = (char *)text;
    command.body_case = ZCHAT__V1__COMMAND__BODY_EDIT_POST;
    command.edit_post = &body;
    return call_queue(z, (struct call){REQUEST_THREAD_EDIT, fn, arg}, &command);
}

zchat_code zchat_thread_delete(zchat *z, const char *title, const zchat_id *post, uint64_t number,
                               zchat_reply_fn *fn, void *arg) {
    zchat_id id;
    zchat_code code = check_named(z, title);
    if (code == ZCHAT_OK) {
        code = check_post(z, post, number);
    }
    zchat_id_new(&id);
    Zchat__V1__DeletePostRequest body = ZCHAT__V1__DELETE_POST_REQUEST__INIT;
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    body.id = bytes_of(&id);
    body.thread = (char *)title;
    if (post) {
        body.target_case = ZCHAT__V1__DELETE_POST_REQUEST__TARGET_POST;
        body.post = bytes_of(post);
        body.shown_number = number;
    } else {
        body.target_case = ZCHAT__V1__DELETE_POST_REQUEST__TARGET_NUMBER;
        body.number = number;
    }
    command.body_case = ZCHAT__V1__COMMAND__BODY_DELETE_POST;
    command.delete_post = &body;
    return code == ZCHAT_OK ? call_queue(z, (struct call){REQUEST_THREAD_DELETE, fn, arg}, &command)
                            : code;
}

/* ---- followed ones ---- */

zchat_code zchat_thread_follow(zchat *z, const char *title, zchat_reply_fn *fn, void *arg) {
    zchat_code code = check_named(z, title);
    Zchat__V1__FollowThreadRequest body = ZCHAT__V1__FOLLOW_THREAD_REQUEST__INIT;
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    body.thread = (char *)title;
    command.body_case = ZCHAT__V1__COMMAND__BODY_FOLLOW_THREAD;
    command.follow_thread = &body;
    return code == ZCHAT_OK ? call_queue(z, (struct call){REQUEST_THREAD_FOLLOW, fn, arg}, &command)
                            : code;
}

zchat_code zchat_thread_unfollow(zchat *z, const char *title, zchat_reply_fn *fn, void *arg) {
    zchat_code code = check_named(z, title);
    if (code != ZCHAT_OK) {
        return code;
    }
    char *kept = strdup(title);
    if (!kept) {
        return fault_set(&z->fault, ZCHAT_NO_MEMORY, "no memory for the call");
    }
    Zchat__V1__UnfollowThreadRequest body = ZCHAT__V1__UNFOLLOW_THREAD_REQUEST__INIT;
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    body.thread = kept;
    command.body_case = ZCHAT__V1__COMMAND__BODY_UNFOLLOW_THREAD;
    command.unfollow_thread = &body;
    struct request *request =
        call_add(z, (struct call){REQUEST_THREAD_UNFOLLOW, fn, arg}, &command);
    if (!request) {
        free(kept);
        return ZCHAT_NO_MEMORY;
    }
    request->title = kept;
    return ZCHAT_OK;
}

zchat_code zchat_followed_list(zchat *z, zchat_reply_fn *fn, void *arg) {
    zchat_code code = call_begin(z);
    Zchat__V1__ListFollowedRequest body = ZCHAT__V1__LIST_FOLLOWED_REQUEST__INIT;
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    command.body_case = ZCHAT__V1__COMMAND__BODY_LIST_FOLLOWED;
    command.list_followed = &body;
    return code == ZCHAT_OK ? call_queue(z, (struct call){REQUEST_FOLLOWED_LIST, fn, arg}, &command)
                            : code;
}

zchat_code zchat_thread_ack(zchat *z, const zchat_id *thread, uint64_t seq, zchat_reply_fn *fn,
                            void *arg) {
    zchat_code code = call_begin(z);
    if (code == ZCHAT_OK && (!thread || !id_is_valid(thread->bytes, ID_BYTES))) {
        code = fault_set(&z->fault, ZCHAT_INVALID, "a thread's id is a UUID of version 7");
    }
    if (code == ZCHAT_OK && seq == 0) {
        code = fault_set(&z->fault, ZCHAT_INVALID, "entries are numbered from 1");
    }
    if (code == ZCHAT_OK && !z->session.intended) {
        code = fault_set(&z->fault, ZCHAT_AUTH, "nobody is logged in");
    }
    if (code != ZCHAT_OK || (!fn && followed_want_read(z, thread->bytes, seq))) {
        return code;
    }
    char stream[FOLLOWED_STREAM_BYTES];
    Zchat__V1__AckRequest body = ZCHAT__V1__ACK_REQUEST__INIT;
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    followed_stream(thread->bytes, stream);
    body.stream = stream;
    body.read = seq;
    command.body_case = ZCHAT__V1__COMMAND__BODY_ACK;
    command.ack = &body;
    return queue_with_id(z, (struct call){REQUEST_THREAD_ACK, fn, arg}, &command, thread);
}

/* ---- files, and the broker ---- */

zchat_code zchat_file_list(zchat *z, const char *title, const char *after, uint32_t limit,
                           zchat_reply_fn *fn, void *arg) {
    zchat_code code = check_named(z, title);
    Zchat__V1__ListFilesRequest body = ZCHAT__V1__LIST_FILES_REQUEST__INIT;
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    body.thread = (char *)title;
    body.after = (char *)(after ? after : "");
    body.limit = limit;
    command.body_case = ZCHAT__V1__COMMAND__BODY_LIST_FILES;
    command.list_files = &body;
    return code == ZCHAT_OK ? call_queue(z, (struct call){REQUEST_FILE_LIST, fn, arg}, &command)
                            : code;
}

zchat_code zchat_shutdown(zchat *z, const char *password, bool wipe, zchat_reply_fn *fn,
                          void *arg) {
    zchat_code code = call_begin(z);
    if (code == ZCHAT_OK && password) {
        code = call_check_password(z, password);
    }
    Zchat__V1__ShutdownRequest body = ZCHAT__V1__SHUTDOWN_REQUEST__INIT;
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    body.password = password ? (char *)password : (char *)"";
    body.wipe = wipe;
    command.body_case = ZCHAT__V1__COMMAND__BODY_SHUTDOWN;
    command.shutdown = &body;
    return code == ZCHAT_OK ? call_queue(z, (struct call){REQUEST_SHUTDOWN, fn, arg}, &command)
                            : code;
}
