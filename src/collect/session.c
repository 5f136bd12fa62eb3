/* Setting up sessions. Tags of the set-up's answers are the order of its queries. */
#include "config.h"

#include "collect/session.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cell.h"
#include "base/log.h"
#include "collect/schedule.h"

enum setup_tag { TAG_SETUP, TAG_FEATURES, TAG_FACTS, TAG_CONTROL };

/* A server that accepts but does not answer must not hold a try for ever. */
enum { SETUP_TIMEOUT_MS = 10000 };

void
session_end(struct session *s)
{
	pg_dial_free(s->dial);
	pg_conn_free(s->conn);
	pg_catalog_free(s->catalog);
	*s = (struct session){ .state = SESSION_NONE };
}

void
session_start(struct session *s, const struct pg_dial_conf *conf)
{
	session_end(s);
	s->dial = pg_dial_new(conf);
	s->state = SESSION_DIALING;
	s->since = mono_now();
	s->is_console = conf->is_console;
	s->raw_text = conf->raw_text;
}

int
session_fd(const struct session *s, short *events)
{
	*events = POLLIN;
	if (s->state == SESSION_DIALING)
		return pg_dial_fd(s->dial);
	if (s->state == SESSION_NONE)
		return -1;
	if (pg_conn_wants_write(s->conn))
		*events |= POLLOUT;
	return pg_conn_fd(s->conn);
}

static bool
ask(struct session *s, const char *name, enum setup_tag tag, const char *const *params, int n,
    struct error *err)
{
	const struct pg_query *q = pg_query_by_name(name);
	if (!q)
		return error_set(err, ERR_PROTOCOL, "the program has no query %s", name);
	return pg_conn_ask(s->conn, NULL, q, (int)tag, params, n, err);
}

static bool
send_setup(struct session *s, const struct pg_peer *peer, struct error *err)
{
	char pid[16], timeout[16];
	snprintf(pid, sizeof(pid), "%d", peer->pid);
	snprintf(timeout, sizeof(timeout), "%d", SESSION_TIMEOUT_MS);
	const char *setup[] = { pid, timeout }, *features[] = { pg_conditions_array() };
	/* Until the set-up has told, a pooler may be there. */
	pg_conn_set_pooled(s->conn, true);
	s->is_pooled = true;
	s->sent = mono_now();
	pg_conn_cork(s->conn);
	return ask(s, "setup", TAG_SETUP, setup, 2, err) && pg_conn_sync(s->conn, err) &&
	    ask(s, "features", TAG_FEATURES, features, 1, err) && pg_conn_sync(s->conn, err) &&
	    ask(s, "facts", TAG_FACTS, NULL, 0, err) && pg_conn_sync(s->conn, err) &&
	    ask(s, "control", TAG_CONTROL, NULL, 0, err) && pg_conn_sync(s->conn, err) &&
	    pg_conn_flush(s->conn, err);
}

static bool
begin_setup(struct session *s, struct error *err)
{
	struct pg_peer peer;
	s->conn = pg_dial_take(s->dial, err);
	s->dial = NULL;
	if (!s->conn)
		return false;
	pg_conn_peer(s->conn, &peer);
	struct server_info *info = &s->info;
	memcpy(info->host, peer.host, sizeof(info->host));
	memcpy(info->port, peer.port, sizeof(info->port));
	memcpy(info->database, peer.database, sizeof(info->database));
	memcpy(info->user, peer.user, sizeof(info->user));
	info->version_num = peer.version_num;
	snprintf(info->version, sizeof(info->version), "%d.%d", peer.version_num / 10000,
	    peer.version_num % 10000);
	info->is_superuser = peer.is_superuser;
	info->own_pid = peer.pid;
	info->is_local = peer.is_local;
	s->state = s->is_console ? SESSION_READY : SESSION_SETUP;
	return s->is_console || send_setup(s, &peer, err);
}

static bool
flag(const struct rowset *rs, const char *name)
{
	return cell_i64(rowset_get(rs, 0, name), 0) != 0;
}

static void
copy_cell(char *to, size_t size, const struct cell *c)
{
	if (c->type == CELL_TEXT)
		snprintf(to, size, "%.*s", (int)c->len, c->s);
}

static void
take_facts(struct server_info *info, const struct rowset *rs)
{
	info->version_num = (int)cell_i64(rowset_get(rs, 0, "version_num"), info->version_num);
	copy_cell(info->version, sizeof(info->version), rowset_get(rs, 0, "version"));
	copy_cell(info->data_directory, sizeof(info->data_directory),
	    rowset_get(rs, 0, "data_directory"));
	info->is_superuser = flag(rs, "is_superuser");
	info->has_monitor = flag(rs, "has_monitor");
	info->has_read_stats = flag(rs, "has_read_stats");
	info->has_signal = flag(rs, "has_signal");
	info->has_pgss = flag(rs, "has_pgss");
	info->is_aurora = flag(rs, "is_aurora");
	info->is_rds = flag(rs, "is_rds");
	info->max_connections = (int)cell_i64(rowset_get(rs, 0, "max_connections"), 0);
	info->reserved_connections = (int)cell_i64(rowset_get(rs, 0, "reserved_connections"), 0);
	info->block_size = (int)cell_i64(rowset_get(rs, 0, "block_size"), 0);
	info->wal_segment_size = cell_i64(rowset_get(rs, 0, "wal_segment_size"), 0);
}

