/* Completion. Names come from the roster: who is online, and whom one has to do with; for unblock
 * whom one blocks. In a conversation plain words complete to names as well. */
#include "complete.h"

#include "app.h"
#include "command.h"
#include "line.h"
#include "roster.h"
#include "screen.h"

#include <string.h>

/* What a listing shows at most: more than that is no choice. */
#define COMPLETE_LIST_MAX 200

static bool complete_fits(const char *candidate, const char *word) {
    return strncmp(candidate, word, strlen(word)) == 0;
}

static void complete_verb(const char *word, const char *slash, struct line_candidates *candidates) {
    const struct command *row;
    for (size_t i = 0; (row = command_at(i)) != NULL; i++) {
        const char *name = row->name;
        char text[64];
        if (!complete_fits(name, word) && row->classic != NULL && *word != '\0')
            name = row->classic;
        if (!complete_fits(name, word))
            continue;
        snprintf(text, sizeof text, "%s%s", slash, name);
        line_candidate(candidates, text);
    }
}

static void complete_name(struct app *app, const char *word, bool blocked,
                          struct line_candidates *candidates) {
    char folded[NAME_BYTES];
    name_copy(folded, word);
    for (size_t i = 0; i < roster_count(app->roster); i++) {
        const struct roster_person *person = roster_at(app->roster, i);
        bool offered = blocked ? person->blocked : person->online || person->partner;
        if (offered && complete_fits(person->user, folded))
            line_candidate(candidates, person->user);
    }
}

static void complete_argument(struct app *app, const char *before, const char *word,
                              struct line_candidates *candidates) {
    const struct command *row = command_of_line(app, before);
    const char *first = before + strspn(before, " \t");
    const char *rest = first + strcspn(first, " \t");
    if (row == NULL || rest[strspn(rest, " \t")] != '\0')
        return;
    if (row->subject == COMMAND_VERB)
        complete_verb(word, "", candidates);
    else if (row->subject != COMMAND_NOBODY)
        complete_name(app, word, row->subject == COMMAND_BLOCKED, candidates);
}

void complete_word(void *arg, const char *before, const char *word,
                   struct line_candidates *candidates) {
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
