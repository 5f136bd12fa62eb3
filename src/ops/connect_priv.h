/* Shared by ops/connect*.c. */
#ifndef PGMEDIC_OPS_CONNECT_PRIV_H
#define PGMEDIC_OPS_CONNECT_PRIV_H

#include <sys/socket.h>

#include "ops/connect.h"

enum { WALK_ADDRESSES = 16, WALK_NET_MS = 5000 };

enum reach_state {
	REACH_UNTRIED,
	REACH_CONNECTED,
	REACH_REFUSED,     /* somebody said no: nothing listens there, or a firewall rejects */
	REACH_SILENT,      /* no answer: packets are dropped */
	REACH_UNREACHABLE, /* no route, no network */
	REACH_FORBIDDEN,   /* by this machine */
	REACH_OTHER,
};

/* One address of one host. */
struct reach {
	struct sockaddr_storage addr;
	socklen_t len;
	char text[64]; /* the address */
	const struct pg_where_host *host;
	enum reach_state state;
	int error; /* errno */
	int fd;    /* connected; -1 */
	double ms;
};

struct walk {
	const struct op_target *target;
	const char *from; /* address that is asked about; "" this machine's */
	struct connect_report *report;
	struct checks *checks;
	struct arena *arena;
	const struct pg_where *where;
	struct reach reaches[WALK_ADDRESSES];
	int nreaches;
	struct reach *first; /* the one that libpq would take: connected; NULL none */
	bool has_socket;     /* a host is a socket's folder */
	bool is_socket_live; /* somebody listens on it */
	bool needs_tls;      /* by sslmode, or by the login */
	bool has_tls;        /* the server offers it */
};

void walk_dns(struct walk *w);
void walk_tcp(struct walk *w);
void walk_tls(struct walk *w); /* and whether a PostgreSQL server answers at all */
void walk_local(struct walk *w);
void walk_login(struct walk *w);
void walk_rds(struct walk *w);

bool reach_is_loopback(const struct reach *r);
bool reach_is_private(const struct reach *r); /* RFC 1918, unique local */
bool reach_is_own(const struct reach *r);     /* an address of this machine */
/* The address that this machine would send from; false: none. */
bool reach_source(const struct reach *r, char *out, size_t size);
/* The target's RDS instance: an identifier, or its endpoint's name; "" none. */
const char *walk_rds_host(const struct walk *w);

#endif
