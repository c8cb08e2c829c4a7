/* A regular expression, matched in time that grows with the text alone, whatever both hold: RE2, so
 * there is nothing that looks for what was found before (\1). The expression is bounded, and its
 * memory. */
#ifndef PATTERN_H
#define PATTERN_H

#define PATTERN_BYTES_MAX   1024 /* more is written by no person */
#define PATTERN_FAULT_BYTES 256

#ifdef __cplusplus
extern "C" {
#endif

struct pattern;

enum pattern_answer { PATTERN_FITS, PATTERN_FITS_NOT, PATTERN_NO_MEMORY };

/* NULL: `fault` says why; it is empty if there was no memory. Free it with pattern_free(). */
struct pattern *pattern_new(const char *text, char fault[PATTERN_FAULT_BYTES]);

/* Whether a line of the text fits; both are UTF-8. */
enum pattern_answer pattern_match(const struct pattern *pattern, const char *text);

void pattern_free(struct pattern *pattern /* owned */);

#ifdef __cplusplus
}
#endif

#endif
