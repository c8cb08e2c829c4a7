/* A search. Each thing found is one row that says where it stands: the number of a message, as the
 * inbox counts, or that of a post. At a terminal names and texts are cut so that the row fits. */
#include "find_words.h"

#include "app.h"
#include "find.h"
#include "fit.h"
#include "line.h"
#include "memory.h"
#include "roster.h"
#include "screen.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FIND_TIME_COLUMNS 6
/* The least that is left for a text. */
#define FIND_TEXT_COLUMNS 8

static void find_words_ask(struct app *app);

static void find_words_take(struct find *find, const zchat_reply *reply) {
    for (size_t i = 0; i < reply->count; i++) {
        const zchat_found *found = &reply->found[i];
        if (found->message)
            founds_add_message(&find->page, found->message);
        else if (found->post)
            founds_add_post(&find->page, found->post, found->thread);
    }
    find->behind = reply->behind > find->behind ? reply->behind : find->behind;
    find->before = reply->before;
    find->more = reply->more;
}

static void find_words_came(struct call *call, const zchat_reply *reply) {
    struct app *app = call->app;
    struct find *find = app->find;
    if (!find_counts(call, reply))
        return;
    find_words_take(find, reply);
    if (find->more && find->page.count < find->wanted && find_may_ask(find))
        find_words_ask(app);
    else
        find_is_whole(app);
}

static void find_words_ask(struct app *app) {
    struct find *find = app->find;
    struct call *call = find_call(app, find_words_came);
    uint32_t limit = (uint32_t)(find->wanted - find->page.count);
    call_begun(call, zchat_search(app->z, find->what, find->before, limit, call_answered, call));
}

/* --- rows --- */

/* The first of the words as it stands in the text, whatever its case; NULL: it is not there so. */
static const char *find_words_hit(const char *text, const char *words) {
    const char *start = words + strspn(words, " \t\n\"");
    size_t bytes = strcspn(start, " \t\n\"");
    for (; bytes > 0 && *text != '\0'; text++)
        if (strncasecmp(text, start, bytes) == 0)
            return text;
    return NULL;
}

/* Where to begin, so that the word is in what is shown: a little before it, between two words. */
static const char *find_words_start(const char *text, const char *words, size_t columns) {
    const char *hit = find_words_hit(text, words);
    if (!hit || fit_columns(text) <= columns)
        return text;
    const char *start = hit;
    size_t bytes = (size_t)(hit - text) < columns / 2 ? 0 : columns / 4;
    if (bytes == 0)
        return text;
    for (const char *c = hit; c > text && (size_t)(hit - c) <= bytes; c--)
        if (c[-1] == ' ' || c[-1] == '\n')
            start = c;
    return start;
}

/* How many columns a row has; a script's has no end. */
static size_t find_words_columns(const struct app *app) {
    if (!app->line)
        return SIZE_MAX;
    size_t columns = line_columns(app->line) - 1;
    return app->timestamps && columns > FIND_TIME_COLUMNS ? columns - FIND_TIME_COLUMNS : columns;
}

/* Puts it, cut to so many columns; returns how many it took. */
static size_t find_words_put(struct app *app, enum screen_style style, const char *text,
                             size_t columns) {
    char *fitting = fit_text(text, columns);
    size_t taken = fit_columns(fitting);
    screen_put(app->screen, style, fitting);
    free(fitting);
    return taken;
}

static void find_words_put_text(struct app *app, const char *text, size_t columns) {
    const char *start = find_words_start(text, app->find->what, columns);
    if (start != text)
        columns -= find_words_put(app, SCREEN_DIM, "\xE2\x80\xA6", columns);
    find_words_put(app, SCREEN_PLAIN, start, columns);
    screen_end_line(app->screen);
}

/* "harvest 3 alice: ", or "bob 12: " for what bob wrote, each part cut to its share of the row. */
static size_t find_words_put_place(struct app *app, const char *where, uint64_t number,
                                   const char *who, size_t columns) {
    char text[24];
    snprintf(text, sizeof text, " %" PRIu64, number);
    size_t used = find_words_put(app, SCREEN_BOLD, where, columns / 3);
    used += find_words_put(app, SCREEN_BOLD, text, SIZE_MAX);
    if (*who != '\0') {
        used += find_words_put(app, SCREEN_PLAIN, " ", 1);
        used += find_words_put(app, SCREEN_PLAIN, who, columns / 4);
    }
    return used + find_words_put(app, SCREEN_PLAIN, ": ", 2);
}

static void find_words_show_row(struct app *app, const char *where, uint64_t number,
                                const char *who, const char *text) {
    size_t columns = find_words_columns(app);
    size_t used = find_words_put_place(app, where, number, who, columns);
    size_t left = used < columns ? columns - used : 0;
    find_words_put_text(app, text, left < FIND_TEXT_COLUMNS ? FIND_TEXT_COLUMNS : left);
}

static void find_words_show_message(struct app *app, const zchat_message *message) {
    const char *other = message->sent ? message->to : message->from;
    roster_get(app->roster, other)->partner = true;
    app_begin_line(app, message->time_us);
    find_words_show_row(app, other, message->seq, message->sent ? "me" : "", message->text);
}

static void find_words_show_post(struct app *app, const zchat_post *post, const char *title) {
    forum_show_post(forum_get(&app->forum, title), post->number, &post->id, post->text);
    app_begin_line(app, post->time_us);
    find_words_show_row(app, title, post->number, post->user, post->text);
}

static void find_words_show(struct app *app) {
    const struct founds *page = &app->find->page;
    for (size_t i = 0; i < page->count; i++)
        if (page->list[i].kind == FOUND_MESSAGE)
            find_words_show_message(app, &page->list[i].message);
        else
            find_words_show_post(app, &page->list[i].post, page->list[i].thread);
}

const struct find_source find_words_source = {
    .ask = find_words_ask,
    .show = find_words_show,
    .empty = "nothing was found that has the words",
    .older = "shows older ones",
};
