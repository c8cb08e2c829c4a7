/* The contexts of zmq-cli.conf: list, show, set, use, remove. They need no broker, and work even if
 * the context in use is missing. */
#include "config_edit.h"
#include "config_file.h"
#include "verb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_BYTES_MAX_HERE 64
#define EDITS_MAX           32 /* more than there are keys */

/* ---- looking ---- */

static bool is_begin(const struct config_entry *entry) {
    return entry->context && entry->option == OPTION_END;
}

static bool exists(const struct call *call, const char *name) {
    for (size_t i = 0; i < call->config->entry_count; i++)
        if (is_begin(&call->config->entries[i]) &&
            strcmp(call->config->entries[i].context, name) == 0)
            return true;
    return false;
}

static enum status no_such(const struct call *call, const char *name) {
    return output_error(call->output, ZCHAT_NOT_FOUND, 0,
                        "there is no context \"%s\"; zmq-cli context list names them", name);
}

/* The last value of a key in a context counts. NULL: it has none. */
static const char *value_of(const struct call *call, const char *name, enum option_id id) {
    const char *value = NULL;
    for (size_t i = 0; i < call->config->entry_count; i++) {
        const struct config_entry *entry = &call->config->entries[i];
        if (entry->context && strcmp(entry->context, name) == 0 && entry->option == id)
            value = entry->value;
    }
    return value;
}

static bool is_current(const struct call *call, const char *name) {
    const char *current = option_text(call->options, OPTION_CONTEXT);
    return current && strcmp(current, name) == 0;
}

static json_t *context_object(const struct call *call, const char *name) {
    json_t *object = json_pack("{s:s, s:b}", "context", name, "current", is_current(call, name));
    for (enum option_id id = 0; object && id < OPTION_END; id++) {
        const char *value = value_of(call, name, id);
        json_t *text = value ? json_string(value) : NULL;
        if (text)
            json_object_set_new(object, option_row(id)->name, text);
    }
    return object;
}

static enum status print_row(const struct call *call, const char *name) {
    const char *server = value_of(call, name, OPTION_SERVER);
    const char *user = value_of(call, name, OPTION_USER);
    if (call->output->json)
        return output_object(call->output, context_object(call, name));
    output_format(call->output, "%c %s%s%s%s%s\n", is_current(call, name) ? '*' : ' ', name,
                  server || user ? "  " : "", user ? user : "", user ? "@" : "",
                  server ? server
                  : user ? "localhost"
                         : "");
    return STATUS_DONE;
}

/* A context may be begun several times; it is listed once. */
static bool is_first(const struct call *call, size_t place) {
    const struct config_entry *entries = call->config->entries;
    for (size_t i = 0; i < place; i++)
        if (is_begin(&entries[i]) && strcmp(entries[i].context, entries[place].context) == 0)
            return false;
    return true;
}

static enum status run_list(struct call *call) {
    enum status status = STATUS_DONE;
    for (size_t i = 0; i < call->config->entry_count && status == STATUS_DONE; i++)
        if (is_begin(&call->config->entries[i]) && is_first(call, i))
            status = print_row(call, call->config->entries[i].context);
    return status;
}

static const struct verb list_verb = {
    .name = "context list",
    .words = "",
    .without_context = true,
    .run = run_list,
    .examples = VERB_EXAMPLES("zmq-cli context list"),
    .help = "list the contexts of zmq-cli.conf, the one in use with a star",
};

static enum status run_show(struct call *call) {
    const char *name =
        call->word_count > 0 ? call->words[0] : option_text(call->options, OPTION_CONTEXT);
    if (!name)
        return output_error(call->output, ZCHAT_NOT_FOUND, 0,
                            "no context is in use; name one, or see zmq-cli context use");
    if (!exists(call, name))
        return no_such(call, name);
    if (call->output->json)
        return output_object(call->output, context_object(call, name));
    output_format(call->output, "[context %s]\n", name);
    for (enum option_id id = 0; id < OPTION_END; id++)
        if (value_of(call, name, id))
            output_format(call->output, "%s = %s\n", option_row(id)->name,
                          value_of(call, name, id));
    return STATUS_DONE;
}

