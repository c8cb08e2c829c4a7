/* The open conversation and its unread counts. Few people write at a time, so a list is enough;
 * the prompt names as many as have room and says how many more there are. */
#include "conversation.h"

#include "fit.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

#define CONVERSATION_NAMES_SHOWN 3
#define CONVERSATION_COUNT_MAX   999
#define CONVERSATION_COLUMNS_MAX 60
/* The room that is kept for " +12", which says how many are not named. */
#define CONVERSATION_REST_COLUMNS 4

void conversation_release(struct conversation *conversation) {
    conversation_caught_up(conversation);
    free(conversation->unread);
    memset(conversation, 0, sizeof *conversation);
}

bool conversation_is_open(const struct conversation *conversation) {
    return conversation->partner[0] != '\0';
}

void conversation_open(struct conversation *conversation, const char *user) {
    name_copy(conversation->partner, user);
    conversation->is_private = false;
    conversation_answered(conversation, conversation->partner);
}

void conversation_close(struct conversation *conversation) {
    conversation_release(conversation);
}

/* --- counts --- */

static struct conversation_unread *conversation_find(const struct conversation *conversation,
                                                     const char *name, bool thread) {
    for (size_t i = 0; i < conversation->unread_count; i++) {
        struct conversation_unread *unread = &conversation->unread[i];
        if (unread->thread == thread && strcmp(unread->name, name) == 0)
            return unread;
    }
    return NULL;
}

static void conversation_count(struct conversation *conversation, const char *name, bool thread) {
    struct conversation_unread *unread = conversation_find(conversation, name, thread);
    if (!unread) {
        conversation->unread = memory_grow(conversation->unread, conversation->unread_count + 1,
                                           sizeof *conversation->unread);
        unread = &conversation->unread[conversation->unread_count++];
        *unread = (struct conversation_unread){.name = memory_text(name), .thread = thread};
    }
    unread->count++;
}

static void conversation_clear(struct conversation *conversation, const char *name, bool thread) {
    struct conversation_unread *unread = conversation_find(conversation, name, thread);
    if (!unread)
        return;
    free(unread->name);
    size_t after = (size_t)(conversation->unread + conversation->unread_count - (unread + 1));
    memmove(unread, unread + 1, after * sizeof *unread);
    conversation->unread_count--;
}

void conversation_heard(struct conversation *conversation, const char *user) {
    if (conversation_is_open(conversation) && strcmp(conversation->partner, user) != 0)
        conversation_count(conversation, user, false);
}

void conversation_heard_thread(struct conversation *conversation, const char *title) {
    if (conversation_is_open(conversation))
        conversation_count(conversation, title, true);
}

void conversation_answered(struct conversation *conversation, const char *user) {
    conversation_clear(conversation, user, false);
}

void conversation_saw_thread(struct conversation *conversation, const char *title) {
    conversation_clear(conversation, title, true);
}

void conversation_caught_up(struct conversation *conversation) {
    for (size_t i = 0; i < conversation->unread_count; i++)
        free(conversation->unread[i].name);
    conversation->unread_count = 0;
}

/* --- the prompt --- */

static void conversation_append(char *prompt, size_t prompt_bytes, const char *text) {
    size_t used = strlen(prompt);
    snprintf(prompt + used, prompt_bytes - used, "%s", text);
}

void conversation_place(const struct conversation *conversation, char *prompt,
                        size_t prompt_bytes) {
    snprintf(prompt, prompt_bytes, "%s%s",
             conversation_is_open(conversation) ? conversation->partner : "zchat",
             conversation->is_private ? "(private)> " : "> ");
}

/* Appends " name:2", with the name cut so that all of it takes at most so many columns. false:
 * there is no room for it: a short name may have many bytes, of accents that take no column. */
static bool conversation_append_unread(const struct conversation_unread *unread, size_t columns,
                                       char *list, size_t list_bytes) {
    char count[16];
    bool over = unread->count > CONVERSATION_COUNT_MAX;
    snprintf(count, sizeof count, ":%u%s", over ? CONVERSATION_COUNT_MAX : unread->count,
             over ? "+" : "");
    size_t apart = strlen(count) + (*list == '\0' ? 0 : 1) + (unread->thread ? 1 : 0);
    size_t least = fit_columns(unread->name) < 3 ? fit_columns(unread->name) : 3;
    if (columns < apart + least)
        return false;
    char *name = fit_text(unread->name, columns - apart);
    if (strlen(list) + apart + strlen(name) + CONVERSATION_REST_COLUMNS >= list_bytes) {
        free(name);
        return false;
    }
    if (*list != '\0')
        conversation_append(list, list_bytes, " ");
    conversation_append(list, list_bytes, unread->thread ? "#" : "");
    conversation_append(list, list_bytes, name);
    conversation_append(list, list_bytes, count);
    free(name);
    return true;
}

/* In the order of the prompt: people come before threads. */
static const struct conversation_unread *conversation_at(const struct conversation *conversation,
                                                         size_t place) {
    for (int thread = 0; thread <= 1; thread++)
        for (size_t i = 0; i < conversation->unread_count; i++)
            if (conversation->unread[i].thread == (thread == 1) && place-- == 0)
                return &conversation->unread[i];
    return NULL;
}

static void conversation_list(const struct conversation *conversation, size_t columns, char *list,
                              size_t list_bytes) {
    char rest[24];
    size_t shown = 0;
    for (; shown < conversation->unread_count && shown < CONVERSATION_NAMES_SHOWN; shown++) {
        bool last = shown + 1 == conversation->unread_count;
        size_t used = fit_columns(list) + (last ? 0 : CONVERSATION_REST_COLUMNS);
        size_t room = used < columns ? columns - used : 0;
        if (!conversation_append_unread(conversation_at(conversation, shown), room, list,
                                        list_bytes))
            break;
    }
    if (shown == conversation->unread_count)
        return;
    snprintf(rest, sizeof rest, "%s+%zu", *list == '\0' ? "" : " ",
             conversation->unread_count - shown);
    conversation_append(list, list_bytes, rest);
}

void conversation_prompt(const struct conversation *conversation, const char *state, size_t columns,
                         char *prompt, size_t prompt_bytes) {
    char list[CONVERSATION_COLUMNS_MAX * 4 + 64];
    char place[NAME_BYTES + 16];
    columns = columns * 2 / 5;
    snprintf(list, sizeof list, "%s", state);
    conversation_list(conversation,
                      columns < CONVERSATION_COLUMNS_MAX ? columns : CONVERSATION_COLUMNS_MAX, list,
                      sizeof list);
    conversation_place(conversation, place, sizeof place);
    snprintf(prompt, prompt_bytes, "%s%s%s%s", *list == '\0' ? "" : "[", list,
             *list == '\0' ? "" : "] ", place);
}
