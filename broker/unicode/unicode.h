/* The one form that a text has in the store, whichever way it was typed, and what looks alike. ICU
 * does it; texts of ASCII alone never reach ICU. Texts are valid UTF-8 with a NUL at their end. Any
 * thread may call all of these. Nothing fails but for want of room or of ICU's data. */
#ifndef UNICODE_H
#define UNICODE_H

#include <stdbool.h>
#include <stddef.h>

/* A title's look and its folded form have at most 18 characters for each of its own. */
#define LOOK_BYTES 12288

/* A title's or file name's stored form: normal form C without blanks at its ends. `out` and `typed`
 * may be the same. False: it does not fit; `out` is as it was. */
bool unicode_title(const char *typed, char *out, size_t out_bytes);

/* A password as RFC 8265 prepares it (OpaqueString): blanks of any kind become spaces, then normal
 * form C. Control characters are for the caller to refuse. The caller wipes `out`. */
bool unicode_password(const char *typed, char *out, size_t out_bytes);

/* What is the same for titles that look alike: the skeleton of UTS 39 (confusable characters, "rn"
 * and "m" among them, are one), without regard to case, to the kind and number of blanks and to
 * what has no width. */
bool unicode_look(const char *title, char look[LOOK_BYTES]);

/* The title in small letters ("ss" for the sharp s): titles with one look and one folded form
 * differ by nothing but case, which everybody sees. */
bool unicode_fold(const char *title, char folded[LOOK_BYTES]);

#endif
