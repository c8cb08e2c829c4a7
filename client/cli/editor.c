/* The editor has a process group of its own, to which the terminal's keys and signals go, and which
 * can be ended as a whole. If it is stopped by Ctrl-Z, this program stops, too, and both go on when
 * the shell continues this one. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* posix_spawn's closefrom and tcsetpgrp */
#endif

#include "editor.h"

#include "app.h"
#include "common/clock.h"
#include "line.h"
#include "memory.h"
#include "paths.h"
#include "screen.h"
#include "signals.h"
#include "words.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* More than a command with the longest message needs. */
#define EDITOR_BYTES_MAX   ((size_t)64 * 1024)
#define EDITOR_LEFT_MAX    100
#define EDITOR_FAREWELL_MS 1000

struct editor {
    pid_t pid;
    char *folder; /* owned */
    char *path;   /* owned: of the text, in the folder */
};

bool editor_is_open(const struct app *app) {
    return app->editor != NULL;
}

/* ---- the file ---- */

/* An editor may leave copies there; it makes no folders. */
static void editor_remove_files(struct editor *editor) {
    DIR *folder = opendir(editor->folder);
    if (folder) {
        const struct dirent *entry;
        for (int i = 0; i < EDITOR_LEFT_MAX && (entry = readdir(folder)); i++)
            if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                unlinkat(dirfd(folder), entry->d_name, 0);
        closedir(folder);
    }
    if (folder && rmdir(editor->folder) == 0)
        return;
    fprintf(stderr, "zchat: %s can't be removed: %s\n", editor->folder, strerror(errno));
}

static bool editor_write(const struct editor *editor, const char *text) {
    int fd = open(editor->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file)
        return false;
    bool wrote = fputs(text, file) >= 0 && (*text == '\0' || fputc('\n', file) != EOF);
    return fclose(file) == 0 && wrote;
}

static bool editor_make_files(struct app *app, struct editor *editor, const char *text) {
    const char *temporary = getenv("TMPDIR");
    editor->folder =
        paths_join(!temporary || *temporary != '/' ? "/tmp" : temporary, "zchat-XXXXXX");
    editor->path = paths_join(editor->folder, "text");
    if (!mkdtemp(editor->folder)) {
        app_fail(app, ZCHAT_IO, "there is no place for the text (%s): %s", editor->folder,
                 strerror(errno));
        return false;
    }
    free(editor->path);
    editor->path = paths_join(editor->folder, "text");
    if (editor_write(editor, text))
        return true;
    app_fail(app, ZCHAT_IO, "the text can't be written to %s: %s", editor->path, strerror(errno));
    editor_remove_files(editor);
    return false;
}

