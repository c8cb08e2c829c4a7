/* RE2 has no C interface: this is the one file in its language. It only throws if there is no
 * memory. */
#include "pattern.h"

#include <cstdio>
#include <cstring>
#include <new>
#include <re2/re2.h>
#include <string>

/* "^" and "$" are the ends of a line. */
#define BY_LINES "(?m)"

#define MEMORY_BYTES_MAX (4 << 20)

struct pattern : public RE2 {
    using RE2::RE2;
};

static RE2::Options how() {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_never_nl(true);
    options.set_max_mem(MEMORY_BYTES_MAX);
    return options;
}

static void explain(const RE2 &expression, char fault[PATTERN_FAULT_BYTES]) {
    std::string why = expression.error();
    size_t ours = why.find(BY_LINES);
    if (ours != std::string::npos)
        why.erase(ours, strlen(BY_LINES));
    snprintf(fault, PATTERN_FAULT_BYTES, "%s", why.c_str());
}

struct pattern *pattern_new(const char *text, char fault[PATTERN_FAULT_BYTES]) {
    struct pattern *made = nullptr;
    fault[0] = '\0';
    if (strlen(text) > PATTERN_BYTES_MAX) {
        snprintf(fault, PATTERN_FAULT_BYTES, "it has more than %d bytes", PATTERN_BYTES_MAX);
        return nullptr;
    }
    try {
        made = new pattern(std::string(BY_LINES) + text, how());
        if (made->ok())
            return made;
        explain(*made, fault);
    } catch (const std::bad_alloc &) {
        fault[0] = '\0';
    }
    delete made;
    return nullptr;
}

enum pattern_answer pattern_match(const struct pattern *pattern, const char *text) {
    try {
        return RE2::PartialMatch(text, *pattern) ? PATTERN_FITS : PATTERN_FITS_NOT;
    } catch (const std::bad_alloc &) {
        return PATTERN_NO_MEMORY;
    }
}

void pattern_free(struct pattern *pattern) {
    delete pattern;
}
