/* Events as objects: a type, where it happened, and everything that the verbs print about its
 * subject. */
#include "event_value.h"

#include "output.h"
#include "print.h"

const char *event_type(const zchat_event *event) {
    switch (event->kind) {
    case ZCHAT_EVENT_SYNCED:
        return "synced";
    case ZCHAT_EVENT_MESSAGE:
        return "message";
    case ZCHAT_EVENT_READ:
        return "read";
    case ZCHAT_EVENT_MESSAGE_READ:
        return "message_read";
    case ZCHAT_EVENT_PRESENCE:
        return "presence";
    case ZCHAT_EVENT_BROADCAST:
        return "broadcast";
    case ZCHAT_EVENT_NOTICE:
        return "notice";
    case ZCHAT_EVENT_SESSION_ENDED:
        return "session_ended";
    case ZCHAT_EVENT_POSTED:
        return "posted";
    case ZCHAT_EVENT_EDITED:
        return "edited";
    case ZCHAT_EVENT_DELETED:
        return "deleted";
    case ZCHAT_EVENT_UPLOADED:
        return "uploaded";
    case ZCHAT_EVENT_FILE_DELETED:
        return "file_deleted";
    case ZCHAT_EVENT_THREAD_REMOVED:
        return "removed";
    case ZCHAT_EVENT_DAMAGED:
        return "damaged";
    default:
        return NULL;
    }
}

bool event_has_id(const zchat_event *event) {
    return event->post || event->upload || event->kind == ZCHAT_EVENT_BROADCAST ||
           event->kind == ZCHAT_EVENT_DELETED || event->kind == ZCHAT_EVENT_FILE_DELETED ||
           event->kind == ZCHAT_EVENT_MESSAGE_READ;
}

static json_t *id_value(const zchat_id *id) {
    char text[ZCHAT_ID_TEXT];
    zchat_id_format(id, text);
    return json_string(text);
}

/* Adds what the event has besides its type. */
static json_t *body_of(const zchat_event *event) {
    if (event->message)
        return message_object(event->message);
    if (event->post)
        return post_object(event->post, event->post->number);
    if (event->upload)
        return upload_object(event->upload);
    json_t *body = json_object();
    if (event_has_id(event))
        json_object_set_new(body, "id", id_value(&event->id));
    if (event->user[0])
        json_object_set_new(body, "user", json_string(event->user));
    if (event->kind == ZCHAT_EVENT_PRESENCE)
        json_object_set_new(body, "online", json_boolean(event->online));
    if (event->text[0])
        json_object_set_new(body, event->kind == ZCHAT_EVENT_FILE_DELETED ? "file" : "text",
                            json_string(event->text));
    if (event->time_us)
        json_object_set_new(body, "time", value_time(event->time_us));
    return body;
}

json_t *event_value(const zchat_event *event) {
    json_t *object = json_pack("{s:s}", "type", event_type(event));
    if (event->thread)
        json_object_set_new(object, "thread", json_string(event->thread->title));
    if (event->seq)
        json_object_set_new(object, "seq", value_big(event->seq));
    json_t *body = object ? body_of(event) : NULL;
    json_object_update(object, body);
    json_decref(body);
    if (event->thread)
        json_object_set_new(object, "missed", json_boolean(event->missed));
    return object;
}