static const struct verb show_verb = {
    .name = "context show",
    .words = "[NAME]",
    .words_max = 1,
    .without_context = true,
    .run = run_show,
    .examples = VERB_EXAMPLES("zmq-cli context show work"),
    .help = "print the settings of a context; without NAME of the one in use",
};

/* ---- changing ---- */

/* Makes the changes, and says what was done with which context (NULL: none). */
static enum status change(struct call *call, const struct config_edit *edits, size_t count,
                          const char *done, const char *name) {
    if (!call->config_dir)
        return output_error(call->output, ZCHAT_IO, 0,
                            "there is no place for zmq-cli.conf: set HOME, or give --config-dir");
    enum status status = config_edit_file(call->config_dir, edits, count, call->output);
    if (status != STATUS_DONE)
        return status;
    if (call->output->json)
        return output_object(call->output, json_pack("{s:s?}", "context", name));
    output_format(call->output, "%s %s\n", done, name ? name : "no context");
    return STATUS_DONE;
}

/* What a line of the file can hold. */
static bool is_plain(const char *text) {
    size_t bytes = strlen(text);
    for (size_t i = 0; i < bytes; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return false;
    return bytes > 0 && text[0] != ' ' && text[bytes - 1] != ' ';
}

static enum status check_name(const struct call *call, const char *name) {
    if (is_plain(name) && !strpbrk(name, "[]/=") && strlen(name) <= NAME_BYTES_MAX_HERE)
        return STATUS_DONE;
    return output_error(call->output, ZCHAT_INVALID, 0,
                        "a context can't be named \"%s\": at most %d bytes, without [ ] / = and "
                        "without blanks around it",
                        name, NAME_BYTES_MAX_HERE);
}

struct changes {
    struct call *call; /* borrowed: from main */
    struct config_edit edits[EDITS_MAX];
    size_t count;
    char *keys[EDITS_MAX];   /* owned */
    char *values[EDITS_MAX]; /* owned */
};

static void changes_release(struct changes *changes) {
    for (size_t i = 0; i < EDITS_MAX; i++) {
        free(changes->keys[i]);
        free(changes->values[i]);
    }
}

/* A path that is given here is meant from here, not from where zmq-cli.conf is. */
static char *value_new(enum option_id id, const char *value) {
    char here[4096];
    if (id != OPTION_PASSWORD_FILE || value[0] == '/' || !getcwd(here, sizeof here))
        return strdup(value);
    size_t bytes = strlen(here) + strlen(value) + 2;
    char *path = malloc(bytes);
    if (path)
        snprintf(path, bytes, "%s/%s", here, value);
    return path;
}

/* Takes a key and its value; an empty value removes the key. */
static enum status take(struct changes *changes, const struct option *option, const char *value) {
    struct options scratch = {0};
    char fault[OPTION_FAULT_BYTES];
    size_t i = changes->count;
    if (value[0] && !options_set(&scratch, option, value, OPTION_FROM_FILE, fault))
        return output_error(changes->call->output, ZCHAT_INVALID, 0, "%s %s", option->name, fault);
    if (value[0] && !is_plain(value))
        return output_error(changes->call->output, ZCHAT_INVALID, 0,
                            "%s can't have line breaks or blanks around it in zmq-cli.conf",
                            option->name);
    if (i == EDITS_MAX)
        return output_error(changes->call->output, ZCHAT_INVALID, 0, "too many settings at once");
    if (value[0] && !(changes->values[i] = value_new(option_id(option), value)))
        return output_error(changes->call->output, ZCHAT_NO_MEMORY, 0,
                            "there is not enough memory");
    changes->edits[changes->count++] = (struct config_edit){
        .context = changes->call->words[0], .key = option->name, .value = changes->values[i]};
    return STATUS_DONE;
}

static enum status take_word(struct changes *changes, const char *word) {
    size_t bytes = strcspn(word, "=");
    const struct option *option = option_find(&option_table, word, bytes);
    if (!word[bytes])
        return output_error(changes->call->output, ZCHAT_INVALID, 0,
                            "\"%s\" is no KEY=VALUE, such as server=chat.example", word);
    if (!option || !option->in_file || option_id(option) == OPTION_CONTEXT)
        return output_error(changes->call->output, ZCHAT_INVALID, 0,
                            "\"%.*s\" is no key of a context", (int)bytes, word);
    return take(changes, option, word + bytes + 1);
}

/* What the call says of the broker and the account; how the call itself is made is not kept. */
static enum status take_options(struct changes *changes) {
    static const enum option_id kept[] = {OPTION_SERVER,        OPTION_USER,
                                          OPTION_PASSWORD_FILE, OPTION_PASSWORD_CMD,
                                          OPTION_SERVER_KEY,    OPTION_TRUST_NEW};
    enum status status = STATUS_DONE;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0] && status == STATUS_DONE; i++)
        if (option_is_given(changes->call->options, kept[i]))
            status =
                take(changes, option_row(kept[i]), option_text(changes->call->options, kept[i]));
    return status;
}

