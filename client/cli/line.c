/* The wrapper around readline, the only file that sees its headers. Readline's callbacks carry no
 * argument, so the one line of the program is known here as `the_line`.
 *
 * Between two lines readline is uninstalled: what a command prints comes on a free row, and
 * line_show() installs it again. Without echo readline is not used at all, because its kill ring
 * and undo list would keep the secret: the kernel's own line editing reads it. */
#include "line.h"

#include "layout.h"
#include "memory.h"

#include <errno.h>
#include <readline/history.h>
#include <readline/readline.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define LINE_SECRET_BYTES 2048

enum line_mode { LINE_CLOSED, LINE_EDITING, LINE_ASKING, LINE_ASKING_SECRET };

struct line_candidates {
    char **words; /* owned */
    size_t count;
    size_t next;
};

struct line {
    struct line_listener listener;
    FILE *terminal; /* borrowed: from the caller */
    enum line_mode mode;
    bool visible;
    bool installed;     /* readline's handler is, so the terminal is in its hands */
    char *prompt;       /* owned */
    char *shown_prompt; /* owned: the one that readline has; NULL: none */
    char *question;     /* owned */
    line_answer_fn *answer;
    void *answer_arg; /* borrowed: from the asker */
    char *typed;      /* owned: the line that readline has just finished */
    bool finished;
    struct line_candidates *gathered; /* borrowed: from line_complete, while it runs */
    char secret[LINE_SECRET_BYTES];
    size_t secret_bytes;
    struct termios original;
};

static struct line *the_line;

static void line_set_terminal(const struct line *line, bool echo) {
    struct termios mode = line->original;
    if (!echo)
        mode.c_lflag &= (tcflag_t)~ECHO;
    mode.c_lflag |= ICANON | ISIG;
    tcsetattr(STDIN_FILENO, TCSADRAIN, &mode);
}

static void line_finished(char *typed) {
    the_line->typed = typed;
    the_line->finished = true;
    the_line->installed = false;
    the_line->visible = false;
    rl_callback_handler_remove();
    if (typed == NULL)
        fputc('\n', the_line->terminal);
}

/* --- completion --- */

void line_candidate(struct line_candidates *candidates, const char *text) {
    candidates->words = memory_grow(candidates->words, candidates->count + 1, sizeof(char *));
    candidates->words[candidates->count++] = memory_text(text);
}

static char *line_next_candidate(const char *word, int state) {
    struct line_candidates *gathered = the_line->gathered;
    (void)word;
    (void)state;
    return gathered->next == gathered->count ? NULL : gathered->words[gathered->next++];
}

/* A folder's name: what is in it comes next. */
static bool line_goes_on(const char *word) {
    return *word != '\0' && word[strlen(word) - 1] == '/';
}

static char **line_complete(const char *word, int start, int end) {
    (void)end;
    struct line_candidates gathered = {0};
    rl_attempted_completion_over = 1;
    if (the_line->mode != LINE_EDITING)
        return NULL;
    char *before = memory_text(rl_line_buffer);
    before[start] = '\0';
    the_line->listener.on_complete(the_line->listener.arg, before, word, &gathered);
    free(before);
    the_line->gathered = &gathered;
    bool goes_on = gathered.count == 1 && line_goes_on(gathered.words[0]);
    rl_completion_suppress_append = goes_on;
    rl_completion_suppress_quote = goes_on;
    char **matches = rl_completion_matches(word, line_next_candidate);
    the_line->gathered = NULL;
    free(gathered.words);
    return matches;
}

static void line_list(char **matches, int count, int longest) {
    (void)longest;
    the_line->listener.on_listing(the_line->listener.arg, matches + 1, (size_t)count);
}

/* --- life --- */

static void line_restore(void) {
    if (the_line == NULL)
        return;
    if (the_line->installed)
        rl_callback_handler_remove();
    tcsetattr(STDIN_FILENO, TCSADRAIN, &the_line->original);
}

static void line_start_readline(FILE *terminal) {
    rl_readline_name = "zchat";
    rl_instream = stdin;
    rl_outstream = terminal;
    rl_catch_signals = 0;
    rl_catch_sigwinch = 0;
    rl_change_environment = 0;
    rl_attempted_completion_function = line_complete;
    rl_completion_display_matches_hook = line_list;
    rl_completion_query_items = 0;
    rl_completer_word_break_characters = " \t\n";
    rl_completer_quote_characters = "\"";
    using_history();
    stifle_history(1000);
    rl_initialize();
}

