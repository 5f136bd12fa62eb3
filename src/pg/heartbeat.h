/*
 * The write probe of a drill: one INSERT every 100 ms to whichever of two servers takes writes, in
 * a process of its own. Each attempt is one line of its log:
 *
 *   ok SEQ SENT ACKED LSN PORT STARTED   SENT, ACKED: microseconds since 1970; the server's port
 *                                   and when its postmaster was started
 *   err SEQ SENT ENDED              no answer, or an error: the row may be there, or not
 *   down SEQ SENT ENDED             nothing was sent: no server took the connection
 */
#ifndef PGMEDIC_PG_HEARTBEAT_H
#define PGMEDIC_PG_HEARTBEAT_H

#include <stdint.h>

struct heartbeat_conf {
	/* The two servers, all but host and port being of the first; other NULL: one, whose name
	 * leads elsewhere after a failover. */
	const char *conninfo, *other;
	const char *password;
	const char *run;
	int64_t first_seq;
	int log_fd;
};
/* Until the process is killed. */
void heartbeat_loop(const struct heartbeat_conf *conf);

#endif
