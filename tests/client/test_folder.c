/* The files of the config folder: keys nobody else may read, made once also by many at a time, and
 * nothing that is written halfway. */
#include "device.h"
#include "folder.h"
#include "known.h"

#include <fcntl.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PROGRAMS 8

struct place {
    char top[64];
    char folder[FOLDER_PATH_BYTES];
    struct fault fault;
};

static int setup(void **state) {
    struct place *place = calloc(1, sizeof *place);
    assert_non_null(place);
    assert_return_code(sodium_init(), 0);
    strcpy(place->top, "/tmp/zchat-test-XXXXXX");
    assert_non_null(mkdtemp(place->top));
    snprintf(place->folder, sizeof place->folder, "%s/a/zchat", place->top);
    *state = place;
    return 0;
}

static int teardown(void **state) {
    struct place *place = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", place->top);
    assert_int_equal(system(command), 0);
    free(place);
    return 0;
}

static void open_folder(struct place *place) {
    char path[FOLDER_PATH_BYTES];
    char given[FOLDER_PATH_BYTES];
    strcpy(given, place->folder);
    assert_int_equal(folder_open(given, path, &place->fault), ZCHAT_OK);
    assert_string_equal(path, given);
}

static int mode_of(const char *path) {
    struct stat status;
    assert_return_code(stat(path, &status), 0);
    return (int)(status.st_mode & 0777);
}

static void write_file(const char *path, const char *text, mode_t mode) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_return_code(fchmod(fd, mode), 0);
    close(fd);
}

static void the_folder_is_made_for_its_owner_alone(void **state) {
    struct place *place = *state;
    open_folder(place);
    assert_int_equal(mode_of(place->folder), 0700);
    open_folder(place);
}

static void without_a_name_it_is_in_the_home(void **state) {
    struct place *place = *state;
    char path[FOLDER_PATH_BYTES];
    char expected[128];
    setenv("HOME", place->top, 1);
    unsetenv("XDG_CONFIG_HOME");
    assert_int_equal(folder_open(NULL, path, &place->fault), ZCHAT_OK);
    snprintf(expected, sizeof expected, "%s/.config/zchat", place->top);
    assert_string_equal(path, expected);
    setenv("XDG_CONFIG_HOME", place->top, 1);
    assert_int_equal(folder_open(NULL, path, &place->fault), ZCHAT_OK);
    snprintf(expected, sizeof expected, "%s/zchat", place->top);
    assert_string_equal(path, expected);
    unsetenv("XDG_CONFIG_HOME");
    unsetenv("HOME");
    assert_int_equal(folder_open(NULL, path, &place->fault), ZCHAT_IO);
    assert_non_null(strstr(place->fault.text, "HOME"));
}

static void a_place_that_cant_be_made_is_an_io_error(void **state) {
    struct place *place = *state;
    char path[FOLDER_PATH_BYTES];
    char file[128];
    snprintf(file, sizeof file, "%s/file", place->top);
    write_file(file, "x", 0600);
    assert_int_equal(folder_open(file, path, &place->fault), ZCHAT_IO);
    strcat(file, "/deeper");
    assert_int_equal(folder_open(file, path, &place->fault), ZCHAT_IO);
}

static void a_device_key_is_made_once_and_kept(void **state) {
    struct place *place = *state;
    struct device *first;
    struct device *second;
    char path[FOLDER_PATH_BYTES];
    open_folder(place);
    assert_int_equal(device_open(&first, place->folder, &place->fault), ZCHAT_OK);
    assert_int_equal(device_open(&second, place->folder, &place->fault), ZCHAT_OK);
    assert_memory_equal(first->secret_key, second->secret_key, KEY_BYTES);
    assert_memory_equal(first->public_key, second->public_key, KEY_BYTES);
    assert_int_equal(strlen(first->public_text), KEY_TEXT_BYTES);
    assert_true(folder_file(place->folder, "device.key", path));
    assert_int_equal(mode_of(path), 0600);
    device_free(first);
    device_free(second);
}

static void a_key_that_others_may_read_is_refused(void **state) {
    struct place *place = *state;
    struct device *device;
    char path[FOLDER_PATH_BYTES];
    open_folder(place);
    assert_int_equal(device_open(&device, place->folder, &place->fault), ZCHAT_OK);
    device_free(device);
    assert_true(folder_file(place->folder, "device.key", path));
    assert_return_code(chmod(path, 0640), 0);
    assert_int_equal(device_open(&device, place->folder, &place->fault), ZCHAT_IO);
    assert_null(device);
    assert_non_null(strstr(place->fault.text, "chmod 600"));
}

static void a_broken_key_file_is_named_and_left_alone(void **state) {
    struct place *place = *state;
    struct device *device;
    char path[FOLDER_PATH_BYTES];
    struct stat status;
    open_folder(place);
    assert_true(folder_file(place->folder, "device.key", path));
    const char *const broken[] = {"", "nonsense", "secret-key = \"short\"",
                                  "secret-key = \"~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\""};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        write_file(path, broken[i], 0600);
        assert_int_equal(device_open(&device, place->folder, &place->fault), ZCHAT_IO);
        assert_non_null(strstr(place->fault.text, "holds no device key"));
        assert_return_code(stat(path, &status), 0);
        assert_int_equal(status.st_size, strlen(broken[i]));
    }
}

/* What each of several programs does at the same time; its result comes through a pipe. */
typedef void work(struct place *place, int program, char out[KEY_TEXT]);