struct line *line_new(FILE *terminal, const struct line_listener *listener) {
    struct line *line = memory_take(sizeof *line);
    line->listener = *listener;
    line->terminal = terminal;
    line->prompt = memory_text("");
    tcgetattr(STDIN_FILENO, &line->original);
    the_line = line;
    line_start_readline(terminal);
    atexit(line_restore);
    line_set_terminal(line, false);
    return line;
}

void line_free(struct line *line) {
    if (line == NULL)
        return;
    line_close(line);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &line->original);
    the_line = NULL;
    clear_history();
    memory_wipe(line->secret, sizeof line->secret);
    free(line->prompt);
    free(line->shown_prompt);
    free(line->question);
    free(line);
}

/* --- hiding and showing --- */

static bool line_is_edited_by_readline(const struct line *line) {
    return line->mode == LINE_EDITING || line->mode == LINE_ASKING;
}

/* Readline shows its own message instead of the prompt while one searches. */
static bool line_prompt_is_free(void) {
    return !RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH | RL_STATE_NUMERICARG);
}

static const char *line_wanted_prompt(const struct line *line) {
    return line->mode == LINE_ASKING ? line->question : line->prompt;
}

/* Whether readline has another prompt than it should have by now. */
static bool line_prompt_is_old(const struct line *line) {
    return line_prompt_is_free() && strcmp(line->shown_prompt, line_wanted_prompt(line)) != 0;
}

static void line_keep_prompt(struct line *line) {
    free(line->shown_prompt);
    line->shown_prompt = memory_text(line_wanted_prompt(line));
}

static void line_install(struct line *line) {
    line_keep_prompt(line);
    line_set_terminal(line, true);
    rl_callback_handler_install(line->shown_prompt, line_finished);
    line->installed = true;
}

void line_hide(struct line *line) {
    if (!line->visible)
        return;
    line->visible = false;
    if (line_is_edited_by_readline(line))
        rl_clear_visible_line();
    else
        fprintf(line->terminal, "\r%*s", (int)strlen(line->question), "");
    fputc('\r', line->terminal);
    fflush(line->terminal);
}

void line_show(struct line *line) {
    if (line->visible || line->mode == LINE_CLOSED)
        return;
    line->visible = true;
    if (line->mode == LINE_ASKING_SECRET) {
        fputs(line->question, line->terminal);
    } else if (!line->installed) {
        line_install(line);
    } else {
        if (line_prompt_is_old(line)) {
            line_keep_prompt(line);
            rl_set_prompt(line->shown_prompt);
        }
        rl_forced_update_display();
    }
    fflush(line->terminal);
}

size_t line_columns(const struct line *line) {
    int rows;
    int columns;
    (void)line;
    rl_get_screen_size(&rows, &columns);
    return columns < 1 ? 1 : (size_t)columns;
}

void line_set_prompt(struct line *line, const char *prompt, bool bold) {
    char text[512];
    snprintf(text, sizeof text, bold ? "\001\033[1m\002%s\001\033[0m\002" : "%s", prompt);
    if (strcmp(text, line->prompt) == 0)
        return;
    free(line->prompt);
    line->prompt = memory_text(text);
    if (line->mode == LINE_EDITING)
        line_hide(line);
}

/* --- modes --- */

static void line_leave_mode(struct line *line) {
    line_hide(line);
    if (line->installed)
        rl_callback_handler_remove();
    line->installed = false;
    line->mode = LINE_CLOSED;
}

void line_open(struct line *line) {
    if (line->mode == LINE_EDITING)
        return;
    line_leave_mode(line);
    line->mode = LINE_EDITING;
}

void line_close(struct line *line) {
    if (line->mode == LINE_CLOSED)
        return;
    line_leave_mode(line);
    line_set_terminal(line, false);
}

void line_ask(struct line *line, const char *question, bool echo, line_answer_fn *fn, void *arg) {
    line_close(line);
    free(line->question);
    line->question = memory_text(question);
    line->answer = fn;
    line->answer_arg = arg;
    line->secret_bytes = 0;
    line->mode = echo ? LINE_ASKING : LINE_ASKING_SECRET;
}

static void line_answer(struct line *line, const char *answer) {
    line_answer_fn *fn = line->answer;
    line_close(line);
    line->answer = NULL;
    fn(line->answer_arg, answer);
}

