// SPDX-License-Identifier: MIT
/*
 * io_uring: the kernel sends and receives, in the calling thread, in a worker
 * or in a polling thread, for a process that makes no socket call at all.
 */
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "traffic.h"

static struct io_uring ring;

static void open_ring(unsigned int flags)
{
	if (io_uring_queue_init(16, &ring, flags))
		skip("no io_uring");
}

static void setup(int fd, bool client)
{
	(void)fd;
	(void)client;
	open_ring(0);
}

static void setup_polled(int fd, bool client)
{
	(void)fd;
	(void)client;
	open_ring(IORING_SETUP_SQPOLL);
}

/* The result of the next completion, as a system call would give it. */
static long completion(unsigned int *flags)
{
	struct io_uring_cqe *cqe;
	int result = io_uring_wait_cqe(&ring, &cqe);

	if (!result) {
		result = cqe->res;
		if (flags)
			*flags = cqe->flags;
		io_uring_cqe_seen(&ring, cqe);
	}
	if (result >= 0)
		return result;
	errno = -result;
	return -1;
}

static long submit(void)
{
	io_uring_submit(&ring);
	return completion(NULL);
}

static long uring_send(int fd, const char *buf, size_t n)
{
	io_uring_prep_send(io_uring_get_sqe(&ring), fd, buf, n, 0);
	return submit();
}

static long uring_recv(int fd, char *buf, size_t n)
{
	io_uring_prep_recv(io_uring_get_sqe(&ring), fd, buf, n, 0);
	return submit();
}

static long uring_write(int fd, const char *buf, size_t n)
{
	io_uring_prep_write(io_uring_get_sqe(&ring), fd, buf, (unsigned int)n,
			    0);
	return submit();
}

static long uring_read(int fd, char *buf, size_t n)
{
	io_uring_prep_read(io_uring_get_sqe(&ring), fd, buf, (unsigned int)n,
			   0);
	return submit();
}

/* A worker thread of the kernel does it. */
static long worker_send(int fd, const char *buf, size_t n)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	io_uring_prep_send(sqe, fd, buf, n, 0);
	io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
	return submit();
}

static long worker_recv(int fd, char *buf, size_t n)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	io_uring_prep_recv(sqe, fd, buf, n, 0);
	io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
	return submit();
}

/* Two completions: the result, and that the buffer is free. */
static long uring_send_zc(int fd, const char *buf, size_t n)
{
	unsigned int flags = 0;
	long sent;

	io_uring_prep_send_zc(io_uring_get_sqe(&ring), fd, buf, n, 0, 0);
	io_uring_submit(&ring);
	sent = completion(&flags);
	if (sent < 0 && errno == EINVAL)
		skip("no IORING_OP_SEND_ZC");
	if (flags & IORING_CQE_F_MORE)
		must(completion(NULL), "zero-copy notification");
	return sent;
}

/* --- Multishot: one request, many completions --- */

#define BUFFERS	    8
#define BUFFER_SIZE 4099

static char pool[BUFFERS][BUFFER_SIZE];

static void provide(int first, int count)
{
	io_uring_prep_provide_buffers(io_uring_get_sqe(&ring), pool[first],
				      BUFFER_SIZE, count, 0, first);
	must(submit(), "provide buffers");
}

static void setup_multishot(int fd, bool client)
{
	setup(fd, client);
	if (!client)
		provide(0, BUFFERS);
}

static void arm(int fd)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = 0;
	io_uring_submit(&ring);
}

/*
 * Buffers go back when all are used up, which ends the request: only then
 * can no completion of it come between.
 */
static long multishot_recv(int fd, char *buf, size_t n)
{
	static bool armed;
	unsigned int flags = 0;
	long got;

	(void)buf;
	(void)n;
	for (;;) {
		if (!armed)
			arm(fd);
		armed = true;
		got = completion(&flags);
		if (got < 0 && errno == EINVAL)
			skip("no multishot receive");
		if (!(flags & IORING_CQE_F_MORE))
			armed = false;
		if (got >= 0 || errno != ENOBUFS)
			return got;
		provide(0, BUFFERS);
	}
}

/* --- A socket that is in no descriptor table --- */

static int hide(int fd)
{
	open_ring(0);
	if (io_uring_register_files(&ring, &fd, 1))
		skip("no registered files");
	close(fd);
	return 0;
}

