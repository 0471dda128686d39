/* SPDX-License-Identifier: MIT */
/*
 * Servers that speak first, and say what they are. nDPI waits for what the
 * client answers, which may take long, or never come.
 */
#ifndef NM_GREETING_H
#define NM_GREETING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "finding.h"

/* Looks at the first n bytes of a server. True: they tell what it is. */
bool greeting_tells(const uint8_t *bytes, size_t n, struct finding *f);

#endif
