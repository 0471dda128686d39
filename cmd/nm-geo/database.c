// SPDX-License-Identifier: MIT
/*
 * Reading one file. It stays mapped into memory, so what is never asked for is
 * never read; but if somebody copies a shorter file over it meanwhile, reading
 * beyond its end is a SIGBUS.
 */
#include "database.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "text.h"

/* --- A file that becomes shorter --- */

static sigjmp_buf cut_off;
static volatile sig_atomic_t reading;

static void on_sigbus(int number)
{
	if (reading)
		siglongjmp(cut_off, 1);
	signal(number, SIG_DFL);
	raise(number);
}

static void catch_sigbus(void)
{
	struct sigaction a = { .sa_handler = on_sigbus };

	sigaction(SIGBUS, &a, NULL);
}

/* --- Opening --- */

const char *database_open(struct database *d)
{
	int status;

	if (stat(d->path, &d->st))
		return strerror(errno);
	if (!S_ISREG(d->st.st_mode))
		return "not a file";
	catch_sigbus();
	if (sigsetjmp(cut_off, 1)) {
		reading = 0;
		return "it becomes shorter while it is read";
	}
	reading = 1;
	status = MMDB_open(d->path, MMDB_MODE_MMAP, &d->mmdb);
	reading = 0;
	if (status == MMDB_IO_ERROR || status == MMDB_FILE_OPEN_ERROR)
		return strerror(errno);
	if (status != MMDB_SUCCESS)
		return MMDB_strerror(status);
	d->is_open = true;
	return NULL;
}

void database_close(struct database *d)
{
	if (d->is_open)
		MMDB_close(&d->mmdb);
	d->is_open = false;
}

void database_describe(const struct database *d, char *out, size_t size)
{
	const MMDB_metadata_s *m = &d->mmdb.metadata;
	time_t built = (time_t)m->build_epoch;
	char type[64], day[32];
	struct tm tm;

	nm_clean(type, sizeof(type), m->database_type ? m->database_type : "");
	if (!gmtime_r(&built, &tm) || !strftime(day, sizeof(day), "%F", &tm))
		day[0] = '\0';
	snprintf(out, size, "%s, IPv%u, of %s", type,
		 (unsigned int)m->ip_version, day);
}

/* --- Looking up --- */

/* Where a value may be, in the order of preference. */
#define PATHS_MAX 4
#define DEPTH_MAX 4

typedef const char *const path[DEPTH_MAX];

static path countries[PATHS_MAX] = { { "country", "iso_code" },
				     { "country_code" },
				     { "country" } };
static path cities[PATHS_MAX] = { { "city", "names", "en" }, { "city" } };
static path numbers[PATHS_MAX] = { { "autonomous_system_number" }, { "asn" } };
static path orgs[PATHS_MAX] = { { "autonomous_system_organization" },
				{ "as_name" } };

/* The first that is there and of a kind that a caller takes. */
static bool find(MMDB_entry_s *entry, path *paths, MMDB_entry_data_s *value)
{
	for (int i = 0; i < PATHS_MAX && paths[i][0]; i++) {
		int status = MMDB_aget_value(entry, value, paths[i]);

		if (status == MMDB_SUCCESS && value->has_data &&
		    value->type != MMDB_DATA_TYPE_MAP)
			return true;
	}
	return false;
}

static void find_text(MMDB_entry_s *entry, path *paths, char *out, size_t size)
{
	MMDB_entry_data_s value;
	size_t n, len;

	out[0] = '\0';
	if (!find(entry, paths, &value) ||
	    value.type != MMDB_DATA_TYPE_UTF8_STRING)
		return;
	/* Cut at a character's edge. */
	for (n = 0; n < value.data_size; n += len) {
		len = nm_utf8_len(value.utf8_string + n, value.data_size - n);
		if (!len || n + len >= size)
			break;
	}
	memcpy(out, value.utf8_string, n);
	out[n] = '\0';
}

/* A number, or "AS15169". */
static uint32_t find_asn(MMDB_entry_s *entry)
{
	MMDB_entry_data_s value;
	char text[16];

	if (!find(entry, numbers, &value))
		return 0;
	switch (value.type) {
	case MMDB_DATA_TYPE_UINT16:
		return value.uint16;
	case MMDB_DATA_TYPE_UINT32:
		return value.uint32;
	case MMDB_DATA_TYPE_INT32:
		return value.int32 > 0 ? (uint32_t)value.int32 : 0;
	case MMDB_DATA_TYPE_UINT64:
		return value.uint64 <= UINT32_MAX ? (uint32_t)value.uint64 : 0;
	case MMDB_DATA_TYPE_UTF8_STRING:
		break;
	default:
		return 0;
	}
	if (value.data_size < 3 || value.data_size >= sizeof(text) ||
	    memcmp(value.utf8_string, "AS", 2) != 0)
		return 0;
	memcpy(text, value.utf8_string, value.data_size);
	text[value.data_size] = '\0';
	return (uint32_t)strtoul(text + 2, NULL, 10);
}

static bool is_country(const char *code)
{
	return isupper((unsigned char)code[0]) &&
	       isupper((unsigned char)code[1]) && !code[2];
}

/* A city without a country does not take the place of one that has it. */
static bool is_better(const struct place *here, const struct place *place)
{
	if (here->city[0] && (here->country[0] || !place->country[0]))
		return !place->city[0];
	return here->country[0] && !place->country[0];
}

static void read_entry(MMDB_entry_s *entry, struct place *place)
{
	struct place here = { 0 };
	char country[8]; /* some have three letters, or a name */

	find_text(entry, countries, country, sizeof(country));
	if (is_country(country))
		memcpy(here.country, country, sizeof(here.country));
	find_text(entry, cities, here.city, sizeof(here.city));
	if (is_better(&here, place)) {
		memcpy(place->country, here.country, sizeof(here.country));
		memcpy(place->city, here.city, sizeof(here.city));
	}
	here.asn = find_asn(entry);
	if (!here.asn || place->asn)
		return;
	place->asn = here.asn;
	find_text(entry, orgs, place->org, sizeof(place->org));
}

static bool is_of_this_kind(const struct database *d, const struct nm_addr *a)
{
	return nm_addr_is_v4(a) || d->mmdb.metadata.ip_version == 6;
}

static void look_up(const struct database *d, const struct nm_addr *a,
		    struct place *place)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	MMDB_lookup_result_s result;
	const struct sockaddr *sa;
	int status;

	memcpy(&v4.sin_addr, a->byte + 12, 4);
	memcpy(&v6.sin6_addr, a->byte, 16);
	sa = nm_addr_is_v4(a) ? (const void *)&v4 : (const void *)&v6;
	result = MMDB_lookup_sockaddr(&d->mmdb, sa, &status);
	if (status == MMDB_SUCCESS && result.found_entry)
		read_entry(&result.entry, place);
}

bool database_look_up(const struct database *d, const struct nm_addr *a,
		      struct place *place)
{
	if (!d->is_open || !is_of_this_kind(d, a))
		return true;
	if (sigsetjmp(cut_off, 1)) {
		reading = 0;
		return false;
	}
	reading = 1;
	look_up(d, a, place);
	reading = 0;
	return true;
}