static void run_all(struct place *place, work *todo, char out[PROGRAMS][KEY_TEXT]) {
    int go[2];
    int result[2];
    assert_return_code(pipe(go), 0);
    assert_return_code(pipe(result), 0);
    for (int i = 0; i < PROGRAMS; i++) {
        if (fork() == 0) {
            char byte;
            char text[KEY_TEXT] = "";
            close(go[1]);
            if (read(go[0], &byte, 1) == 0)
                todo(place, i, text);
            _exit(write(result[1], text, KEY_TEXT) != KEY_TEXT);
        }
    }
    close(go[1]);
    for (int i = 0; i < PROGRAMS; i++) {
        int status;
        assert_int_equal(read(result[0], out[i], KEY_TEXT), KEY_TEXT);
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    close(go[0]);
    close(result[0]);
    close(result[1]);
}

static void open_device(struct place *place, int program, char out[KEY_TEXT]) {
    struct device *device;
    (void)program;
    if (device_open(&device, place->folder, &place->fault) == ZCHAT_OK) {
        strcpy(out, device->public_text);
        device_free(device);
    }
}

static void programs_that_start_together_have_one_key(void **state) {
    struct place *place = *state;
    char keys[PROGRAMS][KEY_TEXT];
    open_folder(place);
    run_all(place, open_device, keys);
    for (int i = 0; i < PROGRAMS; i++) {
        assert_int_equal(strlen(keys[i]), KEY_TEXT_BYTES);
        assert_string_equal(keys[i], keys[0]);
    }
}

static void name_of(int program, char name[32]) {
    snprintf(name, 32, "host%d:4000", program);
}

static void pin_one(struct place *place, int program, char out[KEY_TEXT]) {
    char name[32];
    unsigned char key[KEY_BYTES];
    name_of(program, name);
    memset(key, program + 1, sizeof key);
    if (known_brokers_pin(place->folder, name, key, &place->fault) == ZCHAT_OK)
        strcpy(out, "done");
}

static void pins_made_together_are_all_kept(void **state) {
    struct place *place = *state;
    char out[PROGRAMS][KEY_TEXT];
    open_folder(place);
    run_all(place, pin_one, out);
    for (int i = 0; i < PROGRAMS; i++) {
        char name[32];
        bool known = false;
        unsigned char key[KEY_BYTES];
        unsigned char expected[KEY_BYTES];
        assert_string_equal(out[i], "done");
        name_of(i, name);
        memset(expected, i + 1, sizeof expected);
        assert_int_equal(known_brokers_find(place->folder, name, &known, key, &place->fault),
                         ZCHAT_OK);
        assert_true(known);
        assert_memory_equal(key, expected, KEY_BYTES);
    }
}

static void a_pinned_key_is_never_overwritten(void **state) {
    struct place *place = *state;
    unsigned char key[KEY_BYTES] = {1};
    unsigned char found[KEY_BYTES];
    bool known;
    open_folder(place);
    assert_int_equal(known_brokers_pin(place->folder, "h:1", key, &place->fault), ZCHAT_OK);
    assert_int_equal(known_brokers_pin(place->folder, "h:1", key, &place->fault), ZCHAT_OK);
    key[0] = 2;
    assert_int_equal(known_brokers_pin(place->folder, "h:1", key, &place->fault), ZCHAT_WRONG_KEY);
    assert_int_equal(known_brokers_find(place->folder, "h:1", &known, found, &place->fault),
                     ZCHAT_OK);
    assert_true(known);
    assert_int_equal(found[0], 1);
}

static void other_lines_are_kept_and_names_compared_whole(void **state) {
    struct place *place = *state;
    char path[FOLDER_PATH_BYTES];
    char text[512];
    unsigned char key[KEY_BYTES] = {1};
    bool known;
    bool found;
    open_folder(place);
    assert_true(folder_file(place->folder, KNOWN_BROKERS_FILE, path));
    write_file(path, "# mine\nhost:40001 rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7", 0600);
    assert_int_equal(known_brokers_find(place->folder, "host:4000", &known, key, &place->fault),
                     ZCHAT_OK);
    assert_false(known);
    assert_int_equal(known_brokers_pin(place->folder, "host:4000", key, &place->fault), ZCHAT_OK);
    assert_int_equal(folder_read(path, text, sizeof text, true, &found, &place->fault), ZCHAT_OK);
    assert_non_null(strstr(text, "# mine\nhost:40001 rq:rM>"));
    assert_non_null(strstr(text, "yf7\nhost:4000 "));
}

static void a_line_without_a_key_is_an_error_not_a_new_broker(void **state) {
    struct place *place = *state;
    char path[FOLDER_PATH_BYTES];
    unsigned char key[KEY_BYTES];
    bool known;
    open_folder(place);
    assert_true(folder_file(place->folder, KNOWN_BROKERS_FILE, path));
    write_file(path, "host:4000 garbage\n", 0600);
    assert_int_equal(known_brokers_find(place->folder, "host:4000", &known, key, &place->fault),
                     ZCHAT_IO);
    assert_non_null(strstr(place->fault.text, "host:4000"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_folder_is_made_for_its_owner_alone),
        TEST(without_a_name_it_is_in_the_home),
        TEST(a_place_that_cant_be_made_is_an_io_error),
        TEST(a_device_key_is_made_once_and_kept),
        TEST(a_key_that_others_may_read_is_refused),
        TEST(a_broken_key_file_is_named_and_left_alone),
        TEST(programs_that_start_together_have_one_key),
        TEST(pins_made_together_are_all_kept),
        TEST(a_pinned_key_is_never_overwritten),
        TEST(other_lines_are_kept_and_names_compared_whole),
        TEST(a_line_without_a_key_is_an_error_not_a_new_broker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
