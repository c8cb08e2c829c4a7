/* Gathering the options from the environment and from zmq-cli.conf. */
#include "preferences.h"

#include <stdlib.h>
#include <string.h>

void preferences_init(struct preferences *preferences) {
    *preferences = (struct preferences){0};
    options_init(&preferences->options);
}

static bool take_variable(void *options, const struct option *option, const char *text,
                          char fault[OPTION_FAULT_BYTES]) {
    return options_set(options, option, text, OPTION_FROM_ENVIRONMENT, fault);
}

static enum status load_environment(struct options *options, const struct output *output) {
    const struct option_sink sink = {.set = take_variable, .arg = options};
    char error[OPTION_FAULT_BYTES];
    if (option_read_environment(&option_table, &sink, error))
        return STATUS_DONE;
    return output_error(output, ZCHAT_INVALID, 0, "%s", error);
}

/* Joins "directory", "between" and "name"; owned by the caller, NULL if there is no memory. */
static char *path_join(const char *directory, const char *between, const char *name) {
    size_t bytes = strlen(directory) + strlen(between) + strlen(name) + 1;
    char *path = malloc(bytes);
    if (path)
        snprintf(path, bytes, "%s%s%s", directory, between, name);
    return path;
}

/* It is beside the other files of a --config-dir, or else where the system keeps such things. */
static char *choose_state_dir(const struct options *options) {
    const char *given = option_text(options, OPTION_CONFIG_DIR);
    const char *base = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (given)
        return path_join(given, "/", "state");
    if (base && base[0] == '/')
        return path_join(base, "/", "zchat");
    return home && home[0] ? path_join(home, "/.local/state/", "zchat") : NULL;
}

static enum status load_context(struct preferences *preferences, bool lenient,
                                const struct output *output) {
    const char *context = option_text(&preferences->options, OPTION_CONTEXT);
    if (!context || config_file_apply(&preferences->file, context, &preferences->options))
        return STATUS_DONE;
    if (lenient)
        return STATUS_DONE;
    return output_error(output, ZCHAT_INVALID, 0, "there is no \"[context %s]\" in %s/zmq-cli.conf",
                        context, preferences->config_dir ? preferences->config_dir : ".");
}

/* A relative password file in zmq-cli.conf is relative to the folder of zmq-cli.conf. */
static enum status place_password_file(struct preferences *preferences,
                                       const struct output *output) {
    struct option_value *value = &preferences->options.values[OPTION_PASSWORD_FILE];
    bool from_file = value->source == OPTION_FROM_FILE || value->source == OPTION_FROM_CONTEXT;
    if (!from_file || value->text[0] == '/')
        return STATUS_DONE;
    preferences->password_file = path_join(preferences->config_dir, "/", value->text);
    if (!preferences->password_file)
        return output_error(output, ZCHAT_NO_MEMORY, 0, "there is not enough memory");
    value->text = preferences->password_file;
    return STATUS_DONE;
}

static enum status load_file(struct preferences *preferences, const struct output *output) {
    char *path = path_join(preferences->config_dir, "/", "zmq-cli.conf");
    if (!path)
        return output_error(output, ZCHAT_NO_MEMORY, 0, "there is not enough memory");
    enum status status = config_file_read(&preferences->file, path, output);
    free(path);
    if (status == STATUS_DONE)
        config_file_apply(&preferences->file, NULL, &preferences->options);
    return status;
}

enum status preferences_load(struct preferences *preferences, bool lenient,
                             const struct output *output) {
    enum status status = load_environment(&preferences->options, output);
    preferences->config_dir =
        zchat_config_folder(option_text(&preferences->options, OPTION_CONFIG_DIR));
    preferences->state_dir = choose_state_dir(&preferences->options);
    if (status == STATUS_DONE && preferences->config_dir)
        status = load_file(preferences, output);
    if (status == STATUS_DONE)
        status = load_context(preferences, lenient, output);
    if (status == STATUS_DONE)
        status = place_password_file(preferences, output);
    return status;
}

void preferences_release(struct preferences *preferences) {
    config_file_release(&preferences->file);
    free(preferences->config_dir);
    free(preferences->state_dir);
    free(preferences->password_file);
}
