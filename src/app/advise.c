#include "config.h"

#include "app/advise.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "advice/advice.h"
#include "app/effect.h"
#include "base/clock.h"
#include "collect/feed.h"
#include "collect/recevent.h"
#include "pg/sync.h"

enum { LOOK_MS = 3000, PEERS_MS = 4000, MAX_PEERS = 16 };

struct making {
	const struct advise_task *task;
	void (*post)(void *arg, enum probe_id probe, struct rowset *rows);
	void *arg;
	struct arena arena;
	struct pg_sync *pg; /* for what is looked up beside; NULL: it cannot be */
	int nstandbys;      /* that stream from it */
	int64_t system_identifier;
	const char *database;
	struct rowset *scans;    /* on standbys that are targets; NULL: none was asked */
	int64_t seen[MAX_PEERS]; /* when those were started: a server may be two targets */
	int nseen;
	bool is_blind; /* it cannot be said whether there are standbys */
};

/* ------------------------------------------------------------------ standbys */

/* 0: this role is not told. */
static int64_t
system_of(struct pg_sync *pg)
{
	struct error ignored = { 0 };
	struct rowset *rows = pg_sync_run(pg, "look_system", NULL, 0, LOOK_MS, &ignored);
	int64_t id = rows ? cell_i64(rowset_get(rows, 0, "system_identifier"), 0) : 0;

	rowset_unref(rows);
	return id;
}

/* How many stream from here; not being told is no reason to make no advice. */
static void
look_standbys(struct making *m)
{
	const struct target *t = m->task->target;
	struct error ignored = { 0 };
	struct rowset *rows = NULL;

	m->pg = pg_sync_open(t->conninfo, t->password, &ignored);
	if (m->pg)
		rows = pg_sync_run(m->pg, "look_standbys", NULL, 0, LOOK_MS, &ignored);

	m->is_blind = !rows || rows->nrows != 1;
	if (!m->is_blind) {
		const struct cell *db = rowset_get(rows, 0, "database");

		m->nstandbys = (int)cell_i64(rowset_get(rows, 0, "standbys"), 0);
		m->system_identifier = m->nstandbys > 0 ? system_of(m->pg) : 0;
		m->database = arena_strndup(&m->arena, db->s, db->len);
	}
	rowset_unref(rows);
}

/* Add what a standby has counted; false: it is none of this server's. */
static bool
take_scans(struct making *m, const struct rowset *rows, const char *name)
{
	static const char *const names[] = { "schema", "index", "scans", "stats_age_s", "standby" };
	static const uint8_t types[] = { CELL_TEXT, CELL_TEXT, CELL_INT, CELL_FLOAT, CELL_TEXT };

	int64_t started = rows->nrows > 0 ? cell_i64(rowset_get(rows, 0, "started"), 0) : 0;

	if (rows->nrows > 0 &&
	    (!cell_i64(rowset_get(rows, 0, "is_standby"), 0) ||
	        !cell_is(rowset_get(rows, 0, "database"), m->database)))
		return false;
	for (int i = 0; i < m->nseen; i++)
		if (m->seen[i] == started)
			return false;
	if (!m->scans)
		m->scans = rowset_new(ARRAY_LEN(names), names, types);
	for (int i = 0; i < rows->nrows; i++) {
		struct cell *to = rowset_add(m->scans);

		for (int c = 0; c < 4; c++) {
			to[c] = *rowset_get(rows, i, names[c]);
			if (to[c].type == CELL_TEXT)
				to[c].s = arena_strndup(&m->scans->arena, to[c].s, to[c].len);
		}
		to[4] = cell_text(arena_strdup(&m->scans->arena, name));
	}
	return rows->nrows > 0;
}

static void
look_peer(struct making *m, const struct target *peer)
{
	struct error ignored = { 0 };
	const char *conninfo = conninfo_with(&m->arena, peer->conninfo, "dbname", m->database);
	struct pg_sync *pg = pg_sync_open(conninfo, peer->password, &ignored);
	bool is_same = pg && system_of(pg) == m->system_identifier;
	struct rowset *rows =
	    is_same ? pg_sync_run(pg, "look_index_scans", NULL, 0, LOOK_MS, &ignored) : NULL;

	if (rows && take_scans(m, rows, peer->name))
		m->seen[m->nseen++] = cell_i64(rowset_get(rows, 0, "started"), 0);
	rowset_unref(rows);
	pg_sync_close(pg);
}

static void
look_peers(struct making *m, const volatile sig_atomic_t *stop)
{
	struct mono begin = mono_now();

	for (int i = 0; i < m->task->npeers && i < MAX_PEERS && m->nseen < m->nstandbys; i++) {
		const struct target *peer = &m->task->peers[i];

		if (*stop || mono_since_ms(mono_now(), begin) > PEERS_MS)
			return;
		if (strcmp(peer->name, m->task->target->name) != 0)
			look_peer(m, peer);
	}
}

/* ------------------------------------------------------------------ the run */

static void
put(void *arg, struct rowset *advice, struct rowset *statements, struct rowset *summary)
{
	struct making *m = arg;

	if (advice)
		m->post(m->arg, PROBE_ADVICE, advice);
	if (statements)
		m->post(m->arg, PROBE_ADVICE_STATEMENTS, statements);
	if (summary)
		m->post(m->arg, PROBE_ADVICE_SUMMARY, summary);
}

