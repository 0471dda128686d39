// SPDX-License-Identifier: MIT
/*
 * A libFuzzer target: whatever the bytes, it is an error with a place, or a
 * tree that is the same when it is written and read again.
 */
#include <stdint.h>

#include "again.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	again((const char *)bytes, len);
	return 0;
}
