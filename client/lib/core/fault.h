/* Why something failed: a code for programs and one sentence for people. */
#ifndef FAULT_H
#define FAULT_H

#include "zchat.h"

struct fault {
    zchat_code code;
    char text[512];
};

/* Writes both the code and the sentence, and returns the code. */
zchat_code fault_set(struct fault *fault, zchat_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
