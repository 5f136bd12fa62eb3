/* Alert rules over made snapshots: when they fire and clear, what they say without data, what is
 * remembered, and the order of what is wrong. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/rules.h"

/* A server that is up, its clock at `now` seconds, and a state of the rules. */
struct world {
	struct rules *r;
	struct server_info server;
	const struct sample *good[PROBE_COUNT], *cur[PROBE_COUNT];
	struct snapshot *s;
	int now;
};

static void
world_init(struct world *w)
{
	*w = (struct world){ .r = rules_new(), .now = 100000 };
	w->server = (struct server_info){ .start_us = 1000000,
		.max_connections = 100,
		.system_identifier = 7,
		.timeline = 1,
		.wal_segment_size = 16 << 20,
		.own_pid = 1 };
}

static void
world_release(struct world *w)
{
	for (int i = 0; i < PROBE_COUNT; i++) {
		sample_unref(w->good[i]);
		sample_unref(w->cur[i]);
	}
	snapshot_unref(w->s);
	rules_free(w->r);
}

static struct sample *
make(const struct world *w, enum probe_id probe, enum sample_state state, struct rowset *rows)
{
	struct sample *s = calloc(1, sizeof(*s));

	atomic_init(&s->refs, 1);
	s->probe = probe;
	s->state = state;
	s->rows = rows ? rows : rowset_new(0, NULL, NULL);
	s->server_at.us = w->now * INT64_C(1000000);
	s->at.us = s->server_at.us;
	return s;
}

static void
give(struct world *w, struct sample *s)
{
	enum probe_id p = s->probe;

	sample_unref(w->cur[p]);
	w->cur[p] = sample_ref(s);
	if (s->state == SAMPLE_OK) {
		sample_unref(w->good[p]);
		w->good[p] = sample_ref(s);
		rules_take(w->r, s, w->good, &w->server);
	}
	sample_unref(s);
}

/* Rows as "a|b|c" of columns "name type, …"; times in seconds; NULL ends. */
static void
rows(struct world *w, enum probe_id probe, const char *columns, const char *const *lines)
{
	char *spec = strdup(columns), *save = NULL;
	const char *names[32];
	uint8_t types[32];
	int n = 0;
	struct rowset *rs;

	for (char *p = strtok_r(spec, ",", &save); p; p = strtok_r(NULL, ",", &save)) {
		char *name = p + strspn(p, " "), *type = strchr(name, ' ');
		*type++ = '\0';
		names[n] = name;
		types[n++] = strcmp(type, "text") == 0 ? CELL_TEXT :
		    strcmp(type, "time") == 0          ? CELL_TIME :
		    strcmp(type, "float") == 0         ? CELL_FLOAT :
		    strcmp(type, "bool") == 0          ? CELL_BOOL :
		                                         CELL_INT;
	}
	rs = rowset_new(n, names, types);
	for (; *lines; lines++) {
		char *line = strdup(*lines), *more = line;
		struct cell *c = rowset_add(rs);
		for (int i = 0; i < n; i++) {
			const char *v = strsep(&more, "|");
			if (strcmp(v, "NULL") == 0)
				c[i] = cell_null(WHY_NONE);
			else if (types[i] == CELL_TEXT)
				c[i] = cell_text(arena_strdup(&rs->arena, v));
			else if (types[i] == CELL_TIME)
				c[i] = cell_time(strtoll(v, NULL, 10) * 1000000);
			else if (types[i] == CELL_FLOAT)
				c[i] = cell_float(strtod(v, NULL));
			else if (types[i] == CELL_BOOL)
				c[i] = cell_bool(*v == 't');
			else
				c[i] = cell_int(strtoll(v, NULL, 10));
		}
		free(line);
	}
	free(spec);
	give(w, make(w, probe, SAMPLE_OK, rs));
}
#define ROWS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define NO_ROWS   ((const char *const[]){ NULL })

static const char activity[] =
    "pid int, usesysid int, datid int, application text, backend_type text, state text, wait_type text, wait_event text, "
    "xact_start time, query_start time, state_change time, query text";
static const char dbsum[] =
    "deadlocks int, blks_hit int, blks_read int, commits int, rollbacks int, sessions int, checksum_failures int";

/* Judge at w->now and give the finding of a rule. */
static const struct finding *
judge(struct world *w, enum rule_id id)
{
	struct wall now = { w->now * INT64_C(1000000) };

	snapshot_unref(w->s);
	w->s = snapshot_new();
	w->s->server = w->server;
	w->s->link = LINK_UP;
	w->s->taken_at = now;
	for (int i = 0; i < PROBE_COUNT; i++) {
		w->s->good[i] = sample_ref(w->good[i]);
		w->s->cur[i] = sample_ref(w->cur[i]);
	}
	rules_judge(w->r, w->s, now, (struct mono){ now.us });
	return finding_of(w->s, id);
}

/* Thresholds as in a configuration. */
static void
limits(struct world *w, const char *const *pairs)
{
	struct rowset *rs = rules_rowset();
	struct error err = { 0 };

	for (; *pairs; pairs += 2) {
		struct rule_limits l;
		assert_true(rule_limits_read(rule_by_id(pairs[0]), pairs[1], &l, &err));
		rules_rowset_add(rs, rule_by_id(pairs[0]), &l);
	}
	give(w, make(w, PROBE_ALERT_RULES, SAMPLE_OK, rs));
}

