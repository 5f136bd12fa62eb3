/*
 * Prints what the collector makes of a target, a line per snapshot: for tests of the collector and
 *for a look by hand.
 *
 *	watch_target [-qa] [-n SNAPSHOTS] [-s SECONDS] [-r REFRESH_MS] [-p PROBE,...] [-b PGBOUNCER]
 *[-x 'QUERY[:PARAM|...]'] CONNINFO...
 *
 * -q: links and events only. -a: without the warm session.
 */
#include "config.h"

#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "collect/collector.h"

enum { MAX_TARGETS = 500 };

struct options {
	int snapshots, refresh_ms, ntargets, nprobes;
	double seconds;
	bool is_quiet, is_alone;
	enum probe_id probes[PROBE_COUNT];
	const char *pgbouncer, *run;
	const char *targets[MAX_TARGETS];
};

static const char *const link_names[] = { "CONNECTING", "UP", "LATE", "DOWN", "REPLAY" };
static const char *const state_names[] = { "NONE", "OK", "DENIED", "UNSUPPORTED", "FAILED",
	"TIMEOUT" };

static void
add_probes(struct options *o, char *list)
{
	char *save = NULL;
	for (char *name = strtok_r(list, ",", &save); name; name = strtok_r(NULL, ",", &save))
		for (int p = 0; p < PROBE_COUNT; p++)
			if (strcmp(name, "all") == 0 || strcmp(name, probe_infos[p].name) == 0)
				o->probes[o->nprobes++] = (enum probe_id)p;
}

static void
read_options(struct options *o, int argc, char **argv)
{
	*o = (struct options){ .snapshots = 1 << 30, .refresh_ms = 1000, .seconds = 1e9 };
	for (int c; (c = getopt(argc, argv, "n:s:r:p:b:x:qa")) != -1;) {
		switch (c) {
		case 'n':
			o->snapshots = (int)strtol(optarg, NULL, 10);
			break;
		case 's':
			o->seconds = strtod(optarg, NULL);
			break;
		case 'r':
			o->refresh_ms = (int)strtol(optarg, NULL, 10);
			break;
		case 'p':
			add_probes(o, optarg);
			break;
		case 'b':
			o->pgbouncer = optarg;
			break;
		case 'x':
			o->run = optarg;
			break;
		case 'q':
			o->is_quiet = true;
			break;
		case 'a':
			o->is_alone = true;
			break;
		default:
			exit(2);
		}
	}
	while (optind < argc && o->ntargets < MAX_TARGETS)
		o->targets[o->ntargets++] = argv[optind++];
}

static void
print_snapshot(const struct snapshot *s, struct mono started, bool is_quiet)
{
	struct mono now = mono_now();
	printf("%.3f %s seq=%llu link=%s", (double)(now.us - started.us) / 1e6, s->target,
	    (unsigned long long)s->seq, link_names[s->link]);
	if (*s->link_what)
		printf(" what=\"%s\" hint=\"%s\"", s->link_what, s->link_hint);
	if (!is_quiet) {
		printf(
		    " pid=%d action=%d v=%d standby=%d tli=%d trips=%d stmts=%d ms=%.2f rtt=%.2f cpu=%.2f bytes=%lld backoff=%d",
		    s->server.own_pid, s->server.action_pid, s->server.version_num,
		    s->server.is_standby, s->server.timeline, s->cost.round_trips,
		    s->cost.statements, s->cost.server_ms, s->cost.rtt_ms, s->cost.cpu_ms,
		    (long long)s->cost.bytes, s->cost.backoff);
		for (int p = 0; p < PROBE_COUNT; p++) {
			const struct sample *c = s->cur[p];
			if (!c)
				continue;
			printf(" %s:%s", probe_infos[p].name, state_names[c->state]);
			if (c->state == SAMPLE_OK)
				printf("=%d", c->rows->nrows);
			else
				printf("(%s|%s)", c->what, c->hint);
		}
		if (s->series.n > 0) {
			const struct tick *t = series_tick(&s->series, s->series.n - 1);
			printf(" ticks=%d loads=%d", s->series.n, t->nloads);
			for (int m = 0; m < METRIC_COUNT; m++)
				if (!isnan(t->metric[m]))
					printf(
					    " %s=%g", metric_infos[m].name, (double)t->metric[m]);
		}
	}
	for (int i = 0; i < s->nevents; i++)
		printf(" event=%s(%s)", s->events[i].code, s->events[i].what);
	putchar('\n');
	fflush(stdout);
}

