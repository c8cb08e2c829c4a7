/* Text from others: UTF-8, names, and what may reach a terminal. No function here allocates, and
 * failures are told only by return values. */
#ifndef TEXT_H
#define TEXT_H

#include "limits.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether the bytes are UTF-8 (RFC 3629: no surrogates, no overlong forms) without NUL. */
bool text_is_utf8(const char *text, size_t text_bytes);

/* The bytes of the byte order mark that some editors put in front of a text: 3, or 0 if there is
 * none. The mark is no part of the text. */
size_t text_mark_bytes(const char *text, size_t text_bytes);

/* Removes in place what must not reach a terminal: control characters except newline and tab, whole
 * escape sequences (ECMA-48: CSI, OSC, DCS, SOS, PM, APC, two-character ones; 7 and 8 bit), bidi
 * controls, characters without a width, invalid UTF-8. Joiners are kept where they join, and
 * variation selectors and the tags of flags if they belong to a character (joiner.h); line and
 * paragraph separators become newlines. Returns the bytes that remain; writes a NUL behind them
 * only if some were removed. */
size_t text_clean(char *text, size_t text_bytes);

/* The same for a text of one line: newlines and tabs become spaces. */
size_t text_clean_line(char *text, size_t text_bytes);

/* How many characters (code points) the UTF-8 bytes hold. */
size_t text_characters(const char *text, size_t text_bytes);

#define NAME_BYTES (NAME_BYTES_MAX + 1) /* a name with its NUL */

/* Folds upper case; false if the result is not a name, [a-z0-9_.-]{1,32}: then `name` is "". */
bool name_fold(const char *input, char name[NAME_BYTES]);

#endif