/* n idle clients; of which the first has been idle in its transaction since `since`, 0: none. */
static void
clients(struct world *w, int n, int since)
{
	char lines[200][160];
	const char *list[201];

	for (int i = 0; i < n; i++) {
		if (i == 0 && since)
			snprintf(lines[i], sizeof(lines[i]),
			    "42|10|5|app|client backend|idle in transaction|Client|ClientRead|%d|%d|%d|UPDATE t",
			    since - 5, since - 1, since);
		else
			snprintf(lines[i], sizeof(lines[i]),
			    "%d|10|5|app|client backend|idle|Client|ClientRead|NULL|1|1|SELECT 1",
			    100 + i);
		list[i] = lines[i];
	}
	list[n] = NULL;
	rows(w, PROBE_ACTIVITY, activity, list);
}

/* ------------------------------------------------------------------ the table */

static void
test_table(void **state)
{
	static const char *const runbooks[] = { "connection-exhaustion", "lock-pileup",
		"runaway-query", "replication-lag", "disk-full", "high-cpu", "wraparound", "bloat",
		"failover", "restore", "corruption", "cannot-connect", "migration-stuck",
		"checkpoint-storm", "out-of-memory", "archive-failing", "deadlocks", "temp-spill",
		NULL };

	(void)state;
	for (int i = 0; i < RULE_COUNT; i++) {
		const struct rule *r = &rules[i];
		bool known = false;
		for (int k = 0; runbooks[k]; k++)
			known |= strcmp(runbooks[k], r->runbook) == 0;
		assert_true(known);
		assert_int_equal(rule_by_id(r->id), i);
		assert_non_null(r->read);
		assert_true(*r->help && *r->title && *r->pane);
		assert_false(isnan(r->warning) && isnan(r->critical));
		assert_true(r->clear > 0 && r->clear <= 1);
	}
	assert_int_equal(rule_by_id("nothing"), RULE_COUNT);
}

/* ------------------------------------------------------------------ durations */

static void
test_fires_at_its_duration_and_clears_at_its_clear_level(void **state)
{
	struct world w;
	const struct finding *f;

	(void)state;
	world_init(&w);
	clients(&w, 50, 0);
	assert_int_equal(judge(&w, RULE_CONNECTIONS)->state, FINDING_OK);
	clients(&w, 85, 0);
	f = judge(&w, RULE_CONNECTIONS);
	assert_int_equal(f->state, FINDING_PENDING);
	assert_int_equal(f->since.us, w.now * INT64_C(1000000));
	w.now += 59;
	clients(&w, 85, 0);
	assert_int_equal(judge(&w, RULE_CONNECTIONS)->state, FINDING_PENDING);
	w.now += 1;
	clients(&w, 85, 0);
	f = judge(&w, RULE_CONNECTIONS);
	assert_int_equal(f->state, FINDING_FIRING);
	assert_int_equal(f->severity, SEVERITY_WARNING);
	assert_true(f->value == 85 && f->threshold == 80);
	assert_int_equal(f->since.us, (w.now - 60) * INT64_C(1000000));
	/* below the threshold, above the clear level of 76 */
	clients(&w, 78, 0);
	assert_int_equal(judge(&w, RULE_CONNECTIONS)->state, FINDING_FIRING);
	clients(&w, 75, 0);
	assert_int_equal(judge(&w, RULE_CONNECTIONS)->state, FINDING_OK);
	/* what cleared begins anew, and at 78 it does not */
	clients(&w, 78, 0);
	assert_int_equal(judge(&w, RULE_CONNECTIONS)->state, FINDING_OK);
	world_release(&w);
}

static void
test_a_dip_while_pending_begins_anew(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	clients(&w, 85, 0);
	judge(&w, RULE_CONNECTIONS);
	w.now += 40;
	clients(&w, 79, 0);
	assert_int_equal(judge(&w, RULE_CONNECTIONS)->state, FINDING_OK);
	clients(&w, 85, 0);
	w.now += 40;
	assert_int_equal(judge(&w, RULE_CONNECTIONS)->state, FINDING_PENDING);
	world_release(&w);
}

static void
test_severity_grows_and_falls(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	limits(&w, ROWS("connections", "50%,90%,0s"));
	clients(&w, 60, 0);
	assert_int_equal(judge(&w, RULE_CONNECTIONS)->severity, SEVERITY_WARNING);
	clients(&w, 95, 0);
	assert_int_equal(judge(&w, RULE_CONNECTIONS)->severity, SEVERITY_CRITICAL);
	assert_int_equal(findings_count(w.s, SEVERITY_CRITICAL), 1);
	clients(&w, 88, 0); /* above 85.5 */
	assert_int_equal(judge(&w, RULE_CONNECTIONS)->severity, SEVERITY_CRITICAL);
	clients(&w, 70, 0);
	assert_int_equal(judge(&w, RULE_CONNECTIONS)->severity, SEVERITY_WARNING);
	world_release(&w);
}

static void
test_an_age_counts_from_its_own_beginning(void **state)
{
	struct world w;
	const struct finding *f;

	(void)state;
	world_init(&w);
	clients(&w, 3, w.now - 299);
	assert_int_equal(judge(&w, RULE_IDLE_IN_TRANSACTION)->state, FINDING_OK);
	w.now += 1; /* the sample is a second old: the age goes on */
	f = judge(&w, RULE_IDLE_IN_TRANSACTION);
	assert_int_equal(f->state, FINDING_FIRING);
	assert_int_equal(f->since.us, (w.now - 300) * INT64_C(1000000));
	assert_int_equal(f->pid, 42);
	assert_non_null(strstr(f->what, "pid 42"));
	assert_non_null(strstr(f->evidence, "UPDATE t"));
	clients(&w, 3, 0);
	assert_int_equal(judge(&w, RULE_IDLE_IN_TRANSACTION)->state, FINDING_OK);
	world_release(&w);
}