/* Returns the text, which the caller wipes and frees; NULL: it was shown why there is none. */
static char *editor_read(struct app *app, const struct editor *editor) {
    struct stat status;
    int fd = open(editor->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        app_fail(app, ZCHAT_IO, "the editor left no text; the line is as it was");
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    char *text = memory_take(EDITOR_BYTES_MAX + 2);
    size_t bytes = 0;
    ssize_t got;
    while (bytes <= EDITOR_BYTES_MAX &&
           (got = read(fd, text + bytes, EDITOR_BYTES_MAX + 1 - bytes)) > 0)
        bytes += (size_t)got;
    close(fd);
    if (bytes <= EDITOR_BYTES_MAX && words_are_text(text, bytes)) {
        if (bytes > 0 && text[bytes - 1] == '\n')
            text[bytes - 1] = '\0';
        return text;
    }
    if (bytes > EDITOR_BYTES_MAX)
        app_fail(app, ZCHAT_INVALID, "the text has more than %zu KiB; the line is as it was",
                 EDITOR_BYTES_MAX / 1024);
    else
        app_fail(app, ZCHAT_INVALID, "the text is not UTF-8; the line is as it was");
    memory_wipe(text, bytes);
    free(text);
    return NULL;
}

/* ---- the program ---- */

static const char *editor_name(void) {
    const char *terminal = getenv("TERM");
    const char *visual = terminal && strcmp(terminal, "dumb") == 0 ? NULL : getenv("VISUAL");
    const char *editor = getenv("EDITOR");
    if (visual && *visual != '\0')
        return visual;
    return editor && *editor != '\0' ? editor : "vi";
}

/* Its name may be a line with options, so sh takes it apart; a Ctrl-C must not end sh before the
 * editor. Returns 0, or an errno. */
static int editor_spawn(const struct app *app, struct editor *editor) {
    static const char format[] = "trap : INT; %s \"$1\"";
    size_t bytes = strlen(editor_name()) + sizeof format;
    char *line = memory_take(bytes);
    snprintf(line, bytes, format, editor_name());
    char *const argv[] = {"sh", "-c", line, "sh", editor->path, NULL};
    int terminal = fileno(!app->terminal ? stdout : app->terminal);
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    int error = signals_set_standard(&attributes, POSIX_SPAWN_SETPGROUP);
    if (error == 0)
        error = posix_spawn_file_actions_addtcsetpgrp_np(&files, STDIN_FILENO);
    for (int fd = STDOUT_FILENO; error == 0 && fd <= STDERR_FILENO; fd++)
        error = posix_spawn_file_actions_adddup2(&files, isatty(terminal) ? terminal : 0, fd);
    if (error == 0)
        error = posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    if (error == 0)
        error = posix_spawn(&editor->pid, "/bin/sh", &files, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    free(line);
    return error;
}

/* Who is not in front may do this only with that signal blocked. */
static void editor_give_terminal(pid_t group) {
    sigset_t output;
    sigset_t before;
    sigemptyset(&output);
    sigaddset(&output, SIGTTOU);
    sigprocmask(SIG_BLOCK, &output, &before);
    tcsetpgrp(STDIN_FILENO, group);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

static void editor_stop_with(const struct editor *editor) {
    editor_give_terminal(getpgrp());
    signals_stop();
    editor_give_terminal(editor->pid);
    kill(-editor->pid, SIGCONT);
}

static void editor_release(struct editor *editor) {
    free(editor->path);
    free(editor->folder);
    free(editor);
}

void editor_begin(struct app *app, const char *text) {
    if (app->editor || screen_is_held(app->screen))
        return;
    struct editor *editor = memory_take(sizeof *editor);
    if (!editor_make_files(app, editor, text)) {
        editor_release(editor);
        return;
    }
    app_show(app);
    line_lend(app->line);
    screen_hold(app->screen, true);
    app->editor = editor;
    int error = editor_spawn(app, editor);
    if (error == 0)
        return;
    editor->pid = 0;
    editor_free(app);
    app_fail(app, ZCHAT_IO, "the editor can't be started: %s", strerror(error));
}

static void editor_end(struct app *app, const char *text) {
    editor_give_terminal(getpgrp());
    editor_remove_files(app->editor);
    editor_release(app->editor);
    app->editor = NULL;
    screen_hold(app->screen, false);
    line_take_back(app->line, text);
}

void editor_reap(struct app *app) {
    int status = 0;
    if (!app->editor || waitpid(app->editor->pid, &status, WNOHANG | WUNTRACED) != app->editor->pid)
        return;
    if (WIFSTOPPED(status)) {
        editor_stop_with(app->editor);
        return;
    }
    bool fine = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    char *text = fine ? editor_read(app, app->editor) : NULL;
    if (WIFSIGNALED(status))
        app_fail(app, ZCHAT_IO, "the editor \"%s\" was ended by signal %d; the line is as it was",
                 editor_name(), WTERMSIG(status));
    else if (!fine)
        app_fail(app, ZCHAT_IO, "the editor \"%s\" ended with status %d; the line is as it was",
                 editor_name(), WEXITSTATUS(status));
    editor_end(app, text);
    memory_free_secret(text);
}

static void editor_stop(const struct editor *editor) {
    int64_t until_ms = clock_ms() + EDITOR_FAREWELL_MS;
    kill(-editor->pid, SIGTERM);
    while (waitpid(editor->pid, NULL, WNOHANG) == 0) {
        if (signals_wait_child(until_ms))
            continue;
        kill(-editor->pid, SIGKILL);
        waitpid(editor->pid, NULL, 0);
        break;
    }
}

void editor_free(struct app *app) {
    if (!app->editor)
        return;
    if (app->editor->pid > 0)
        editor_stop(app->editor);
    editor_end(app, NULL);
}
