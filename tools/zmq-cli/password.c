/* Reading passwords. At a terminal nothing that is typed is shown, and the terminal is given back
 * as it was, whatever ends the reading. */
#include "password.h"

#include "child.h"
#include "interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define ANSWER_BYTES 16

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

/* Reads up to the end of the line, byte by byte, so that what follows stays in the file. A line
 * that is too long is read to its end, and cut. LINE_NONE: the file is at its end. LINE_FAILED sets
 * errno. */
static enum line_result read_line(int fd, char *line, size_t capacity) {
    size_t used = 0;
    ssize_t got;
    char byte = 0;
    do {
        got = interrupt_read(fd, &byte, 1);
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
        return output_error(output, ZCHAT_AUTH, 0, "No password was typed.");
    if (!same)
        return output_error(output, ZCHAT_INVALID, 0, "The two passwords differ.");
    return STATUS_DONE;
}

/* An empty file is an empty password. */
static enum status read_file(char *line, const char *path, const struct output *output) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum line_result result = fd < 0 ? LINE_FAILED : read_line(fd, line, PASSWORD_CAPACITY);
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (interrupt_pending())
        return STATUS_INTERRUPTED;
    if (result == LINE_FAILED)
        return output_error(output, ZCHAT_IO, 0, "Cannot read the password file %s: %s.", path,
                            strerror(error));
    return STATUS_DONE;
}

static enum status read_command(char *line, const char *command, const struct output *output) {
    int ended = child_capture(command, line, PASSWORD_CAPACITY);
    if (interrupt_pending())
        return STATUS_INTERRUPTED;
    if (ended < 0)
        return output_error(output, ZCHAT_IO, 0, "Cannot run the password command: %s.",
                            strerror(errno));
    if (ended > 0)
        return output_error(output, ZCHAT_IO, 0, "The password command failed with status %d.",
                            ended);
    line[strcspn(line, "\n")] = 0;
    return STATUS_DONE;
}

bool password_is_given(const struct options *options, const struct password_source *source) {
    return option_is_set(options, source->file) || option_is_set(options, source->command);
}

bool password_is_available(const struct options *options, const struct password_source *source) {
    return password_is_given(options, source) || terminal_present();
}

static enum status read_somehow(char *line, const struct options *options,
                                const struct password_source *source, const struct output *output) {
    const struct option_value *file = &options->values[source->file];
    const struct option_value *command = &options->values[source->command];
    const char *name = option_row(source->file)->name;
    if (file->source > command->source)
        return read_file(line, file->text, output);
    if (command->source > file->source)
        return read_command(line, command->text, output);
    if (file->source != OPTION_UNSET)
        return output_error(output, ZCHAT_INVALID, 0, "--%s and --%s exclude each other.", name,
                            option_row(source->command)->name);
    if (terminal_present())
        return read_terminal(line, source, output);
    return output_error(output, ZCHAT_INVALID, 0,
                        "A password is needed: give --%s or --%s, or call it from a terminal.",
                        name, option_row(source->command)->name);
}

enum status password_read(struct password *password, const struct options *options,
                          const struct password_source *source, const struct output *output) {
    enum status status = read_somehow(password->text, options, source, output);
    if (status == STATUS_DONE && strlen(password->text) == PASSWORD_CAPACITY - 1)
        status = output_error(output, ZCHAT_INVALID, 0, "The password is longer than %d bytes.",
                              PASSWORD_CAPACITY - 2);
    if (status == STATUS_DONE)
        password->known = true;
    else
        password_release(password);
    return status;
}