static void
test_a_failure_counts_from_when_it_was(void **state)
{
	static const char columns[] =
	    "archive_mode text, last_archived_wal text, last_archived_time time, failed_count int, last_failed_wal text, "
	    "last_failed_time time, current_wal text";
	struct world w;
	char row[200];

	(void)state;
	world_init(&w);
	snprintf(row, sizeof(row),
	    "on|000000010000000000000003|%d|4|000000010000000000000004|%d|000000010000000000000009",
	    w.now - 1000, w.now - 61);
	rows(&w, PROBE_ARCHIVER, columns, ROWS(row));
	assert_int_equal(judge(&w, RULE_ARCHIVE_FAILING)->state, FINDING_FIRING);
	assert_int_equal(finding_of(w.s, RULE_ARCHIVE_FAILING)->severity, SEVERITY_CRITICAL);
	/* it is why the archive is behind */
	assert_int_equal(finding_of(w.s, RULE_ARCHIVE_BEHIND)->state, FINDING_FIRING);
	assert_int_equal(finding_of(w.s, RULE_ARCHIVE_BEHIND)->because, RULE_ARCHIVE_FAILING);
	assert_non_null(strstr(finding_of(w.s, RULE_ARCHIVE_BEHIND)->what, "5 finished WAL files"));
	/* a retry that fails again does not begin anew */
	w.now += 60;
	snprintf(row, sizeof(row),
	    "on|000000010000000000000003|%d|5|000000010000000000000004|%d|000000010000000000000009",
	    w.now - 1060, w.now);
	rows(&w, PROBE_ARCHIVER, columns, ROWS(row));
	assert_int_equal(judge(&w, RULE_ARCHIVE_FAILING)->state, FINDING_FIRING);
	snprintf(row, sizeof(row),
	    "on|000000010000000000000009|%d|5|000000010000000000000004|%d|000000010000000000000009",
	    w.now + 1, w.now);
	rows(&w, PROBE_ARCHIVER, columns, ROWS(row));
	assert_int_equal(judge(&w, RULE_ARCHIVE_FAILING)->state, FINDING_OK);
	assert_int_equal(finding_of(w.s, RULE_ARCHIVE_BEHIND)->state, FINDING_OK);
	rows(&w, PROBE_ARCHIVER, columns, ROWS("off|NULL|NULL|0|NULL|NULL|NULL"));
	assert_int_equal(judge(&w, RULE_ARCHIVE_FAILING)->state, FINDING_UNUSED);
	world_release(&w);
}

/* ------------------------------------------------------------------ no data */

static void
test_no_data_is_neither_good_nor_bad(void **state)
{
	struct world w;
	const struct finding *f;
	struct sample *denied;

	(void)state;
	world_init(&w);
	f = judge(&w, RULE_CONNECTIONS);
	assert_int_equal(f->state, FINDING_NO_DATA);
	assert_non_null(strstr(f->why, "not read yet"));
	denied = make(&w, PROBE_SLOTS, SAMPLE_DENIED, NULL);
	snprintf(denied->what, sizeof(denied->what), "permission denied");
	give(&w, denied);
	assert_non_null(strstr(judge(&w, RULE_SLOT_INACTIVE)->why, "permission denied"));
	/* too old to speak of the present */
	clients(&w, 95, 0);
	judge(&w, RULE_CONNECTIONS);
	w.now += 60;
	assert_int_equal(judge(&w, RULE_CONNECTIONS)->state, FINDING_FIRING);
	w.now += 200;
	assert_int_equal(judge(&w, RULE_CONNECTIONS)->state, FINDING_NO_DATA);
	/* back, and it has not been well in between */
	clients(&w, 95, 0);
	assert_int_equal(judge(&w, RULE_CONNECTIONS)->state, FINDING_FIRING);
	/* after an hour nobody knows */
	w.now += 3600;
	judge(&w, RULE_CONNECTIONS);
	clients(&w, 95, 0);
	assert_int_equal(judge(&w, RULE_CONNECTIONS)->state, FINDING_PENDING);
	world_release(&w);
}

static void
test_hidden_sessions_are_not_judged(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	rows(&w, PROBE_ACTIVITY, activity,
	    ROWS("42|10|5|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL",
	        "43|10|5|app|client backend|idle|NULL|NULL|NULL|NULL|NULL|NULL"));
	assert_int_equal(judge(&w, RULE_LONG_TRANSACTION)->state, FINDING_NO_DATA);
	assert_non_null(strstr(finding_of(w.s, RULE_LONG_TRANSACTION)->why, "GRANT"));
	assert_int_equal(finding_of(w.s, RULE_CONNECTIONS)->state, FINDING_OK);
	assert_true(finding_of(w.s, RULE_CONNECTIONS)->value == 2);
	world_release(&w);
}

/* ------------------------------------------------------------------ windows */

static void
count(struct world *w, int deadlocks, int hit, int read, int commits, int rollbacks)
{
	char row[160];

	snprintf(row, sizeof(row), "%d|%d|%d|%d|%d|0|0", deadlocks, hit, read, commits, rollbacks);
	rows(w, PROBE_DBSUM, dbsum, ROWS(row));
}

static void
test_a_window_slides_and_survives_a_reset(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	count(&w, 1000, 0, 0, 0, 0);
	judge(&w, RULE_DEADLOCKS);
	w.now += 10;
	count(&w, 1004, 0, 0, 0, 0);
	assert_int_equal(judge(&w, RULE_DEADLOCKS)->state, FINDING_OK);
	assert_true(finding_of(w.s, RULE_DEADLOCKS)->value == 4);
	w.now += 600;
	count(&w, 2, 0, 0, 0, 0); /* reset: two since then */
	assert_true(judge(&w, RULE_DEADLOCKS)->value == 6);
	assert_int_equal(finding_of(w.s, RULE_DEADLOCKS)->state, FINDING_FIRING);
	/* an hour later the first four are gone; at 2 it has cleared */
	for (int i = 0; i < 50; i++) {
		w.now += 60;
		count(&w, 2, 0, 0, 0, 0);
	}
	w.now += 1;
	assert_true(judge(&w, RULE_DEADLOCKS)->value == 2);
	assert_int_equal(finding_of(w.s, RULE_DEADLOCKS)->state, FINDING_OK);
	world_release(&w);
}

