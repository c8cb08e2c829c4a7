/* Completion. Names come from the roster: those online and those whom one talks with; for unblock,
 * those whom one blocks. Titles and files are those that this run has heard of. Tab asks the broker
 * for more (learn.h), but waits for nothing. In a conversation plain words complete to names as
 * well. */
#include "complete.h"

#include "app.h"
#include "candidates.h"
#include "command.h"
#include "learn.h"
#include "line.h"
#include "memory.h"
#include "paths.h"
#include "private.h"
#include "roster.h"
#include "screen.h"
#include "words.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

/* The most that a listing shows: nobody can choose among more. */
#define COMPLETE_LIST_MAX 200

static bool complete_fits(const char *candidate, const char *word) {
    return strncmp(candidate, word, strlen(word)) == 0;
}

/* Offers the first words of the commands. */
static void complete_verb(const char *word, const char *slash, struct candidates *candidates) {
    const struct command *row;
    char before[64] = "";
    for (size_t i = 0; (row = command_at(i)); i++) {
        char text[64];
        const char *name = row->name;
        if (!complete_fits(name, word) && row->classic && *word != '\0')
            name = row->classic;
        snprintf(text, sizeof text, "%s%.*s", slash, (int)strcspn(name, " "), name);
        if (!complete_fits(name, word) || strcmp(text, before) == 0)
            continue;
        candidates_add(candidates, text);
        strcpy(before, text);
    }
}

/* Offers the second words of those that begin with `first`. */
static void complete_second(const char *first, const char *word, struct candidates *candidates) {
    const struct command *row;
    size_t bytes = strcspn(first, " \t");
    if (first[bytes + strspn(first + bytes, " \t")] != '\0')
        return;
    for (size_t i = 0; (row = command_at(i)); i++)
        if (strncmp(row->name, first, bytes) == 0 && row->name[bytes] == ' ' &&
            complete_fits(row->name + bytes + 1, word))
            candidates_add(candidates, row->name + bytes + 1);
}

static void complete_name(struct app *app, const char *word, bool blocked,
                          struct candidates *candidates) {
    char folded[NAME_BYTES];
    name_copy(folded, word);
    if (!blocked)
        learn_people(app);
    for (size_t i = 0; i < roster_count(app->roster); i++) {
        const struct roster_person *person = roster_at(app->roster, i);
        bool offered = blocked ? person->blocked : person->online || person->partner;
        if (offered && complete_fits(person->user, folded))
            candidates_add(candidates, person->user);
    }
}

static bool complete_is_peer(const struct app *app, const struct peer *peer,
                             enum command_subject subject) {
    if (subject == COMMAND_INVITING)
        return peer->invites;
    if (subject == COMMAND_OFFERING || subject == COMMAND_OFFERING_PATH)
        return peers_offer(&app->privates->peers, peer->user) != NULL;
    return peer->open;
}

static void complete_peer(const struct app *app, const char *word, enum command_subject subject,
                          struct candidates *candidates) {
    char folded[NAME_BYTES];
    name_copy(folded, word);
    for (size_t i = 0; i < app->privates->peers.count; i++) {
        const struct peer *peer = &app->privates->peers.list[i];
        if (complete_is_peer(app, peer, subject) && complete_fits(peer->user, folded))
            candidates_add(candidates, peer->user);
    }
}

/* --- words that may need quotes --- */

struct complete_words {
    char **words; /* owned; each one as it must be typed within quotes */
    size_t count;
    bool quotes; /* one of them needs quotes */
};

static void complete_add(struct complete_words *found, const char *text, const char *word) {
    char *escaped = words_escape(text);
    if (!complete_fits(escaped, word)) {
        free(escaped);
        return;
    }
    found->words = memory_grow(found->words, found->count + 1, sizeof *found->words);
    found->words[found->count++] = escaped;
    found->quotes = found->quotes || words_need_quotes(text);
}

/* Offers them, all with quotes if one needs them and none is typed yet. A word that ends in a slash
 * goes on, so its quotes stay open. */
static void complete_offer(struct complete_words *found, bool quoted,
                           struct candidates *candidates) {
    bool quotes = found->quotes && !quoted;
    for (size_t i = 0; i < found->count; i++) {
        size_t bytes = strlen(found->words[i]);
        bool goes_on = bytes > 0 && found->words[i][bytes - 1] == '/';
        char *text = memory_take(bytes + 3);
        snprintf(text, bytes + 3, "%s%s%s", quotes ? "\"" : "", found->words[i],
                 quotes && !goes_on ? "\"" : "");
        candidates_add(candidates, text);
        free(text);
        free(found->words[i]);
    }
    free(found->words);
}

