/* Looks of titles. What is too long for one (no title is) looks like itself alone. */
#include "title.h"

#include "limits.h"

#include <stdio.h>

void title_look(const char *text, struct title *out) {
    if (!unicode_look(text, out->look))
        (void)snprintf(out->look, sizeof out->look, "%s", text);
    if (!unicode_fold(text, out->folded))
        (void)snprintf(out->folded, sizeof out->folded, "%s", text);
}

/* ---- for migrations ---- */

static void result(sqlite3_context *context, const char *text) {
    sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}

static const char *argument(sqlite3_value **values) {
    const char *text = (const char *)sqlite3_value_text(values[0]);
    return text ? text : "";
}

/* Older titles may be of nothing but blanks. */
static void form(sqlite3_context *context, int count, sqlite3_value **values) {
    char out[4 * TITLE_BYTES];
    bool fits = unicode_title(argument(values), out, sizeof out);
    (void)count;
    result(context, !fits ? argument(values) : *out == '\0' ? "_" : out);
}

static void look(sqlite3_context *context, int count, sqlite3_value **values) {
    struct title title;
    (void)count;
    title_look(argument(values), &title);
    result(context, title.look);
}

static void fold(sqlite3_context *context, int count, sqlite3_value **values) {
    struct title title;
    (void)count;
    title_look(argument(values), &title);
    result(context, title.folded);
}

bool title_functions(sqlite3 *db) {
    const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
    return sqlite3_create_function(db, "title_form", 1, flags, NULL, form, NULL, NULL) ==
               SQLITE_OK &&
           sqlite3_create_function(db, "title_look", 1, flags, NULL, look, NULL, NULL) ==
               SQLITE_OK &&
           sqlite3_create_function(db, "title_fold", 1, flags, NULL, fold, NULL, NULL) == SQLITE_OK;
}
