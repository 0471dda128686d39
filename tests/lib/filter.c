// SPDX-License-Identifier: MIT
/*
 * lib/filter: when it writes. The filter runs in a child whose standard output
 * is a socket that keeps the borders of writes.
 */
#include <err.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "filter.h"
#include "json.h"

#define DEADLINE_MS 10000

static const struct nm_option no_options[] = { { 0 } };
static const struct nm_program program = { .name = "filter",
					   .options = no_options };

static int to_filter, from_filter;
static pid_t child;

/* Stops at an alert, drops events, puts a notice before each dns record. */
static enum nm_verdict on_record(struct nm_record *r, void *state)
{
	(void)state;
	switch (r->type) {
	case NM_TYPE_ALERT:
		return NM_STOP;
	case NM_TYPE_EVENT:
		return NM_DROP;
	case NM_TYPE_DNS:
		nm_json_open(nm_filter_out(), "notice", r->ts_us);
		nm_json_close(nm_filter_out());
		return NM_KEEP;
	default:
		return NM_KEEP;
	}
}

static void begin(void)
{
	int in[2], out[2];

	fflush(NULL);
	if (pipe(in) || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, out))
		err(1, "cannot make pipes");
	child = fork();
	if (child < 0)
		err(1, "fork");
	if (child == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		close(in[0]);
		close(in[1]);
		close(out[0]);
		close(out[1]);
		_exit(nm_filter(&program, on_record, NULL));
	}
	close(in[0]);
	close(out[1]);
	to_filter = in[1];
	from_filter = out[0];
}

static void send_text(const char *text)
{
	ssize_t n = (ssize_t)strlen(text);

	CHECK(write(to_filter, text, (size_t)n) == n);
}

/* One write(2) of the filter. */
static void receive(const char *wanted)
{
	struct pollfd p = { .fd = from_filter, .events = POLLIN };
	char bytes[4096];
	ssize_t n;

	if (!CHECK(poll(&p, 1, DEADLINE_MS) == 1))
		return;
	n = read(from_filter, bytes, sizeof(bytes));
	if (CHECK(n >= 0))
		CHECK_BYTES(bytes, (size_t)n, wanted);
}

static void ends_with(int wanted)
{
	int status;

	close(from_filter);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == wanted);
}

static void test_writes_when_input_would_block(void)
{
	begin();
	send_text("{\"a\":1}\n{\"b\":2}\n{\"half");
	receive("{\"a\":1}\n{\"b\":2}\n");
	send_text("\":3}\n");
	receive("{\"half\":3}\n");
	close(to_filter);
	receive("");
	ends_with(0);
}

static void test_writes_at_each_tick(void)
{
	begin();
	send_text("{\"a\":1}\n{\"type\":\"tick\"}\n{\"b\":2}\n"
		  "{\"type\":\"tick\"}\n{\"c\":3}");
	close(to_filter);
	receive("{\"a\":1}\n{\"type\":\"tick\"}\n");
	receive("{\"b\":2}\n{\"type\":\"tick\"}\n");
	receive("{\"c\":3}\n");
	receive("");
	ends_with(0);
}

static void test_verdicts(void)
{
	begin();
	send_text("{\"type\":\"event\"}\n{\"type\":\"dns\",\"ts_us\":7}\n"
		  "{\"type\":\"alert\"}\n{\"type\":\"flow\"}\n");
	receive("{\"v\":1,\"type\":\"notice\",\"ts_us\":7}\n"
		"{\"type\":\"dns\",\"ts_us\":7}\n{\"type\":\"alert\"}\n");
	receive("");
	ends_with(0);
	close(to_filter);
}

static void test_ends_when_its_reader_goes_while_it_waits(void)
{
	begin();
	send_text("{\"a\":1}\n");
	receive("{\"a\":1}\n");
	ends_with(0);
	close(to_filter);
}

int main(void)
{
	test_writes_when_input_would_block();
	test_writes_at_each_tick();
	test_verdicts();
	test_ends_when_its_reader_goes_while_it_waits();
	return checks_failed > 0;
}
