/*
 * What the shop does all day: some thirty sessions under ten application names, half of them
 * through PgBouncer, all sleeping most of the time (a few per cent of a core on a machine of 2024).
 *
 * pgbench does not come back after an error, so whoever practises `terminate` would soon have no
 * load left. The supervisor, a fork of pgmedic, starts each program again after a pause; programs
 * with more than one client run for a minute only, since a client that was lost is missed until the
 * next run.
 */
#include "config.h"

#include "guide/lab_load.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "base/clock.h"
#include "base/proc.h"
#include "guide/lab_stop.h"

enum load_via { VIA_PRIMARY, VIA_STANDBY, VIA_POOL };

struct load_job {
	const char *name; /* application_name */
	const char *role;
	enum load_via via; /* of a part that the lab does not have: the primary */
	int clients, seconds;
	const char *protocol;   /* prepared statements do not pass older PgBouncers */
	const char *define;     /* "pos=0", or NULL */
	const char *scripts[6]; /* "NAME@WEIGHT" */
};

static const struct load_job jobs[] = {
	{ "shop-web", "app", VIA_POOL, 9, 60, "simple", NULL,
	    { "lab_browse@6", "lab_login@1", "lab_account@2", "lab_search@1", "lab_order@3" } },
	{ "shop-api", "app", VIA_PRIMARY, 4, 60, "prepared", NULL,
	    { "lab_account@2", "lab_order@2", "lab_browse@3" } },
	{ "fulfilment", "app", VIA_POOL, 2, 60, "simple", NULL, { "lab_ship@5", "lab_purge@1" } },
	{ "price-import", "app", VIA_PRIMARY, 1, 86400, "simple", NULL, { "lab_import@1" } },
	{ "monthly-report", "report", VIA_PRIMARY, 1, 86400, "simple", NULL, { "lab_report@1" } },
	{ "bi-dashboard", "report", VIA_STANDBY, 2, 60, "simple", NULL, { "lab_dashboard@1" } },
	{ "backoffice", "app", VIA_PRIMARY, 1, 86400, "simple", NULL, { "lab_backoffice@1" } },
	{ "legacy-erp", "app", VIA_PRIMARY, 3, 86400, "simple", NULL, { "lab_erp@1" } },
	{ "stock-sync", "app", VIA_PRIMARY, 1, 86400, "simple", "pos=0", { "lab_stock@1" } },
	{ "stock-reserve", "app", VIA_PRIMARY, 1, 86400, "simple", "pos=1", { "lab_stock@1" } },
	{ "stock-reserve", "app", VIA_PRIMARY, 1, 86400, "simple", "pos=2", { "lab_stock@1" } },
	{ "stock-audit", "app", VIA_PRIMARY, 1, 86400, "simple", "pos=3", { "lab_stock@1" } },
	{ "stock-reserve", "app", VIA_PRIMARY, 1, 86400, "simple", "pos=4", { "lab_stock@1" } },
};

enum {
	JOBS = ARRAY_LEN(jobs),
	PAUSE_MS = 1000, /* before a program is started again; doubled while it fails at once */
	LONGEST_PAUSE_MS = 8000,
	SOUND_MS = 5000, /* a program that ran longer has not failed at once */
	LOOK_MS = 3000,  /* how often the supervisor looks whether the lab is still there */
	GRACE_MS = 500,
	STOP_MS = 5000,   /* for the supervisor to end all of them */
	START_MS = 10000, /* for all of them to be there */
};

static const char pids_name[] = "load/pids";
static const char supervisor_comm[] = "pgmedic-load";

struct slot {
	struct proc proc;
	uint64_t start;
	struct mono began, next; /* next: when to start it, while it does not run */
	int pause_ms;
};

/* ---- one program */

/* Ports for libpq: a pair may have changed places, and who needs the primary looks
 * for it. */
static const char *
job_ports(struct lab *lab, enum load_via via)
{
	int primary = lab->primary.port, standby = lab->standby.port;

	if (via == VIA_POOL && lab->pool_port)
		return arena_printf(&lab->arena, "%d", lab->pool_port);
	/* Which of two is the primary is asked by libpq of 14 and newer. */
	if (!standby || strtol(lab->version, NULL, 10) < 14)
		return arena_printf(
		    &lab->arena, "%d", via == VIA_STANDBY && standby ? standby : primary);
	return via == VIA_STANDBY ? arena_printf(&lab->arena, "%d,%d", standby, primary) :
	                            arena_printf(&lab->arena, "%d,%d", primary, standby);
}

