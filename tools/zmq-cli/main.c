/* zmq-cli: zchat for scripts. One verb, one result: data on stdout, everything else on stderr, and
 * an exit code that says how it ended.
 *
 * This file only reads straight down: the options, the verb, the call, its end. What a verb does is
 * in the file of its group, see verb.c. It never prompts without a terminal. */
#include "bound.h"
#include "call.h"
#include "command_line.h"
#include "help.h"
#include "interrupt.h"
#include "preferences.h"
#include "verb.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* If one of the three standard files is closed, a socket must not get its descriptor. Writing to
 * this stand-in fails, as it should. */
static void open_standard_files(void) {
    int fd;
    do
        fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

static int exit_code(enum status status) {
    return status == STATUS_BROKEN_PIPE ? 0 : (int)status;
}

static enum status run(const struct command_line *line, const struct preferences *preferences,
                       struct output *output) {
    struct call call = {
        .options = &preferences->options,
        .config_dir = preferences->config_dir,
        .config = &preferences->file,
        .state_dir = preferences->state_dir,
        .output = output,
        .words = line->words,
        .word_count = line->word_count,
        .plain_count = line->plain_count,
        .settings = line->settings,
        .setting_count = line->setting_count,
    };
    call_begin_time(&call);
    enum status status = line->verb->run(&call);
    enum status written = output_flush(output);
    status = status == STATUS_DONE ? written : status;
    bound_end_with(exit_code(status));
    call_close(&call);
    return status;
}

static void choose_output(struct output *output, const struct options *options) {
    output->json = option_flag(options, OPTION_JSON);
    output->quiet = option_flag(options, OPTION_QUIET);
    output->verbose = option_flag(options, OPTION_VERBOSE);
}

static enum status complain(const struct command_line *line, struct output *output) {
    bool asks = line->complaint[strlen(line->complaint) - 1] == '?';
    return output_error(output, ZCHAT_INVALID, 0, "%s%s see zmq-cli %s%s--help", line->complaint,
                        asks ? "" : ";", line->verb ? line->verb->name : "", line->verb ? " " : "");
}

static enum status go(struct command_line *line, struct preferences *preferences,
                      struct output *output) {
    choose_output(output, &preferences->options);
    bound_begin(&preferences->options);
    if (option_flag(&preferences->options, OPTION_HELP))
        return help_print(line, output->verbose, output);
    if (option_flag(&preferences->options, OPTION_VERSION)) {
        output_text(output, "zmq-cli " ZCHAT_VERSION "\n");
        return output_flush(output);
    }
    if (line->complaint[0])
        return complain(line, output);
    if (line->verb == &help_verb)
        return help_run(line, output->verbose, output);
    enum status status = preferences_load(preferences, line->verb->without_context, output);
    choose_output(output, &preferences->options);
    bound_begin(&preferences->options);
    return status == STATUS_DONE ? run(line, preferences, output) : status;
}

int main(int argc, char **argv) {
    struct command_line line;
    struct preferences preferences;
    struct output output;
    open_standard_files();
    output_init(&output);
    interrupt_catch();
    preferences_init(&preferences);
    command_line_read(&line, &preferences.options, argc, argv);
    enum status status = go(&line, &preferences, &output);
    preferences_release(&preferences);
    command_line_release(&line);
    output_release(&output);
    return exit_code(status);
}
