// SPDX-License-Identifier: MIT
/*
 * A libFuzzer target: scanner and jansson agree.
 */
#include <stdint.h>

#include "agree.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	agree((const char *)bytes, len);
	return 0;
}
