/* SPDX-License-Identifier: MIT */
/*
 * What a command says of itself, and its options, as one constant table.
 * The usage line, --help, the completion and the checks against the manual
 * page all come from it.
 *
 * What is not on the command line comes from the configuration, if that has a
 * table of the command's name: keys are long names, see netmonitor.toml(5).
 *
 * Every command has --config, -h, --help (help on stdout, exit 0) and -V,
 * --version.
 * A wrong option, a missing or bad argument is told on stderr, with a hint
 * to --help, and ends with status 2 and nothing on stdout.
 */
#ifndef NM_OPTIONS_H
#define NM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit statuses of every command. */
enum {
	NM_EXIT_OK = 0,
	NM_EXIT_FAIL = 1,   /* failed, or some input was bad */
	NM_EXIT_USAGE = 2,  /* wrong usage */
	NM_EXIT_CANNOT = 3, /* cannot run here: rights, kernel */
};

enum nm_option_kind {
	NM_OPT_FLAG,	/* bool *into = true */
	NM_OPT_COUNT,	/* unsigned *into += 1 (-v -v) */
	NM_OPT_STRING,	/* const char **into */
	NM_OPT_UINT,	/* uint64_t *into, min..max */
	NM_OPT_SECONDS, /* double *into, min..max seconds; "0.5", "2" */
	NM_OPT_CALL,	/* call(arg, into): 0, or -1 after warnx(3) */
	NM_OPT_HEADING, /* no option: a line in --help */
};

struct nm_option {
	char letter;	  /* 0: only a long name */
	const char *name; /* NULL: only a letter */
	const char *arg;  /* FILE, PID, SECONDS, …; NULL: takes none */
	const char *help; /* lower case, no full stop */
	enum nm_option_kind kind;
	void *into;
	double min, max; /* both 0: any */
	int (*call)(const char *arg, void *into);
	bool optional;	   /* of NM_OPT_CALL: arg may be missing, and is NULL */
	const char *words; /* "fexit tp diag": the only values, if any */
	/* "once": long names that count no more in the configuration when this
	 * is on the command line, as the two exclude each other. */
	const char *instead_of;
};

struct nm_program {
	const char *name;
	const char *synopsis; /* behind the name: "[OPTION]… [PID]…" */
	const char *summary;  /* one line, as in the page's NAME */
	const struct nm_option *options; /* ends with an all-zero entry */
	const char *examples; /* lines for the end of --help, or NULL */
	const char *licence;  /* for --version; NULL: MIT */
	int min_operands, max_operands; /* max -1: any number */
	bool filter; /* reads records: a terminal on stdin is usage */
};

/*
 * Reads the options and the configuration; returns the index of the first
 * operand in argv. Does not return on --help, --version or an error.
 */
int nm_options(const struct nm_program *p, int argc, char **argv);

/* Ends with "NAME: …" and the hint to --help on stderr, status 2. */
void nm_usage_error(const struct nm_program *p, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

#endif
