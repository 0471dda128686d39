/* SPDX-License-Identifier: MIT */
/*
 * Answers of DNS, as records.
 */
#ifndef NM_DNS_H
#define NM_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether the n bytes are a message of DNS, whole: a question or an answer. */
bool dns_is_message(const uint8_t *bytes, size_t n);

/*
 * If the n bytes are an answer of DNS (RFC 1035; by multicast, RFC 6762):
 * writes a dns record for each address in it, of the name that was asked for
 * and not of its aliases, before the record at hand. pid: who asked, 0 if that
 * is not known. Of one that is cut nothing is told. Returns how many.
 */
size_t dns_tell(const uint8_t *answer, size_t n, uint64_t ts_us, uint64_t pid);

#endif
