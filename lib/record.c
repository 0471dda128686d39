// SPDX-License-Identifier: MIT
/*
 * The one-pass scanner. It takes a line only if it is a flat JSON object
 * beyond doubt (RFC 8259, and jansson's stricter limits on numbers and NUL);
 * everything else, good or bad, is left to jansson in record_slow.c. So this
 * file never has to explain an error.
 */
#include <endian.h>
#include <string.h>

#include "record.h"
#include "record_scan.h"
#include "text.h"

/* The same byte in all eight places of a word. */
#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* More digits could be too many for an int64_t, or for a double. */
#define INT_DIGITS_MAX	18
#define REAL_DIGITS_MAX 200
#define EXP_DIGITS_MAX	2

struct scan {
	const char *p;
	const char *end;
	enum nm_trust trust;
	/* A bit per hash of the keys so far: most keys need no comparing. */
	uint64_t seen[4];
};

/* High bit of the lowest zero byte of w, and maybe of bytes above it. */
static uint64_t zero_bytes(uint64_t w)
{
	return (w - EACH(0x01)) & ~w & EACH(0x80);
}

/*
 * The first byte that is not plain: quote, backslash, control character or
 * not ASCII. Eight bytes at a time; a borrow can mark bytes above a true hit
 * wrongly, never below, and only the lowest mark is used.
 */
static const char *skip_plain(const char *p, const char *end)
{
	uint64_t w, hits;
	unsigned char c;

	for (; end - p >= 8; p += 8) {
		memcpy(&w, p, 8);
		w = le64toh(w);
		hits = zero_bytes(w ^ EACH('"')) | zero_bytes(w ^ EACH('\\'));
		hits |= ((w - EACH(0x20)) & ~w) | w;
		hits &= EACH(0x80);
		if (hits)
			return p + __builtin_ctzll(hits) / 8;
	}
	for (; p < end; p++) {
		c = (unsigned char)*p;
		if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\')
			break;
	}
	return p;
}