/* What the indexes made by earlier advice have changed, as of now. */
static void
post_effect(struct making *m)
{
	struct rowset *rows =
	    m->database ? effect_rows(m->pg, m->task->target->name, m->database) : NULL;

	if (rows)
		m->post(m->arg, PROBE_ADVICE_EFFECT, rows);
}

bool
advise(const struct advise_task *task,
    void (*post)(void *arg, enum probe_id probe, struct rowset *rows), void *arg,
    const volatile sig_atomic_t *stop, struct error *err)
{
	struct making m = { .task = task, .post = post, .arg = arg };
	struct advice_sink sink = { &m, put };
	struct advice_request req = {
		.target = task->target->name,
		.conninfo = task->target->conninfo,
		.password = task->target->password,
		.no_hypopg = task->target->no_hypopg,
		.unused_days = task->target->unused_days,
		.is_background = task->is_background,
		.stop = stop,
	};
	bool ok;

	look_standbys(&m);
	if (m.nstandbys > 0 && m.system_identifier)
		look_peers(&m, stop);
	req.standby_scans = m.scans;
	req.nstandbys_unseen = m.is_blind ? -1 : m.nstandbys > m.nseen ? m.nstandbys - m.nseen : 0;
	ok = advice_run(&req, &sink, err);
	if (ok)
		post_effect(&m);
	rowset_unref(m.scans);
	pg_sync_close(m.pg);
	arena_release(&m.arena);
	return ok;
}

/* ------------------------------------------------------------------ into a snapshot */

static volatile sig_atomic_t never;

static void
post_sampler(void *arg, enum probe_id probe, struct rowset *rows)
{
	sampler_post(arg, probe, rows);
}

bool
advise_into(struct sampler *s, const struct target *target, const struct settings *settings,
    struct error *err)
{
	struct targets peers = { 0 };
	struct options none = { 0 };
	struct error ignored = { 0 };
	struct advise_task task = { .target = target };
	bool ok;

	if (targets_resolve(&peers, &none, settings, NULL, 0, &ignored)) {
		task.peers = peers.items;
		task.npeers = peers.n;
	}
	ok = advise(&task, post_sampler, s, &never, err);
	targets_release(&peers);
	return ok;
}

/* ------------------------------------------------------------------ the child */

static volatile sig_atomic_t stopped;

static void
on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

/* The console has gone when this fails: then there is nobody to work for. */
static void
write_frame(char kind, const char *data, size_t len)
{
	char head[ADVISE_HEAD] = { 'P', 'M', 'A', kind };
	uint32_t n = (uint32_t)len;
	size_t at = 0;

	memcpy(head + 4, &n, sizeof(n));
	if (write(STDOUT_FILENO, head, sizeof(head)) != (ssize_t)sizeof(head))
		_exit(EXIT_FAILED);
	while (at < len) {
		ssize_t w = write(STDOUT_FILENO, data + at, len - at);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			_exit(EXIT_FAILED);
		at += (size_t)w;
	}
}

static void
post_frame(void *arg, enum probe_id probe, struct rowset *rows)
{
	struct strbuf out = STRBUF_INIT(ADVISE_MAX_FRAME);
	struct rec_event ev = {
		.kind = REC_SAMPLE,
		.at = wall_now(),
		.mono = mono_now(),
		.sample = sample_new(probe, SAMPLE_OK, rows),
	};

	(void)arg;
	rec_put(&out, &ev);
	write_frame('S', out.buf, out.len);
	sample_unref(ev.sample);
	strbuf_release(&out);
}

static void
die_with_parent(void)
{
#ifdef __linux__
	pid_t parent = getppid();

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILED);
#endif
}

/* The other targets of the request. */
static struct target *
read_peers(const struct json *request, int *n)
{
	const struct json *list = json_get(request, "peers");
	struct target *peers = xcalloc((size_t)json_len(list) + 1, sizeof(*peers));

	*n = 0;
	for (const struct json *p = json_child(list); p; p = json_next(p)) {
		const char *name = json_text(json_get(p, "name"));
		const char *conninfo = json_text(json_get(p, "conninfo"));

		if (!name || !conninfo)
			continue;
		peers[(*n)++] = (struct target){
			.name = name,
			.conninfo = conninfo,
			.password = json_text(json_get(p, "password")),
			.color = "",
		};
	}
	return peers;
}

int
advise_child(const struct json *request, const struct target *target)
{
	struct target own = *target, *peers;
	struct advise_task task = { .target = &own, .is_background = true };
	struct error err = { 0 };
	bool ok;

	die_with_parent();
	signal(SIGINT, on_signal);
	own.no_hypopg = json_text(json_get(request, "hypopg")) != NULL;
	if (!json_number(json_get(request, "unused_days"), &own.unused_days))
		own.unused_days = 0;
	peers = read_peers(request, &task.npeers);
	task.peers = peers;
	ok = advise(&task, post_frame, NULL, &stopped, &err);
	if (!ok) {
		struct strbuf text = STRBUF_INIT(1024);

		strbuf_adds(&text, err.what);
		strbuf_addc(&text, '\0');
		strbuf_adds(&text, err.hint);
		write_frame('E', text.buf, text.len);
		strbuf_release(&text);
	}
	write_frame('F', "", 0);
	free(peers);
	return ok ? EXIT_DONE : EXIT_FAILED;
}
