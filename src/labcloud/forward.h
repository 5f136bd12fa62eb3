/*
 * Endpoints: an address that leads to whichever server has a role, as the names of RDS do. Where it
 * leads is looked up for each connection; those that are there stay until their server ends them.
 */
#ifndef PGMEDIC_LABCLOUD_FORWARD_H
#define PGMEDIC_LABCLOUD_FORWARD_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/error.h"

struct forward {
	int fd;
	_Atomic int to_port;    /* on 127.0.0.1; 0: nobody is there */
	_Atomic bool is_closed; /* what is sent to it is dropped, without a word */
};

/* A packet filter's silence, made without one: while it is closed nothing is taken from a queue of
 * waiting connections that is full, and then the system drops whatever comes. Connections that are
 * there stay, as with security groups. */

/* Listen on host:*port and begin; *port 0 takes a free one. The forward must stay. */
bool forward_start(
    struct forward *f, const char *host, int *port, int to_port, struct error *err) MUST_CHECK;

#endif