static enum status run_set(struct call *call) {
    struct changes changes = {.call = call, .count = 1};
    changes.edits[0] = (struct config_edit){.context = call->words[0], .value = ""};
    enum status status = check_name(call, call->words[0]);
    if (status == STATUS_DONE)
        status = take_options(&changes);
    for (int i = 1; i < call->word_count && status == STATUS_DONE; i++)
        status = take_word(&changes, call->words[i]);
    if (status == STATUS_DONE)
        status = change(call, changes.edits, changes.count, "set", call->words[0]);
    changes_release(&changes);
    return status;
}

static const struct verb set_verb = {
    .name = "context set",
    .words = "NAME [KEY=VALUE...]",
    .words_min = 1,
    .words_max = VERB_WORDS_ANY,
    .without_context = true,
    .run = run_set,
    .examples = VERB_EXAMPLES("zmq-cli context set work server=chat.example user=a.smith",
                              "zmq-cli context set work --password-file ~/old.password timeout="),
    .help = "make a context, or change settings of one; KEY= removes one",
    .more = "a KEY is the long name of an option; --server, --user, --password-file, "
            "--password-cmd, --server-key and --trust-new in the call are kept, too; comments and "
            "other settings of zmq-cli.conf stay",
};

static enum status run_use(struct call *call) {
    const char *name = call->word_count > 0 ? call->words[0] : NULL;
    if (name && !exists(call, name))
        return no_such(call, name);
    const struct config_edit edit = {.key = "context", .value = name};
    return change(call, &edit, 1, "using", name);
}

static const struct verb use_verb = {
    .name = "context use",
    .words = "[NAME]",
    .words_max = 1,
    .without_context = true,
    .run = run_use,
    .examples = VERB_EXAMPLES("zmq-cli context use work", "zmq-cli context use"),
    .help = "use a context from now on; without NAME none",
    .more = "a --context in a call, or $ZCHAT_CONTEXT, comes before it",
};

/* What used it uses none then. */
static enum status run_remove(struct call *call) {
    const char *name = call->words[0];
    bool used = false;
    if (!exists(call, name))
        return no_such(call, name);
    for (size_t i = 0; i < call->config->entry_count; i++) {
        const struct config_entry *entry = &call->config->entries[i];
        if (!entry->context && entry->option == OPTION_CONTEXT)
            used = strcmp(entry->value, name) == 0;
    }
    const struct config_edit edits[] = {{.context = name}, {.key = "context"}};
    return change(call, edits, used ? 2 : 1, "removed", name);
}

static const struct verb remove_verb = {
    .name = "context remove",
    .words = "NAME",
    .words_min = 1,
    .words_max = 1,
    .without_context = true,
    .run = run_remove,
    .examples = VERB_EXAMPLES("zmq-cli context remove work"),
    .help = "remove a context from zmq-cli.conf",
};

const struct verb *const context_verbs[] = {&set_verb, &list_verb,   &show_verb,
                                            &use_verb, &remove_verb, NULL};