static void
test_ratios(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	limits(&w, ROWS("rollback_ratio", "10%,none,0s", "cache_hit", "90%,none,0s"));
	count(&w, 0, 1000, 0, 1000, 0);
	assert_int_equal(judge(&w, RULE_ROLLBACK_RATIO)->state, FINDING_NO_DATA);
	for (int i = 1; i <= 31; i++) {
		w.now += 10;
		count(&w, 0, 1000 + 3000 * i, 2000 * i, 1000 + 80 * i, 20 * i);
	}
	assert_int_equal(judge(&w, RULE_ROLLBACK_RATIO)->state, FINDING_FIRING);
	assert_int_equal(finding_of(w.s, RULE_ROLLBACK_RATIO)->severity, SEVERITY_INFO);
	assert_true(fabs(finding_of(w.s, RULE_ROLLBACK_RATIO)->value - 20) < 0.01);
	assert_int_equal(finding_of(w.s, RULE_CACHE_HIT)->state, FINDING_FIRING);
	assert_true(fabs(finding_of(w.s, RULE_CACHE_HIT)->value - 60) < 0.01);
	world_release(&w);
}

static void
test_slow_statements_are_counted_once(void **state)
{
	struct world w;
	char row[160];

	(void)state;
	world_init(&w);
	limits(&w, ROWS("slow_queries", "3"));
	for (int i = 0; i < 62; i++) {
		/* one statement every 20 s, each of 15 s */
		int start = w.now - w.now % 20;
		snprintf(row, sizeof(row),
		    "42|10|5|app|client backend|%s|NULL|NULL|%d|%d|%d|SELECT slow",
		    w.now - start < 15 ? "active" : "idle", start, start, start);
		rows(&w, PROBE_ACTIVITY, activity, ROWS(row));
		judge(&w, RULE_SLOW_QUERIES);
		w.now += 1;
	}
	assert_true(judge(&w, RULE_SLOW_QUERIES)->value == 3);
	assert_int_equal(finding_of(w.s, RULE_SLOW_QUERIES)->state, FINDING_FIRING);
	world_release(&w);
}

static void
test_cpu_over_its_duration(void **state)
{
	struct world w;
	char row[80];

	(void)state;
	world_init(&w);
	limits(&w, ROWS("cpu", "80%,95%,20s"));
	for (int i = 0; i <= 40; i++) {
		snprintf(row, sizeof(row), "%d|%d|2", 1000 + i * 18 / 10, 5000 + i * 2 / 10);
		rows(&w, PROBE_HOST, "cpu_busy_s float, cpu_idle_s float, cpus int", ROWS(row));
		judge(&w, RULE_CPU);
		w.now += 1;
	}
	assert_int_equal(judge(&w, RULE_CPU)->state, FINDING_FIRING);
	assert_true(finding_of(w.s, RULE_CPU)->value > 80);
	world_release(&w);
}

/* ------------------------------------------------------------------ figures */

static void
test_wal_slots_and_disk(void **state)
{
	static const char slot_columns[] =
	    "current_lsn int, slot_name text, slot_type text, active bool, active_pid int, restart_lsn int, wal_status text, "
	    "inactive_since time";
	struct world w;
	char row[200];

	(void)state;
	world_init(&w);
	rows(&w, PROBE_CAPACITY, "what text, path text, total_bytes int, free_bytes int",
	    ROWS("data directory|/data|107374182400|6442450944"));
	snprintf(row, sizeof(row), "4000000000|dead|physical|f|NULL|1000000000|extended|%d",
	    w.now - 700);
	rows(&w, PROBE_SLOTS, slot_columns,
	    ROWS(row, "4000000000|gone|logical|f|NULL|NULL|lost|NULL"));
	judge(&w, RULE_DISK_USED);
	w.now += 60;
	assert_int_equal(judge(&w, RULE_DISK_USED)->severity, SEVERITY_CRITICAL);
	assert_int_equal(finding_of(w.s, RULE_DISK_FREE)->severity, SEVERITY_WARNING);
	assert_int_equal(finding_of(w.s, RULE_SLOT_LOST)->severity, SEVERITY_CRITICAL);
	assert_non_null(strstr(finding_of(w.s, RULE_SLOT_LOST)->what, "slot gone"));
	assert_int_equal(finding_of(w.s, RULE_SLOT_RETAINED)->state, FINDING_FIRING);
	/* 17 and newer tell since when: no need to watch for ten minutes */
	assert_int_equal(finding_of(w.s, RULE_SLOT_INACTIVE)->state, FINDING_FIRING);
	assert_non_null(strstr(finding_of(w.s, RULE_SLOT_INACTIVE)->what, "slot dead"));
	/* the slot before the disk that it fills */
	assert_int_equal(finding_of(w.s, RULE_DISK_USED)->because, RULE_SLOT_RETAINED);
	assert_int_equal(finding_of(w.s, RULE_SLOT_RETAINED)->because, RULE_SLOT_INACTIVE);
	int slot = -1, disk = -1;
	for (int i = 0; i < w.s->nfindings; i++) {
		slot = w.s->findings[i].id == RULE_SLOT_RETAINED ? i : slot;
		disk = w.s->findings[i].id == RULE_DISK_USED ? i : disk;
	}
	assert_true(slot >= 0 && slot < disk);
	world_release(&w);
}

