/* The schema's files as they stand in zchat/v1, with their comments: embed.cmake makes this from
 * them. */
#ifndef SCHEMA_TEXT_H
#define SCHEMA_TEXT_H

/* All lines of all files; ends with NULL. */
extern const char *const schema_text[];

#endif
