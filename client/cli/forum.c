/* The forum as this terminal shows it. Only what was on the screen changes it: if a post is
 * deleted, here or elsewhere, all numbers stay as they were read, and who uses the deleted post's
 * number is told to read again. */
#include "forum.h"

#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void forum_free_thread(struct forum_thread *thread) {
    free(thread->title);
    free(thread->posts);
    for (size_t i = 0; i < thread->files_count; i++)
        free(thread->files[i]);
    free(thread->files);
    free(thread);
}

void forum_release(struct forum *forum) {
    for (size_t i = 0; i < forum->count; i++)
        forum_free_thread(forum->threads[i]);
    free(forum->threads);
    memset(forum, 0, sizeof *forum);
}

/* The place of the first title that is not before `title`. */
static size_t forum_place(const struct forum *forum, const char *title) {
    size_t low = 0;
    size_t high = forum->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(forum->threads[middle]->title, title) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct forum_thread *forum_find(const struct forum *forum, const char *title) {
    size_t place = forum_place(forum, title);
    bool found = place < forum->count && strcmp(forum->threads[place]->title, title) == 0;
    return found ? forum->threads[place] : NULL;
}

struct forum_thread *forum_find_id(const struct forum *forum, const zchat_id *id) {
    for (size_t i = 0; i < forum->count; i++)
        if (memcmp(&forum->threads[i]->id, id, sizeof *id) == 0)
            return forum->threads[i];
    return NULL;
}

struct forum_thread *forum_get(struct forum *forum, const char *title) {
    struct forum_thread *thread = forum_find(forum, title);
    if (thread)
        return thread;
    size_t place = forum_place(forum, title);
    thread = memory_take(sizeof *thread);
    thread->title = memory_text(title);
    forum->threads = memory_grow(forum->threads, forum->count + 1, sizeof(struct forum_thread *));
    memmove(forum->threads + place + 1, forum->threads + place,
            (forum->count - place) * sizeof(struct forum_thread *));
    forum->threads[place] = thread;
    forum->count++;
    return thread;
}

struct forum_thread *forum_get_id(struct forum *forum, const char *title, const zchat_id *id) {
    static const zchat_id unknown;
    struct forum_thread *thread = forum_get(forum, title);
    if (memcmp(&thread->id, id, sizeof *id) != 0 &&
        memcmp(&thread->id, &unknown, sizeof unknown) != 0) {
        forum_drop(forum, title);
        thread = forum_get(forum, title);
    }
    thread->id = *id;
    return thread;
}

void forum_drop(struct forum *forum, const char *title) {
    struct forum_thread *thread = forum_find(forum, title);
    if (!thread)
        return;
    size_t place = forum_place(forum, title);
    forum->count--;
    memmove(forum->threads + place, forum->threads + place + 1,
            (forum->count - place) * sizeof(struct forum_thread *));
    forum_free_thread(thread);
}

/* --- numbers --- */

void forum_begin_reading(struct forum_thread *thread) {
    thread->posts_count = 0;
    thread->read = true;
}

/* The first words of a text, on one line, cut between two characters. */
static void forum_begin_text(const char *text, char start[FORUM_START_BYTES]) {
    size_t bytes = strcspn(text, "\n");
    bool cut = bytes >= FORUM_START_BYTES || text[bytes] != '\0';
    if (bytes > FORUM_START_BYTES - sizeof "...")
        bytes = FORUM_START_BYTES - sizeof "...";
    while (cut && bytes > 0 && ((unsigned char)text[bytes] & 0xC0) == 0x80)
        bytes--;
    snprintf(start, FORUM_START_BYTES, "%.*s%s", (int)bytes, text, cut ? "..." : "");
}

void forum_show_post(struct forum_thread *thread, uint64_t number, const zchat_id *id,
                     const char *text) {
    thread->posts = memory_grow(thread->posts, thread->posts_count + 1, sizeof *thread->posts);
    struct forum_post *post = &thread->posts[thread->posts_count++];
    *post = (struct forum_post){.number = number, .id = *id};
    forum_begin_text(text, post->start);
}

const struct forum_post *forum_post(const struct forum_thread *thread, const zchat_id *id) {
    for (size_t i = thread->posts_count; i-- > 0;)
        if (memcmp(&thread->posts[i].id, id, sizeof *id) == 0)
            return &thread->posts[i];
    return NULL;
}

bool forum_resolve(const struct forum_thread *thread, uint64_t number, zchat_id *id) {
    for (size_t i = thread->posts_count; i-- > 0;) {
        if (thread->posts[i].number == number) {
            *id = thread->posts[i].id;
            return true;
        }
    }
    return false;
}

/* --- files --- */

void forum_show_file(struct forum_thread *thread, const char *file) {
    for (size_t i = 0; i < thread->files_count; i++)
        if (strcmp(thread->files[i], file) == 0)
            return;
    thread->files = memory_grow(thread->files, thread->files_count + 1, sizeof(char *));
    thread->files[thread->files_count++] = memory_text(file);
}