static bool
job_start(struct lab *lab, const struct load_job *job, struct slot *slot, struct error *err)
{
	struct arena *arena = &lab->arena;
	const char *ports = job_ports(lab, job->via);
	bool has_two = strchr(ports, ',') != NULL;
	const char *argv[32] = { arena_printf(arena, "%s/pgbench", lab->bindir), "-n", "-h",
		has_two ? "127.0.0.1,127.0.0.1" : "127.0.0.1", "-p", ports, "-U", job->role, "-j",
		"1", "-c", arena_printf(arena, "%d", job->clients), "-T",
		arena_printf(arena, "%d", job->seconds), "-M", job->protocol };
	const char *env[] = { arena_printf(arena, "PGAPPNAME=%s", job->name), "PGSSLMODE=disable",
		"PGGSSENCMODE=disable", "PGCONNECT_TIMEOUT=10",
		has_two && job->via != VIA_STANDBY ? "PGTARGETSESSIONATTRS=primary" : NULL, NULL };
	size_t n = 16;

	for (size_t i = 0; i < ARRAY_LEN(job->scripts) && job->scripts[i]; i++) {
		const char *at = strchr(job->scripts[i], '@');

		argv[n++] = "-f";
		argv[n++] = arena_printf(arena, "%s/load/%.*s.pgbench%s", lab->dir,
		    (int)(at - job->scripts[i]), job->scripts[i], at);
	}
	if (job->define) {
		argv[n++] = "-D";
		argv[n++] = job->define;
	}
	argv[n] = "shop";
	const char *log = arena_printf(arena, "%s/log/load-%s.log", lab->dir, job->name);
	const struct proc_spec spec = { .argv = argv,
		.env = lab_environment(lab, env),
		.dir = lab_path(lab, "load"),
		.log = log,
		.dies_with_us = true };
	struct stat st;

	if (stat(log, &st) == 0 && st.st_size > 256 * 1024)
		unlink(log);
	if (!proc_start(&slot->proc, &spec, false, err))
		return false;
	struct proc_info info;

	slot->start = proc_info(slot->proc.pid, &info) ? info.start : 0;
	slot->began = mono_now();
	return true;
}

/* ---- the supervisor */

static void
write_pids(struct lab *lab, const struct slot *slots)
{
	struct proc_info self;
	struct strbuf text;
	struct error ignored;

	strbuf_init(&text, 8192);
	if (proc_info(getpid(), &self))
		strbuf_addf(&text, "%ld %" PRIu64 " supervisor\n", (long)self.pid, self.start);
	for (size_t i = 0; i < JOBS; i++)
		if (slots[i].proc.pid)
			strbuf_addf(&text, "%ld %" PRIu64 " %s\n", (long)slots[i].proc.pid,
			    slots[i].start, jobs[i].name);
	/* A full disk must not end the load: the programs are found by their folder as well. */
	if (!lab_write_file(lab, pids_name, text.buf, &ignored))
		unlink(lab_path(lab, pids_name));
	strbuf_release(&text);
}

static void
reap(struct slot *slots)
{
	for (size_t i = 0; i < JOBS; i++) {
		struct slot *slot = &slots[i];
		int status;

		if (!slot->proc.pid || waitpid(slot->proc.pid, &status, WNOHANG) == 0)
			continue;
		if (slot->proc.pid_fd >= 0)
			close(slot->proc.pid_fd);
		slot->proc = (struct proc){ .pid_fd = -1, .out_fd = -1 };
		bool failed = mono_since_ms(mono_now(), slot->began) < SOUND_MS;

		slot->pause_ms = failed && slot->pause_ms ? slot->pause_ms * 2 : PAUSE_MS;
		if (slot->pause_ms > LONGEST_PAUSE_MS)
			slot->pause_ms = LONGEST_PAUSE_MS;
		/* A run that came to its planned end goes on at once. */
		slot->next.us =
		    mono_now().us + (status == 0 && !failed ? 0 : slot->pause_ms * 1000LL);
	}
}

/* Start what is due; how long until the next, at most LOOK_MS. */
static int
start_due(struct lab *lab, struct slot *slots, bool *changed)
{
	int64_t wait_ms = LOOK_MS;

	for (size_t i = 0; i < JOBS; i++) {
		struct slot *slot = &slots[i];
		struct mono now = mono_now();
		struct error ignored;

		if (slot->proc.pid)
			continue;
		if (now.us >= slot->next.us) {
			*changed = true;
			if (!job_start(lab, &jobs[i], slot, &ignored))
				slot->next.us = now.us + LONGEST_PAUSE_MS * 1000LL;
		}
		if (!slot->proc.pid && mono_since_ms(slot->next, now) < wait_ms)
			wait_ms = mono_since_ms(slot->next, now);
	}
	return wait_ms < 10 ? 10 : (int)wait_ms;
}

static void
end_all(struct slot *slots)
{
	for (size_t i = 0; i < JOBS; i++)
		if (slots[i].proc.pid) {
			kill(slots[i].proc.pid, SIGTERM);
			kill(slots[i].proc.pid, SIGCONT);
		}
	for (size_t i = 0; i < JOBS; i++) {
		struct error ignored;
		int status;

		/* Which kills it when the time is over. */
		if (slots[i].proc.pid &&
		    !proc_wait(&slots[i].proc, GRACE_MS, NULL, NULL, &status, &ignored))
			continue;
	}
}