static void skip_space(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' ||
				 *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

/* Takes this byte and the space before it. */
static bool take(struct scan *s, char c)
{
	if (s->p < s->end && *s->p == c) {
		s->p++;
		return true;
	}
	skip_space(s);
	if (s->p == s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

/* Takes the rest of a string whose opening quote has been taken. */
static bool take_string(struct scan *s, struct nm_slice *out, bool *escaped)
{
	const char *p = s->p;
	size_t len;

	*escaped = false;
	for (;;) {
		p = skip_plain(p, s->end);
		if (p == s->end)
			return false;
		if (*p == '"')
			break;
		if (*p == '\\') {
			*escaped = true;
			p = nm_skip_escape(p, s->end);
			if (!p)
				return false;
			continue;
		}
		len = nm_utf8_len(p, (size_t)(s->end - p));
		if (len < 2) /* not UTF-8, or a control character */
			return false;
		p += len;
	}
	out->ptr = s->p;
	out->len = (size_t)(p - s->p);
	s->p = p + 1;
	return true;
}

static size_t take_digits(struct scan *s)
{
	const char *from = s->p;

	while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
		s->p++;
	return (size_t)(s->p - from);
}

static bool take_number(struct scan *s, struct nm_field *f)
{
	const char *first;
	size_t digits, exponent = 0;

	f->kind = NM_INT;
	f->val.ptr = s->p;
	if (*s->p == '-')
		s->p++;
	first = s->p;
	digits = take_digits(s);
	if (!digits || (*first == '0' && digits > 1))
		return false;
	if (s->p < s->end && *s->p == '.') {
		f->kind = NM_REAL;
		s->p++;
		if (!take_digits(s))
			return false;
	}
	if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
		f->kind = NM_REAL;
		s->p++;
		if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
			s->p++;
		exponent = take_digits(s);
		if (!exponent)
			return false;
	}
	f->val.len = (size_t)(s->p - f->val.ptr);
	if (s->trust == NM_FROM_JANSSON)
		return true;
	if (f->kind == NM_INT)
		return digits <= INT_DIGITS_MAX;
	return digits <= REAL_DIGITS_MAX && exponent <= EXP_DIGITS_MAX;
}

static bool take_word(struct scan *s, struct nm_field *f, const char *word,
		      enum nm_kind kind)
{
	size_t len = strlen(word);

	if ((size_t)(s->end - s->p) < len || memcmp(s->p, word, len))
		return false;
	f->val = (struct nm_slice){ s->p, len };
	f->kind = kind;
	s->p += len;
	return true;
}

/* Takes an object or array that jansson printed. */
static bool take_nested(struct scan *s, struct nm_field *f)
{
	struct nm_slice string;
	size_t depth = 0;
	bool escaped;

	f->kind = NM_NESTED;
	f->val.ptr = s->p;
	do {
		char c = *s->p++;

		if (c == '"' && !take_string(s, &string, &escaped))
			return false;
		depth += c == '{' || c == '[';
		depth -= c == '}' || c == ']';
	} while (depth && s->p < s->end);
	f->val.len = (size_t)(s->p - f->val.ptr);
	return !depth;
}

static bool take_value(struct scan *s, struct nm_field *f, bool *escaped)
{
	*escaped = false;
	if (take(s, '"')) {
		f->kind = NM_STRING;
		return take_string(s, &f->val, escaped);
	}
	if (s->p == s->end)
		return false;
	switch (*s->p) {
	case 't':
		return take_word(s, f, "true", NM_BOOL);
	case 'f':
		return take_word(s, f, "false", NM_BOOL);
	case 'n':
		return take_word(s, f, "null", NM_NULL);
	case '{':
	case '[':
		return s->trust == NM_FROM_JANSSON && take_nested(s, f);
	default:
		return take_number(s, f);
	}
}

static bool slice_is(const struct nm_slice *s, const char *text, size_t len)
{
	return s->len == len && !memcmp(s->ptr, text, len);
}

/* Is the key of r's newest field one that it had before? */
static bool key_twice(struct scan *s, const struct nm_record *r)
{
	const struct nm_slice *key = &r->field[r->fields].key;
	const unsigned char *k = (const unsigned char *)key->ptr;
	unsigned int hash = 0;
	uint64_t bit, *word;

	if (key->len)
		hash = k[0] * 3U + k[key->len / 2] * 29U +
		       k[key->len - 1] * 7U + (unsigned int)key->len * 37U;
	word = &s->seen[hash / 64 % 4];
	bit = UINT64_C(1) << hash % 64;
	if (!(*word & bit)) {
		*word |= bit;
		return false;
	}
	for (size_t i = 0; i < r->fields; i++) {
		if (slice_is(&r->field[i].key, key->ptr, key->len))
			return true;
	}
	return false;
}

static enum nm_type type_of(const struct nm_slice *name)
{
	static const char *const names[] = {
		[NM_TYPE_START] = "start",   [NM_TYPE_FLOW] = "flow",
		[NM_TYPE_TICK] = "tick",     [NM_TYPE_DNS] = "dns",
		[NM_TYPE_EVENT] = "event",   [NM_TYPE_ALERT] = "alert",
		[NM_TYPE_ACTION] = "action", [NM_TYPE_NOTICE] = "notice",
	};

	for (int i = NM_TYPE_START; i <= NM_TYPE_NOTICE; i++) {
		if (slice_is(name, names[i], strlen(names[i])))
			return (enum nm_type)i;
	}
	return NM_TYPE_OTHER;
}

static uint64_t unsigned_of(const struct nm_slice *digits)
{
	uint64_t value = 0;

	if (digits->ptr[0] == '-')
		return 0;
	for (size_t i = 0; i < digits->len; i++)
		value = value * 10 + (uint64_t)(digits->ptr[i] - '0');
	return value;
}

static bool take_field(struct scan *s, struct nm_record *r)
{
	struct nm_field *f;
	bool escaped;

	if (r->fields == NM_FIELDS_MAX)
		return false;
	f = &r->field[r->fields];
	if (!take(s, '"') || !take_string(s, &f->key, &escaped))
		return false;
	if (escaped && s->trust == NM_FROM_OUTSIDE)
		return false;
	if (key_twice(s, r) || !take(s, ':') || !take_value(s, f, &escaped))
		return false;

	if (f->kind == NM_STRING && slice_is(&f->key, "type", 4)) {
		if (escaped && s->trust == NM_FROM_OUTSIDE)
			return false;
		r->type = type_of(&f->val);
	} else if (f->kind == NM_INT && slice_is(&f->key, "ts_us", 5)) {
		r->ts_us = unsigned_of(&f->val);
	}
	r->fields++;
	return true;
}

bool nm_scan_flat(struct nm_record *r, const char *line, size_t len,
		  enum nm_trust trust)
{
	struct scan s = { .p = line, .end = line + len, .trust = trust };

	r->fields = 0;
	r->type = NM_TYPE_OTHER;
	r->ts_us = 0;
	if (!take(&s, '{'))
		return false;
	r->line.ptr = s.p - 1;
	if (!take(&s, '}')) {
		do {
			if (!take_field(&s, r))
				return false;
		} while (take(&s, ','));
		if (!take(&s, '}'))
			return false;
	}
	r->line.len = (size_t)(s.p - r->line.ptr);
	skip_space(&s);
	return s.p == s.end;
}

/* Whoever has none has never heard of versions. */
static bool is_of_version_1(const struct nm_record *r)
{
	const struct nm_field *v = nm_find(r, "v");

	return !v || (v->kind == NM_INT && slice_is(&v->val, "1", 1));
}

const char *nm_record_scan(struct nm_record *r, const char *line, size_t len)
{
	const char *wrong = NULL;

	r->added.len = 0;
	r->rebuilt.len = 0;
	memset(r->dropped, 0, sizeof(r->dropped));
	if (!nm_scan_flat(r, line, len, NM_FROM_OUTSIDE))
		wrong = nm_scan_slow(r, line, len);
	if (wrong || is_of_version_1(r))
		return wrong;
	r->fields = 0;
	return "not version 1 of nm-record(5)";
}

void nm_record_free(struct nm_record *r)
{
	nm_buf_free(&r->added);
	nm_buf_free(&r->rebuilt);
}
