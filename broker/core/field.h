/* Fields that several commands carry, and what they must be. */
#ifndef FIELD_H
#define FIELD_H

#include "call.h"

/* Each makes the call fail with its sentence if the field is not valid. The text is cleaned in
 * place, the name is folded in place. */
bool field_text_fits(struct call *call, char *text);
bool field_id_fits(struct call *call, const ProtobufCBinaryData *id);
bool field_name_fits(struct call *call, char *user);
bool field_new_password_fits(struct call *call, const char *password);
/* How many entries a page has if a command asks for `limit` of them; 0: the most allowed. */
size_t field_limit(uint32_t limit);

/* ---- titles and file names ----
 *
 * Each is brought to its one form before anything looks at it, so that it is found however it was
 * typed. A new one must be fit to be shown, and must not look like another one. */

/* Brings a title or a file's name in the command to its stored form. One that has no such form
 * stays as it is: nothing has that name, and nothing can get it. */
void title_form(struct call *call, char **title);
/* Checks a new one. false: the call fails, with a sentence that begins with `what`. */
bool title_fits(struct call *call, const char *what, const char *title);
/* Whether another one, which is there already, looks the same: then the call fails with its name.
 * Also true if the store failed. */
bool title_is_alike(struct call *call, const char *title);
bool title_file_is_alike(struct call *call, const char *thread, const char *name);

/* The refusal if the thread is not there; `about` returns its title. */
#define TITLE_NO_THREAD(about)                                                                     \
    { STORE_NO_THREAD, REASON(NO_SUCH_THREAD), "there is no thread %s", about }

#endif
