/* SPDX-License-Identifier: MIT */
/*
 * What the first bytes of a flow tell.
 */
#ifndef NM_FINDING_H
#define NM_FINDING_H

struct finding {
	char app[32];	       /* the protocol, in lower case: "tls" */
	char category[32];     /* "web" */
	char server_name[256]; /* asked for: TLS and QUIC SNI, HTTP Host */
};

void finding_app(struct finding *f, const char *app, const char *category);

/*
 * The server's name, without a port; what is no name, or an address in IPv6,
 * is left out.
 */
void finding_server(struct finding *f, const char *name);

#endif
