/*
 * replica add NAME: a standby beside its primary. It is made by pg_basebackup and not from a backup
 * of pgBackRest: that is older, and all WAL since would have to be in the repository, while here a
 * slot keeps it from before the copy until the standby has it, and no archive is needed. The price
 * is one reading of the primary's data, which the plan says.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/rowset.h"
#include "ops/gates.h"
#include "ops/local_copy.h"
#include "ops/local_follow.h"
#include "ops/local_pair.h"
#include "ops/local_replica.h"
#include "ops/local_sync.h"
#include "ops/op_server.h"
#include "pg/walsender.h"

enum {
	LOOK_MS = 60000,
	SENDERS = 2, /* of pg_basebackup: the files, and the WAL meanwhile */
};

struct source {
	const char *wal_level, *lacks, *hba_file, *ident_file, *data_directory, *socket_dir,
	    *sync_names, *keep_size;
	int64_t senders, max_senders, slots, max_slots, bytes, max_wal_size, shared_buffers, port;
	int major;
	bool has_slot, has_name;
};

static int64_t
number(const struct rowset *rows, const char *column)
{
	return cell_i64(rowset_get(rows, 0, column), 0);
}

static bool
read_source(
    struct op *op, struct node *primary, const char *name, struct source *s, struct error *err)
{
	const char *params[] = { op_fact(op, "slot"), name };
	struct rowset *rows = node_ask(primary, "op_replica_source", params, 2, LOOK_MS, err);

	if (!rows)
		return false;
	*s = (struct source){
		.wal_level = op_text(op, rows, 0, "wal_level"),
		.lacks = op_text(op, rows, 0, "lacks"),
		.hba_file = op_text(op, rows, 0, "hba_file"),
		.ident_file = op_text(op, rows, 0, "ident_file"),
		.data_directory = op_text(op, rows, 0, "data_directory"),
		.socket_dir = op_text(op, rows, 0, "socket_dir"),
		.sync_names = op_text(op, rows, 0, "sync_names"),
		.keep_size = op_text(op, rows, 0, "keep_size"),
		.senders = number(rows, "senders"),
		.max_senders = number(rows, "max_senders"),
		.slots = number(rows, "slots"),
		.max_slots = number(rows, "max_slots"),
		.bytes = number(rows, "bytes"),
		.max_wal_size = number(rows, "max_wal_size"),
		.shared_buffers = number(rows, "shared_buffers"),
		.port = number(rows, "port"),
		.major = (int)number(rows, "major"),
		.has_slot = number(rows, "has_slot") != 0,
		.has_name = number(rows, "has_name") != 0,
	};
	rowset_unref(rows);
	return true;
}

/* ------------------------------------------------------------------ words */

struct request {
	const char *name;
	int port; /* 0: the first that is free */
};

static bool
read_words(struct op *op, struct request *r, struct error *err)
{
	static const char *const far[] = { "--region", "--class", "--kms" };
	const struct words *w = op->words;
	bool ok = w->n >= 3 && w->n % 2 == 1;
	char *end;

	*r = (struct request){ .name = w->n >= 3 ? w->w[2].text : "" };
	for (int i = 3; i < w->n; i++)
		for (size_t k = 0; k < ARRAY_LEN(far); k++)
			if (strcmp(w->w[i].text, far[k]) == 0) {
				error_set(err, ERR_UNSUPPORTED,
				    "%s is of RDS: a replica of %s is made on its machine", far[k],
				    op->target->name);
				return error_hint(
				    err, "On another machine pg_basebackup makes one there.");
			}
	for (int i = 3; i + 1 < w->n; i += 2) {
		long port = strtol(w->w[i + 1].text, &end, 10);

		ok = ok && strcmp(w->w[i].text, "--port") == 0 && !*end && port > 0 && port < 65536;
		r->port = (int)port;
	}
	if (ok && copy_is_name(r->name))
		return true;
	error_set(err, ERR_USAGE, "replica add does not understand this");
	return error_hint(
	    err, "replica add NAME [--port N]; a name has letters, digits, '_', '.', '-'.");
}

/* ------------------------------------------------------------------ gates */

static void
check_login(struct gates *g, const struct source *s, struct walsender *w)
{
	struct op *op = g->op;
	struct error err = { 0 };
	const char *line;

	if (walsender_try(&op->arena, op->target->conninfo, op->target->password, w, &err)) {
		gate(g, "login", true, "%s may replicate%s", w->user,
		    *w->password ? "; its password goes into a passfile of the replica" : "");
		return;
	}
	line = follow_missing_line(op, err.what);
	if (line)
		gate(g, "login", false, "pg_hba.conf lacks: %s", line);
	else
		gate(g, "login", false, "a login for replication fails: %s", err.what);
	if (g->red == 1 && line)
		error_hint(g->err, "Add it to %s, then: SELECT pg_reload_conf().", s->hba_file);
	else if (g->red == 1 && strcmp(err.sqlstate, "42501") == 0)
		error_hint(g->err, "ALTER ROLE … REPLICATION, of the role of [target %s].",
		    op->target->name);
}

