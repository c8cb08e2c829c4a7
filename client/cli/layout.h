/* How a prompt and a line lie on the terminal's rows. */
#ifndef LAYOUT_H
#define LAYOUT_H

#include <stddef.h>

/* The row, from 0, on which the cursor stands behind `prompt` and the first `text_bytes` of `text`
 * where a row has `columns`. What the prompt has between \001 and \002 takes no room. */
size_t layout_row(const char *prompt, const char *text, size_t text_bytes, size_t columns);

#endif
