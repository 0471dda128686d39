// SPDX-License-Identifier: MIT
/*
 * The process that enters network namespaces. It and nm-collect talk over a
 * pair of sockets: a request carries a protocol of netlink and the descriptor
 * of a namespace, an answer an errno and, if that is 0, the descriptors that
 * were opened there. It ends when nm-collect does.
 */
#include "enter.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rights.h"

/* It answers within a millisecond; if it was killed or stopped, not at all. */
#define ANSWER_S 10

#define FDS_MAX 16384

/* Descriptors that are left for reading /proc. */
#define RESERVE 16

static struct {
	int channel;
	pid_t pid;
	int max_fd;
} helper = { .channel = -1 };

/* --- Descriptors on a socket --- */

struct message {
	int number;
	struct iovec iov;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(NETLINK_FDS *
							 sizeof(int))];
	struct msghdr header;
};

static void message_init(struct message *m)
{
	memset(m, 0, sizeof(*m));
	m->iov = (struct iovec){ &m->number, sizeof(m->number) };
	m->header.msg_iov = &m->iov;
	m->header.msg_iovlen = 1;
	m->header.msg_control = m->control;
	m->header.msg_controllen = sizeof(m->control);
}

static int send_fds(int channel, int number, const int *fds, size_t n)
{
	struct cmsghdr *c;
	struct message m;

	message_init(&m);
	m.number = number;
	m.header.msg_controllen = n ? CMSG_SPACE(n * sizeof(int)) : 0;
	if (n) {
		c = CMSG_FIRSTHDR(&m.header);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	return sendmsg(channel, &m.header, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

/*
 * Receives *n descriptors at most into fds, and the number; that is EMFILE if
 * there was no descriptor free for some of them. False: nobody is there, or no
 * whole message came.
 */
static bool receive_fds(int channel, int *number, int *fds, size_t *n)
{
	struct cmsghdr *c;
	struct message m;
	ssize_t len;

	message_init(&m);
	do {
		len = recvmsg(channel, &m.header, MSG_CMSG_CLOEXEC);
	} while (len < 0 && errno == EINTR);
	*n = 0;
	c = len == sizeof(m.number) ? CMSG_FIRSTHDR(&m.header) : NULL;
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
		*n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(c), *n * sizeof(int));
	}
	*number = m.number;
	if (m.header.msg_flags & MSG_CTRUNC)
		*number = EMFILE;
	return len == sizeof(m.number);
}

static void close_fds(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
}

/* --- The process itself --- */

/* Beyond standard error. */
#define CHANNEL 3

/*
 * It must not keep the reader of nm-collect's output waiting for its end, nor
 * what else nm-collect was given. Signals from the terminal are for
 * nm-collect, which still needs it then.
 */
static void let_go(int channel)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	int null;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	if (channel != CHANNEL)
		dup2(channel, CHANNEL);
	/* Not before: it could be in the channel's place. */
	null = open("/dev/null", O_RDWR);
	for (int fd = 0; fd < CHANNEL; fd++)
		dup2(null, fd);
	/* glibc has it since 2.34 only, Linux since 5.9. */
	syscall(SYS_close_range, CHANNEL + 1, ~0U, 0);
	if (chdir("/"))
		_exit(1);
	prctl(PR_SET_NAME, "nm-collect-ns");
	/* What the trials of better backends have left behind. */
	malloc_trim(0);
}

/* Returns an errno. */
static int open_there(int ns, int own, struct netlink *l, int protocol)
{
	int error = 0;

	if (setns(ns, CLONE_NEWNET))
		return errno;
	if (netlink_open(l, protocol))
		error = errno;
	/* Where it stays it would keep a namespace alive. */
	if (setns(own, CLONE_NEWNET))
		_exit(1);
	return error;
}

static void answer(int channel, int error, const struct netlink *l)
{
	const int all[] = { l->requests, l->notices, l->snmp, l->snmp6 };
	size_t n = 0;

	while (n < NETLINK_FDS && all[n] >= 0)
		n++;
	if (send_fds(channel, error, all, error ? 0 : n))
		_exit(1);
}

static void serve(int channel, int own)
{
	int protocol, error, fds[NETLINK_FDS];
	size_t n;

	while (receive_fds(channel, &protocol, fds, &n)) {
		struct netlink l = NETLINK_CLOSED;

		error = n == 1 ? open_there(fds[0], own, &l, protocol) : EBADF;
		answer(channel, error, &l);
		netlink_close(&l);
		close_fds(fds, n);
	}
}

/* Does not return. */
static void run(int channel)
{
	int own;

	let_go(channel);
	channel = CHANNEL;
	own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	rights_keep_entering();
	if (own >= 0)
		serve(channel, own);
	_exit(0);
}

/* --- The side of nm-collect --- */

/*
 * A namespace takes four descriptors, and the usual limit is 1024. Not without
 * end: everybody can make namespaces, and each costs time.
 */
static void raise_limit(void)
{
	struct rlimit r;

	helper.max_fd = FDS_MAX;
	if (getrlimit(RLIMIT_NOFILE, &r))
		return;
	if (r.rlim_cur < FDS_MAX)
		r.rlim_cur = r.rlim_max < FDS_MAX ? r.rlim_max : FDS_MAX;
	setrlimit(RLIMIT_NOFILE, &r);
	if (r.rlim_cur <= FDS_MAX)
		helper.max_fd = (int)r.rlim_cur - RESERVE;
}

bool enter_start(void)
{
	const struct timeval patience = { .tv_sec = ANSWER_S };
	int pair[2];

	if (!rights_have_sys_admin())
		return false;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return false;
	helper.pid = fork();
	if (helper.pid == 0) {
		close(pair[0]);
		run(pair[1]);
	}
	close(pair[1]);
	helper.channel = pair[0];
	if (helper.pid < 0) {
		enter_stop();
		return false;
	}
	raise_limit();
	setsockopt(helper.channel, SOL_SOCKET, SO_RCVTIMEO, &patience,
		   sizeof(patience));
	return true;
}

bool enter_works(void)
{
	return helper.channel >= 0;
}

int enter_open(int ns, struct netlink *l, int protocol)
{
	int error, fds[NETLINK_FDS];
	size_t n = 0;

	*l = NETLINK_CLOSED;
	if (!enter_works() || send_fds(helper.channel, protocol, &ns, 1) ||
	    !receive_fds(helper.channel, &error, fds, &n)) {
		/* An answer that is late would be taken for the next one. */
		enter_stop();
		errno = ESRCH;
		return -1;
	}
	if (!error && n < 2)
		error = EMFILE;
	if (error) {
		close_fds(fds, n);
		errno = error;
		return -1;
	}
	l->requests = fds[0];
	l->notices = fds[1];
	l->snmp = n > 2 ? fds[2] : -1;
	l->snmp6 = n > 3 ? fds[3] : -1;
	for (size_t i = 0; i < n; i++)
		error |= fds[i] >= helper.max_fd;
	if (!error)
		return 0;
	netlink_close(l);
	errno = EMFILE;
	return -1;
}

void enter_stop(void)
{
	if (helper.channel >= 0)
		close(helper.channel);
	helper.channel = -1;
	if (helper.pid > 0) {
		/* It may be stopped; then it would not see that we left. */
		kill(helper.pid, SIGKILL);
		waitpid(helper.pid, NULL, 0);
	}
	helper.pid = 0;
}