static void hidden_client(const void *stream)
{
	int index = hide(stream_connect(stream)), i;
	static const char bytes[1009];
	struct io_uring_sqe *sqe;

	hold();
	for (i = 0; i < 499; i++) {
		sqe = io_uring_get_sqe(&ring);
		io_uring_prep_send(sqe, index, bytes, sizeof(bytes),
				   MSG_WAITALL);
		io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);
		must(tx(submit()), "send");
	}
	io_uring_queue_exit(&ring);
}

static void hidden_server(const void *stream)
{
	int listener = stream_listen(stream, 1);
	int index = hide(stream_accept(stream, listener));
	struct io_uring_sqe *sqe;
	char bytes[4099];
	long got;

	close(listener);
	hold();
	do {
		sqe = io_uring_get_sqe(&ring);
		io_uring_prep_recv(sqe, index, bytes, sizeof(bytes), 0);
		io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);
		got = must(rx(submit()), "recv");
	} while (got);
	io_uring_queue_exit(&ring);
}

static void run_hidden(const void *stream)
{
	role("srv", "tcp", hidden_server, stream);
	role("cli", "tcp", hidden_client, stream);
}

/* --- Datagrams --- */

static long uring_sendmsg(int fd, const char *buf, size_t n,
			  const struct sockaddr_storage *to)
{
	static char bytes[1 << 16];
	struct sockaddr_storage name = *to;
	struct iovec iov = { bytes, n };
	struct msghdr msg = {
		.msg_name = &name,
		.msg_namelen = addr_len(to),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};

	(void)buf;
	io_uring_prep_sendmsg(io_uring_get_sqe(&ring), fd, &msg, 0);
	return submit();
}

static long uring_recvmsg(int fd, char *buf, size_t n,
			  struct sockaddr_storage *from)
{
	struct iovec iov = { buf, n };
	struct msghdr msg = {
		.msg_name = from,
		.msg_namelen = sizeof(*from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};

	io_uring_prep_recvmsg(io_uring_get_sqe(&ring), fd, &msg, 0);
	return submit();
}

/* --- Table --- */

static const struct stream tcp4 = { .where = V4 };
static const struct stream uring4 = {
	.setup = setup,
	.push = uring_send,
	.pull = uring_recv,
};
static const struct stream uring6 = {
	.where = V6,
	.setup = setup,
	.push = uring_send,
	.pull = uring_recv,
};
static const struct stream readwrite = {
	.setup = setup,
	.push = uring_write,
	.pull = uring_read,
};
static const struct stream polled = {
	.chunk = 10007,
	.chunks = 101,
	.setup = setup_polled,
	.push = uring_send,
	.pull = uring_recv,
	.piece = 10007,
};
static const struct stream worker = {
	.chunk = 10007,
	.chunks = 101,
	.setup = setup,
	.push = worker_send,
	.pull = worker_recv,
	.piece = 10007,
};
static const struct stream send_zc = {
	.chunk = 20011,
	.chunks = 53,
	.setup = setup,
	.push = uring_send_zc,
};
static const struct stream multishot = {
	.setup = setup_multishot,
	.pull = multishot_recv,
};
static const struct datagram udp4 = {
	.setup = setup,
	.push = uring_sendmsg,
	.pull = uring_recvmsg,
};
static const struct datagram udp6 = {
	.where = V6,
	.setup = setup,
	.push = uring_sendmsg,
	.pull = uring_recvmsg,
};

const struct scenario uring_scenarios[] = {
	{ "uring4", "io_uring, send and recv", stream_pair, &uring4 },
	{ "uring6", "the same on IPv6", stream_pair, &uring6 },
	{ "uring-rw", "io_uring, write and read", stream_pair, &readwrite },
	{ "uring-sqpoll", "a polling thread does it", stream_pair, &polled },
	{ "uring-worker", "a worker thread does it", stream_pair, &worker },
	{ "uring-send-zc", "zero-copy send", stream_pair, &send_zc },
	{ "uring-multishot", "multishot receive", stream_pair, &multishot },
	{ "uring-fixed", "a socket without descriptor", run_hidden, &tcp4 },
	{ "uring-udp4", "io_uring, sendmsg and recvmsg", datagram_pair, &udp4 },
	{ "uring-udp6", "the same on IPv6", datagram_pair, &udp6 },
	{ 0 }
};
