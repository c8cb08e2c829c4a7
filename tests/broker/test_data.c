/* The data folder: made for its owner alone, and one process at a time. */
#include "data.h"
#include "files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char error[1024];

static void a_missing_folder_is_made_for_its_owner_alone(void **state) {
    char path[FILES_PATH_BYTES], deep[FILES_PATH_BYTES];
    struct stat status;
    files_path(*state, "a", path);
    files_path(path, "b", deep);
    struct data_lock lock;
    assert_true(data_lock(&lock, deep, error, sizeof error));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    assert_int_equal(stat(deep, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    data_unlock(&lock);
}

/* What another process gets. */
static int lock_elsewhere(const char *folder) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char sentence[1024] = "";
        struct data_lock lock;
        bool locked = data_lock(&lock, folder, sentence, sizeof sentence);
        char who[64];
        snprintf(who, sizeof who, "in use by process %ld ", (long)getppid());
        _exit(locked ? 0 : strstr(sentence, who) ? 1 : strstr(sentence, "another broker") ? 2 : 3);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_second_process_is_refused_until_the_first_is_done(void **state) {
    struct data_lock lock;
    char path[FILES_PATH_BYTES];
    assert_true(data_lock(&lock, *state, error, sizeof error));
    assert_int_equal(lock_elsewhere(*state), 1);
    assert_true(data_path(*state, "lock", path, sizeof path));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(lock_elsewhere(*state), 2);
    assert_true(data_path(*state, DATA_STORE, path, sizeof path));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(lock_elsewhere(*state), 2);
    data_unlock(&lock);
    assert_int_equal(lock_elsewhere(*state), 0);
    assert_int_equal(lock_elsewhere(*state), 0); /* the last one's lock died with it */
}

/* As by another folder that leads to the same database. */
static void the_lock_is_on_the_store_itself(void **state) {
    struct data_lock lock;
    char store[FILES_PATH_BYTES], link[FILES_PATH_BYTES], other[FILES_PATH_BYTES];
    assert_true(data_lock(&lock, *state, error, sizeof error));
    files_path(*state, "other", other);
    assert_int_equal(mkdir(other, 0700), 0);
    assert_true(data_path(*state, DATA_STORE, store, sizeof store));
    assert_true(data_path(other, DATA_STORE, link, sizeof link));
    assert_int_equal(symlink(store, link), 0);
    assert_int_equal(lock_elsewhere(other), 2);
    data_unlock(&lock);
    assert_int_equal(lock_elsewhere(other), 0);
}

static void a_folder_that_cannot_be_is_an_error(void **state) {
    (void)state;
    struct data_lock lock;
    assert_false(data_lock(&lock, "/dev/null/data", error, sizeof error));
    assert_non_null(strstr(error, "the data folder /dev/null/data can't be made: Not a directory"));
    assert_false(data_lock(&lock, "/dev/null", error, sizeof error));
    assert_non_null(strstr(error, "the data folder /dev/null can't be used: Not a directory"));
}

static void a_path_that_does_not_fit_is_refused(void **state) {
    (void)state;
    char path[8];
    assert_true(data_path("/ab", "cde", path, sizeof path));
    assert_string_equal(path, "/ab/cde");
    assert_false(data_path("/ab", "cdef", path, sizeof path));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_folder_is_made_for_its_owner_alone),
        cmocka_unit_test(a_second_process_is_refused_until_the_first_is_done),
        cmocka_unit_test(the_lock_is_on_the_store_itself),
        cmocka_unit_test(a_folder_that_cannot_be_is_an_error),
        cmocka_unit_test(a_path_that_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown);
}
