/* Failures as a code and a sentence. Text from others (host names, the broker's words) is cleaned
 * before it gets here, or the whole sentence is: no fault contains escape sequences. */
#include "fault.h"

#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

zchat_code fault_set(struct fault *fault, zchat_code code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int written = vsnprintf(fault->text, sizeof fault->text, format, args);
    va_end(args);
    if (written < 0)
        fault->text[0] = '\0';
    text_clean_line(fault->text, strlen(fault->text));
    fault->code = code;
    return code;
}
