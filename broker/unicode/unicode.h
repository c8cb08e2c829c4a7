/* The one form that a text has in the store, however it was typed, and which texts look alike. ICU
 * does the work; texts of only ASCII never reach ICU. Texts are valid UTF-8 with a NUL at their
 * end. Any thread may call all of these. They fail only if there is no room or ICU's data is
 * missing. */
#ifndef UNICODE_H
#define UNICODE_H

#include <stdbool.h>
#include <stddef.h>

/* A title's look and its folded form have at most 18 characters for each character of the title. */
#define LOOK_BYTES 12288

/* A title's or file name's stored form: normal form C without blanks at its ends. `out` and `typed`
 * may be the same. False: it does not fit, and `out` is unchanged. */
bool unicode_title(const char *typed, char *out, size_t out_bytes);

/* A password as RFC 8265 prepares it (OpaqueString): blanks of any kind become spaces, then normal
 * form C. The caller refuses control characters, and wipes `out`. */
bool unicode_password(const char *typed, char *out, size_t out_bytes);

/* Makes a text that is the same for titles that look alike: the skeleton of UTS 39 (in which
 * confusable characters, among them "rn" and "m", are the same), without regard to case, to the
 * kind and number of blanks and to characters without a width. */
bool unicode_look(const char *title, char look[LOOK_BYTES]);

/* The title in small letters ("ss" for the sharp s): titles with the same look and the same folded
 * form differ only in case, which everybody sees. */
bool unicode_fold(const char *title, char folded[LOOK_BYTES]);

#endif