static double
memory_available(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	char line[256];
	double kb = -1;

	while (f && kb < 0 && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %lf", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb < 0 ? -1 : kb * 1024;
}

static void
check_memory(struct gates *g, const struct source *s)
{
	double free_bytes = memory_available();
	char need[32], have[32];

	if (free_bytes < 0)
		return;
	gate(g, "memory", free_bytes > (double)s->shared_buffers,
	    "shared_buffers of %s once more; the machine has %s available",
	    fmt_bytes(need, sizeof(need), (double)s->shared_buffers),
	    fmt_bytes(have, sizeof(have), free_bytes));
}

static void
check_all(struct gates *g, const struct request *r, const struct source *s)
{
	const struct op_target *other = g->op->target->standby;
	const char *slot = op_fact(g->op, "slot"), *data = other ? other->data_directory : NULL;
	bool is_named;
	int waits = sync_waits_for(s->sync_names, r->name, &is_named);

	gate(g, "role", !*s->lacks, "%s%s", *s->lacks ? "ours lacks " : "enough", s->lacks);
	gate(g, "wal_level", strcmp(s->wal_level, "minimal") != 0, "%s", s->wal_level);
	gate(g, "senders", s->max_senders - s->senders >= SENDERS,
	    "%lld of max_wal_senders = %lld in use, pg_basebackup takes %d", (long long)s->senders,
	    (long long)s->max_senders, SENDERS);
	gate(g, "slots", s->slots < s->max_slots,
	    "%lld of max_replication_slots = %lld in use, one more is needed", (long long)s->slots,
	    (long long)s->max_slots);
	gate(g, "slot", !s->has_slot, "%s%s", slot, s->has_slot ? " is there already" : " is free");
	gate(g, "name",
	    !s->has_name &&
	        !(other && strcmp(other->name, r->name) == 0 && data && *data &&
	            access(data, F_OK) == 0),
	    "%s %s", r->name, s->has_name ? "streams already" : "as application_name");
	gate_warn(g, "sync", waits == 0 || !is_named, "synchronous_standby_names = %s%s",
	    *s->sync_names ? s->sync_names : "''",
	    waits && is_named ? ": commits may wait for the replica" : "");
	check_memory(g, s);
}

/* ------------------------------------------------------------------ the plan */

static bool
keep_source(struct op *op, const struct request *r, const struct source *s,
    const struct walsender *w, struct error *err)
{
	return op_fact_set(op, err, "name", "%s", r->name) &&
	    op_fact_set(op, err, "socket_dir", "%s", s->socket_dir) &&
	    replica_choose_port(op, r->port, (int)s->port + 1, err) &&
	    op_fact_set(op, err, "asked_port", "%d", r->port) &&
	    op_fact_set(op, err, "host", "%s", w->host) &&
	    op_fact_set(op, err, "hba_file", "%s", s->hba_file) &&
	    op_fact_set(op, err, "ident_file", "%s", s->ident_file) &&
	    op_fact_set(op, err, "of_data", "%s", s->data_directory) &&
	    op_fact_set(op, err, "bytes", "%lld", (long long)s->bytes) &&
	    op_fact_set(op, err, "keep_size", "%s", s->keep_size);
}

static void
add_steps(struct op *op, const struct source *s)
{
	const char *slot = op_fact(op, "slot"), *dir = op_fact(op, "copy.dir"), *of,
	           *keep = op_fact(op, "keep_size");
	char size[32];

	of = op->target->name;
	fmt_bytes(size, sizeof(size), (double)s->bytes);
	doc_pair(&op->doc, "how", ROLE_NORMAL,
	    "pg_basebackup, not a restore: it needs no archive, and is as new as %s", of);
	op_add_step(op, "slot", "medium", "make its slot",
	    "%s keeps WAL of %s for the replica%s, until it is dropped", slot, of,
	    strcmp(keep, "-1") == 0 ? ", without a limit" : "");
	op_add_step(op, "copy", "low", "copy the server", "pg_basebackup reads %s of %s into %s",
	    size, of, dir);
	op_add_step(op, "configure", "none", "give it a configuration of its own",
	    "port %s, the settings of %s else; its log is server.log", op_fact(op, "port"), of);
	op_add_step(op, "start", "low", "start it", "a standby that can be read");
	op_add_step(op, "stream", "none", "wait until it streams",
	    "pg_stat_replication of %s, and that it answers", of);
	op->question = arena_printf(
	    &op->arena, "make %s a replica of %s?", op_fact(op, "name"), op->target->name);
}

bool
replica_add_plan(struct op *op, struct error *err)
{
	struct gates g = { .op = op, .err = err };
	struct op_server server;
	struct node primary;
	struct request r;
	struct source s;
	struct walsender w;

	if (!read_words(op, &r, err) || !replica_is_free(op, "", err) ||
	    !node_open(&primary, op, op->target, err) || !replica_is_free(op, primary.data, err) ||
	    !op_server_look(op, op->target, "server", &server, err) ||
	    !op_fact_set(op, err, "slot", "%s", pair_slot_name(op, r.name)) ||
	    !read_source(op, &primary, r.name, &s, err))
		return false;
	doc_pair(&op->doc, "primary", ROLE_NORMAL, "%s, PostgreSQL %s", op->target->name,
	    server.version);
	gate(&g, "server", !server.is_standby, "%s",
	    server.is_standby ? "a standby: make it of its primary" : "a primary");
	check_all(&g, &r, &s);
	check_login(&g, &s, &w);
	if (g.red || !copy_plan(op, r.name, s.major, s.bytes + s.max_wal_size, err) ||
	    !copy_plan_login(op, w.user, op->peer.database, err) ||
	    !keep_source(op, &r, &s, &w, err))
		return false;
	doc_pair(&op->doc, "replica", ROLE_NORMAL, "%s in %s, port %s", r.name,
	    op_fact(op, "copy.dir"), op_fact(op, "port"));
	add_steps(op, &s);
	return true;
}
