/* The wrapper around readline; only this file and `keys` see its headers. Readline's callbacks
 * carry no argument, so the one line of the program is known here as `the_line`.
 *
 * Between two lines readline is not installed: what a command prints comes on a free row, and
 * line_show() installs readline again. Without echo readline is not used at all, because its kill
 * ring and undo list would keep the secret: the kernel's own line editing reads it. */
#include "line.h"

#include "candidates.h"
#include "draw.h"
#include "keys.h"
#include "memory.h"
#include "secret.h"
#include "signals.h"

#include <readline/history.h>
#include <readline/readline.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum line_mode { LINE_CLOSED, LINE_EDITING, LINE_ASKING, LINE_ASKING_SECRET };

struct line {
    struct line_listener listener;
    FILE *terminal; /* borrowed: from the caller */
    enum line_mode mode;
    struct draw *draw; /* owned; NULL: the terminal is too simple, so readline draws */
    bool visible;
    bool quiet;         /* what readline does is not drawn */
    bool installed;     /* readline's handler is installed, and controls the terminal */
    char *prompt;       /* owned */
    char *shown_prompt; /* owned: the prompt that readline has; NULL: none */
    char *question;     /* owned */
    line_answer_fn *answer;
    void *answer_arg; /* borrowed: from the asker */
    char *typed;      /* owned: the line that readline has just finished */
    bool finished;
    bool editing;                /* the key for the user's editor was typed */
    bool lent;                   /* another program has the terminal */
    char *draft;                 /* owned: what a question interrupted; NULL: nothing */
    struct candidates *gathered; /* borrowed: from line_complete, while it runs */
    struct secret secret;
    struct termios original;
};

static struct line *the_line;

static void line_set_terminal(const struct line *line, bool echo) {
    struct termios mode = line->original;
    if (line->lent)
        return;
    if (!echo)
        mode.c_lflag &= (tcflag_t)~ECHO;
    mode.c_lflag |= ICANON | ISIG;
    tcsetattr(STDIN_FILENO, TCSADRAIN, &mode);
}

/* --- drawing --- */

size_t line_columns(const struct line *line) {
    int rows, columns;
    (void)line;
    rl_get_screen_size(&rows, &columns);
    return columns < 1 ? 80 : (size_t)columns;
}

size_t line_rows(const struct line *line) {
    int rows, columns;
    (void)line;
    rl_get_screen_size(&rows, &columns);
    return rows < 1 ? 24 : (size_t)rows;
}

static void line_view(struct draw_view *view) {
    *view = (struct draw_view){
        .prompt = !rl_display_prompt ? "" : rl_display_prompt,
        .text = rl_line_buffer,
        .point = (size_t)rl_point,
        .columns = line_columns(the_line),
        .rows = line_rows(the_line),
    };
}

/* Readline calls this when something has changed. */
static void line_redisplay(void) {
    struct draw_view view;
    if (the_line->quiet)
        return;
    line_view(&view);
    draw_show(the_line->draw, &view);
}

/* Replaces readline's own function, which would draw. */
static int line_clear_screen(int count, int key) {
    (void)count;
    (void)key;
    if (!the_line->draw)
        return rl_clear_screen(1, key);
    fputs("\033[H\033[2J", the_line->terminal);
    draw_forget(the_line->draw);
    line_redisplay();
    return 0;
}

/* Whether the terminal understands the usual sequences, as all but the simplest do. */
static bool line_is_capable(void) {
    const char *up = rl_get_termcap("up");
    const char *clear = rl_get_termcap("ce");
    return up && clear && strncmp(clear, "\033[", 2) == 0;
}

/* --- a line --- */

/* Wipes the typed line, which may have been a password. */
static void line_wipe_typed(void) {
    if (!rl_line_buffer)
        return;
    memory_wipe(rl_line_buffer, strlen(rl_line_buffer));
    rl_point = 0;
    rl_end = 0;
}

/* Without echo: keys that come before the next line must not be seen amid what is written. */
static void line_uninstall(struct line *line) {
    rl_callback_handler_remove();
    line->installed = false;
    line_set_terminal(line, false);
}

/* What the listener shows meanwhile comes before it. */
static void line_leave_typed(struct line *line, const char *typed) {
    struct draw_view view;
    bool asked = line->mode == LINE_EDITING && typed && !keys_are_broken();
    const char *prompt = asked ? line->listener.on_leaving(line->listener.arg, typed) : NULL;
    if (prompt) {
        line_view(&view);
        view.prompt = prompt;
        view.text = typed;
        view.point = strlen(typed);
        draw_show(line->draw, &view);
    }
    draw_leave(line->draw);
}

static void line_finished(char *typed) {
    struct line *line = the_line;
    line->typed = typed;
    line->finished = true;
    if (line->draw)
        line_leave_typed(line, typed);
    else if (!typed)
        fputc('\n', line->terminal);
    line->visible = false;
    line_uninstall(line);
    line_wipe_typed();
}

