/* The echo must come back whatever happens: signals that end the process are noted, end the
 * reading, and are raised again when the terminal is restored. Suspending is switched off
 * meanwhile. */
#include "terminal.h"

#include "text.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <termios.h>
#include <unistd.h>

static volatile sig_atomic_t signal_noted;

static void note_signal(int number) {
    signal_noted = number;
}

static const int ending_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
#define ENDING_SIGNALS (sizeof ending_signals / sizeof ending_signals[0])

/* Signals come only while read_byte waits: one that came just before the wait would be missed. */
struct silence {
    struct termios before;
    sigset_t mask;
    struct sigaction actions[ENDING_SIGNALS];
};

static bool silence_begin(struct silence *silence) {
    struct sigaction note = {.sa_handler = note_signal};
    sigset_t ending;
    if (tcgetattr(STDIN_FILENO, &silence->before) != 0)
        return false;
    struct termios quiet = silence->before;
    quiet.c_lflag &= (tcflag_t) ~(tcflag_t)ECHO;
    quiet.c_cc[VSUSP] = _POSIX_VDISABLE;
    sigemptyset(&note.sa_mask);
    sigemptyset(&ending);
    signal_noted = 0;
    for (size_t i = 0; i < ENDING_SIGNALS; i++) {
        sigaddset(&ending, ending_signals[i]);
        sigaction(ending_signals[i], &note, &silence->actions[i]);
    }
    sigprocmask(SIG_BLOCK, &ending, &silence->mask);
    return tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
}

static void silence_end(struct silence *silence) {
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silence->before);
    for (size_t i = 0; i < ENDING_SIGNALS; i++)
        sigaction(ending_signals[i], &silence->actions[i], NULL);
    sigprocmask(SIG_SETMASK, &silence->mask, NULL);
    fputs("\n", stderr);
    if (signal_noted)
        raise(signal_noted);
}

/* false: the input ended, or a signal came. */
static bool read_byte(const struct silence *silence, char *c) {
    fd_set input;
    FD_ZERO(&input);
    FD_SET(STDIN_FILENO, &input);
    return pselect(STDIN_FILENO + 1, &input, NULL, NULL, NULL, &silence->mask) > 0 &&
           read(STDIN_FILENO, c, 1) > 0;
}

/* Reads a line without its newline. Returns NULL, or what is wrong with the line. */
static const char *read_line(const struct silence *silence, char password[PASSWORD_BYTES]) {
    size_t used = 0;
    bool too_long = false;
    char c = '\0';
    while (c != '\n') {
        if (!read_byte(silence, &c))
            return "no password was given";
        too_long = too_long || (used == PASSWORD_BYTES_MAX && c != '\n');
        if (!too_long && c != '\n')
            password[used++] = c;
    }
    password[used] = '\0';
    if (too_long)
        return "the password is too long";
    if (used == 0)
        return "the password is empty";
    return text_is_utf8(password, used) ? NULL : "the password is no UTF-8 text";
}

/* Asks one question. Returns NULL, or what is wrong. */
static const char *ask(const char *question, const char *name, char password[PASSWORD_BYTES]) {
    struct silence silence;
    if (!silence_begin(&silence))
        return "the terminal can't be kept from showing a password";
    fprintf(stderr, "%s%s: ", question, name);
    fflush(stderr);
    const char *fault = read_line(&silence, password);
    silence_end(&silence);
    return fault;
}

bool terminal_ask_password(const char *name, char password[PASSWORD_BYTES], char *error,
                           size_t error_bytes) {
    char again[PASSWORD_BYTES] = "";
    const char *fault = "there is no terminal to ask for a password; use --password-file FILE";
    password[0] = '\0';
    if (isatty(STDIN_FILENO)) {
        fault = ask("Password for ", name, password);
        if (!fault)
            fault = ask("Again, for ", name, again);
        if (!fault && strcmp(password, again) != 0)
            fault = "the two passwords differ";
    }
    password_wipe(again, sizeof again);
    if (fault) {
        password_wipe(password, PASSWORD_BYTES);
        snprintf(error, error_bytes, "%s", fault);
    }
    return !fault;
}
