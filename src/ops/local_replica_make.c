/* replica add: the steps. The copy is made anew where it was cut off; all else may be repeated. */
#include "config.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "base/json.h"
#include "base/proc.h"
#include "base/rowset.h"
#include "ops/local_copy.h"
#include "ops/local_replica.h"
#include "ops/local_tools.h"
#include "ops/op_server.h"
#include "pg/conninfo.h"
#include "pg/walsender.h"

enum {
	TOOL_MS = 60000,
	STREAM_MS = 600000, /* until it has caught up */
	POLL_MS = 500,
	APPEAR_MS = 10000, /* until a started server has its pid file */
	GONE_MS = 20000,   /* until the children of a killed one have ended */
	PORTS = 100,       /* that are tried */
	MAX_TABLESPACES = 200,
	MAX_TEXT = 1 << 20,
};

/* ------------------------------------------------------------------ port */

/* Can a server listen there? Also where nobody listens on TCP but by a socket. */
static bool
is_free_port(struct op *op, int port)
{
	const char *dir = op_fact(op, "socket_dir");
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
	bool ok;

	if (fd < 0)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	in.sin_addr.s_addr = htonl(INADDR_ANY);
	ok = bind(fd, (struct sockaddr *)&in, sizeof(in)) == 0;
	close(fd);
	return ok &&
	    (!dir || *dir != '/' ||
	        access(arena_printf(&op->arena, "%s/.s.PGSQL.%d.lock", dir, port), F_OK) != 0);
}

bool
replica_choose_port(struct op *op, int wanted, int from, struct error *err)
{
	int first = wanted ? wanted : from, last = wanted ? wanted : from + PORTS - 1;

	for (int port = first; port <= last && port < 65536; port++)
		if (is_free_port(op, port))
			return op_fact_set(op, err, "port", "%d", port);
	return wanted ? error_set(err, ERR_REFUSED, "port %d is taken", wanted) :
	                error_set(err, ERR_REFUSED, "no free port from %d on", from);
}

/* ------------------------------------------------------------------ slot */

bool
replica_begin_run(struct op *op, struct error *err)
{
	const char *slot = op_fact(op, "slot"), *params[] = { slot };
	struct strbuf args = STRBUF_INIT(4096);
	struct pg_sync *pg;
	struct rowset *rows = NULL;
	bool first = true, ok;
	int64_t id;

	strbuf_addc(&args, '{');
	json_key(&args, &first, "slot");
	json_str(&args, slot, strlen(slot));
	strbuf_addc(&args, '}');
	ok = op_leave(op, "replica_slot", args.buf, &id, err, "slot %s of %s keeps WAL", slot,
	    op->target->name);
	strbuf_release(&args);
	pg = ok ? op_connect(op, op->target, err) : NULL;
	if (pg)
		rows = pg_sync_run(pg, "op_slot_make", params, 1, TOOL_MS, err);
	pg_sync_close(pg);
	rowset_unref(rows);
	return rows != NULL;
}

/* ------------------------------------------------------------------ copy */

static const char *
below(struct op *op, const char *name)
{
	return arena_printf(&op->arena, "%s/%s", op_fact(op, "copy.dir"), name);
}

static const char *
follow(struct op *op, struct error *err)
{
	return walsender_conninfo(&op->arena, op->target->conninfo, op->target->password,
	    op_fact(op, "name"), below(op, "passfile"), err);
}

static bool
write_passfile(struct op *op, struct error *err)
{
	struct walsender w;

	return walsender_try(&op->arena, op->target->conninfo, op->target->password, &w, err) &&
	    (!*w.password ||
	        local_write(op, below(op, "passfile"),
	            conninfo_passline(&op->arena, w.user, w.password), err));
}

