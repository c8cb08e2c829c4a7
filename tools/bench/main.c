/* zchat-bench: puts load on a broker and prints what it measured as one JSON line on stdout;
 * everything else goes to stderr. It talks to the broker through libzchat like any client. */
#include "bare.h"
#include "bench.h"
#include "fanout.h"
#include "files.h"
#include "growth.h"
#include "idle.h"
#include "login.h"
#include "option.h"
#include "private.h"
#include "send.h"
#include "sparse.h"
#include "zchat.h"

#include <string.h>

static int names_main(const struct settings *settings) {
    bench_write_names(stdout, settings->senders, 0, settings->accounts);
    return fflush(stdout) == 0 ? 0 : 1;
}

static int key_main(const struct settings *settings) {
    char key[64];
    bench_device_key(settings->config_dir, key);
    return key[0] && puts(key) >= 0 && fflush(stdout) == 0 ? 0 : 1;
}

static const struct verb {
    const char *name;
    enum verb_bit bit;
    int (*run)(const struct settings *settings);
    const char *help;
} verbs[] = {
    {"send", VERB_SEND, send_main,
     "senders send to random accounts; exit 1 where anything was lost, doubled or out of order"},
    {"sparse", VERB_SPARSE, sparse_main,
     "many pairs with one message under way each, compared with a bare server that forwards"},
    {"latency", VERB_LATENCY, latency_main,
     "messages at a fixed rate, compared with a bare server that forwards"},
    {"idle", VERB_IDLE, idle_main,
     "clients that are logged in and do nothing, compared with bare connections"},
    {"login", VERB_LOGIN, login_main,
     "clients log in with their device keys, compared with bare connects that do not log in"},
    {"fanout", VERB_FANOUT, fanout_main,
     "broadcasts, or posts to a thread, to many at once, compared with bare sockets; exit 1 where "
     "any was lost, doubled or out of order"},
    {"growth", VERB_GROWTH, growth_main,
     "a store with many accounts and messages, compared with a small one; exit 1 where any was "
     "lost"},
    {"files", VERB_FILES, files_main,
     "a file goes up and down, compared with a plain encrypted copy; exit 1 where a byte is wrong"},
    {"private", VERB_PRIVATE, private_main,
     "lines of a private chat, compared with a plain encrypted pair of sockets; exit 1 where one "
     "was lost, doubled or out of order"},
    {"names", VERB_NAMES, names_main, "print the names of the accounts that send --server needs"},
    {"key", VERB_KEY, key_main, "print the device key that these accounts must trust"},
    {"bare", VERB_BARE, bare_main,
     "the server without a protocol or a store that the others start to be compared with"},
};
#define VERBS (sizeof verbs / sizeof verbs[0])

static const struct verb *verb_find(const char *name) {
    for (size_t i = 0; i < VERBS; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

static int usage(FILE *file, int status) {
    fputs("usage: zchat-bench VERB [OPTION ...]\n\n", file);
    for (size_t i = 0; i < VERBS; i++)
        fprintf(file, "  %-7s %s\n", verbs[i].name, verbs[i].help);
    fputs("\nzchat-bench VERB --help tells a verb's options.\n", file);
    return status;
}

int main(int argc, char **argv) {
    const struct verb *verb = argc > 1 ? verb_find(argv[1]) : NULL;
    struct settings settings;
    if (argc > 1 && strcmp(argv[1], "--help") == 0)
        return usage(stdout, 0);
    if (argc > 1 && strcmp(argv[1], "--version") == 0)
        return puts("zchat-bench " ZCHAT_VERSION) < 0;
    if (!verb)
        return usage(stderr, 2);
    if (!settings_read(&settings, verb->bit, argc, argv))
        return 2;
    if (settings.help) {
        printf("zchat-bench %s: %s\n\n", verb->name, verb->help);
        settings_help(verb->bit, stdout);
        return 0;
    }
    return verb->run(&settings);
}