/* True: not what it was. */
static bool
take_features(struct session *s, const struct rowset *rs)
{
	char schema[256] = "";
	const struct cell *holds = rowset_get(rs, 0, "holds");
	copy_cell(schema, sizeof(schema), rowset_get(rs, 0, "pgss_schema"));
	size_t n = holds->type == CELL_INTS ? holds->len : 0;
	struct pg_catalog *fresh = pg_catalog_new(holds->ints, n, schema);
	if (s->catalog && pg_catalog_equal(s->catalog, fresh)) {
		pg_catalog_free(fresh);
		return false;
	}
	pg_catalog_free(s->catalog);
	s->catalog = fresh;
	return true;
}

static void
take_answer(struct session *s, const struct pg_answer *a)
{
	const struct rowset *rs = a->rows;
	if (a->state != PG_ROWS || rs->nrows < 1) {
		if (a->state == PG_ERROR)
			log_warn("session", "%s: %s", a->query->name, a->error.what);
		return;
	}
	switch ((enum setup_tag)a->tag) {
	case TAG_SETUP:
		s->is_pooled = cell_i64(rowset_get(rs, 0, "pid"), 0) != s->info.own_pid;
		s->info.is_pooled = s->is_pooled;
		break;
	case TAG_FEATURES:
		take_features(s, rs);
		break;
	case TAG_FACTS:
		take_facts(&s->info, rs);
		break;
	case TAG_CONTROL:
		s->info.system_identifier = cell_i64(rowset_get(rs, 0, "system_identifier"), 0);
		s->info.timeline = (int32_t)cell_i64(rowset_get(rs, 0, "timeline"), 0);
		break;
	}
}

bool
session_ask_again(struct session *s, int features_tag, int facts_tag, struct error *err)
{
	const char *features[] = { pg_conditions_array() };
	return pg_conn_ask(s->conn, s->catalog, pg_query_by_name("features"), features_tag,
	           features, 1, err) &&
	    pg_conn_ask(s->conn, s->catalog, pg_query_by_name("facts"), facts_tag, NULL, 0, err) &&
	    pg_conn_sync(s->conn, err);
}

bool
session_learn(struct session *s, const struct pg_answer *a)
{
	if (a->state != PG_ROWS || a->rows->nrows < 1)
		return false;
	if (strcmp(a->query->name, "features") == 0) {
		bool is_new = take_features(s, a->rows);
		if (is_new)
			pg_conn_forget(s->conn);
		return is_new;
	}
	struct server_info before = s->info;
	take_facts(&s->info, a->rows);
	return memcmp(&before, &s->info, sizeof(before)) != 0;
}

bool
session_is_on_this_machine(int pid)
{
#ifdef __linux__
	char path[64], name[32] = "";
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	FILE *f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(name, sizeof(name), f))
		name[0] = '\0';
	fclose(f);
	return strncmp(name, "postgres", 8) == 0 || strncmp(name, "postmaster", 10) == 0;
#else
	(void)pid;
	return false;
#endif
}

static void
finish_setup(struct session *s)
{
	struct server_info *info = &s->info;
	pg_conn_set_pooled(s->conn, s->is_pooled);
	/* A loopback address may be a tunnel: the process must be here as well. */
	info->is_local =
	    info->is_local && !s->is_pooled && session_is_on_this_machine(info->own_pid);
	if (info->is_local)
		info->cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	/* The kernel knows the network up to the next hop: behind a tunnel or a proxy, the first
	 * and cheapest answer of the set-up tells more. */
	double kernel_ms = pg_conn_rtt_ms(s->conn);
	if (kernel_ms >= 0 && s->rtt_ms - kernel_ms < 5)
		s->rtt_ms = kernel_ms;
	s->state = SESSION_READY;
}

static bool
step_setup(struct session *s, struct error *err)
{
	struct pg_answer a;
	bool is_alive = pg_conn_input(s->conn, err);
	struct error first = { .code = ERR_OK };
	for (enum pg_got got; (got = pg_conn_next(s->conn, &a)) != PG_WAIT;) {
		if (got != PG_ANSWER)
			continue;
		if (s->rtt_ms <= 0)
			s->rtt_ms = (double)(mono_now().us - s->sent.us) / 1000;
		take_answer(s, &a);
		if (a.state == PG_ERROR && first.code == ERR_OK)
			first = a.error;
		rowset_unref(a.rows);
	}
	if (!is_alive)
		return false;
	if (pg_conn_pending(s->conn) > 0)
		return true;
	if (!s->catalog) {
		*err = first.code != ERR_OK ?
		    first :
		    (struct error){ .code = ERR_PROTOCOL, .what = "no answer to the set-up" };
		return false;
	}
	finish_setup(s);
	return true;
}

bool
session_has_dialed(const struct session *s)
{
	return s->state == SESSION_DIALING && pg_dial_done(s->dial);
}

bool
session_step(struct session *s, struct error *err)
{
	bool ok = true;
	if (session_has_dialed(s))
		ok = begin_setup(s, err);
	else if (s->state == SESSION_SETUP)
		ok = step_setup(s, err);
	if (ok && s->state == SESSION_SETUP &&
	    mono_since_ms(mono_now(), s->sent) > SETUP_TIMEOUT_MS) {
		error_set(err, ERR_TIMEOUT, "the server lets us in but does not answer");
		ok = false;
	}
	if (!ok)
		session_end(s);
	return ok;
}
