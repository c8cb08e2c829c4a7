/* The open conversation and its unread counts. Few people write at a time, so a list is enough;
 * the prompt names three of them and says how many more there are. */
#include "conversation.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>

#define CONVERSATION_NAMES_SHOWN 3

void conversation_release(struct conversation *conversation) {
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

static struct conversation_unread *conversation_find(const struct conversation *conversation,
                                                     const char *user) {
    for (size_t i = 0; i < conversation->unread_count; i++)
        if (strcmp(conversation->unread[i].user, user) == 0)
            return &conversation->unread[i];
    return NULL;
}

void conversation_heard(struct conversation *conversation, const char *user) {
    if (!conversation_is_open(conversation) || strcmp(conversation->partner, user) == 0)
        return;
    struct conversation_unread *unread = conversation_find(conversation, user);
    if (!unread) {
        conversation->unread = memory_grow(conversation->unread, conversation->unread_count + 1,
                                           sizeof *conversation->unread);
        unread = &conversation->unread[conversation->unread_count++];
        name_copy(unread->user, user);
        unread->count = 0;
    }
    unread->count++;
}

void conversation_answered(struct conversation *conversation, const char *user) {
    struct conversation_unread *unread = conversation_find(conversation, user);
    if (!unread)
        return;
    size_t after = (size_t)(conversation->unread + conversation->unread_count - (unread + 1));
    memmove(unread, unread + 1, after * sizeof *unread);
    conversation->unread_count--;
}

void conversation_caught_up(struct conversation *conversation) {
    conversation->unread_count = 0;
}

static void conversation_append(char *prompt, size_t prompt_bytes, const char *text) {
    size_t used = strlen(prompt);
    snprintf(prompt + used, prompt_bytes - used, "%s", text);
}

void conversation_prompt(const struct conversation *conversation, const char *state, char *prompt,
                         size_t prompt_bytes) {
    char part[NAME_BYTES + 24];
    size_t shown = conversation->unread_count;
    if (shown > CONVERSATION_NAMES_SHOWN)
        shown = CONVERSATION_NAMES_SHOWN;
    snprintf(prompt, prompt_bytes, "%s", state);
    for (size_t i = 0; i < shown; i++) {
        const struct conversation_unread *unread = &conversation->unread[i];
        snprintf(part, sizeof part, "%s%s:%u", *prompt == '\0' ? "" : " ", unread->user,
                 unread->count);
        conversation_append(prompt, prompt_bytes, part);
    }
    if (conversation->unread_count > shown) {
        snprintf(part, sizeof part, " +%zu", conversation->unread_count - shown);
        conversation_append(prompt, prompt_bytes, part);
    }
    if (*prompt != '\0') {
        size_t bytes = strlen(prompt);
        bytes = bytes > prompt_bytes - 2 ? prompt_bytes - 2 : bytes;
        memmove(prompt + 1, prompt, bytes);
        prompt[0] = '[';
        prompt[bytes + 1] = '\0';
        conversation_append(prompt, prompt_bytes, "] ");
    }
    conversation_append(prompt, prompt_bytes,
                        conversation_is_open(conversation) ? conversation->partner : "zchat");
    conversation_append(prompt, prompt_bytes, conversation->is_private ? "(private)> " : "> ");
}
