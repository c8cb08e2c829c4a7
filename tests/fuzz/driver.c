/* Runs a fuzz target without libFuzzer: over each file of its corpus, and over mutations of them
 * that are the same in each run. Finds less than libFuzzer, but runs in every build. */
#include "fuzz.h"
#include "random.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX       65536
#define INPUTS_MAX      1024
#define MUTATIONS_TOTAL 50000

struct input {
    uint8_t *data; /* owned */
    size_t size;
};

/* The corpus, in the order of its names. */
struct corpus {
    struct input inputs[INPUTS_MAX];
    size_t count;
};

static bool read_input(const char *folder, const char *name, struct input *input) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    input->data = malloc(INPUT_MAX);
    if (file == NULL || input->data == NULL) {
        fprintf(stderr, "%s: can't be read\n", path);
        return false;
    }
    input->size = fread(input->data, 1, INPUT_MAX, file);
    fclose(file);
    return true;
}

static int is_input(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

static bool read_corpus(const char *folder, struct corpus *corpus) {
    struct dirent **entries;
    int count = scandir(folder, &entries, is_input, alphasort);
    bool good = count > 0 && count <= INPUTS_MAX;
    for (int i = 0; i < count; i++) {
        if (good)
            good = read_input(folder, entries[i]->d_name, &corpus->inputs[corpus->count++]);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return good;
}

static void run(const uint8_t *data, size_t size) {
    uint8_t *exact = malloc(size > 0 ? size : 1); /* so that a read beyond it is seen */
    if (exact == NULL)
        abort();
    memcpy(exact, data, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

/* One change: a bit, a byte, a cut, a doubled piece, or a piece of another input. */
static size_t mutate(uint64_t *seed, uint8_t *data, size_t size, const struct input *other) {
    uint64_t pick = random_next(seed);
    size_t at = size > 0 ? (size_t)(pick >> 40) % size : 0;
    size_t piece = (size_t)(pick >> 16 & 15);
    switch (size > 0 ? pick % 5 : 4) {
    case 0:
        data[at] ^= (uint8_t)(1U << (pick >> 8 & 7));
        return size;
    case 1:
        data[at] = (uint8_t)(pick >> 8);
        return size;
    case 2:
        return at;
    case 3:
        piece = piece < size - at ? piece : size - at;
        memmove(data + at + piece, data + at, size - at);
        return size + piece;
    default:
        piece = other->size < INPUT_MAX / 4 ? other->size : INPUT_MAX / 4;
        memmove(data + at + piece, data + at, size - at);
        memcpy(data + at, other->data, piece);
        return size + piece;
    }
}

static void run_mutations(const struct corpus *corpus) {
    static uint8_t data[3 * INPUT_MAX];
    uint64_t seed = 1;
    for (int i = 0; i < MUTATIONS_TOTAL; i++) {
        const struct input *input = &corpus->inputs[random_next(&seed) % corpus->count];
        size_t size = input->size;
        memcpy(data, input->data, size);
        for (uint64_t changes = 1 + random_next(&seed) % 4; changes > 0 && size < INPUT_MAX;
             changes--) {
            const struct input *other = &corpus->inputs[random_next(&seed) % corpus->count];
            size = mutate(&seed, data, size, other);
        }
        run(data, size);
    }
}

int main(int argc, char **argv) {
    static struct corpus corpus;
    int result = EXIT_FAILURE;
    if (argc == 2 && read_corpus(argv[1], &corpus)) {
        run((const uint8_t *)"", 0);
        for (size_t i = 0; i < corpus.count; i++)
            run(corpus.inputs[i].data, corpus.inputs[i].size);
        run_mutations(&corpus);
        printf("%zu inputs, %d mutations\n", corpus.count, MUTATIONS_TOTAL);
        result = EXIT_SUCCESS;
    }
    for (size_t i = 0; i < corpus.count; i++)
        free(corpus.inputs[i].data);
    return result;
}