/* Each tablespace into a folder of ours: on this machine its own place is taken. */
static int
add_tablespaces(struct op *op, const char **argv, int n, struct error *err)
{
	struct node primary;
	struct rowset *rows;

	node_by_sql(&primary, op, op->target);
	rows = node_ask(&primary, "tablespaces", NULL, 0, TOOL_MS, err);
	for (int i = 0; rows && i < rows->nrows && i < MAX_TABLESPACES; i++) {
		const char *at = op_text(op, rows, i, "location");
		struct strbuf from = STRBUF_INIT(8192);

		for (const char *c = at; *c; c++)
			strbuf_addf(&from, "%s%c", *c == '=' ? "\\" : "", *c);
		if (*at)
			argv[n++] = arena_printf(&op->arena, "--tablespace-mapping=%s=%s/%" PRId64,
			    from.buf, below(op, "tablespaces"),
			    cell_i64(rowset_get(rows, i, "oid"), 0));
		strbuf_release(&from);
	}
	argv[n] = NULL;
	rowset_unref(rows);
	return rows ? n : -1;
}

static void
tell_progress(struct op *op)
{
	const char *params[] = { op_fact(op, "name") };
	struct error ignored = { 0 };
	struct node primary;
	struct rowset *rows;
	double total = op_fact_num(op, "bytes", 0), done;
	char size[32];

	node_by_sql(&primary, op, op->target);
	rows = node_ask(&primary, "op_basebackup", params, 1, TOOL_MS, &ignored);
	if (rows && rows->nrows) {
		done = cell_num(rowset_get(rows, 0, "streamed"), 0);
		op_progress(op, total > 0 ? 100 * done / total : -1, "%s, %s",
		    op_text(op, rows, 0, "phase"), fmt_bytes(size, sizeof(size), done));
	}
	rowset_unref(rows);
}

/* It dies with this process, and is told to stop when the job is. */
static bool
run_basebackup(struct op *op, const char *const *argv, struct error *err)
{
	static const char *const env[] = { "PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C",
		"HOME=/", NULL };
	struct proc_spec spec = {
		.argv = argv, .env = env, .dir = op_fact(op, "copy.dir"), .dies_with_us = true
	};
	struct strbuf out = STRBUF_INIT(MAX_TEXT);
	struct proc proc;
	char how[64];
	int status = 0;
	bool ok;

	local_become_owner(op, &spec);
	ok = proc_start(&proc, &spec, true, err);
	while (ok && proc.pid_fd >= 0 && !op_stopped(op, err)) {
		struct pollfd ended = { .fd = proc.pid_fd, .events = POLLIN };

		if (poll(&ended, 1, POLL_MS) != 0)
			break;
		tell_progress(op);
	}
	ok = ok && proc_wait(&proc, -1, op->stop, &out, &status, err);
	if (ok && status != 0) {
		ok = error_set(err, ERR_PROGRAM, "pg_basebackup failed: %s: %.180s",
		    proc_status_text(status, how, sizeof(how)), out.buf);
		error_hint(err, "`job resume %lld` copies anew, `job undo %lld` removes it.",
		    (long long)op->job, (long long)op->job);
	}
	strbuf_release(&out);
	return ok;
}

bool
replica_copy_run(struct op *op, struct error *err)
{
	const char *argv[MAX_TABLESPACES + 16], *conninfo;
	int n = 0;

	if (!copy_begin(op,
	        arena_printf(&op->arena, "%s%s\nslot %s\n", COPY_REPLICA + 1, op->target->name,
	            op_fact(op, "slot")),
	        err) ||
	    !write_passfile(op, err))
		return false;
	conninfo = follow(op, err);
	if (!conninfo)
		return false;
	argv[n++] = copy_program(op, "pg_basebackup");
	if (!argv[0])
		return error_set(err, ERR_PROGRAM, "pg_basebackup is not on this machine");
	argv[n++] = arena_printf(&op->arena, "--pgdata=%s", copy_data(op));
	argv[n++] = arena_printf(&op->arena, "--dbname=%s", conninfo);
	argv[n++] = arena_printf(&op->arena, "--slot=%s", op_fact(op, "slot"));
	argv[n++] = "--wal-method=stream";
	argv[n++] = "--checkpoint=fast";
	argv[n++] = "--no-password";
	n = add_tablespaces(op, argv, n, err);
	return n > 0 && run_basebackup(op, argv, err);
}