static void
test_ids_keys_and_checksums(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	rows(&w, PROBE_WRAPAROUND,
	    "datname text, xid_age int, mxid_age int, freeze_max_age int, multixact_freeze_max_age int",
	    ROWS(
	        "small|5|5|200000000|400000000", "shop|1700000000|1100000000|200000000|400000000"));
	rows(&w, PROBE_INT4_KEYS,
	    "name text, type text, last_value int, max_value int, used_pct float",
	    ROWS("public.orders.id|integer|1900000000|2147483647|88.5"));
	rows(&w, PROBE_DBSUM, dbsum, ROWS("0|0|0|0|0|0|2"));
	assert_int_equal(judge(&w, RULE_XID_WRAPAROUND)->severity, SEVERITY_CRITICAL);
	assert_non_null(strstr(finding_of(w.s, RULE_XID_WRAPAROUND)->evidence, "shop"));
	assert_int_equal(finding_of(w.s, RULE_MXID_WRAPAROUND)->severity, SEVERITY_WARNING);
	assert_int_equal(finding_of(w.s, RULE_FREEZE_OVERDUE)->state, FINDING_FIRING);
	assert_int_equal(finding_of(w.s, RULE_KEY_EXHAUSTION)->severity, SEVERITY_WARNING);
	assert_non_null(strstr(finding_of(w.s, RULE_KEY_EXHAUSTION)->what, "public.orders.id"));
	assert_int_equal(finding_of(w.s, RULE_CHECKSUM_FAILURES)->severity, SEVERITY_CRITICAL);
	assert_int_equal(w.s->findings[0].id, RULE_CHECKSUM_FAILURES);
	world_release(&w);
}

static void
test_pools(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	assert_int_equal(judge(&w, RULE_POOL_USAGE)->state, FINDING_UNUSED);
	rows(&w, PROBE_POOL_DATABASES, "name text, pool_size text", ROWS("shop|20", "pgbouncer|2"));
	rows(&w, PROBE_POOL_POOLS,
	    "database text, cl_waiting text, sv_active text, sv_used text, sv_tested text, sv_login text, maxwait text",
	    ROWS("shop|12|18|1|0|0|7", "pgbouncer|0|2|0|0|0|0"));
	judge(&w, RULE_POOL_USAGE);
	w.now += 60;
	assert_int_equal(judge(&w, RULE_POOL_USAGE)->state, FINDING_FIRING);
	assert_true(finding_of(w.s, RULE_POOL_USAGE)->value == 95);
	assert_int_equal(finding_of(w.s, RULE_CLIENTS_WAITING)->severity, SEVERITY_CRITICAL);
	assert_int_equal(finding_of(w.s, RULE_CLIENTS_WAITING)->because, RULE_POOL_USAGE);
	world_release(&w);
}

static void
test_standbys(void **state)
{
	static const char columns[] =
	    "pid int, current_lsn int, sent_lsn int, flush_lsn int, replay_lsn int, replay_lag_s float";
	struct world w;

	(void)state;
	world_init(&w);
	w.server.system_identifier = 7000000000000000001;
	limits(&w, ROWS("replication_lag", "10s,60s", "standby_lost", "none,1,5s"));
	rows(&w, PROBE_ACTIVITY, activity,
	    ROWS("9|10|NULL|replica|walsender|active|NULL|NULL|NULL|NULL|NULL|NULL"));
	rows(&w, PROBE_REPLICATION, columns, ROWS("9|1000|1000|1000|1000|NULL"));
	assert_int_equal(judge(&w, RULE_REPLICATION_LAG)->state, FINDING_OK);
	/* replay stands still; the server's own figure does not move until the standby reports */
	for (int i = 1; i <= 12; i++) {
		char row[80];
		w.now += 1;
		snprintf(row, sizeof(row), "9|%d|%d|%d|1000|0.1", 1000 + i, 1000 + i, 1000 + i);
		rows(&w, PROBE_REPLICATION, columns, ROWS(row));
		judge(&w, RULE_REPLICATION_LAG);
	}
	assert_int_equal(finding_of(w.s, RULE_REPLICATION_LAG)->state, FINDING_FIRING);
	assert_true(finding_of(w.s, RULE_REPLICATION_LAG)->value >= 10);
	assert_non_null(strstr(finding_of(w.s, RULE_REPLICATION_LAG)->what, "standby replica"));
	rows(&w, PROBE_REPLICATION, columns, NO_ROWS);
	judge(&w, RULE_STANDBY_LOST);
	w.now += 5;
	assert_int_equal(judge(&w, RULE_STANDBY_LOST)->severity, SEVERITY_CRITICAL);
	assert_non_null(strstr(finding_of(w.s, RULE_STANDBY_LOST)->what, "replica"));
	/* another cluster answers: it has lost no standby, nor was it restarted */
	w.server.system_identifier++;
	w.server.start_us = w.now * INT64_C(1000000);
	assert_int_not_equal(judge(&w, RULE_STANDBY_LOST)->state, FINDING_FIRING);
	assert_int_equal(finding_of(w.s, RULE_RESTART)->state, FINDING_OK);
	assert_non_null(strstr(finding_of(w.s, RULE_ROLE_CHANGE)->what, "another cluster"));
	world_release(&w);
}

static void
test_restart_and_promotion(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	w.server.is_standby = true;
	assert_int_equal(judge(&w, RULE_RESTART)->state, FINDING_OK);
	w.server.start_us = w.now * INT64_C(1000000);
	w.now += 5;
	assert_int_equal(judge(&w, RULE_RESTART)->state, FINDING_FIRING);
	w.server.is_standby = false;
	assert_int_equal(judge(&w, RULE_ROLE_CHANGE)->state, FINDING_FIRING);
	assert_non_null(strstr(finding_of(w.s, RULE_ROLE_CHANGE)->what, "became a primary"));
	w.now += 901;
	assert_int_equal(judge(&w, RULE_RESTART)->state, FINDING_OK);
	assert_int_equal(finding_of(w.s, RULE_ROLE_CHANGE)->state, FINDING_OK);
	world_release(&w);
}

