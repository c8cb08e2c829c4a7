/* What every fuzz target offers, to libFuzzer and to the driver of the ordinary build. A target
 * aborts where a promise of its header does not hold. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
