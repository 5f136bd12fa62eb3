/* Where it begins: reads the command line and hands over to what was asked for. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <unistd.h>

#include "app/actlog.h"
#include "app/alerting.h"
#include "app/console.h"
#include "app/doctor.h"
#include "app/forecast_cmd.h"
#include "app/help.h"
#include "app/historian.h"
#include "app/history_cmd.h"
#include "app/login.h"
#include "app/options.h"
#include "app/record.h"
#include "app/run.h"
#include "app/settings.h"
#include "app/show.h"
#include "app/source_time.h"
#include "app/targets.h"
#include "base/log.h"
#include "base/utf8.h"
#include "guide/lab.h"

static void
setup_locale(bool ascii)
{
	setlocale(LC_CTYPE, "");
	utf8_enabled = !ascii && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* What cannot be used of the configuration, where there is no screen to say it on. */
static void
report_problems(const struct settings *s)
{
	for (int i = 0; i < s->nproblems; i++)
		fprintf(stderr, "pgmedic: %s\n", s->problems[i]);
}

/* past: what keeps the last minutes, or NULL. */
static struct collector *
start_collector(
    const struct targets *targets, const struct pane *pane, struct recorder *past, int wake_fd)
{
	struct target_conf *confs = xcalloc((size_t)targets->n, sizeof(*confs));
	struct feed_hook *hooks = xcalloc((size_t)targets->n, sizeof(*hooks));
	struct collector *c;

	for (int i = 0; i < targets->n; i++) {
		const struct target *t = &targets->items[i];

		confs[i] = (struct target_conf){
			.name = t->name,
			.conninfo = t->conninfo,
			.password = t->password,
			.pgbouncer = t->pgbouncer,
			.log_file = t->log_file,
			.refresh_ms = t->refresh_ms,
			.first_probes = i == 0 && pane ? pane->probes : NULL,
			.nfirst = i == 0 && pane ? pane->nprobes : 0,
			.no_action = t->is_read_only,
			.capacity = t->capacity,
			.cloud = t->cloud,
		};
		if (past) {
			hooks[i] = recorder_hook(past, t->name);
			confs[i].hook = &hooks[i];
		}
	}
	c = collector_start(confs, targets->n, wake_fd);
	free(hooks);
	free(confs);
	return c;
}

static int
run_console(const struct options *opt, struct settings *settings, const struct targets *targets,
    struct source source, struct collector *collector, struct historian *historian,
    struct alerting *alerting, int wake_fd)
{
	struct arena arena = { 0 };
	struct error err = { 0 };
	struct console_conf conf = {
		.opt = opt,
		.settings = settings,
		.targets = targets,
		.source = source,
		.collector = collector,
		.historian = historian,
		.alerting = alerting,
		.wake_fd = wake_fd,
		.history_path = path_state(&arena, "history"),
		.script = getenv("PGMEDIC_SCRIPT"),
	};
	struct error ignored = { 0 };
	int status;

	/* Without the folder the prompt keeps no history; reading goes on. */
	if (!path_make(path_state(&arena, ""), &ignored))
		conf.history_path = NULL;
	status = console_main(&conf, &err);
	if (*err.what)
		error_report(&err);
	arena_release(&arena);
	return status;
}

static bool
check_pane(const struct options *opt, const struct settings *settings, const struct pane **pane,
    struct error *err)
{
	const char *names[64];
	int n = 0;

	*pane = pane_by_name(opt->pane ? opt->pane : settings_get(settings, "pane"));
	if (*pane || !opt->pane)
		return true;
	for (; panes[n] && n < 63; n++)
		names[n] = panes[n]->name;
	names[n] = NULL;
	error_set(err, ERR_USAGE, "there is no pane '%s'", opt->pane);
	if (nearest_name(opt->pane, names))
		return error_hint(err, "The nearest is %s.", nearest_name(opt->pane, names));
	return error_hint(err, "See pgmedic help panes.");
}

/* The collector, with its past where [console] rewind gives memory to it. */
static int
watch(const struct options *opt, struct settings *settings, const struct targets *targets,
    const struct pane *pane)
{
	int64_t bytes = settings_bytes(settings, "rewind");
	struct recorder *past = bytes > 0 ? recorder_memory((size_t)bytes) : NULL;
	struct collector *c;
	struct historian *historian;
	struct alerting *alerting;
	struct error err = { 0 };
	struct time_source *time = NULL;
	int wake[2], status;

	if (pipe2(wake, O_CLOEXEC | O_NONBLOCK) != 0)
		fatal("cannot make a pipe: %s", strerror(errno));
	c = start_collector(targets, pane, past, wake[1]);
	if (past)
		time = time_source_live(c, past);
	historian = historian_start(c, targets, settings);
	alerting = alerting_start(c, targets, settings, opt->exec, &err);
	if (alerting) {
		status = run_console(opt, settings, targets,
		    time ? time_source_ops(time) : source_live(c), c, historian, alerting, wake[0]);
	} else {
		error_report(&err);
		status = options_exit_status(&err);
	}
	alerting_stop(alerting);
	historian_stop(historian);
	if (time)
		time_source_free(time);
	collector_stop(c);
	if (past)
		recorder_close(past);
	close(wake[0]);
	close(wake[1]);
	return status;
}

static int
console_live(const struct options *opt, struct settings *settings)
{
	struct targets targets = { 0 };
	struct error err = { 0 };
	const struct pane *pane;
	int status;

	if (targets_resolve(&targets, opt, settings, opt->args, opt->nargs, &err) &&
	    check_pane(opt, settings, &pane, &err)) {
		status = watch(opt, settings, &targets, pane);
	} else {
		error_report(&err);
		status = options_exit_status(&err);
	}
	targets_release(&targets);
	return status;
}