/* ------------------------------------------------------------------ order */

static void
test_cause_before_symptom(void **state)
{
	static const char locks[] =
	    "pid int, locktype text, datid int, relation int, transactionid int, mode text, granted bool, waitstart time";
	struct world w;
	char waiter[200], wait[120];
	const struct finding *f;

	(void)state;
	world_init(&w);
	limits(&w, ROWS("connections", "1%,2%,0s"));
	snprintf(waiter, sizeof(waiter),
	    "43|10|5|app|client backend|active|Lock|transactionid|%d|%d|%d|UPDATE u", w.now - 90,
	    w.now - 90, w.now - 90);
	rows(&w, PROBE_ACTIVITY, activity,
	    ROWS(
	        "42|10|5|app|client backend|idle in transaction|Client|ClientRead|90000|90000|90000|UPDATE t",
	        waiter));
	snprintf(wait, sizeof(wait), "43|transactionid|NULL|NULL|777|ShareLock|f|%d", w.now - 90);
	rows(&w, PROBE_LOCKS, locks,
	    ROWS("42|transactionid|NULL|NULL|777|ExclusiveLock|t|NULL", wait));
	f = judge(&w, RULE_BLOCKED_SESSIONS);
	assert_int_equal(f->state, FINDING_FIRING);
	assert_int_equal(f->pid, 42);
	assert_true(fabs(f->value - 90) < 0.5);
	assert_non_null(strstr(f->what, "pid 42 blocks 1 session"));
	assert_int_equal(f->because, RULE_IDLE_IN_TRANSACTION);
	assert_int_equal(finding_of(w.s, RULE_LONG_TRANSACTION)->because, RULE_IDLE_IN_TRANSACTION);
	assert_int_equal(w.s->findings[0].id, RULE_IDLE_IN_TRANSACTION);
	assert_int_equal(w.s->findings[0].depth, 0);
	assert_int_equal(w.s->findings[1].id, RULE_BLOCKED_SESSIONS);
	assert_int_equal(w.s->findings[1].depth, 1);
	world_release(&w);
}

/* A session that waits again: the locks as last read tell of its earlier wait, which says nothing.
 */
static void
test_a_wait_that_is_over_is_not_counted(void **state)
{
	static const char locks[] =
	    "pid int, locktype text, datid int, relation int, transactionid int, mode text, granted bool, waitstart time";
	struct world w;
	char waiter[200], wait[120];

	(void)state;
	world_init(&w);
	for (int round = 0; round < 2; round++) {
		snprintf(waiter, sizeof(waiter),
		    "43|10|5|app|client backend|active|Lock|transactionid|%d|%d|%d|UPDATE u",
		    w.now - 100, w.now - 2, w.now - 2);
		rows(&w, PROBE_ACTIVITY, activity,
		    ROWS(
		        "42|10|5|app|client backend|idle|Client|ClientRead|NULL|90000|90000|UPDATE t",
		        waiter));
		if (round == 0) {
			snprintf(wait, sizeof(wait),
			    "43|transactionid|NULL|NULL|777|ShareLock|f|%d", w.now - 2);
			rows(&w, PROBE_LOCKS, locks,
			    ROWS("42|transactionid|NULL|NULL|777|ExclusiveLock|t|NULL", wait));
		}
		assert_true(judge(&w, RULE_BLOCKED_SESSIONS)->value < 3);
		w.now += 70;
	}
	/* nobody waits; then somebody does within the same statement, and the locks are not read
	 * yet */
	rows(&w, PROBE_ACTIVITY, activity, NO_ROWS);
	assert_int_equal(judge(&w, RULE_BLOCKED_SESSIONS)->state, FINDING_OK);
	snprintf(waiter, sizeof(waiter),
	    "43|10|5|app|client backend|active|Lock|transactionid|90000|90000|90000|UPDATE u");
	rows(&w, PROBE_ACTIVITY, activity, ROWS(waiter));
	assert_int_equal(judge(&w, RULE_BLOCKED_SESSIONS)->state, FINDING_NO_DATA);
	world_release(&w);
}

static const char archiver_columns[] =
    "archive_mode text, has_command bool, last_archived_wal text, last_archived_time time, failed_count int, "
    "last_failed_wal text, last_failed_time time, current_wal text";

static void
test_archiving_of_an_idle_server(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	rows(&w, PROBE_ARCHIVER, archiver_columns,
	    ROWS("on|t|000000010000000000000005|80000|0|NULL|NULL|000000010000000000000006"));
	assert_int_equal(judge(&w, RULE_ARCHIVE_BEHIND)->state, FINDING_OK);
	/* the last file is hours old, one has just been finished: nothing is wrong yet */
	w.now += 60;
	rows(&w, PROBE_ARCHIVER, archiver_columns,
	    ROWS("on|t|000000010000000000000005|80000|0|NULL|NULL|000000010000000000000007"));
	assert_int_equal(judge(&w, RULE_ARCHIVE_BEHIND)->state, FINDING_OK);
	w.now += 901;
	rows(&w, PROBE_ARCHIVER, archiver_columns,
	    ROWS("on|t|000000010000000000000005|80000|0|NULL|NULL|000000010000000000000007"));
	assert_int_equal(judge(&w, RULE_ARCHIVE_BEHIND)->state, FINDING_FIRING);
	assert_non_null(strstr(finding_of(w.s, RULE_ARCHIVE_BEHIND)->what,
	    "1 finished WAL file waits to be archived for"));
	assert_int_equal(finding_of(w.s, RULE_ARCHIVE_FAILING)->state, FINDING_OK);
	rows(&w, PROBE_ARCHIVER, archiver_columns,
	    ROWS("on|t|000000010000000000000006|100900|0|NULL|NULL|000000010000000000000007"));
	assert_int_equal(judge(&w, RULE_ARCHIVE_BEHIND)->state, FINDING_OK);
	world_release(&w);
}

