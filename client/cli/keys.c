/* Readline's functions carry no argument, so what they share is static. */
#include "keys.h"

#include <readline/readline.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

static struct {
    bool text;
    bool broken;
    bool begun;     /* a key of this line was read */
    bool one_piece; /* those that were read came together, and there were several */
    int waiting;    /* how many bytes were there to be read after the last one */
} keys;

static int keys_count(void) {
    int waiting = 0;
    return ioctl(STDIN_FILENO, FIONREAD, &waiting) == 0 ? waiting : 0;
}

/* A NUL typed as a key only sets readline's mark; as text, after Ctrl-V or pasted, it would cut the
 * line. */
static int keys_read(FILE *input) {
    int key = rl_getc(input);
    bool follows = keys.waiting > 0;
    keys.waiting = keys_count();
    keys.one_piece = keys.begun ? keys.one_piece && follows : follows || keys.waiting > 0;
    keys.begun = true;
    if (key != 0 || !RL_ISSTATE(RL_STATE_MOREINPUT))
        return key;
    keys.broken = true;
    return '?';
}

void keys_begin(bool text) {
    keys.text = text;
    keys.broken = false;
    keys.begun = false;
    keys.waiting = keys_count();
}

bool keys_are_broken(void) {
    return keys.broken;
}

static int keys_insert_newline(int count, int key) {
    (void)count;
    (void)key;
    return rl_insert_text("\n");
}

static int keys_newline(int count, int key) {
    return keys.text && !keys.one_piece ? keys_insert_newline(count, key) : rl_newline(count, key);
}

/* Readline has harmful keys next to those that people use: one switches to vi's keys for ever,
 * another one sends the line with a # in front. */
void keys_bind(const struct keys_functions *functions) {
    Keymap keymaps[] = {emacs_standard_keymap, vi_insertion_keymap};
    rl_getc_function = keys_read;
    for (size_t i = 0; i < sizeof keymaps / sizeof keymaps[0]; i++) {
        rl_bind_key_in_map('\n', keys_newline, keymaps[i]);
        rl_bind_keyseq_in_map("\\e\\C-m", keys_insert_newline, keymaps[i]);
        rl_bind_keyseq_in_map("\\e\\C-j", keys_insert_newline, keymaps[i]);
        rl_bind_keyseq_in_map("\\C-l", functions->clear_screen, keymaps[i]);
        rl_bind_keyseq_in_map("\\C-x\\C-e", functions->edit, keymaps[i]);
    }
    rl_bind_keyseq_in_map("\\e\\C-l", functions->clear_screen, emacs_standard_keymap);
    rl_bind_keyseq_in_map("\\e#", NULL, emacs_standard_keymap);
    rl_bind_key_in_map('#', NULL, vi_movement_keymap);
    rl_bind_keyseq_in_map("\\C-l", functions->clear_screen, vi_movement_keymap);
}
