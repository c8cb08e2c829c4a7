/* Reading passwords. At a terminal nothing that is typed is shown, and the terminal is restored,
 * whatever ends the reading. */
#include "password.h"

#include "child.h"
#include "interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define ANSWER_BYTES 16
#define SOURCE_BYTES ZCHAT_PASSWORD_SOURCE_BYTES

static void wipe(void *memory, size_t bytes) {
    volatile unsigned char *byte = memory;
    while (bytes--)
        *byte++ = 0;
}

void password_release(struct password *password) {
    wipe(password, sizeof *password);
}

bool terminal_present(void) {
    return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

enum line_result { LINE_READ, LINE_NONE, LINE_FAILED };

/* Reads to the end of the line, byte by byte, so that what follows stays in the file. A line that
 * is too long is read to its end, but cut. LINE_NONE: the file is at its end. LINE_FAILED sets
 * errno. */
static enum line_result read_line(int fd, char *line, size_t capacity) {
    size_t used = 0;
    ssize_t got;
    char byte = 0;
    do {
        got = interrupt_read(fd, &byte, 1, NO_DEADLINE);
        if (got == 1 && byte != '\n' && used < capacity - 1)
            line[used++] = byte;
    } while (got == 1 && byte != '\n');
    line[used] = 0;
    if (got < 0)
        return LINE_FAILED;
    return got == 0 && used == 0 ? LINE_NONE : LINE_READ;
}

static void ask(const char *question) {
    fputs(question, stderr);
    fflush(stderr);
}

bool terminal_confirm(const char *question) {
    char answer[ANSWER_BYTES];
    ask(question);
    return read_line(STDIN_FILENO, answer, sizeof answer) == LINE_READ &&
           (strcmp(answer, "yes") == 0 || strcmp(answer, "y") == 0);
}

static bool type_in(char *line, const char *prompt) {
    struct termios shown, hidden;
    if (tcgetattr(STDIN_FILENO, &shown) < 0)
        return false;
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    ask(prompt);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    bool typed = read_line(STDIN_FILENO, line, PASSWORD_CAPACITY) == LINE_READ;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    fputc('\n', stderr);
    return typed;
}

static enum status read_terminal(char *line, const struct password_source *source,
                                 const struct output *output) {
    char again[PASSWORD_CAPACITY];
    bool typed = type_in(line, source->prompt);
    bool same = true;
    if (typed && source->twice) {
        typed = type_in(again, "The same again: ");
        same = typed && strcmp(line, again) == 0;
        wipe(again, sizeof again);
    }
    if (interrupt_pending())
        return STATUS_INTERRUPTED;
    if (!typed)
        return output_error(output, ZCHAT_AUTH, 0, "no password was typed");
    if (!same)
        return output_error(output, ZCHAT_INVALID, 0, "the two passwords differ");
    return STATUS_DONE;
}

/* ---- files and commands ---- */

struct reading {
    const struct options *options; /* borrowed: from the caller */
    const struct output *output;   /* borrowed: from the caller */
    int64_t deadline_us;
    size_t used;
    char bytes[SOURCE_BYTES];
};

static enum status tell_late(const struct reading *reading, const char *what) {
    return output_error(reading->output, ZCHAT_EXPIRED, 0, "%s within --timeout, %s s", what,
                        option_text(reading->options, OPTION_TIMEOUT));
}

/* Reads until there is a line, the end, or more than a password may have. -1 sets errno. */
static ssize_t read_start(struct reading *reading, int fd) {
    ssize_t got = 1;
    while (got != 0 && reading->used < SOURCE_BYTES &&
           !memchr(reading->bytes, '\n', reading->used)) {
        got = interrupt_read(fd, reading->bytes + reading->used, SOURCE_BYTES - reading->used,
                             reading->deadline_us);
        if (got < 0 && errno != EAGAIN)
            return -1;
        reading->used += got > 0 ? (size_t)got : 0;
    }
    return 0;
}

/* Waits for a pipe without a writer as for one that is silent. */
static enum status read_file(struct reading *reading, const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    ssize_t result = fd < 0 ? -1 : read_start(reading, fd);
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (interrupt_pending())
        return STATUS_INTERRUPTED;
    if (result < 0 && error == ETIMEDOUT)
        return tell_late(reading, "the password file did not yield a line");
    if (result < 0)
        return output_error(reading->output, ZCHAT_IO, 0, "cannot read the password file %s: %s",
                            path, strerror(error));
    return STATUS_DONE;
}

static enum status read_command(struct reading *reading, const char *command) {
    int ended =
        child_capture(command, reading->deadline_us, reading->bytes, SOURCE_BYTES, &reading->used);
    if (interrupt_pending())
        return STATUS_INTERRUPTED;
    if (ended < 0 && errno == ETIMEDOUT)
        return tell_late(reading, "the password command did not end");
    if (ended < 0)
        return output_error(reading->output, ZCHAT_IO, 0, "cannot run the password command: %s",
                            strerror(errno));
    if (ended > 0)
        return output_error(reading->output, ZCHAT_IO, 0,
                            "the password command failed with status %d", ended);
    return STATUS_DONE;
}

/* Whether the password is empty, which only passwd takes, for an account without a password. */
static bool is_empty(const struct reading *reading) {
    return reading->used == 0 || reading->bytes[0] == '\n' ||
           (reading->used > 1 && memcmp(reading->bytes, "\r\n", 2) == 0);
}

static enum status take(const struct reading *reading, char *line, const char *what) {
    const char *wrong = zchat_password_take(reading->bytes, reading->used, line);
    if (!wrong || is_empty(reading))
        return STATUS_DONE;
    return output_error(reading->output, ZCHAT_INVALID, 0, "%s %s", what, wrong);
}

/* An empty source gives an empty password. */
static enum status read_source(char *line, const struct options *options,
                               const struct option_value *from, bool is_file, int64_t deadline_us,
                               const struct output *output) {
    struct reading reading = {.options = options, .output = output, .deadline_us = deadline_us};
    enum status status =
        is_file ? read_file(&reading, from->text) : read_command(&reading, from->text);
    if (status == STATUS_DONE)
        status = take(&reading, line,
                      is_file ? "the password file" : "what the password command printed");
    wipe(&reading, sizeof reading);
    return status;
}

bool password_is_given(const struct options *options, const struct password_source *source) {
    return option_is_set(options, source->file) || option_is_set(options, source->command);
}

bool password_is_available(const struct options *options, const struct password_source *source) {
    return password_is_given(options, source) || terminal_present();
}

static enum status read_somehow(char *line, const struct options *options,
                                const struct password_source *source, int64_t deadline_us,
                                bool *typed, const struct output *output) {
    const struct option_value *file = &options->values[source->file];
    const struct option_value *command = &options->values[source->command];
    const char *name = option_row(source->file)->name;
    if (file->source > command->source)
        return read_source(line, options, file, true, deadline_us, output);
    if (command->source > file->source)
        return read_source(line, options, command, false, deadline_us, output);
    if (file->source != OPTION_UNSET)
        return output_error(output, ZCHAT_INVALID, 0, "--%s and --%s exclude each other", name,
                            option_row(source->command)->name);
    *typed = terminal_present();
    if (*typed)
        return read_terminal(line, source, output);
    return output_error(output, ZCHAT_INVALID, 0,
                        "a password is needed: give --%s or --%s, or call it from a terminal", name,
                        option_row(source->command)->name);
}

enum status password_read(struct password *password, const struct options *options,
                          const struct password_source *source, int64_t deadline_us, bool *typed,
                          const struct output *output) {
    enum status status = read_somehow(password->text, options, source, deadline_us, typed, output);
    if (status == STATUS_DONE && strlen(password->text) == PASSWORD_CAPACITY - 1)
        status = output_error(output, ZCHAT_INVALID, 0, "the password is longer than %d bytes",
                              PASSWORD_CAPACITY - 2);
    if (status == STATUS_DONE)
        password->known = true;
    else
        password_release(password);
    return status;
}