/* ------------------------------------------------------------------ configuration */

static bool
write_conf(struct op *op, struct error *err)
{
	struct node primary;
	struct rowset *rows;
	struct strbuf conf = STRBUF_INIT(MAX_TEXT);
	bool ok;

	node_by_sql(&primary, op, op->target);
	rows = node_ask(&primary, "op_replica_settings", NULL, 0, TOOL_MS, err);
	strbuf_addf(&conf,
	    "# Written by pgmedic for a replica: what %s had been set to, its place, port and log "
	    "apart.\n",
	    op->target->name);
	for (int i = 0; rows && i < rows->nrows; i++)
		strbuf_addf(&conf, "%s = %s\n", op_text(op, rows, i, "name"),
		    local_conf_value(op, op_text(op, rows, i, "setting")));
	strbuf_addf(&conf, "port = %s\ncluster_name = %s\n", op_fact(op, "port"),
	    local_conf_value(op, op_fact(op, "name")));
	strbuf_adds(
	    &conf, "hot_standby = on\nlog_destination = 'stderr'\nlogging_collector = off\n");
	ok = rows && local_write(op, below(op, "data/postgresql.conf"), conf.buf, err);
	rowset_unref(rows);
	strbuf_release(&conf);
	return ok;
}

/* One that is not in the data directory (Debian) has not been copied with it. */
static bool
copy_outer(struct op *op, const char *fact, const char *name, struct error *err)
{
	const char *from = op_fact(op, fact), *of = op_fact(op, "of_data"), *content;

	if (!*from || strcmp(from, arena_printf(&op->arena, "%s/%s", of, name)) == 0)
		return true;
	content = local_read(op, from, err);
	return content &&
	    local_write(op, arena_printf(&op->arena, "%s/%s", copy_data(op), name), content, err);
}

bool
replica_configure_run(struct op *op, struct error *err)
{
	const char *conninfo = follow(op, err);
	int port = (int)op_fact_int(op, "port", 0), asked = (int)op_fact_int(op, "asked_port", 0);

	if (!conninfo)
		return false;
	/* A copy may take hours: somebody else may listen there now. */
	return replica_choose_port(op, asked, port, err) && write_conf(op, err) &&
	    copy_outer(op, "hba_file", "pg_hba.conf", err) &&
	    copy_outer(op, "ident_file", "pg_ident.conf", err) &&
	    local_write(op, below(op, "data/postgresql.auto.conf"),
	        arena_printf(&op->arena, "primary_conninfo = %s\nprimary_slot_name = %s\n",
	            local_conf_value(op, conninfo), local_conf_value(op, op_fact(op, "slot"))),
	        err) &&
	    local_write(op, below(op, "data/standby.signal"), "", err);
}

/* ------------------------------------------------------------------ start */

static bool
open_new(struct op *op, struct op_target *target, struct node *out, struct error *err)
{
	const char *conninfo = conninfo_at(&op->arena, op->target->conninfo, op_fact(op, "host"),
	    (int)op_fact_int(op, "port", 0), err);

	return conninfo && replica_node(op, copy_data(op), conninfo, target, out, err);
}

static bool
launch(struct op *op, struct node *n, struct error *err)
{
	const char *log = below(op, "server.log");
	const char *argv[] = { copy_program(op, "pg_ctl"), "start", "-s", "-W", "-D", copy_data(op),
		"-l", log, NULL };

	if (!argv[0])
		return error_set(err, ERR_PROGRAM, "pg_ctl is not there any more");
	/* The children of one that was killed end when they see it. */
	for (int waited = 0; !node_is_clear(n, err); waited += POLL_MS)
		if (waited > GONE_MS || !op_wait_ms(op, POLL_MS, err))
			return false;
	*err = (struct error){ 0 };
	unlink(log);
	return local_run(op, argv, NULL, TOOL_MS, NULL, NULL, err);
}