/* --- reading --- */

bool line_wants_input(const struct line *line) {
    return line->mode != LINE_CLOSED;
}

static void line_read_typed(struct line *line) {
    rl_callback_read_char();
    if (!line->finished) {
        if (line_prompt_is_old(line))
            line_hide(line);
        return;
    }
    char *typed = line->typed;
    line->typed = NULL;
    line->finished = false;
    if (line->mode == LINE_ASKING)
        line_answer(line, typed);
    else
        line->listener.on_line(line->listener.arg, typed);
    memory_free_secret(typed);
}

/* The kernel edits the line; what comes is whole, but for one ended by Ctrl-D, or several that were
 * typed ahead: then the first one counts. */
static void line_read_secret(struct line *line) {
    size_t room = sizeof line->secret - 1 - line->secret_bytes;
    ssize_t got = read(STDIN_FILENO, line->secret + line->secret_bytes, room);
    if (got < 0 && errno == EINTR)
        return;
    line->secret_bytes += got > 0 ? (size_t)got : 0;
    char *end = memchr(line->secret, '\n', line->secret_bytes);
    if (got > 0 && end == NULL && line->secret_bytes < sizeof line->secret - 1)
        return;
    *(end == NULL ? line->secret + line->secret_bytes : end) = '\0';
    fputc('\n', line->terminal);
    line->visible = false;
    line_answer(line, got > 0 ? line->secret : NULL);
    if (line->mode != LINE_ASKING_SECRET)
        memory_wipe(line->secret, sizeof line->secret);
}

void line_read(struct line *line) {
    if (line->mode == LINE_ASKING_SECRET)
        line_read_secret(line);
    else if (line->installed)
        line_read_typed(line);
}

/* --- signals --- */

static bool line_is_empty(void) {
    return rl_end == 0 && line_prompt_is_free();
}

bool line_interrupt(struct line *line) {
    if (line->mode == LINE_CLOSED)
        return false;
    if (line->mode != LINE_EDITING) {
        fputc('\n', line->terminal);
        line->visible = false;
        line_answer(line, NULL);
        return true;
    }
    bool cleared = line->installed && !line_is_empty();
    line_hide(line);
    if (line->installed) {
        rl_free_line_state();
        rl_callback_sigcleanup();
        rl_replace_line("", 1);
        rl_callback_handler_remove();
    }
    line->installed = false;
    return cleared;
}

/* Terminals of today flow a wrapped line anew when they are resized, and readline doesn't know: it
 * would leave or eat rows above. So the rows are counted for the width that they are shown in now.
 */
static void line_erase_resized(const struct line *line) {
    size_t rows =
        layout_row(rl_display_prompt, rl_line_buffer, (size_t)rl_point, line_columns(line));
    const char *up = rl_get_termcap("up");
    fputc('\r', line->terminal);
    while (rows-- > 0)
        fputs(up, line->terminal);
    /* Clearing from the screen's very first cell makes some terminals keep a copy: not from there.
     */
    fputs(" \033[J\r", line->terminal);
}

/* Whether the terminal obeys the usual sequences and reflows; xterm itself doesn't. */
static bool line_is_reflowed(void) {
    const char *clear = rl_get_termcap("ce");
    return rl_get_termcap("up") != NULL && clear != NULL && strncmp(clear, "\033[", 2) == 0 &&
           getenv("XTERM_VERSION") == NULL;
}

void line_resize(struct line *line) {
    if (!line->installed || !line->visible) {
        rl_reset_screen_size();
    } else if (!line_is_reflowed()) {
        rl_resize_terminal();
    } else {
        rl_reset_screen_size();
        line_erase_resized(line);
        rl_forced_update_display();
    }
}

void line_suspend(struct line *line) {
    line_hide(line);
    if (line->installed)
        rl_deprep_term_function();
    tcsetattr(STDIN_FILENO, TCSADRAIN, &line->original);
    raise(SIGSTOP);
}

void line_resume(struct line *line) {
    line_hide(line);
    if (line->installed) {
        rl_deprep_term_function();
        line_set_terminal(line, true);
        rl_prep_term_function(1);
        rl_reset_screen_size();
    } else {
        line_set_terminal(line, false);
    }
}

void line_remember(struct line *line, const char *text) {
    (void)line;
    add_history(text);
}
