/* A list of the newest messages. It is short, so that it is looked through. */
#include "said.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>

/* A text has 16 KiB at most, so that these take no more than 2 MiB. */
#define SAID_MAX 128

static void said_remove(struct said *said, size_t place) {
    free(said->list[place].text);
    said->count--;
    memmove(said->list + place, said->list + place + 1, (said->count - place) * sizeof *said->list);
}

void said_release(struct said *said) {
    while (said->count > 0)
        said_remove(said, said->count - 1);
    free(said->list);
    said->list = NULL;
}

void said_add(struct said *said, const zchat_id *id, const char *user, bool own, const char *text) {
    if (said_find(said, id))
        return;
    if (said->count == SAID_MAX)
        said_remove(said, 0);
    said->list = memory_grow(said->list, said->count + 1, sizeof *said->list);
    struct said_message *message = &said->list[said->count++];
    *message = (struct said_message){
        .id = *id, .own = own, .text = memory_text(text), .number = ++said->last_number};
    name_copy(message->user, user);
}

void said_drop(struct said *said, const zchat_id *id) {
    struct said_message *message = said_find(said, id);
    if (message)
        said_remove(said, (size_t)(message - said->list));
}

struct said_message *said_find(const struct said *said, const zchat_id *id) {
    for (size_t i = said->count; i-- > 0;)
        if (memcmp(&said->list[i].id, id, sizeof *id) == 0)
            return &said->list[i];
    return NULL;
}

struct said_message *said_numbered(const struct said *said, uint64_t number) {
    for (size_t i = said->count; i-- > 0;)
        if (said->list[i].number == number)
            return &said->list[i];
    return NULL;
}

struct said_message *said_last_own(const struct said *said, const char *user) {
    for (size_t i = said->count; i-- > 0;) {
        struct said_message *message = &said->list[i];
        if (message->own && !message->gone && (!user || strcmp(message->user, user) == 0))
            return message;
    }
    return NULL;
}

void said_set_text(struct said_message *message, const char *text) {
    char *copy = memory_text(text); /* first: it may be the same */
    free(message->text);
    message->text = copy;
}

const char *said_action(const char *text) {
    static const char me[] = "/me ";
    bool is_action = strncmp(text, me, sizeof me - 1) == 0 && text[sizeof me - 1] != '\0';
    return is_action ? text + sizeof me - 1 : NULL;
}