/* For history: titles, and people. */
static void complete_either(struct app *app, const char *word, bool quoted,
                            struct candidates *candidates) {
    struct complete_words found = {0};
    learn_people(app);
    learn_titles(app);
    for (size_t i = 0; i < roster_count(app->roster); i++) {
        const struct roster_person *person = roster_at(app->roster, i);
        if (person->online || person->partner)
            complete_add(&found, person->user, word);
    }
    for (size_t i = 0; i < app->forum.count; i++)
        complete_add(&found, app->forum.threads[i]->title, word);
    complete_offer(&found, quoted, candidates);
}

static void complete_title(struct app *app, const char *word, bool quoted,
                           struct candidates *candidates) {
    struct complete_words found = {0};
    learn_titles(app);
    for (size_t i = 0; i < app->forum.count; i++)
        complete_add(&found, app->forum.threads[i]->title, word);
    complete_offer(&found, quoted, candidates);
}

/* Offers the files of the thread that the first argument names. */
static void complete_file(struct app *app, const char *arguments, const char *word, bool quoted,
                          struct candidates *candidates) {
    struct complete_words found = {0};
    char *copy = memory_text(arguments);
    char *text = copy;
    const char *title;
    if (words_take(&text, &title) && title) {
        const struct forum_thread *thread = forum_find(&app->forum, title);
        learn_files(app, title);
        for (size_t i = 0; thread && i < thread->files_count; i++)
            complete_add(&found, thread->files[i], word);
    }
    complete_offer(&found, quoted, candidates);
    free(copy);
}

/* Finds what is in `folder`, each with `prefix` before it. */
static void complete_folder(const char *folder, const char *prefix, const char *word,
                            struct complete_words *found) {
    DIR *entries = opendir(folder);
    bool hidden = word[strlen(prefix)] == '.';
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        const char *name = entry->d_name;
        if ((name[0] == '.' && !hidden) || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        char *path = paths_join(folder, name);
        size_t bytes = strlen(prefix) + strlen(name) + 2;
        char *text = memory_take(bytes);
        snprintf(text, bytes, "%s%s%s", prefix, name, paths_is_folder(path) ? "/" : "");
        complete_add(found, text, word);
        free(path);
        free(text);
    }
    if (entries)
        closedir(entries);
}

static void complete_path(const char *word, bool quoted, struct candidates *candidates) {
    struct complete_words found = {0};
    char *prefix = memory_text(word);
    char *slash = strrchr(prefix, '/');
    *(!slash ? prefix : slash + 1) = '\0';
    char *folder = paths_expand(*prefix == '\0' ? "." : prefix);
    complete_folder(folder, prefix, word, &found);
    complete_offer(&found, quoted, candidates);
    free(folder);
    free(prefix);
}

/* --- arguments --- */

static void complete_argument(struct app *app, const char *before, const char *word,
                              struct candidates *candidates) {
    const char *arguments;
    const struct command *row = command_of_line(app, before, &arguments);
    bool quoted;
    const char *first = before + strspn(before, " \t");
    complete_second(first + (*first == '/' ? 1 : 0), word, candidates);
    if (!row)
        return;
    size_t place = words_count(arguments, &quoted);
    bool either = row->subject == COMMAND_USER_OR_THREAD;
    bool thread = row->subject == COMMAND_THREAD || row->subject == COMMAND_THREAD_PATH ||
                  row->subject == COMMAND_THREAD_FILE || (either && place == 1);
    bool path = row->subject == COMMAND_THREAD_PATH || row->subject == COMMAND_PEER_PATH ||
                row->subject == COMMAND_OFFERING_PATH;
    if (place == 1 && path)
        complete_path(word, quoted, candidates);
    else if (place == 1 && row->subject == COMMAND_THREAD_FILE)
        complete_file(app, arguments, word, quoted, candidates);
    else if (place == 0 && either)
        complete_either(app, word, quoted, candidates);
    else if (place == (either ? 1 : 0) && thread)
        complete_title(app, word, quoted, candidates);
    else if (place == 0 && row->subject == COMMAND_VERB)
        complete_verb(word, "", candidates);
    else if (place == 0 && row->subject >= COMMAND_INVITING)
        complete_peer(app, word, row->subject, candidates);
    else if (place == 0 && row->subject != COMMAND_NOBODY)
        complete_name(app, word, row->subject == COMMAND_BLOCKED, candidates);
}

void complete_word(void *arg, const char *before, const char *word, struct candidates *candidates) {
    struct app *app = arg;
    const char *first = before + strspn(before, " \t");
    bool plain = conversation_is_open(&app->conversation) && *first != '/';
    if (*first == '\0' && *word == '/')
        complete_verb(word + 1, "/", candidates);
    else if (plain)
        complete_name(app, word, false, candidates);
    else if (*first == '\0')
        complete_verb(word, "", candidates);
    else
        complete_argument(app, before, word, candidates);
}

void complete_list(void *arg, char *const *words, size_t count) {
    struct app *app = arg;
    size_t shown = count < COMPLETE_LIST_MAX ? count : COMPLETE_LIST_MAX;
    screen_put_columns(app->screen, words, shown);
    if (shown < count)
        app_note(app, "and %zu more", count - shown);
}