static void
print_outcome(const struct run_outcome *o)
{
	printf("outcome ok=%d rows=%d error=%s what=\"%s\" hint=\"%s\" ms=%.1f\n", o->is_ok,
	    o->rows ? o->rows->nrows : -1, error_name(o->error.code), o->error.what, o->error.hint,
	    (double)o->elapsed_us / 1000);
	fflush(stdout);
}

static void
run_query(struct collector *c, const char *spec)
{
	char buf[1024], *save = NULL;
	snprintf(buf, sizeof(buf), "%s", spec);
	struct run_request r = { .kind = strncmp(buf, "act_", 4) == 0 ? RUN_ACT : RUN_LOOK,
		.timeout_ms = 5000 };
	char *params = strchr(buf, ':');
	if (params)
		*params++ = '\0';
	r.query = buf;
	for (char *p = params ? strtok_r(params, "|", &save) : NULL; p && r.nparams < 16;
	     p = strtok_r(NULL, "|", &save))
		r.params[r.nparams++] = p;
	collector_run(c, 0, &r);
}

int
main(int argc, char **argv)
{
	struct options o;
	struct target_conf confs[MAX_TARGETS];
	char names[MAX_TARGETS][16];
	uint64_t seen[MAX_TARGETS] = { 0 };
	int wake[2];
	read_options(&o, argc, argv);
	if (pipe2(wake, O_NONBLOCK | O_CLOEXEC) != 0)
		return 1;
	for (int i = 0; i < o.ntargets; i++) {
		snprintf(names[i], sizeof(names[i]), "t%d", i);
		confs[i] = (struct target_conf){ .name = names[i],
			.conninfo = o.targets[i],
			.refresh_ms = o.refresh_ms,
			.pgbouncer = o.pgbouncer,
			.no_action = o.is_alone,
			.first_probes = o.probes,
			.nfirst = o.nprobes };
	}
	struct mono started = mono_now();
	struct collector *c = collector_start(confs, o.ntargets, wake[1]);
	if (o.run)
		run_query(c, o.run);
	for (int shown = 0; shown < o.snapshots;) {
		double left = o.seconds - (double)(mono_now().us - started.us) / 1e6;
		if (left <= 0)
			break;
		struct pollfd pfd = { .fd = wake[0], .events = POLLIN };
		char buf[64];
		if (poll(&pfd, 1, left > 1e6 ? -1 : (int)(left * 1000) + 1) > 0 &&
		    read(wake[0], buf, sizeof(buf)) < 0)
			break;
		struct run_outcome outcome;
		while (collector_outcome(c, &outcome)) {
			print_outcome(&outcome);
			rowset_unref(outcome.rows);
		}
		for (int i = 0; i < o.ntargets; i++) {
			const struct snapshot *s = collector_snapshot(c, i);
			if (s->seq > seen[i] +
			        (seen[i] == 0 && s->link == LINK_CONNECTING &&
			            !s->cur[PROBE_SERVER])) {
				seen[i] = s->seq;
				shown++;
				print_snapshot(s, started, o.is_quiet);
			}
			snapshot_unref(s);
		}
	}
	struct mono before = mono_now();
	collector_stop(c);
	printf("stopped in %lld ms\n", (long long)mono_since_ms(mono_now(), before));
	return 0;
}
