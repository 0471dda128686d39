/* SPDX-License-Identifier: MIT */
/*
 * The kernel structures that the programs read, with only the fields they
 * read. libbpf finds the real offsets in the running kernel's BTF (CO-RE), so
 * neither a vmlinux.h nor a kernel with BTF is needed to build.
 */
#ifndef NM_KERNEL_H
#define NM_KERNEL_H

#include <linux/types.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>

#define AF_INET	  2
#define AF_INET6  10
#define AF_PACKET 17

#define IPPROTO_ICMP	1
#define IPPROTO_TCP	6
#define IPPROTO_UDP	17
#define IPPROTO_DCCP	33
#define IPPROTO_ICMPV6	58
#define IPPROTO_SCTP	132
#define IPPROTO_UDPLITE 136
#define IPPROTO_MPTCP	262

#define SOCK_STREAM 1
#define SOCK_DGRAM  2
#define SOCK_RAW    3

#define MSG_OOB	     0x1
#define MSG_PEEK     0x2
#define MSG_ERRQUEUE 0x2000

/* include/net/tcp_states.h; part of the ABI of tcp_info */
#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT	2
#define TCP_SYN_RECV	3
#define TCP_CLOSE	7
#define TCP_LISTEN	10

/* enum sock_flags in include/net/sock.h */
#define SOCK_DONE      1 /* a FIN has arrived */
#define SOCK_URGINLINE 2

/* include/linux/sched.h */
#define PF_KTHREAD 0x00200000

#pragma clang attribute push(__attribute__((preserve_access_index)), \
			     apply_to = record)

/* --- Sockets --- */

struct in6_addr {
	union {
		__be32 u6_addr32[4];
	} in6_u;
};

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
	__u64 net_cookie; /* since 5.12 */
};

typedef struct {
	struct net *net;
} possible_net_t;

struct proto {
	int (*sendpage)(void); /* gone with 6.5, commit dc97391e6610 */
};

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	struct proto *skc_prot;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	unsigned long skc_flags;
	struct {
		__s64 counter;
	} skc_cookie;
};

typedef struct {
	int owned;
} socket_lock_t;

struct sock {
	struct sock_common __sk_common;
	socket_lock_t sk_lock;
	__u16 sk_type;
	__u16 sk_protocol;
	unsigned int sk_kern_sock : 1;
	struct socket *sk_socket;
	void *sk_user_data;
};

struct socket {
	struct sock *sk;
	struct file *file;
};

struct inet_sock {
	struct sock sk;
	__be16 inet_sport;
};

struct inet_connection_sock {
	struct inet_sock icsk_inet;
	const void *icsk_ulp_ops;
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u32 rcv_nxt;
	__u32 copied_seq;
	__u32 snd_nxt;
	__u32 urg_seq;
	__u64 bytes_received;
	__u32 total_retrans;
};

/* In kernels with CONFIG_PACKET=y; the type of a module is not known here. */
struct packet_sock {
	struct sock sk;
	int ifindex;
};

struct msghdr {
	void *msg_name;
	int msg_namelen;
};

/* --- Processes --- */

struct super_block {
	__u32 s_dev;
};

struct inode {
	unsigned long i_ino; /* of a socket, on legacy kernels */
	struct super_block *i_sb;
};

struct qstr {
	const unsigned char *name;
};

#define NM_SHORT_NAME_LEN 32 /* DNAME_INLINE_LEN, or less than it */

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	unsigned char d_iname[NM_SHORT_NAME_LEN];
};

/* 58cf9c383c5c (6.14) put the short name into a union. */
union shortname_store {
	unsigned char string[NM_SHORT_NAME_LEN];
};

struct dentry___6_14 {
	union shortname_store d_shortname;
};

struct path {
	struct dentry *dentry;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
};

struct mm_struct {
	unsigned long arg_start;
	unsigned long arg_end;
	struct file *exe_file;
};

typedef struct {
	__u32 val;
} kuid_t;

struct cred {
	kuid_t euid;
};

struct mnt_namespace {
	struct ns_common ns;
};

struct nsproxy {
	struct mnt_namespace *mnt_ns;
	struct net *net_ns;
};

typedef struct {
	int counter;
} atomic_t;

struct signal_struct {
	atomic_t live;
};

struct kernfs_node {
	__u64 id;
};

struct cgroup {
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct task_struct {
	unsigned int flags;
	int pid;
	int tgid;
	__u64 start_boottime; /* real_start_time until 5.5, cf25e24db61c */
	struct task_struct *group_leader;
	struct task_struct *real_parent;
	struct mm_struct *mm;
	const struct cred *cred;
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	struct css_set *cgroups;
	char comm[16];
};

/* --- Iterators --- */

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

#pragma clang attribute pop

#endif