static void
supervise(struct lab *lab)
{
	static struct slot slots[JOBS];
	const char *sign = lab_path(lab, "load/lab_browse.pgbench");
	struct lab round = *lab; /* with an arena that is emptied each time */
	sigset_t set;
	int sig = 0;

	round.arena = (struct arena){ 0 };

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	while (sig != SIGTERM && sig != SIGINT && access(sign, F_OK) == 0) {
		bool changed = sig == SIGCHLD;

		reap(slots);
		int wait_ms = start_due(&round, slots, &changed);

		if (changed)
			write_pids(&round, slots);
		arena_reset(&round.arena);
		const struct timespec limit = { .tv_sec = wait_ms / 1000,
			.tv_nsec = wait_ms % 1000 * 1000000L };

		sig = sigtimedwait(&set, NULL, &limit);
	}
	end_all(slots);
	_exit(0);
}

/* In the grandchild: nothing of the caller is kept but its memory. */
static void
detach(struct lab *lab)
{
	int null_fd = open("/dev/null", O_RDWR);

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (chdir(lab_path(lab, "load")) < 0 || null_fd < 0)
		_exit(1);
	for (int fd = 0; fd <= 2; fd++)
		dup2(null_fd, fd);
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
	lab->lock_fd = -1;
	umask(077);
#ifdef __linux__
	prctl(PR_SET_NAME, supervisor_comm);
#endif
	supervise(lab);
}

static bool
write_scripts(struct lab *lab, struct error *err)
{
	if (!lab_make_dir(lab, "load", err))
		return false;
	for (size_t i = 0; i < JOBS; i++)
		for (size_t s = 0; s < ARRAY_LEN(jobs[i].scripts) && jobs[i].scripts[s]; s++) {
			const char *script = jobs[i].scripts[s];
			const char *file = arena_printf(
			    &lab->arena, "%.*s.pgbench", (int)strcspn(script, "@"), script);

			if (!lab_write_file(lab, arena_printf(&lab->arena, "load/%s", file),
			        lab_fill(
			            lab, arena_printf(&lab->arena, "guide/%s", file), (char *)NULL),
			        err))
				return false;
		}
	return true;
}

/* ---- from outside */

struct recorded {
	pid_t pid;
	uint64_t start;
	bool is_supervisor;
};

/* The processes of load/pids that still run; returns how many, at most `max`. */
static int
read_pids(struct lab *lab, struct recorded *found, int max)
{
	char text[4096];
	int n = 0,
	    fd = open(lab_path(lab, pids_name), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[len > 0 ? len : 0] = 0;
	for (const char *line = text; *line && n < max; line += *line == '\n') {
		uint64_t start = 0;
		long pid = 0;
		char name[32] = "";

		if (sscanf(line, "%ld %" SCNu64 " %31s", &pid, &start, name) == 3 && pid > 1 &&
		    start && proc_alive((pid_t)pid, start))
			found[n++] =
			    (struct recorded){ (pid_t)pid, start, strcmp(name, "supervisor") == 0 };
		line += strcspn(line, "\n");
	}
	return n;
}

void
load_status(struct lab *lab, struct load_status *status)
{
	struct recorded found[JOBS + 1];
	int n = read_pids(lab, found, JOBS + 1);

	*status = (struct load_status){ .expected = JOBS };
	for (int i = 0; i < n; i++)
		if (found[i].is_supervisor)
			status->supervisor = found[i].pid;
		else
			status->running++;
}

/* Until each program has been started; whether it stays is for `status` to say. */
static bool
wait_started(struct lab *lab, struct error *err)
{
	const struct timespec wait = { .tv_nsec = 5000000L };
	struct mono begin = mono_now();
	struct load_status status;

	while (load_status(lab, &status), status.running < status.expected) {
		if (lab->stop && *lab->stop)
			return error_set(err, ERR_STATE, "interrupted");
		if (mono_since_ms(mono_now(), begin) > START_MS) {
			for (size_t i = 0; i < JOBS; i++)
				lab_keep_tail(lab,
				    arena_printf(
				        &lab->arena, "%s/log/load-%s.log", lab->dir, jobs[i].name));
			return error_set(err, ERR_PROGRAM, "the load did not start");
		}
		nanosleep(&wait, NULL);
	}
	return true;
}

bool
load_start(struct lab *lab, struct error *err)
{
	int status;
	pid_t child;

	if (!write_scripts(lab, err))
		return false;
	child = fork();
	if (child < 0)
		return error_set(err, ERR_PROGRAM, "cannot start the load: %s", strerror(errno));
	if (child == 0) {
		setsid();
		/* The middle one ends, so that the supervisor is nobody's child and leads no
		 * session. */
		if (fork() == 0)
			detach(lab);
		_exit(0);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return wait_started(lab, err);
}

void
load_stop(struct lab *lab)
{
	struct recorded found[JOBS + 1];
	int n = read_pids(lab, found, JOBS + 1);

	/* The supervisor first: it would start the others again. */
	for (int i = 0; i < n; i++)
		if (found[i].is_supervisor) {
			kill(found[i].pid, SIGTERM);
			kill(found[i].pid, SIGCONT);
			if (!proc_wait_gone(found[i].pid, found[i].start, STOP_MS))
				kill(found[i].pid, SIGKILL);
		}
	lab_end_in(supervisor_comm, lab_path(lab, "load"), SIGTERM);
	lab_end_in("pgbench", lab_path(lab, "load"), SIGTERM);
}