/* --- keys --- */

static int line_edit(int count, int key) {
    (void)count;
    (void)key;
    the_line->editing = the_line->mode == LINE_EDITING;
    return 0;
}

/* --- completion --- */

static char *line_next_candidate(const char *word, int state) {
    (void)word;
    (void)state;
    return candidates_take(the_line->gathered);
}

static char **line_complete(const char *word, int start, int end) {
    (void)end;
    struct candidates gathered = {0};
    rl_attempted_completion_over = 1;
    if (the_line->mode != LINE_EDITING)
        return NULL;
    char *before = memory_text(rl_line_buffer);
    before[start] = '\0';
    the_line->listener.on_complete(the_line->listener.arg, before, word, &gathered);
    free(before);
    the_line->gathered = &gathered;
    bool goes_on = candidates_go_on(&gathered);
    rl_completion_suppress_append = goes_on;
    rl_completion_suppress_quote = goes_on;
    char **matches = rl_completion_matches(word, line_next_candidate);
    the_line->gathered = NULL;
    candidates_release(&gathered);
    return matches;
}

static void line_list(char **matches, int count, int longest) {
    (void)longest;
    the_line->listener.on_listing(the_line->listener.arg, matches + 1, (size_t)count);
}

/* --- life --- */

static void line_restore(void) {
    if (!the_line)
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
    keys_bind(&(struct keys_functions){.clear_screen = line_clear_screen, .edit = line_edit});
    rl_initialize();
}

/* Called only after readline has looked at the terminal, which it would not do if somebody else
 * draws. */
static void line_start_drawing(struct line *line) {
    if (!line_is_capable())
        return;
    line->draw = draw_new(line->terminal);
    rl_redisplay_function = line_redisplay;
}

struct line *line_new(FILE *terminal, const struct line_listener *listener) {
    struct line *line = memory_take(sizeof *line);
    line->listener = *listener;
    line->terminal = terminal;
    line->prompt = memory_text("");
    tcgetattr(STDIN_FILENO, &line->original);
    the_line = line;
    line_start_readline(terminal);
    line_start_drawing(line);
    atexit(line_restore);
    line_set_terminal(line, false);
    return line;
}

void line_free(struct line *line) {
    if (!line)
        return;
    line_close(line);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &line->original);
    the_line = NULL;
    clear_history();
    secret_wipe(&line->secret);
    draw_free(line->draw);
    memory_free_secret(line->draft);
    free(line->prompt);
    free(line->shown_prompt);
    free(line->question);
    free(line);
}

/* --- hiding and showing --- */

static bool line_is_edited_by_readline(const struct line *line) {
    return line->mode == LINE_EDITING || line->mode == LINE_ASKING;
}

/* False while the user searches: then readline shows its own message instead of the prompt. */
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

static void line_draw_again(const struct line *line) {
    if (line->draw)
        line_redisplay();
    else
        rl_forced_update_display();
}

/* Puts the text into the line, or keeps it until a line is edited again. */
static void line_put_draft(struct line *line) {
    if (!line->draft || line->mode != LINE_EDITING || !line->installed)
        return;
    rl_replace_line(line->draft, 1);
    rl_point = rl_end;
    memory_free_secret(line->draft);
    line->draft = NULL;
}

static void line_keep_draft(struct line *line) {
    if (line->mode != LINE_EDITING || !line->installed || rl_end == 0 || keys_are_broken())
        return;
    memory_free_secret(line->draft);
    line->draft = memory_text(rl_line_buffer);
}

/* Readline draws in one row, so a question that would leave little of it gets one of its own. */
static void line_spread_question(struct line *line) {
    if (line->mode != LINE_ASKING || line->draw || strlen(line->question) < line_columns(line) / 2)
        return;
    fprintf(line->terminal, "%s\n", line->question);
    free(line->question);
    line->question = memory_text("> ");
}

static void line_install(struct line *line) {
    bool resumed = line->draft && line->mode == LINE_EDITING;
    line_spread_question(line);
    line_keep_prompt(line);
    line_set_terminal(line, true);
    line->quiet = resumed;
    rl_callback_handler_install(line->shown_prompt, line_finished);
    line->quiet = false;
    line->installed = true;
    keys_begin(line->mode == LINE_EDITING);
    if (resumed) {
        line_put_draft(line);
        line_draw_again(line);
    }
}

void line_hide(struct line *line) {
    if (!line->visible)
        return;
    line->visible = false;
    if (line->draw)
        draw_hide(line->draw);
    else if (line_is_edited_by_readline(line))
        rl_clear_visible_line();
    else
        fprintf(line->terminal, "\r%*s", (int)strlen(line->question), "");
    fputc('\r', line->terminal);
    fflush(line->terminal);
}