/* A recording's targets by name; there is nothing to act on. */
static void
replay_targets_of(const struct replay *r, struct targets *targets)
{
	*targets = (struct targets){ 0 };
	for (int i = 0; i < replay_targets(r); i++) {
		GROW(targets->items, targets->n, targets->cap);
		targets->items[targets->n++] = (struct target){
			.name = arena_strdup(&targets->arena, replay_target_name(r, i)),
			.conninfo = "",
			.color = "",
			.refresh_ms = 1000,
			.is_read_only = true,
			.read_only_why = "this is a recording",
		};
	}
}

static bool
set_replay(const struct options *opt, const struct source *s, struct error *err)
{
	char *end;
	double speed = opt->speed ? strtod(opt->speed, &end) : 1;

	if (opt->speed && (end == opt->speed || *end || !(speed >= 0.1 && speed <= 1000)))
		return error_set(
		    err, ERR_USAGE, "--speed is a factor from 0.1 to 1000, not %s", opt->speed);
	return (!opt->at || s->ops->seek(s->self, opt->at, err)) &&
	    (!opt->speed || s->ops->speed(s->self, speed, err));
}

static int
console_replay(const struct options *opt, struct settings *settings)
{
	struct targets targets = { 0 };
	struct error err = { 0 };
	const struct pane *pane;
	struct recfile *file =
	    check_pane(opt, settings, &pane, &err) ? recfile_open(opt->args[0], &err) : NULL;
	struct replay *replay = file ? replay_new(file, &err) : NULL;
	struct time_source *time;
	struct source source;
	int status;

	if (!replay) {
		error_report(&err);
		return options_exit_status(&err);
	}
	replay_targets_of(replay, &targets);
	/* A script steps by itself. */
	replay_pause(replay, getenv("PGMEDIC_SCRIPT") != NULL);
	time = time_source_replay(replay);
	source = time_source_ops(time);
	if (set_replay(opt, &source, &err)) {
		status = run_console(opt, settings, &targets, source, NULL, NULL, NULL, -1);
	} else {
		error_report(&err);
		status = options_exit_status(&err);
	}
	time_source_free(time);
	targets_release(&targets);
	return status;
}

static int
lab(const struct options *opt)
{
	char **argv = xcalloc((size_t)opt->nargs + 2, sizeof(*argv));
	int status;

	argv[0] = xstrdup("lab");
	for (int i = 0; i < opt->nargs; i++)
		argv[i + 1] = xstrdup(opt->args[i]);
	status = lab_main(opt->nargs + 1, argv);
	for (int i = 0; i <= opt->nargs; i++)
		free(argv[i]);
	free(argv);
	return status;
}

static int
dispatch(const struct options *opt, struct settings *settings)
{
	switch (opt->verb) {
	case VERB_CONSOLE:
		return console_live(opt, settings);
	case VERB_SHOW:
		return show_main(opt, settings);
	case VERB_RUN:
		return run_main(opt, settings);
	case VERB_RECORD:
		return record_main(opt, settings);
	case VERB_REPLAY:
		return console_replay(opt, settings);
	case VERB_FORECAST:
		return forecast_main(opt);
	case VERB_HISTORY:
		return history_main(opt, settings);
	case VERB_JOBS:
	case VERB_JOURNAL:
	case VERB_APPROVE:
		return run_journal_main(opt, settings);
	case VERB_DIAGNOSE:
		return run_diagnose_main(opt, settings);
	case VERB_DOCTOR:
		return doctor_main(opt, settings);
	case VERB_HELP:
		return help_main(opt, settings);
	case VERB_LAB:
	case VERB_VERSION:
	case VERB_COUNT:
		break;
	}
	return EXIT_USAGE;
}

static int
with_settings(const struct options *opt)
{
	struct settings settings;
	int status;

	settings_read(&settings, opt->config);
	if (opt->verb != VERB_CONSOLE && opt->verb != VERB_REPLAY && opt->verb != VERB_HELP)
		report_problems(&settings);
	status = dispatch(opt, &settings);
	settings_release(&settings);
	return status;
}

/*
 * What holds passwords leaves no core file. A limit of 0 is not enough: the kernel does not look at
 * it where core_pattern is a program (systemd-coredump, apport).
 */
static void
keep_memory_private(void)
{
	struct rlimit core;

	/* The hard limit stays: a server that is started by an operation is not ours to limit. */
	if (getrlimit(RLIMIT_CORE, &core) == 0) {
		core.rlim_cur = 0;
		(void)setrlimit(RLIMIT_CORE, &core);
	}
#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		log_warn("main", "its memory may be dumped");
#endif
}

static int
begin(const struct options *opt, struct error *err)
{
	if (opt->log && !log_open(opt->log, LOG_DEBUG, err))
		return options_exit_status(err);
	setup_locale(opt->ascii);
	if (opt->verb == VERB_VERSION) {
		printf("pgmedic %s\n", PACKAGE_VERSION);
		return EXIT_DONE;
	}
	/* The lab may change its user for good: nothing else has been opened yet. */
	if (opt->verb == VERB_LAB)
		return lab(opt);
	keep_memory_private();
	login_begin();
	if (opt->job)
		return run_job_main(opt);
	return with_settings(opt);
}

int
main(int argc, char **argv)
{
	struct options opt;
	struct error err = { 0 };
	int status;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	program_path_set(argv[0]);
	if (options_parse(&opt, argc, argv, &err))
		status = begin(&opt, &err);
	else
		status = EXIT_USAGE;
	if (*err.what)
		error_report(&err);
	options_release(&opt);
	log_close();
	return status;
}
