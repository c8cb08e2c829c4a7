/* Transfers with a broker under a test's control: the window, waiting when it is told to, going on
 * after a lost connection, and bytes that are not what they should be. */
#include "crypto.h"
#include "stage.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define BODY(name) ZCHAT__V1__COMMAND__BODY_##name
#define CHUNK      CHUNK_BYTES_MAX
#define TRANSFER   5L /* its calls' arg */

struct scene {
    struct stage *stage;
    char file[128];
    char back[128];
    unsigned char *bytes; /* of the file, 40 chunks */
    unsigned char hash[HASH_BYTES];
};

static void set_size(struct scene *scene, size_t bytes) {
    struct hash hash;
    FILE *file = fopen(scene->file, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(scene->bytes, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
    hash_begin(&hash);
    hash_add(&hash, scene->bytes, bytes);
    hash_end(&hash, scene->hash);
}

static int setup(void **state) {
    struct scene *scene = calloc(1, sizeof *scene);
    assert_non_null(scene);
    scene->stage = stage_new();
    snprintf(scene->file, sizeof scene->file, "%s/file", scene->stage->folder);
    snprintf(scene->back, sizeof scene->back, "%s/back", scene->stage->folder);
    scene->bytes = malloc(40 * CHUNK);
    assert_non_null(scene->bytes);
    for (size_t i = 0; i < 40 * CHUNK; i++)
        scene->bytes[i] = (unsigned char)(i * 7 + i / CHUNK);
    stage_login(scene->stage, ZCHAT_PUBLIC_NONE, false);
    *state = scene;
    return 0;
}

static int teardown(void **state) {
    struct scene *scene = *state;
    stage_free(scene->stage); /* finds a file that was left */
    free(scene->bytes);
    free(scene);
    return 0;
}

static void on_progress(void *arg, uint64_t bytes, uint64_t total) {
    (void)arg, (void)bytes, (void)total;
}

/* As if somebody wrote to it. */
static void touch(struct scene *scene) {
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    assert_int_equal(utimensat(AT_FDCWD, scene->file, times, 0), 0);
}

static void put(struct scene *scene) {
    assert_int_equal(zchat_file_put(scene->stage->z, "t", scene->file, NULL, on_progress,
                                    stage_answer, (void *)TRANSFER),
                     ZCHAT_OK);
}

static void get(struct scene *scene) {
    assert_int_equal(zchat_file_get(scene->stage->z, "t", "name", scene->back, -1, false,
                                    on_progress, stage_answer, (void *)TRANSFER),
                     ZCHAT_OK);
}

/* The nth answer to a transfer, from 0; NULL: it is not there yet. */
static const struct told *nth_answer(const struct stage *stage, size_t n) {
    for (size_t i = 0; i < stage->told_count; i++)
        if (stage->told[i].kind == 0 && stage->told[i].arg == TRANSFER && n-- == 0)
            return &stage->told[i];
    return NULL;
}

static const struct told *answer(struct scene *scene) {
    STAGE_UNTIL(scene->stage, nth_answer(scene->stage, 0));
    return nth_answer(scene->stage, 0);
}

static const struct told *second_answer(struct scene *scene) {
    STAGE_UNTIL(scene->stage, nth_answer(scene->stage, 1));
    return nth_answer(scene->stage, 1);
}

static bool exists(const char *path) {
    return access(path, F_OK) == 0;
}

/* ---- what the broker says ---- */

static void say_begun(struct scene *scene, const Zchat__V1__Command *command, uint64_t received) {
    Zchat__V1__BeginUploadResponse body = ZCHAT__V1__BEGIN_UPLOAD_RESPONSE__INIT;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    body.received = received;
    reply.request = command->request;
    reply.body_case = ZCHAT__V1__REPLY__BODY_BEGIN_UPLOAD;
    reply.begin_upload = &body;
    fake_reply(scene->stage->fake, &reply);
}

static void fill(struct scene *scene, Zchat__V1__Upload *upload, uint64_t bytes) {
    static unsigned char id[ID_BYTES] = {1};
    zchat__v1__upload__init(upload);
    upload->id.data = id;
    upload->id.len = ID_BYTES;
    upload->user = (char *)"me";
    upload->file = (char *)"../na\033me";
    upload->size = bytes;
    upload->time_us = 1;
    upload->digest.data = scene->hash;
    upload->digest.len = HASH_BYTES;
}

static void say_put(struct scene *scene, const Zchat__V1__Command *command, bool last) {
    Zchat__V1__Upload upload;
    Zchat__V1__PutChunkResponse body = ZCHAT__V1__PUT_CHUNK_RESPONSE__INIT;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    body.received = command->put_chunk->offset + command->put_chunk->data.len;
    fill(scene, &upload, body.received);
    body.upload = last ? &upload : NULL;
    reply.request = command->request;
    reply.body_case = ZCHAT__V1__REPLY__BODY_PUT_CHUNK;
    reply.put_chunk = &body;
    fake_reply(scene->stage->fake, &reply);
}

/* Answers GetChunk out of a file of `size` bytes, with `count` bytes of it. */
static void say_got(struct scene *scene, const Zchat__V1__Command *command, uint64_t size,
                    size_t count) {
    Zchat__V1__Upload upload;
    Zchat__V1__GetChunkResponse body = ZCHAT__V1__GET_CHUNK_RESPONSE__INIT;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    fill(scene, &upload, size);
    body.upload = &upload;
    body.data.data = scene->bytes + command->get_chunk->offset;
    body.data.len = count;
    reply.request = command->request;
    reply.body_case = ZCHAT__V1__REPLY__BODY_GET_CHUNK;
    reply.get_chunk = &body;
    fake_reply(scene->stage->fake, &reply);
}

static Zchat__V1__Command *next(struct scene *scene, Zchat__V1__Command__BodyCase body) {
    return stage_command(scene->stage, body);
}

static Zchat__V1__Command *next_get(struct scene *scene, uint64_t offset) {
    Zchat__V1__Command *command = next(scene, BODY(GET_CHUNK));
    assert_int_equal(command->get_chunk->offset, offset);
    assert_string_equal(command->get_chunk->file, "name");
    return command;
}

static Zchat__V1__Command *next_put(struct scene *scene, uint64_t offset) {
    Zchat__V1__Command *command = next(scene, BODY(PUT_CHUNK));
    assert_int_equal(command->put_chunk->offset, offset);
    return command;
}

/* The chunk that ends the file, and tells its hash; none before does. */
static Zchat__V1__Command *last_put(struct scene *scene, uint64_t offset) {
    Zchat__V1__Command *command = next_put(scene, offset);
    assert_int_equal(command->put_chunk->digest.len, HASH_BYTES);
    assert_memory_equal(command->put_chunk->digest.data, scene->hash, HASH_BYTES);
    return command;
}

/* How many chunks are under way beyond those that were taken. */
static size_t waiting(struct scene *scene, Zchat__V1__Command__BodyCase body) {
    size_t count = 0;
    stage_settle(scene->stage);
    while (fake_next(scene->stage->fake, body))
        count++;
    return count;
}

/* ---- uploads ---- */

static void an_upload_tells_the_file_and_sends_its_chunks(void **state) {
    struct scene *scene = *state;
    set_size(scene, CHUNK + 3);
    put(scene);
    Zchat__V1__Command *begin = next(scene, BODY(BEGIN_UPLOAD));
    assert_string_equal(begin->begin_upload->thread, "t");
    assert_string_equal(begin->begin_upload->file, "file");
    assert_int_equal(begin->begin_upload->size, CHUNK + 3);
    assert_int_equal(begin->begin_upload->digest.len, 0);
    say_begun(scene, begin, 0);
    Zchat__V1__Command *chunk = next_put(scene, 0);
    assert_int_equal(chunk->put_chunk->data.len, CHUNK);
    assert_memory_equal(chunk->put_chunk->id.data, begin->begin_upload->id.data, ID_BYTES);
    assert_int_equal(chunk->put_chunk->digest.len, 0);
    say_put(scene, chunk, false);
    chunk = last_put(scene, CHUNK);
    assert_memory_equal(chunk->put_chunk->data.data, scene->bytes + CHUNK, 3);
    assert_int_equal(zchat_pending(scene->stage->z), 1);
    say_put(scene, chunk, true);
    assert_int_equal(answer(scene)->code, ZCHAT_OK);
    assert_int_equal(zchat_pending(scene->stage->z), 0);
}

static void a_window_bounds_what_is_under_way(void **state) {
    struct scene *scene = *state;
    uint64_t offset = 0;
    set_size(scene, 40 * CHUNK);
    put(scene);
    say_begun(scene, next(scene, BODY(BEGIN_UPLOAD)), 0);
    size_t most = 0;
    while (offset < 40 * CHUNK) {
        Zchat__V1__Command *chunk = next_put(scene, offset);
        size_t before = scene->stage->fake->taken_count;
        size_t under_way = 1 + waiting(scene, BODY(PUT_CHUNK));
        most = under_way > most ? under_way : most;
        scene->stage->fake->taken_count = before;
        offset += CHUNK;
        say_put(scene, chunk, offset == 40 * CHUNK);
    }
    assert_in_range(most, 2, 8);
    assert_int_equal(answer(scene)->code, ZCHAT_OK);
}

static void a_lost_connection_asks_where_to_go_on(void **state) {
    struct scene *scene = *state;
    set_size(scene, 5 * CHUNK);
    put(scene);
    Zchat__V1__Command *begin = next(scene, BODY(BEGIN_UPLOAD));
    say_begun(scene, begin, 0);
    next_put(scene, 0);
    fake_break(scene->stage->fake);
    Zchat__V1__Command *again = next(scene, BODY(BEGIN_UPLOAD));
    assert_memory_equal(again->begin_upload->id.data, begin->begin_upload->id.data, ID_BYTES);
    say_begun(scene, again, 3 * CHUNK);
    say_put(scene, next_put(scene, 3 * CHUNK), false);
    say_put(scene, last_put(scene, 4 * CHUNK), true);
    assert_int_equal(answer(scene)->code, ZCHAT_OK);
}

/* Wherever the broker wants the bytes from, before or behind what was sent. */
static void the_hash_is_right_wherever_it_goes_on(void **state) {
    struct scene *scene = *state;
    static const size_t places[] = {0, 3 * CHUNK - 7, 3 * CHUNK + 1};
    set_size(scene, 6 * CHUNK + 5);
    put(scene);
    say_begun(scene, next(scene, BODY(BEGIN_UPLOAD)), 0);
    say_put(scene, next_put(scene, 0), false);
    next_put(scene, CHUNK);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        fake_break(scene->stage->fake);
        say_begun(scene, next(scene, BODY(BEGIN_UPLOAD)), places[i]);
        Zchat__V1__Command *chunk = next_put(scene, places[i]);
        assert_memory_equal(chunk->put_chunk->data.data, scene->bytes + places[i], CHUNK);
    }
    fake_break(scene->stage->fake);
    say_begun(scene, next(scene, BODY(BEGIN_UPLOAD)), 6 * CHUNK + 1);
    last_put(scene, 6 * CHUNK + 1);
    fake_break(scene->stage->fake);
    say_begun(scene, next(scene, BODY(BEGIN_UPLOAD)), 5 * CHUNK + 6);
    say_put(scene, last_put(scene, 5 * CHUNK + 6), true);
    assert_int_equal(answer(scene)->code, ZCHAT_OK);
}

static void what_an_earlier_run_sent_is_in_the_hash(void **state) {
    struct scene *scene = *state;
    set_size(scene, 40 * CHUNK);
    put(scene);
    say_begun(scene, next(scene, BODY(BEGIN_UPLOAD)), 39 * CHUNK + 5);
    say_put(scene, last_put(scene, 39 * CHUNK + 5), true);
    assert_int_equal(answer(scene)->code, ZCHAT_OK);
}

struct progress {
    size_t told; /* how often, of what the broker has */
    uint64_t has;
    bool over;
};

static void count_progress(void *arg, uint64_t bytes, uint64_t total) {
    struct progress *progress = arg;
    assert_true(bytes <= total);
    progress->told += bytes == progress->has;
}

static void end_progress(void *arg, const zchat_reply *reply) {
    struct progress *progress = arg;
    assert_int_equal(reply->code, ZCHAT_OK);
    progress->over = true;
}

/* So that whoever waits for it does not give it up. */
static void hashing_alone_is_progress(void **state) {
    struct scene *scene = *state;
    struct progress progress = {.has = 39 * CHUNK + 5};
    set_size(scene, 40 * CHUNK);
    assert_int_equal(zchat_file_put(scene->stage->z, "t", scene->file, NULL, count_progress,
                                    end_progress, &progress),
                     ZCHAT_OK);
    say_begun(scene, next(scene, BODY(BEGIN_UPLOAD)), progress.has);
    say_put(scene, last_put(scene, progress.has), true);
    STAGE_UNTIL(scene->stage, progress.over);
    assert_int_equal(progress.told, 1 + 40);
}

static void an_empty_file_has_a_hash_too(void **state) {
    struct scene *scene = *state;
    set_size(scene, 0);
    put(scene);
    say_begun(scene, next(scene, BODY(BEGIN_UPLOAD)), 0);
    say_put(scene, last_put(scene, 0), true);
    assert_int_equal(answer(scene)->code, ZCHAT_OK);
}

static void told_to_wait_it_waits(void **state) {
    struct scene *scene = *state;
    Zchat__V1__CommandError error = ZCHAT__V1__COMMAND_ERROR__INIT;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    set_size(scene, 10);
    put(scene);
    say_begun(scene, next(scene, BODY(BEGIN_UPLOAD)), 0);
    error.code = ZCHAT__V1__CODE__CODE_BUSY;
    error.message = (char *)"slower";
    error.retry_after_s = 1;
    reply.request = last_put(scene, 0)->request;
    reply.error = &error;
    fake_reply(scene->stage->fake, &reply);
    stage_settle(scene->stage);
    assert_null(fake_next(scene->stage->fake, BODY(BEGIN_UPLOAD)));
    say_begun(scene, next(scene, BODY(BEGIN_UPLOAD)), 0);
    say_put(scene, last_put(scene, 0), true);
    assert_int_equal(answer(scene)->code, ZCHAT_OK);
}

static void no_room_is_told(void **state) {
    struct scene *scene = *state;
    set_size(scene, 10);
    put(scene);
    fake_error(scene->stage->fake, next(scene, BODY(BEGIN_UPLOAD))->request,
               ZCHAT__V1__CODE__CODE_BUSY, "no room");
    const struct told *told = answer(scene);
    assert_int_equal(told->code, ZCHAT_BUSY);
    assert_string_equal(told->text, "no room");
}

static void a_chunk_without_room_leaves_an_upload_that_goes_on(void **state) {
    struct scene *scene = *state;
    unsigned char id[ID_BYTES];
    set_size(scene, 3 * CHUNK);
    put(scene);
    Zchat__V1__Command *begin = next(scene, BODY(BEGIN_UPLOAD));
    memcpy(id, begin->begin_upload->id.data, ID_BYTES);
    say_begun(scene, begin, CHUNK);
    fake_error(scene->stage->fake, next_put(scene, CHUNK)->request, ZCHAT__V1__CODE__CODE_BUSY,
               "the disk is full");
    assert_int_equal(answer(scene)->code, ZCHAT_BUSY);
    put(scene);
    begin = next(scene, BODY(BEGIN_UPLOAD));
    assert_memory_equal(begin->begin_upload->id.data, id, ID_BYTES);
    say_begun(scene, begin, 2 * CHUNK);
    say_put(scene, last_put(scene, 2 * CHUNK), true);
    assert_int_equal(second_answer(scene)->code, ZCHAT_OK);
}

static void an_upload_that_expired_begins_again(void **state) {
    struct scene *scene = *state;
    set_size(scene, 10);
    put(scene);
    say_begun(scene, next(scene, BODY(BEGIN_UPLOAD)), 0);
    fake_error(scene->stage->fake, next_put(scene, 0)->request, ZCHAT__V1__CODE__CODE_NOT_FOUND,
               "unknown");
    say_begun(scene, next(scene, BODY(BEGIN_UPLOAD)), 0);
    fake_error(scene->stage->fake, next_put(scene, 0)->request, ZCHAT__V1__CODE__CODE_NOT_FOUND,
               "unknown");
    assert_int_equal(answer(scene)->code, ZCHAT_NOT_FOUND);
}

static void bytes_that_do_not_fit_the_hash_are_said_to_have_changed(void **state) {
    struct scene *scene = *state;
    set_size(scene, 10);
    put(scene);
    say_begun(scene, next(scene, BODY(BEGIN_UPLOAD)), 0);
    fake_error(scene->stage->fake, next_put(scene, 0)->request, ZCHAT__V1__CODE__CODE_INVALID,
               "hash");
    const struct told *told = answer(scene);
    assert_int_equal(told->code, ZCHAT_IO);
    assert_non_null(strstr(told->text, "changed while"));
    next(scene, BODY(CANCEL_UPLOAD));
}

static void a_file_that_changes_is_noticed_before_it_is_all_sent(void **state) {
    struct scene *scene = *state;
    set_size(scene, 40 * CHUNK);
    put(scene);
    say_begun(scene, next(scene, BODY(BEGIN_UPLOAD)), 0);
    Zchat__V1__Command *first = next_put(scene, 0);
    touch(scene);
    say_put(scene, first, false);
    assert_int_equal(answer(scene)->code, ZCHAT_IO);
    assert_null(fake_next(scene->stage->fake, BODY(PUT_CHUNK)));
    next(scene, BODY(CANCEL_UPLOAD));
}

static void a_file_that_changes_is_noticed_before_more_of_it_is_sent(void **state) {
    struct scene *scene = *state;
    set_size(scene, 40 * CHUNK);
    put(scene);
    Zchat__V1__Command *begin = next(scene, BODY(BEGIN_UPLOAD));
    touch(scene);
    say_begun(scene, begin, 39 * CHUNK);
    const struct told *told = answer(scene);
    assert_int_equal(told->code, ZCHAT_IO);
    assert_non_null(strstr(told->text, "changed while"));
    next(scene, BODY(CANCEL_UPLOAD));
    assert_null(fake_next(scene->stage->fake, BODY(PUT_CHUNK)));
}

/* ---- downloads ---- */

static void a_download_appears_whole_under_the_callers_name(void **state) {
    struct scene *scene = *state;
    set_size(scene, CHUNK + 3);
    get(scene);
    say_got(scene, next_get(scene, 0), CHUNK + 3, CHUNK);
    Zchat__V1__Command *second = next_get(scene, CHUNK);
    assert_false(exists(scene->back));
    say_got(scene, second, CHUNK + 3, 3);
    assert_int_equal(answer(scene)->code, ZCHAT_OK);
    assert_true(exists(scene->back));
}

static void a_wrong_hash_leaves_no_file(void **state) {
    struct scene *scene = *state;
    set_size(scene, CHUNK + 3);
    get(scene);
    scene->bytes[5] ^= 1;
    say_got(scene, next_get(scene, 0), CHUNK + 3, CHUNK);
    say_got(scene, next_get(scene, CHUNK), CHUNK + 3, 3);
    const struct told *told = answer(scene);
    assert_int_equal(told->code, ZCHAT_IO);
    assert_non_null(strstr(told->text, "hash"));
    assert_false(exists(scene->back));
}

static void another_file_in_between_is_told(void **state) {
    struct scene *scene = *state;
    set_size(scene, CHUNK + 3);
    get(scene);
    say_got(scene, next_get(scene, 0), CHUNK + 3, CHUNK);
    Zchat__V1__Command *second = next_get(scene, CHUNK);
    scene->hash[0] ^= 1;
    say_got(scene, second, CHUNK + 3, 3);
    assert_int_equal(answer(scene)->code, ZCHAT_CONFLICT);
    assert_false(exists(scene->back));
}

static void a_short_chunk_is_gone_on_from(void **state) {
    struct scene *scene = *state;
    set_size(scene, CHUNK + 3);
    get(scene);
    say_got(scene, next_get(scene, 0), CHUNK + 3, 1000);
    say_got(scene, next_get(scene, 1000), CHUNK + 3, CHUNK - 1000);
    say_got(scene, next_get(scene, CHUNK), CHUNK + 3, 3);
    assert_int_equal(answer(scene)->code, ZCHAT_OK);
}

static void more_or_no_bytes_are_refused(void **state) {
    struct scene *scene = *state;
    set_size(scene, 10);
    get(scene);
    say_got(scene, next_get(scene, 0), 10, 11);
    assert_int_equal(answer(scene)->code, ZCHAT_UNIMPLEMENTED);
    get(scene);
    say_got(scene, next_get(scene, 0), 10, 0);
    assert_int_equal(second_answer(scene)->code, ZCHAT_UNIMPLEMENTED);
}

static void a_download_goes_on_after_a_lost_connection(void **state) {
    struct scene *scene = *state;
    set_size(scene, 3 * CHUNK);
    get(scene);
    say_got(scene, next_get(scene, 0), 3 * CHUNK, CHUNK);
    next_get(scene, CHUNK);
    waiting(scene, BODY(GET_CHUNK)); /* what else was asked for is lost, too */
    fake_break(scene->stage->fake);
    say_got(scene, next_get(scene, CHUNK), 3 * CHUNK, CHUNK);
    say_got(scene, next_get(scene, 2 * CHUNK), 3 * CHUNK, CHUNK);
    assert_int_equal(answer(scene)->code, ZCHAT_OK);
}

static void who_is_not_logged_in_is_told(void **state) {
    struct scene *scene = *state;
    struct stage *stage = scene->stage;
    Zchat__V1__LogoutResponse body = ZCHAT__V1__LOGOUT_RESPONSE__INIT;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    set_size(scene, 10);
    assert_int_equal(zchat_logout(stage->z, stage_answer, NULL), ZCHAT_OK);
    reply.request = stage_command(stage, BODY(LOGOUT))->request;
    reply.body_case = ZCHAT__V1__REPLY__BODY_LOGOUT;
    reply.logout = &body;
    fake_reply(stage->fake, &reply);
    stage_await(stage, 0, 2);
    put(scene);
    assert_int_equal(answer(scene)->code, ZCHAT_AUTH);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_upload_tells_the_file_and_sends_its_chunks),
        TEST(a_window_bounds_what_is_under_way),
        TEST(a_lost_connection_asks_where_to_go_on),
        TEST(the_hash_is_right_wherever_it_goes_on),
        TEST(what_an_earlier_run_sent_is_in_the_hash),
        TEST(hashing_alone_is_progress),
        TEST(an_empty_file_has_a_hash_too),
        TEST(told_to_wait_it_waits),
        TEST(no_room_is_told),
        TEST(a_chunk_without_room_leaves_an_upload_that_goes_on),
        TEST(an_upload_that_expired_begins_again),
        TEST(bytes_that_do_not_fit_the_hash_are_said_to_have_changed),
        TEST(a_file_that_changes_is_noticed_before_it_is_all_sent),
        TEST(a_file_that_changes_is_noticed_before_more_of_it_is_sent),
        TEST(a_download_appears_whole_under_the_callers_name),
        TEST(a_wrong_hash_leaves_no_file),
        TEST(another_file_in_between_is_told),
        TEST(a_short_chunk_is_gone_on_from),
        TEST(more_or_no_bytes_are_refused),
        TEST(a_download_goes_on_after_a_lost_connection),
        TEST(who_is_not_logged_in_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