bool
replica_start_run(struct op *op, struct error *err)
{
	struct op_target target;
	struct node n;

	return copy_leave_server(op, err) && open_new(op, &target, &n, err) &&
	    (node_pid(&n) || launch(op, &n, err));
}

/* ------------------------------------------------------------------ stream */

struct progress {
	int64_t wanted, replayed, lsn;
	double lag_s;
	bool is_streaming;
};

static bool
ask_primary(struct op *op, struct progress *p, struct error *err)
{
	const char *params[] = { op_fact(op, "name"), op_fact(op, "slot") };
	struct node primary;
	struct rowset *rows;

	node_by_sql(&primary, op, op->target);
	rows = node_ask(&primary, "op_replica_state", params, 2, TOOL_MS, err);
	p->is_streaming =
	    rows && rows->nrows && strcmp(op_text(op, rows, 0, "state"), "streaming") == 0;
	if (p->is_streaming) {
		p->replayed = cell_i64(rowset_get(rows, 0, "replay_lsn"), 0);
		p->lsn = cell_i64(rowset_get(rows, 0, "lsn"), 0);
		p->lag_s = cell_num(rowset_get(rows, 0, "lag_s"), -1);
	}
	rowset_unref(rows);
	return rows != NULL;
}

static bool
say_dead(struct op *op, bool is_late, struct error *err)
{
	const char *why = copy_log_line(op, "FATAL:  ");

	if (is_late)
		error_set(err, ERR_TIMEOUT, "%s does not stream from %s%s%s", op_fact(op, "name"),
		    op->target->name, why ? ": " : "", why ? why : "");
	else
		error_set(err, ERR_PROGRAM, "%s does not start%s%s", op_fact(op, "name"),
		    why ? ": " : "", why ? why : "");
	return error_hint(err, "Its log is %s; `job undo %lld` removes it.",
	    below(op, "server.log"), (long long)op->job);
}

static bool
keep_lag(struct op *op, const struct progress *p, struct error *err)
{
	int64_t lag = p->lsn > p->replayed ? p->lsn - p->replayed : 0;

	return op_fact_set(op, err, "lag_bytes", "%lld", (long long)lag) &&
	    (p->lag_s < 0 || op_fact_set(op, err, "lag_s", "%.6f", p->lag_s)) &&
	    op_settle_kind(op, "replica_slot", err) && op_settle_kind(op, "server", err) &&
	    op_settle_kind(op, "directory", err);
}

/* Streaming, past what the primary had when this began, and a standby that answers. */
bool
replica_stream_run(struct op *op, struct error *err)
{
	struct progress p = { 0 };
	struct op_server primary;
	struct op_target target;
	struct node n;
	struct node_look look;
	struct mono begin = mono_now();
	struct pg_sync *pg = op_connect(op, op->target, err);
	bool ok = pg && op_server_read(op, pg, &primary, err);
	bool was_alive = false, is_again = false;

	pg_sync_close(pg);
	if (!ok || !open_new(op, &target, &n, err))
		return false;
	p.wanted = primary.lsn;
	for (;;) {
		struct error why = { 0 };
		int64_t past = mono_since_ms(mono_now(), begin);

		bool answers = ask_primary(op, &p, &why);

		if (answers && p.is_streaming && p.replayed >= p.wanted &&
		    node_look(&n, &look, &why) && look.is_standby &&
		    look.system_identifier == primary.system_identifier)
			return keep_lag(op, &p, err);
		if (node_pid(&n)) {
			was_alive = true;
		} else if (was_alive || past > APPEAR_MS) {
			/* It was killed, now or before this job was taken up again. */
			if (is_again || copy_log_line(op, "FATAL:  "))
				return say_dead(op, false, err);
			if (!launch(op, &n, err))
				return false;
			is_again = true;
			was_alive = false;
			begin = mono_now();
		}
		if (past > STREAM_MS)
			return say_dead(op, true, err);
		op_progress(op, -1, "%s",
		    !answers           ? why.what :
		        p.is_streaming ? "catches up" :
		                         "recovers");
		if (!op_wait_ms(op, POLL_MS, err))
			return false;
	}
}