static void
test_archiving_without_a_command(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	for (int i = 0; i < 2; i++) {
		rows(&w, PROBE_ARCHIVER, archiver_columns,
		    ROWS("on|f|NULL|NULL|0|NULL|NULL|000000010000000000000007"));
		judge(&w, RULE_ARCHIVE_FAILING);
		w.now += 61;
	}
	assert_int_equal(judge(&w, RULE_ARCHIVE_FAILING)->severity, SEVERITY_CRITICAL);
	assert_non_null(
	    strstr(finding_of(w.s, RULE_ARCHIVE_FAILING)->what, "archive_command is empty"));
	world_release(&w);
}

/* A slot that holds back next to nothing, and an archive that misses one file, fill no disk. */
static void
test_a_full_disk_is_blamed_on_what_fills_it(void **state)
{
	static const char slot_columns[] =
	    "current_lsn int, slot_name text, slot_type text, active bool, active_pid int, restart_lsn int, "
	    "wal_status text, inactive_since time";
	struct world w;

	(void)state;
	world_init(&w);
	limits(&w, ROWS("slot_retained", "0.1%,90%", "archive_failing", "none,1,0s"));
	for (int files = 8; files < 0x80; files += 0x70) {
		char row[160];
		rows(&w, PROBE_CAPACITY, "what text, path text, total_bytes int, free_bytes int",
		    ROWS("data directory|/data|107374182400|6442450944"));
		rows(&w, PROBE_SLOTS, slot_columns,
		    ROWS("20000000|small|physical|t|77|10000000|reserved|NULL"));
		snprintf(row, sizeof(row),
		    "on|t|000000010000000000000005|80000|3|000000010000000000000006|99000|0000000100000000000000%02X",
		    files);
		rows(&w, PROBE_ARCHIVER, archiver_columns, ROWS(row));
		judge(&w, RULE_DISK_USED);
		w.now += 60;
		assert_int_equal(judge(&w, RULE_DISK_USED)->state, FINDING_FIRING);
		assert_int_equal(finding_of(w.s, RULE_SLOT_RETAINED)->state, FINDING_FIRING);
		assert_int_equal(finding_of(w.s, RULE_ARCHIVE_FAILING)->state, FINDING_FIRING);
		assert_int_equal(finding_of(w.s, RULE_DISK_USED)->because,
		    files > 0x10 ? RULE_ARCHIVE_FAILING : RULE_COUNT);
	}
	world_release(&w);
}

/* Nothing was committed for an hour: the first WAL after it is not an hour late. */
static void
test_a_standby_of_an_idle_primary(void **state)
{
	static const char server[] =
	    "receive_lsn int, wal_lsn int, replay_time time, is_replay_paused bool";
	struct world w;

	(void)state;
	world_init(&w);
	w.server.is_standby = true;
	for (int i = 0; i < 3; i++) {
		rows(&w, PROBE_SERVER, server, ROWS("1000|1000|96400|f"));
		assert_int_equal(judge(&w, RULE_REPLICATION_LAG)->state, FINDING_OK);
		w.now += 1;
	}
	rows(&w, PROBE_SERVER, server, ROWS("2000|1000|96400|f"));
	assert_int_equal(judge(&w, RULE_REPLICATION_LAG)->state, FINDING_OK);
	w.now += 40;
	rows(&w, PROBE_SERVER, server, ROWS("3000|1000|96400|t"));
	assert_int_equal(judge(&w, RULE_REPLICATION_LAG)->severity, SEVERITY_WARNING);
	assert_true(fabs(finding_of(w.s, RULE_REPLICATION_LAG)->value - 40) < 2);
	world_release(&w);
}

static void
test_muted_ones_come_last_and_do_not_count(void **state)
{
	struct world w;
	struct rowset *rs = rules_mutes_rowset();

	(void)state;
	world_init(&w);
	limits(&w, ROWS("connections", "1%,2%,0s"));
	rules_mutes_add(
	    rs, "connections", (struct wall){ (w.now + 60) * INT64_C(1000000) }, "planned");
	give(&w, make(&w, PROBE_ALERT_MUTES, SAMPLE_OK, rs));
	clients(&w, 50, w.now - 400);
	assert_int_equal(judge(&w, RULE_CONNECTIONS)->severity, SEVERITY_CRITICAL);
	assert_string_equal(finding_of(w.s, RULE_CONNECTIONS)->mute_reason, "planned");
	assert_int_equal(findings_count(w.s, SEVERITY_CRITICAL), 0);
	assert_int_equal(w.s->findings[0].id, RULE_IDLE_IN_TRANSACTION);
	w.now += 61;
	judge(&w, RULE_CONNECTIONS);
	assert_int_equal(findings_count(w.s, SEVERITY_CRITICAL), 1);
	assert_int_equal(w.s->findings[0].id, RULE_CONNECTIONS);
	world_release(&w);
}

/* ------------------------------------------------------------------ memory */

