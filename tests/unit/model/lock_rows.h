/* Rowsets of `activity` and `locks` from short lines of text, for tests. */
#ifndef PGMEDIC_TESTS_LOCK_ROWS_H
#define PGMEDIC_TESTS_LOCK_ROWS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rowset.h"
#include "model/locks.h"

enum { NOW_S = 1000000 }; /* the server's clock in these tests, seconds */

static inline struct rowset *
lock_rows_new(void)
{
	static const char *const names[] = { "pid", "locktype", "datid", "relation", "page",
		"tuple", "virtualxid", "transactionid", "classid", "objid", "objsubid", "mode",
		"granted", "fastpath", "waitstart", "virtualtransaction", "gid", "owner",
		"prepared" };
	static const uint8_t types[19] = { CELL_INT, CELL_TEXT, CELL_INT, CELL_INT, CELL_INT,
		CELL_INT, CELL_TEXT, CELL_INT, CELL_INT, CELL_INT, CELL_INT, CELL_TEXT, CELL_BOOL,
		CELL_BOOL, CELL_TIME, CELL_TEXT, CELL_TEXT, CELL_INT, CELL_TIME };
	return rowset_new(19, names, types);
}

/*
 * Adds "PID KIND KEY MODE STATE": KIND relation, transactionid, tuple, advisory, virtualxid; MODE
 * without "Lock"; STATE "held" or how many seconds it has been waiting ("?" waits, start unknown).
 * PID 0 is the prepared transaction of virtual transaction "-1/KEY" or, as "0:NAME", of "NAME".
 */
static inline void
lock_rows_add(struct rowset *rs, const char *line)
{
	char pid[32], kind[32], key[32], mode[40], state[32], full[48];
	struct cell *c = rowset_add(rs);

	if (sscanf(line, "%31s %31s %31s %39s %31s", pid, kind, key, mode, state) != 5)
		abort();
	snprintf(full, sizeof(full), "%sLock", mode);
	if (strtol(pid, NULL, 10))
		c[0] = cell_int(strtol(pid, NULL, 10));
	c[1] = cell_text(arena_strdup(&rs->arena, kind));
	int64_t k = strtol(key, NULL, 10);
	if (!strcmp(kind, "relation") || !strcmp(kind, "tuple") || !strcmp(kind, "advisory"))
		c[2] = cell_int(5);
	if (!strcmp(kind, "relation") || !strcmp(kind, "tuple"))
		c[3] = cell_int(k);
	if (!strcmp(kind, "tuple")) {
		c[4] = cell_int(1);
		c[5] = cell_int(7);
	}
	if (!strcmp(kind, "virtualxid"))
		c[6] = cell_text(arena_strdup(&rs->arena, key));
	if (!strcmp(kind, "transactionid"))
		c[7] = cell_int(k);
	if (!strcmp(kind, "advisory"))
		c[9] = cell_int(k);
	c[11] = cell_text(arena_strdup(&rs->arena, full));
	c[12] = cell_bool(!strcmp(state, "held"));
	if (c[12].i == 0 && state[0] != '?')
		c[14] = cell_time((int64_t)((NOW_S - strtod(state, NULL)) * 1e6));
	c[15] = cell_text(arena_printf(&rs->arena, "v%s", pid));
	if (strncmp(pid, "0:", 2) == 0 && !strcmp(kind, "transactionid"))
		c[16] = cell_text(arena_strdup(&rs->arena, pid + 2));
}

static inline struct rowset *
activity_rows_new(void)
{
	static const char *const names[] = { "now", "pid", "datid", "usesysid", "application",
		"client", "backend_start", "xact_start", "query_start", "state_change", "state",
		"wait_type", "wait_event", "backend_type", "leader_pid", "query_id", "query" };
	static const uint8_t types[17] = { CELL_TIME, CELL_INT, CELL_INT, CELL_INT, CELL_TEXT,
		CELL_TEXT, CELL_TIME, CELL_TIME, CELL_TIME, CELL_TIME, CELL_TEXT, CELL_TEXT,
		CELL_TEXT, CELL_TEXT, CELL_INT, CELL_INT, CELL_TEXT };
	return rowset_new(17, names, types);
}

/* Adds a client that began its transaction and statement `age` seconds ago; a worker when `leader`
 * is given. */
static inline struct cell *
activity_rows_add(struct rowset *rs, int pid, int leader, const char *state, double age)
{
	struct cell *c = rowset_add(rs);
	struct cell then = cell_time((int64_t)((NOW_S - age) * 1e6));

	c[0] = cell_time(INT64_C(1000000) * NOW_S);
	c[1] = cell_int(pid);
	c[2] = cell_int(5);
	c[3] = cell_int(10);
	c[4] = cell_text("app");
	c[6] = c[7] = c[8] = c[9] = then;
	c[10] = cell_text(state);
	c[13] = cell_text(leader ? "parallel worker" : "client backend");
	if (leader)
		c[14] = cell_int(leader);
	c[16] = cell_text("select 1");
	return c;
}

#endif