/* Without readline. */
static void line_show_question(const struct line *line) {
    struct draw_view view;
    line_view(&view);
    view.prompt = line->question;
    view.text = "";
    view.point = 0;
    if (line->draw)
        draw_show(line->draw, &view);
    else
        fputs(line->question, line->terminal);
}

void line_show(struct line *line) {
    if (line->visible || line->mode == LINE_CLOSED || line->lent)
        return;
    line->visible = true;
    if (line->mode == LINE_ASKING_SECRET) {
        line_show_question(line);
    } else if (!line->installed) {
        line_install(line);
    } else {
        if (line_prompt_is_old(line)) {
            line_keep_prompt(line);
            rl_set_prompt(line->shown_prompt);
        }
        line_draw_again(line);
    }
    fflush(line->terminal);
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
    line_keep_draft(line);
    if (line->installed)
        line_uninstall(line);
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
    line->secret.bytes = 0;
    line->mode = echo ? LINE_ASKING : LINE_ASKING_SECRET;
}

/* Leaves the question on the screen. */
static void line_leave_question(struct line *line) {
    if (line->draw)
        draw_leave(line->draw);
    else
        fputc('\n', line->terminal);
    line->visible = false;
}

static void line_answer(struct line *line, const char *answer) {
    line_answer_fn *fn = line->answer;
    line_close(line);
    line->answer = NULL;
    fn(line->answer_arg, answer);
}

/* --- reading --- */

bool line_wants_input(const struct line *line) {
    return line->mode != LINE_CLOSED && !line->lent;
}

static void line_read_typed(struct line *line) {
    rl_callback_read_char();
    if (!line->finished) {
        if (line_prompt_is_old(line))
            line_hide(line);
        if (line->editing)
            line->listener.on_edit(line->listener.arg, rl_line_buffer);
        line->editing = false;
        return;
    }
    char *typed = line->typed;
    line->typed = NULL;
    line->finished = false;
    if (line->mode == LINE_ASKING)
        line_answer(line, keys_are_broken() ? "" : typed);
    else if (keys_are_broken())
        line->listener.on_broken_line(line->listener.arg);
    else
        line->listener.on_line(line->listener.arg, typed);
    memory_free_secret(typed);
}

static void line_read_secret(struct line *line) {
    enum secret_state state = secret_read(&line->secret);
    if (state == SECRET_BEGUN)
        return;
    if (state == SECRET_BROKEN)
        fputs(" (a NUL byte can't be in it)", line->terminal);
    line_leave_question(line);
    line_answer(line, state == SECRET_ENDED ? NULL : line->secret.text);
    secret_wipe(&line->secret);
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
        line_leave_question(line);
        line_answer(line, NULL);
        return true;
    }
    bool cleared = line->installed && !line_is_empty();
    line_hide(line);
    if (line->installed) {
        line->quiet = true; /* readline would draw the line that it gives up */
        rl_free_line_state();
        rl_callback_sigcleanup();
        rl_replace_line("", 1);
        line_uninstall(line);
        line->quiet = false;
    }
    return cleared;
}

/* Most terminals flow a wrapped line again when they are resized; xterm itself does not. */
static void line_hide_resized(const struct line *line) {
    struct draw_view view;
    line_view(&view);
    if (!getenv("XTERM_VERSION"))
        draw_hide_resized(line->draw, &view);
    else
        draw_hide(line->draw);
}

void line_resize(struct line *line) {
    bool shown = line->installed && line->visible;
    if (shown && !line->draw) {
        rl_resize_terminal();
        return;
    }
    rl_reset_screen_size();
    if (!shown) {
        line_hide(line);
        return;
    }
    line_hide_resized(line);
    line_redisplay();
}

void line_lend(struct line *line) {
    line_hide(line);
    if (line->installed)
        rl_deprep_term_function();
    tcsetattr(STDIN_FILENO, TCSADRAIN, &line->original);
    line->lent = true;
}

void line_take_back(struct line *line, const char *text) {
    line->lent = false;
    line_resume(line);
    if (!text)
        return;
    memory_free_secret(line->draft);
    line->draft = memory_text(text);
    line_put_draft(line);
}

void line_suspend(struct line *line) {
    line_lend(line);
    signals_stop();
    line_take_back(line, NULL);
}

void line_resume(struct line *line) {
    line_hide(line);
    if (line->installed) {
        rl_deprep_term_function();
        line_set_terminal(line, true);
        rl_prep_term_function(1);
        rl_reset_screen_size();
        keys_begin(line->mode == LINE_EDITING);
    } else {
        line_set_terminal(line, false);
    }
}

bool line_is_begun(const struct line *line) {
    return line->installed && (!line_is_empty() || where_history() != history_length);
}

void line_remember(struct line *line, const char *text) {
    (void)line;
    add_history(text);
    using_history(); /* the arrow keys start behind the last line */
}

void line_forget(struct line *line) {
    (void)line;
    clear_history();
    using_history();
}
