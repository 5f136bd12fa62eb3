/*
 * Recording without a screen. The collector reconnects by itself, so errors, restarts and failovers
 * are part of the recording, not its end. All panes are asked for, each probe in its own period.
 */
#include "config.h"

#include "app/record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "app/alerting.h"
#include "app/historian.h"
#include "app/targets.h"
#include "base/fmt.h"
#include "collect/collector.h"
#include "collect/recorder.h"

enum { MAX_TARGETS = 1000 };

static int
open_signals(struct error *err)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	/* blocked before the collector starts, so that its threads inherit that */
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0)
		error_set(err, ERR_STATE, "cannot wait for signals: %s", strerror(errno));
	return fd;
}

/* One line about a target whose connection changed. */
static void
report_link(const struct snapshot *snap, enum link_state *last)
{
	if (snap->link == *last)
		return;
	if (snap->link == LINK_DOWN)
		fprintf(stderr, "pgmedic: %s: %s; still trying\n", snap->target, snap->link_what);
	else if (snap->link == LINK_UP && *last == LINK_DOWN)
		fprintf(stderr, "pgmedic: %s: connected again\n", snap->target);
	if (snap->link == LINK_DOWN || snap->link == LINK_UP)
		*last = snap->link;
}

/* Until a signal or a full disk. */
static bool
watch(struct collector *c, struct recorder *r, struct alerting *a, int wake_fd, int signal_fd,
    struct error *err)
{
	enum link_state links[MAX_TARGETS] = { LINK_CONNECTING };
	int64_t bytes, refreshes;
	char drain[256];

	for (;;) {
		struct pollfd fds[2] = { { .fd = wake_fd, .events = POLLIN },
			{ .fd = signal_fd, .events = POLLIN } };
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return error_set(err, ERR_STATE, "cannot wait: %s", strerror(errno));
		if (fds[1].revents)
			return true;
		while (read(wake_fd, drain, sizeof(drain)) > 0)
			continue;
		if (!recorder_state(r, &bytes, &refreshes, err))
			return false;
		(void)alerting_look(a);
		for (int i = 0; i < collector_count(c); i++) {
			const struct snapshot *snap = collector_snapshot(c, i);
			report_link(snap, &links[i]);
			snapshot_unref(snap);
		}
	}
}

static struct collector *
start(const struct targets *targets, struct recorder *r, int wake_fd)
{
	static enum probe_id every[PROBE_COUNT];
	struct target_conf *conf = xcalloc((size_t)targets->n, sizeof(*conf));
	struct feed_hook *hooks = xcalloc((size_t)targets->n, sizeof(*hooks));
	struct collector *c;

	int nprobes = 0;

	/* Performance Insights and Enhanced Monitoring are asked for one target at a time. */
	for (int i = 0; i < PROBE_COUNT; i++)
		if ((i != PROBE_CLOUD_LOAD && i != PROBE_CLOUD_OS) || targets->n == 1)
			every[nprobes++] = (enum probe_id)i;
	for (int i = 0; i < targets->n; i++) {
		const struct target *t = &targets->items[i];
		hooks[i] = recorder_hook(r, t->name);
		conf[i] = (struct target_conf){ .name = t->name,
			.conninfo = t->conninfo,
			.password = t->password,
			.pgbouncer = t->pgbouncer,
			.log_file = t->log_file,
			.refresh_ms = t->refresh_ms,
			.query_len = 1024,
			.capacity = t->capacity,
			.cloud = t->cloud,
			.no_action = true,
			.first_probes = every,
			.nfirst = nprobes,
			.hook = &hooks[i] };
	}
	c = collector_start(conf, targets->n, wake_fd);
	free(hooks);
	free(conf);
	return c;
}

static bool
record(const struct options *opt, const struct targets *targets, const struct settings *settings,
    struct error *err)
{
	struct recorder *r;
	struct collector *c;
	struct historian *h;
	struct alerting *a;
	int wake[2], signals;
	int64_t bytes = 0, refreshes = 0, left_out;
	char size[32];
	struct error last;
	bool ok;

	if (targets->n > MAX_TARGETS)
		return error_set(
		    err, ERR_USAGE, "a recording holds at most %d targets", MAX_TARGETS);
	signals = open_signals(err);
	if (signals < 0)
		return false;
	if (pipe2(wake, O_CLOEXEC | O_NONBLOCK) != 0) {
		close(signals);
		return error_set(err, ERR_STATE, "cannot make a pipe: %s", strerror(errno));
	}
	r = recorder_file(opt->args[0], err);
	if (r) {
		c = start(targets, r, wake[1]);
		fprintf(stderr, "recording %d target%s to %s; Ctrl-C ends it\n", targets->n,
		    targets->n == 1 ? "" : "s", opt->args[0]);
		h = historian_start(c, targets, settings);
		a = alerting_start(c, targets, settings, opt->exec, err);
		ok = a && watch(c, r, a, wake[0], signals, err);
		alerting_stop(a);
		historian_stop(h);
		collector_stop(c);
		left_out = recorder_left_out(r);
		if ((!recorder_state(r, &bytes, &refreshes, &last) ||
		        !recorder_end(r, &bytes, &last)) &&
		    ok) {
			*err = last;
			ok = false;
		}
		fprintf(stderr, "%" PRId64 " refreshes, %s in %s\n", refreshes,
		    fmt_bytes(size, sizeof(size), (double)bytes), opt->args[0]);
		if (left_out)
			fprintf(stderr,
			    "pgmedic: %" PRId64 " refreshes were left out: the disk was too slow\n",
			    left_out);
		recorder_close(r);
	} else {
		ok = false;
	}
	close(signals);
	close(wake[0]);
	close(wake[1]);
	return ok;
}

int
record_main(const struct options *opt, struct settings *settings)
{
	struct targets targets = { 0 };
	struct error err = { 0 };
	bool ok = targets_resolve(&targets, opt, settings, opt->args + 1, opt->nargs - 1, &err) &&
	    record(opt, &targets, settings, &err);

	if (!ok)
		error_report(&err);
	targets_release(&targets);
	return ok ? EXIT_DONE : options_exit_status(&err);
}
