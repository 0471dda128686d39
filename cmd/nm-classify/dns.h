/* SPDX-License-Identifier: MIT */
/*
 * Answers of DNS, as records.
 */
#ifndef NM_DNS_H
#define NM_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tuple.h"

#define PORT_DNS  53
#define PORT_MDNS 5353

/* Whether the n bytes are a message of DNS, whole: a question or an answer. */
bool dns_is_message(const uint8_t *bytes, size_t n);
bool dns_is_question(const uint8_t *bytes, size_t n);

/*
 * If the n bytes, which were received, are an answer of DNS: writes a dns
 * record for each address in it, of the name that was asked for and not of its
 * aliases, before the record at hand. pid: who asked, 0 if that is not known.
 * Of one that is cut nothing is told, nor of one that does not repeat what was
 * asked. By multicast (RFC 6762) it need not, but it can speak only of names
 * that end in ".local". Returns how many.
 */
size_t dns_tell(const struct tuple *t, const uint8_t *answer, size_t n,
		uint64_t ts_us, uint64_t pid);

#endif
