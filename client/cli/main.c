/* zchat: the client into which a person types. */
#include "app.h"
#include "loop.h"
#include "options.h"
#include "program.h"
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool main_is_open(int fd) {
    return fcntl(fd, F_GETFD) >= 0 || errno != EBADF;
}

/* If a standard file is closed, no other file or socket may get its descriptor. A stand-in is
 * opened in a mode in which reading from 0, or writing to 1 or 2, fails with EBADF. Returns what is
 * missing, or NULL. */
static const char *main_open_descriptors(void) {
    const char *missing = NULL;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (main_is_open(fd))
            continue;
        if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            return "cannot open /dev/null";
        if (!missing && fd == STDIN_FILENO)
            missing = "standard input is closed; give commands, or a terminal";
        else if (!missing && fd == STDOUT_FILENO)
            missing = "standard output is closed; messages have nowhere to go";
    }
    return missing;
}

/* The text of chats is UTF-8, even if the environment does not say so. */
static void main_set_locale(void) {
    if (setlocale(LC_CTYPE, "") && strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
        return;
    setlocale(LC_CTYPE, "C.UTF-8");
    setenv("LC_ALL", "C.UTF-8", 1); /* readline reads it itself */
}

static int main_run(const struct options *options) {
    int exit_code = 0;
    int signals_fd = signals_open();
    if (signals_fd < 0) {
        fprintf(stderr, "zchat: signals: %s\n", strerror(errno));
        return 1;
    }
    struct app *app = program_new(options, &exit_code);
    if (app) {
        loop_run(app, signals_fd);
        exit_code = app->exit_code;
    }
    program_free(app);
    signals_close(signals_fd);
    return exit_code;
}

/* Prints the help or the version. */
static int main_print(const struct options *options) {
    if (options->help)
        options_print_help();
    else
        puts("zchat " ZCHAT_VERSION);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    fprintf(stderr, "zchat: cannot write to standard output: %s\n", strerror(errno));
    return 3;
}

/* Makes room for a new key of the broker. */
static int main_forget(const struct options *options) {
    char fingerprint[ZCHAT_FINGERPRINT_TEXT], error[512];
    zchat_code code =
        zchat_forget(options->forget, options->config_dir, fingerprint, error, sizeof error);
    if (code)
        fprintf(stderr, "zchat: %s\n", error);
    else
        fprintf(stderr, "zchat: forgot %s, whose key was %s\n", options->forget, fingerprint);
    return zchat_exit_status(code);
}

int main(int argc, char **argv) {
    struct options options;
    char error[OPTION_FILE_ERROR_BYTES] = "";
    const char *missing = main_open_descriptors();
    (void)argc;
    main_set_locale();
    int exit_code = options_read(&options, argv, error);
    if (exit_code != 0) {
        fprintf(stderr, "zchat: %s\n", error);
    } else if (options.help || options.version) {
        exit_code = main_print(&options);
    } else if (options.forget) {
        exit_code = main_forget(&options);
    } else if (missing) {
        fprintf(stderr, "zchat: %s\n", missing);
        exit_code = 3;
    } else {
        exit_code = main_run(&options);
    }
    options_release(&options);
    return exit_code;
}
