#include "words.h"

#include "user.h"

#include <string.h>

static void take_out(int *argc, char **argv, int at) {
    for (int i = at; i < *argc; i++) /* also the NULL behind the last word */
        argv[i] = argv[i + 1];
    --*argc;
}

static bool take_flag(int *argc, char **argv, const char *flag) {
    bool found = false;
    for (int i = 1; i < *argc;) {
        if (strcmp(argv[i], flag) != 0) {
            i++;
            continue;
        }
        found = true;
        take_out(argc, argv, i);
    }
    return found;
}

struct words_taken words_take(int *argc, char **argv, const char *verb) {
    struct words_taken out = {0};
    take_out(argc, argv, user_verb_at(*argc, argv, verb));
    out.force = take_flag(argc, argv, "--force");
    out.help = take_flag(argc, argv, "--help");
    int at = user_word_behind(*argc, argv, 0);
    if (at > 0) {
        out.file = argv[at];
        take_out(argc, argv, at);
    }
    return out;
}
