/* One catch at a time, for a test is one thread and catches one stream. */
#include "files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int caught_fd = -1, kept_fd = -1;
static FILE *caught;

int files_setup(void **state) {
    char *folder = strdup("/tmp/zchat-broker-XXXXXX");
    *state = folder;
    return folder && mkdtemp(folder) ? 0 : -1;
}

int files_teardown(void **state) {
    char command[FILES_PATH_BYTES];
    snprintf(command, sizeof command, "rm -rf '%s'", (char *)*state);
    int result = system(command);
    free(*state);
    return result;
}

void files_path(const char *folder, const char *name, char path[FILES_PATH_BYTES]) {
    snprintf(path, FILES_PATH_BYTES, "%s/%s", folder, name);
}

void files_write(const char *folder, const char *name, const char *text,
                 char path[FILES_PATH_BYTES]) {
    files_path(folder, name, path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

void files_catch(int fd) {
    assert_null(caught);
    fflush(NULL);
    caught = tmpfile();
    assert_non_null(caught);
    caught_fd = fd;
    kept_fd = dup(fd);
    assert_true(dup2(fileno(caught), fd) >= 0);
}

void files_caught(char *text, size_t text_bytes) {
    fflush(NULL);
    assert_true(dup2(kept_fd, caught_fd) >= 0);
    close(kept_fd);
    rewind(caught);
    size_t bytes = fread(text, 1, text_bytes - 1, caught);
    text[bytes] = '\0';
    fclose(caught);
    caught = NULL;
}
