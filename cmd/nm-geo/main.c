// SPDX-License-Identifier: MIT
/*
 * Where the other side is: how far away, in which country and city, in whose
 * network.
 *
 * reads: type raddr laddr
 * adds:  scope geo_country geo_city geo_asn geo_org
 */
#include <signal.h>
#include <time.h>

#include "cache.h"
#include "databases.h"
#include "filter.h"
#include "json.h"
#include "scope.h"

/* Other sides that are remembered. */
#define CACHE_ENTRIES 16384

/* So often it is looked whether files have changed, at most. */
#define CHECK_NS 1000000000

static unsigned verbose;

static const struct nm_option options[] = {
	{ .letter = 'f',
	  .name = "file",
	  .arg = "FILE",
	  .help = "use this database only; may be given again",
	  .kind = NM_OPT_CALL,
	  .call = databases_add_file,
	  .instead_of = "dir" },
	{ .name = "dir",
	  .arg = "DIR",
	  .help = "look for databases here, not in the usual places; may be "
		  "given again",
	  .kind = NM_OPT_CALL,
	  .call = databases_add_dir,
	  .instead_of = "file" },
	{ .letter = 'v',
	  .name = "verbose",
	  .help = "tell which databases are used, and what they hold",
	  .kind = NM_OPT_COUNT,
	  .into = &verbose },
	{ 0 }
};

static const struct nm_program program = {
	.name = "nm-geo",
	.synopsis = "[OPTION]…",
	.summary = "say where the other side is",
	.options = options,
	.examples = "  nm-collect | nm-geo | jq -c 'select(.geo_country)'\n"
		    "  nm-geo -f GeoLite2-City.mmdb -f GeoLite2-ASN.mmdb "
		    "<hour.ndjson\n",
	.filter = true,
};

/* What is kept of an address. */
struct known {
	enum nm_scope scope;
	struct place place;
};

static struct {
	struct nm_cache *cache;
	uint64_t checked_ns;
	unsigned int records;
	bool told_missing;
} geo;

static volatile sig_atomic_t hung_up;

static void on_hup(int number)
{
	(void)number;
	hung_up = 1;
}

/* --- Notices --- */

static uint64_t notice_us;

static void notice(const char *level, const char *text)
{
	struct nm_buf *out = nm_filter_out();

	nm_json_open(out, "notice", notice_us);
	nm_json_str(out, "level", level);
	nm_json_str(out, "code", "geo");
	nm_json_str(out, "text", text);
	nm_json_close(out);
}

static void tell_unreadable(const struct database *d, const char *why)
{
	char text[512];

	if (d->is_open)
		snprintf(text, sizeof(text),
			 "'%s' cannot be read anew: %s; what it said before "
			 "counts",
			 d->path, why);
	else
		snprintf(text, sizeof(text), "'%s' cannot be read: %s", d->path,
			 why);
	notice("warning", text);
}

static void tell_missing(void)
{
	if (!geo.told_missing && !databases_any())
		notice("info", "nm-geo has no database of countries and "
			       "networks, and adds only the scope; remedy: "
			       "'make geodata', or see nm-geo(1)");
	geo.told_missing = true;
}

/* --- Records --- */

static void forget_all(void)
{
	nm_cache_free(geo.cache);
	geo.cache = nm_cache_new(CACHE_ENTRIES, sizeof(struct nm_addr),
				 sizeof(struct known), NULL);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* At ticks, and in a stream that has none. */
static bool is_due(const struct nm_record *r)
{
	uint64_t now;

	if (hung_up) {
		hung_up = 0;
		return true;
	}
	if (r->type != NM_TYPE_TICK && ++geo.records % 1024)
		return false;
	now = now_ns();
	if (now - geo.checked_ns < CHECK_NS)
		return false;
	geo.checked_ns = now;
	return true;
}

static const struct known *known_of(const struct nm_addr *a)
{
	struct nm_addr carried;
	struct known *k;
	bool made;

	k = nm_cache_put(geo.cache, a, &made);
	if (!made)
		return k;
	carried = nm_scope_carried(a);
	k->scope = nm_scope_of(&carried);
	if (k->scope == NM_SCOPE_INTERNET || k->scope == NM_SCOPE_LAN)
		k->place = databases_look_up(&carried);
	return k;
}

/* A machine that talks to an address of its own does so over loopback. */
static bool talks_to_itself(const struct nm_record *r, const char *raddr)
{
	char laddr[NM_ADDR_TEXT];

	return nm_get_str(r, "laddr", laddr, sizeof(laddr)) &&
	       strcmp(laddr, raddr) == 0;
}

static void add_place(struct nm_record *r, const struct place *p)
{
	if (p->country[0])
		nm_add_str(r, "geo_country", p->country);
	if (p->city[0])
		nm_add_str(r, "geo_city", p->city);
	if (p->asn)
		nm_add_u64(r, "geo_asn", p->asn);
	if (p->org[0])
		nm_add_str(r, "geo_org", p->org);
}

static enum nm_verdict on_record(struct nm_record *r, void *state)
{
	char raddr[NM_ADDR_TEXT];
	const struct known *k;
	struct nm_addr a;

	(void)state;
	/* Nothing comes before it. */
	if (r->type == NM_TYPE_START)
		return NM_KEEP;
	notice_us = r->ts_us;
	if (is_due(r) && databases_check(tell_unreadable))
		forget_all();
	tell_missing();
	if (!nm_get_str(r, "raddr", raddr, sizeof(raddr)) ||
	    !nm_addr_parse(&a, raddr))
		return NM_KEEP;
	if (talks_to_itself(r, raddr)) {
		nm_add_str(r, "scope", nm_scope_name(NM_SCOPE_LOOPBACK));
		return NM_KEEP;
	}
	k = known_of(&a);
	nm_add_str(r, "scope", nm_scope_name(k->scope));
	add_place(r, &k->place);
	return NM_KEEP;
}

int main(int argc, char **argv)
{
	struct sigaction hup = { .sa_handler = on_hup };
	int status;

	nm_options(&program, argc, argv);
	sigaction(SIGHUP, &hup, NULL);
	databases_open(verbose > 0);
	forget_all();
	status = nm_filter(&program, on_record, NULL);
	nm_cache_free(geo.cache);
	databases_close();
	return status;
}