static void
test_the_next_run_goes_on(void **state)
{
	struct world w, next;
	struct rowset *memory;

	(void)state;
	world_init(&w);
	count(&w, 10, 0, 0, 0, 0);
	w.now += 60;
	count(&w, 13, 0, 0, 0, 0);
	clients(&w, 85, 0);
	assert_int_equal(judge(&w, RULE_CONNECTIONS)->state, FINDING_PENDING);
	memory = rowset_ref(w.s->alert_memory);

	world_init(&next);
	next.now = w.now + 300;
	next.server.start_us = w.server.start_us + 5000000;
	give(&next, make(&next, PROBE_ALERT_STATE, SAMPLE_OK, memory));
	count(&next, 15, 0, 0, 0, 0);
	clients(&next, 85, 0);
	assert_int_equal(judge(&next, RULE_CONNECTIONS)->state, FINDING_FIRING);
	assert_int_equal(finding_of(next.s, RULE_CONNECTIONS)->since.us, w.now * INT64_C(1000000));
	/* three before, two since the last look */
	assert_true(finding_of(next.s, RULE_DEADLOCKS)->value == 5);
	/* it was started anew in between */
	assert_true(finding_of(next.s, RULE_RESTART)->value == 0 ||
	    finding_of(next.s, RULE_RESTART)->state == FINDING_FIRING);
	world_release(&next);

	/* after a night nobody knows */
	world_init(&next);
	next.now = w.now + 8 * 3600;
	memory = rowset_ref(w.s->alert_memory);
	give(&next, make(&next, PROBE_ALERT_STATE, SAMPLE_OK, memory));
	clients(&next, 85, 0);
	assert_int_equal(judge(&next, RULE_CONNECTIONS)->state, FINDING_PENDING);
	world_release(&next);
	world_release(&w);
}

/* ------------------------------------------------------------------ configuration */

static void
test_thresholds_as_text(void **state)
{
	struct rule_limits l;
	struct error err = { 0 };
	double s;

	(void)state;
	assert_true(rule_limits_read(RULE_CONNECTIONS, "70%, 85%, 5m", &l, &err));
	assert_true(l.warning == 70 && l.critical == 85 && l.for_s == 300);
	assert_true(rule_limits_read(RULE_DISK_FREE, "20GB,1GB", &l, &err));
	assert_true(l.warning == 20.0 * (1 << 30) && l.critical == 1 << 30 && l.for_s == 60);
	assert_true(rule_limits_read(RULE_XMIN_HORIZON, "5M", &l, &err));
	assert_true(l.warning == 5e6 && l.critical == 200e6);
	/* one value beyond the default critical level moves both */
	assert_true(rule_limits_read(RULE_CONNECTIONS, "95%", &l, &err));
	assert_true(l.warning == 95 && l.critical == 95);
	assert_true(rule_limits_read(RULE_CONNECTIONS, ",,2m", &l, &err));
	assert_true(l.warning == 80 && l.critical == 90 && l.for_s == 120);
	assert_true(rule_limits_read(RULE_CONNECTIONS, "none,95%", &l, &err));
	assert_true(isnan(l.warning) && l.critical == 95);
	assert_true(rule_limits_read(RULE_CPU, "off", &l, &err) && l.is_off);
	assert_false(rule_limits_read(RULE_CONNECTIONS, "fast", &l, &err));
	assert_non_null(strstr(err.what, "connections"));
	assert_false(rule_limits_read(RULE_CONNECTIONS, "90%,80%", &l, &err));
	assert_false(rule_limits_read(RULE_DISK_FREE, "1GB,10GB", &l, &err));
	assert_false(rule_limits_read(RULE_CONNECTIONS, "1,2,3s,4", &l, &err));
	assert_true(rule_span_read("1h30m", &s) && s == 5400);
	assert_true(rule_span_read("45", &s) && s == 45);
	assert_false(rule_span_read("", &s));
	assert_false(rule_span_read("-5m", &s));
}

static void
test_probes_are_asked_often_enough(void **state)
{
	struct world w;
	int ms[PROBE_COUNT];

	(void)state;
	world_init(&w);
	rules_periods(w.r, ms);
	assert_int_equal(ms[PROBE_ACTIVITY], 0); /* comes with each refresh */
	assert_int_equal(ms[PROBE_ARCHIVER], 30000);
	assert_int_equal(ms[PROBE_INT4_KEYS], 600000);
	limits(&w, ROWS("archive_failing", "none,1,4s", "key_exhaustion", "off"));
	rules_periods(w.r, ms);
	assert_int_equal(ms[PROBE_ARCHIVER], 2000);
	assert_int_equal(ms[PROBE_INT4_KEYS], 0);
	world_release(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_fires_at_its_duration_and_clears_at_its_clear_level),
		cmocka_unit_test(test_a_dip_while_pending_begins_anew),
		cmocka_unit_test(test_severity_grows_and_falls),
		cmocka_unit_test(test_an_age_counts_from_its_own_beginning),
		cmocka_unit_test(test_a_failure_counts_from_when_it_was),
		cmocka_unit_test(test_no_data_is_neither_good_nor_bad),
		cmocka_unit_test(test_hidden_sessions_are_not_judged),
		cmocka_unit_test(test_a_window_slides_and_survives_a_reset),
		cmocka_unit_test(test_ratios),
		cmocka_unit_test(test_slow_statements_are_counted_once),
		cmocka_unit_test(test_cpu_over_its_duration),
		cmocka_unit_test(test_wal_slots_and_disk),
		cmocka_unit_test(test_ids_keys_and_checksums),
		cmocka_unit_test(test_pools),
		cmocka_unit_test(test_standbys),
		cmocka_unit_test(test_restart_and_promotion),
		cmocka_unit_test(test_cause_before_symptom),
		cmocka_unit_test(test_a_wait_that_is_over_is_not_counted),
		cmocka_unit_test(test_archiving_of_an_idle_server),
		cmocka_unit_test(test_archiving_without_a_command),
		cmocka_unit_test(test_a_full_disk_is_blamed_on_what_fills_it),
		cmocka_unit_test(test_a_standby_of_an_idle_primary),
		cmocka_unit_test(test_muted_ones_come_last_and_do_not_count),
		cmocka_unit_test(test_the_next_run_goes_on),
		cmocka_unit_test(test_thresholds_as_text),
		cmocka_unit_test(test_probes_are_asked_often_enough),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
