// SPDX-License-Identifier: MIT
/*
 * Sockets on loopback, or where the caller wants them, and network namespaces.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "traffic.h"

static struct {
	char v4[INET_ADDRSTRLEN], v6[INET6_ADDRSTRLEN];
	char interface[IF_NAMESIZE];
	bool elsewhere;
} at = { "127.0.0.1", "::1", "lo", false };

void use_addresses(const char *text)
{
	if (sscanf(text, "%15[0-9.],%45[0-9a-f:],%15s", at.v4, at.v6,
		   at.interface) != 3)
		errx(2, "not V4,V6,INTERFACE: '%s'", text);
	at.elsewhere = true;
}

int interface_index(void)
{
	return (int)if_nametoindex(at.interface);
}

struct sockaddr_storage loopback(enum where where)
{
	char mapped[sizeof("::ffff:") + INET_ADDRSTRLEN];
	struct sockaddr_storage a = { 0 };
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a;
	struct sockaddr_in *v4 = (struct sockaddr_in *)&a;

	if (where == V4) {
		v4->sin_family = AF_INET;
		inet_pton(AF_INET, at.v4, &v4->sin_addr);
		return a;
	}
	snprintf(mapped, sizeof(mapped), "::ffff:%s", at.v4);
	v6->sin6_family = AF_INET6;
	inet_pton(AF_INET6, where == V6 ? at.v6 : mapped, &v6->sin6_addr);
	return a;
}

socklen_t addr_len(const struct sockaddr_storage *a)
{
	return a->ss_family == AF_INET ? sizeof(struct sockaddr_in)
				       : sizeof(struct sockaddr_in6);
}

int open_socket(enum where where, int type, int protocol)
{
	int fd = socket(where == V4 ? AF_INET : AF_INET6, type, protocol);
	char why[64];

	if (fd < 0) {
		snprintf(why, sizeof(why), "no sockets of protocol %d: %s",
			 protocol, strerror(errno));
		skip(why);
	}
	if (where == MAPPED)
		set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	return fd;
}

void bind_loopback(int fd, enum where where)
{
	struct sockaddr_storage a = loopback(where);

	if (!bind(fd, (struct sockaddr *)&a, addr_len(&a)))
		return;
	if (errno == EADDRNOTAVAIL)
		skip("loopback has no such address");
	err(1, "%s: bind", me->name);
}

void tell_address(int fd, int times)
{
	struct sockaddr_storage a = { 0 };
	socklen_t len = sizeof(a);

	must(getsockname(fd, (struct sockaddr *)&a, &len), "getsockname");
	while (times--)
		tell(ADDRESS, &a, sizeof(a));
}

struct sockaddr_storage hear_address(void)
{
	struct sockaddr_storage a;

	hear(ADDRESS, &a, sizeof(a));
	return a;
}

void set_option(int fd, int level, int name, int value)
{
	must(setsockopt(fd, level, name, &value, sizeof(value)), "setsockopt");
}

void await_events(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	must(poll(&p, 1, -1), "poll");
}

/* What it returns is no traffic, whatever it is. */
void read_errqueue(int fd)
{
	char data[2048], control[512];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};

	await_events(fd, 0); /* POLLERR needs not be asked for */
	must(recvmsg(fd, &msg, MSG_ERRQUEUE), "recvmsg");
}

void own_netns(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	/* The caller's addresses are in the caller's, which then is its own. */
	if (at.elsewhere)
		return;
	if (unshare(CLONE_NEWNET))
		skip("no new network namespace");
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	must(fd, "socket");
	must(ioctl(fd, SIOCSIFFLAGS, &lo), "SIOCSIFFLAGS");
	close(fd);
}

void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(1, "%s", path);
	close(fd);
}
