/* SPDX-License-Identifier: MIT */
/*
 * What is said while BPF programs are loaded (by libbpf, with the verifier's
 * log) and while they run (by themselves, through a ring buffer).
 */
#ifndef NM_BPF_LOG_H
#define NM_BPF_LOG_H

/* Takes over what libbpf says; from verbose 2 on it goes to stderr as well. */
void bpf_log_listen(unsigned verbose);

/* The end of what libbpf said since the last forget; "" if nothing. */
const char *bpf_log_said(void);
void bpf_log_forget(void);

/* The programs' own messages: open the ring buffer, print what is in it. */
void bpf_log_open(int map_fd);
void bpf_log_print(void);
void bpf_log_close(void);

#endif
