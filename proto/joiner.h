/* Which characters without a width are kept in a text, because without them it would be misspelt or
 * fall apart: joiners, variation selectors, the tags of a flag. Everything else without a width is
 * removed by text.c. Sources: RFC 5892 appendix A (joiners), UTS 51 (emoji), and the tables of the
 * Unicode Character Database in joiner_table.h. */
#ifndef JOINER_H
#define JOINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOINER_UNICODE "15.0" /* the Unicode version of the tables */

#define BLACK_FLAG 0x1F3F4 /* begins flags that are spelt with tags */

/* Whether this is a character that joiner_stays() decides on. */
bool joiner_is(uint32_t point);

/* Whether the joiner or variation selector `point` is kept between the kept text in front of it
 * (valid UTF-8) and the code point after it (at the end: any value that is no code point). */
bool joiner_stays(const unsigned char *kept, size_t kept_bytes, uint32_t point, uint32_t next);

/* How many bytes of tags after a black flag make it the flag of a part of a country; 0: there are
 * no tags, or they are not complete. */
size_t joiner_flag_bytes(const unsigned char *bytes, size_t count);

/* The tables. The first: the script of a letter or mark that joins, as ICU numbers scripts; 0:
 * none. */
int joiner_script(uint32_t point);
bool joiner_is_virama(uint32_t point);
bool joiner_is_pictographic(uint32_t point);

#endif
