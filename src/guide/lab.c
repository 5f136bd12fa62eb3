/*
 * `pgmedic lab`: bring the parts up in order, say what runs, take everything down again. While `up`
 * or `down` works it holds the folder's lock; whatever moment it is killed at, the marker tells the
 * next one what there is to end and to remove.
 */
#include "config.h"

#include "guide/lab.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/proc.h"
#include "base/utf8.h"
#include "guide/lab_backup.h"
#include "guide/lab_cloud.h"
#include "guide/lab_cluster.h"
#include "guide/lab_folder.h"
#include "guide/lab_load.h"
#include "guide/lab_pool.h"
#include "guide/lab_status.h"
#include "guide/lab_stop.h"

struct options {
	const char *action, *directory;
	bool no_load, no_standby, no_pool, cloud, json;
};

static volatile sig_atomic_t interrupted;
static volatile pid_t worker; /* as root: the child that does the work */

static void
on_signal(int sig)
{
	interrupted = 1;
	if (worker > 0)
		kill(worker, sig);
}

/* ---- status */

static bool
run_status(struct lab *lab, const struct options *opts, int *exit_status, struct error *err)
{
	struct lab_status status = { .state = LAB_DOWN };

	if (lab_read(lab, err))
		lab_look(lab, &status);
	else if (err->code != ERR_NOT_FOUND)
		return false;
	if (opts->json)
		lab_print_json(lab, &status);
	else
		lab_print_text(lab, &status);
	*exit_status = status.state == LAB_UP ? 0 : 1;
	return true;
}

/* ---- down */

/* The lab is locked and its marker read. */
static bool
take_down(struct lab *lab, struct error *err)
{
	if (!lab_is_ours(lab, err))
		return false;
	load_stop(lab);
	pool_stop(lab);
	cloud_stop(lab);
	backup_stop(lab);
	lab_end_in("pg_basebackup", lab->dir, SIGTERM);
	lab_end_in("initdb", lab->dir, SIGTERM);
	lab_end_in("postgres", lab_path(lab, lab->scratch), SIGQUIT);
	return lab_stop_server(lab, "standby", &lab->standby, err) &&
	    lab_stop_server(lab, "primary", &lab->primary, err) && lab_remove(lab, err);
}

static bool
run_down(struct lab *lab, const struct options *opts, int *exit_status, struct error *err)
{
	(void)opts;
	if (!lab_lock(lab, false, err) || !lab_read(lab, err)) {
		if (err->code != ERR_NOT_FOUND)
			return false;
		printf("There is no lab in %s.\n", lab->dir);
		*exit_status = 0;
		return true;
	}
	if (!take_down(lab, err))
		return false;
	printf("The lab in %s is gone.\n", lab->dir);
	*exit_status = 0;
	return true;
}

/* ---- up */

static bool
random_hex(struct lab *lab, size_t bytes, const char **text, struct error *err)
{
	unsigned char raw[32];
	char *hex = arena_alloc(&lab->arena, 2 * sizeof(raw) + 1);

	if (bytes > sizeof(raw) || getentropy(raw, bytes) < 0)
		return error_set(
		    err, ERR_LAB, "the system has no random bytes: %s", strerror(errno));
	for (size_t i = 0; i < bytes; i++)
		snprintf(hex + 2 * i, 3, "%02x", raw[i]);
	*text = hex;
	return true;
}

/* Ports, password and names, all in the marker before anything is made. */
/* As sections of pgmedic.conf. With a cloud the lab is an instance of it, else this machine's. */
static bool
write_targets(struct lab *lab, struct error *err)
{
	const char *dir = lab->dir;
	const char *standby = lab->standby.port ?
	    arena_printf(&lab->arena,
	        "[target lab-standby]\nconninfo = %s\nprovider = local\ndata_directory = %s/standby\n"
	        "restore_root = %s/restores\nstandby = lab\n%s",
	        lab_uri(lab, "lab", lab->standby.port, "shop"), dir, dir,
	        lab->has_backup ? backup_keys(lab, true) : "") :
	    "";
	const char *keys = lab->cloud_port ?
	    cloud_target_keys(lab) :
	    arena_printf(&lab->arena,
	        "provider = local\ndata_directory = %s/primary\nrestore_root = %s/restores\n%s%s",
	        dir, dir, lab->standby.port ? "standby = lab-standby\n" : "",
	        lab->has_backup ? backup_keys(lab, false) : "");

	return lab_write_file(lab, LAB_TARGETS,
	    arena_printf(&lab->arena, "[target lab]\nconninfo = %s\n%s%s",
	        lab_uri(lab, "lab", lab_primary_port(lab), "shop"), keys, standby),
	    err);
}

static bool
plan(struct lab *lab, const struct options *opts, const char *pool, struct error *err)
{
	const char *suffix;

	lab->is_complete = false;
	lab->has_load = !opts->no_load;
	lab->system_id = 0;
	lab->primary = lab->standby = (struct lab_server){ 0 };
	lab->pool_port = lab->cloud_port = lab->endpoint_port = 0;
	if (!cluster_free_port(lab, &lab->primary.port, err) ||
	    (!opts->no_standby && !cluster_free_port(lab, &lab->standby.port, err)) ||
	    (pool && !cluster_free_port(lab, &lab->pool_port, err)) ||
	    (opts->cloud &&
	        (!cluster_free_port(lab, &lab->cloud_port, err) ||
	            !cluster_free_port(lab, &lab->endpoint_port, err))))
		return false;
	if (!random_hex(lab, 16, &lab->password, err) || !random_hex(lab, 8, &suffix, err))
		return false;
	lab->scratch = arena_printf(&lab->arena, "initdb-%s", suffix);
	return lab_write(lab, err) && lab_make_dir(lab, "log", err) &&
	    lab_make_dir(lab, "sql", err) && lab_make_dir(lab, "restores", err) &&
	    (!opts->cloud || cloud_make(lab, err)) && (!lab->has_backup || backup_make(lab, err));
}

/* Without backups the lab is one, its cloud is none. */
static bool
begin_backups(struct lab *lab, struct error *err)
{
	if (!lab->has_backup || backup_begin(lab, err))
		return write_targets(lab, err);
	if (lab->cloud_port || err->code != ERR_PROGRAM)
		return false;
	fprintf(stderr,
	    "pgmedic: pgBackRest has no stanza for PostgreSQL %s: the lab goes without backups\n%s",
	    lab->version, lab->tail.len ? lab->tail.buf : "");
	lab->has_backup = false;
	return write_targets(lab, err);
}

/* The standby is copied while the data is loaded; what it misses it streams. */
static bool
fill_and_follow(struct lab *lab, struct error *err)
{
	bool statements = lab->has_statements;
	const char *const roles[] = { "guide/lab_roles.sql",
		statements ? "guide/lab_extension.sql" : NULL, NULL };
	const char *const data[] = { "guide/lab_schema.sql", "guide/lab_data.sql",
		"guide/lab_keys.sql", statements ? "guide/lab_extension.sql" : NULL, NULL };
	const char *const last[] = { lab->standby.port ? "guide/lab_caught_up.sql" :
		                                         "guide/lab_reset.sql",
		lab->standby.port && statements ? "guide/lab_reset.sql" : NULL, NULL };
	struct proc psql;
	struct error psql_err;

	if (!cluster_psql(lab, "postgres", roles, err) ||
	    !cluster_psql_begin(lab, &psql, "shop", data, err))
		return false;
	bool ok = !lab->standby.port || cluster_make_standby(lab, err);

	if (!ok)
		kill(psql.pid, SIGTERM);
	bool filled = cluster_psql_end(lab, &psql, ok ? err : &psql_err);

	if (!lab->standby.port && !statements)
		return ok && filled;
	return ok && filled && cluster_psql(lab, "shop", last, err);
}

static bool
bring_up(struct lab *lab, const struct options *opts, struct error *err)
{
	const char *pool = opts->no_pool ? NULL : pool_program(lab);

	if (!pool && !opts->no_pool)
		fprintf(stderr,
		    "pgmedic: pgbouncer is not installed: the lab goes without it\n"
		    "HINT: apt-get install pgbouncer\n");
	lab->has_backup = backup_find(lab, err);
	if (!lab->has_backup && opts->cloud)
		return false;
	if (!lab->has_backup)
		fprintf(stderr, "pgmedic: the lab goes without backups: %s\n%s%s%s", err->what,
		    *err->hint ? "HINT: " : "", err->hint, *err->hint ? "\n" : "");
	if (!plan(lab, opts, pool, err) || !cluster_make_primary(lab, err) ||
	    !begin_backups(lab, err) || !cluster_start(lab, "primary", &lab->primary, err) ||
	    !fill_and_follow(lab, err))
		return false;
	if (lab->pool_port && !pool_start(lab, pool, err))
		return false;
	if (lab->cloud_port && !cloud_start(lab, err))
		return false;
	if (lab->has_load && !load_start(lab, err))
		return false;
	lab->is_complete = true;
	return lab_write(lab, err);
}

static void
print_opening(const struct lab *lab, const struct options *opts)
{
	const char *quoted = opts->directory ? " --directory " : "";

	if (opts->directory)
		printf("Open it:  PGMEDIC_LAB=%s pgmedic\n", lab->dir);
	else
		puts("Open it:  pgmedic");
	printf("End it:   pgmedic lab down%s%s\n", quoted, opts->directory ? lab->dir : "");
}

/* What `up` found in the folder: *done when the lab is up already; else the folder is free to use.
 */
static bool
clear_folder(struct lab *lab, const struct options *opts, bool *done, struct error *err)
{
	struct lab_status status;

	*done = false;
	if (!lab_read(lab, err)) {
		if (err->code != ERR_NOT_FOUND)
			return false;
		if (lab_is_empty(lab))
			return true;
		error_set(err, ERR_REFUSED, "%s is not empty and not a lab", lab->dir);
		return error_hint(err, "Choose a new or empty folder with --directory.");
	}
	lab_look(lab, &status);
	if (status.state == LAB_UP && opts->cloud && !lab->cloud_port) {
		error_set(err, ERR_STATE, "the lab in %s is up without its cloud", lab->dir);
		return error_hint(err, "Take it down first: pgmedic lab down.");
	}
	if (status.state == LAB_UP) {
		*done = true;
		lab_print_text(lab, &status);
		print_opening(lab, opts);
		return true;
	}
	fputs("pgmedic: the lab is there in part only, it is made anew\n", stderr);
	if (!take_down(lab, err))
		return false;
	/* The folder went with it. */
	close(lab->lock_fd);
	lab->lock_fd = -1;
	return lab_lock(lab, true, err);
}

static bool
run_up(struct lab *lab, const struct options *opts, int *exit_status, struct error *err)
{
	struct mono begin = mono_now();
	struct lab_status status;
	struct error ignored;
	bool done;

	lab->stop = &interrupted;
	if (!lab_lock(lab, true, err) || !clear_folder(lab, opts, &done, err))
		return false;
	*exit_status = 0;
	if (done)
		return true;
	if (!cluster_find(lab, err) || (opts->cloud && !cloud_find(lab, err)) ||
	    !bring_up(lab, opts, err)) {
		lab->stop = NULL;
		if (lab->scratch && !take_down(lab, &ignored))
			fprintf(
			    stderr, "pgmedic: what was made is still there: %s\n", ignored.what);
		else
			rmdir(lab->dir);
		return false;
	}
	lab_look(lab, &status);
	lab_print_text(lab, &status);
	printf("It took %.1f s.\n", (double)mono_since_ms(mono_now(), begin) / 1000.0);
	print_opening(lab, opts);
	return true;
}

/* ---- the command line */

static const char usage_text[] =
    "Usage: pgmedic lab up|down|status [OPTION...]\n"
    "A throw-away PostgreSQL with a standby, PgBouncer, data and a load, on loopback, to try pgmedic on.\n"
    "  --directory DIR   where it lives (default: PGMEDIC_LAB, else $XDG_STATE_HOME/pgmedic/lab;\n"
    "                    as root /var/tmp/pgmedic-lab-UID of the user that it is run as)\n"
    "  --no-load         up: no sessions that work on it\n"
    "  --no-standby      up: no streaming standby\n"
    "  --no-pgbouncer    up: no PgBouncer\n"
    "  --cloud           up: with a loopback endpoint that speaks the AWS APIs for it\n"
    "  --json            status: as JSON\n";

static bool
parse(int argc, char **argv, struct options *opts, struct error *err)
{
	const struct {
		const char *name;
		bool *flag;
	} flags[] = { { "--no-load", &opts->no_load }, { "--no-standby", &opts->no_standby },
		{ "--no-pgbouncer", &opts->no_pool }, { "--cloud", &opts->cloud },
		{ "--json", &opts->json } };

	for (int i = 1; i < argc; i++) {
		bool known = false;

		for (size_t f = 0; f < ARRAY_LEN(flags); f++)
			if (strcmp(argv[i], flags[f].name) == 0)
				known = *flags[f].flag = true;
		if (known)
			continue;
		if (strncmp(argv[i], "--directory=", 12) == 0 && argv[i][12])
			opts->directory = argv[i] + 12;
		else if (strcmp(argv[i], "--directory") == 0 && i + 1 < argc && argv[i + 1][0])
			opts->directory = argv[++i];
		else if (strcmp(argv[i], "--directory") == 0 ||
		    strcmp(argv[i], "--directory=") == 0)
			return error_set(err, ERR_USAGE, "--directory needs a folder");
		else if (argv[i][0] == '-' || opts->action)
			return error_set(err, ERR_USAGE, "lab does not know \"%s\"", argv[i]);
		else
			opts->action = argv[i];
	}
	if (!opts->action)
		return error_set(err, ERR_USAGE, "lab needs one of up, down, status");
	if (opts->json && strcmp(opts->action, "status") != 0)
		return error_set(err, ERR_USAGE, "--json belongs to lab status");
	return true;
}

static const struct {
	const char *name;
	bool (*run)(
	    struct lab *lab, const struct options *opts, int *exit_status, struct error *err);
	bool changes; /* runs as the lab's owner, with signals caught */
} actions[] = {
	{ "up", run_up, true },
	{ "down", run_down, true },
	{ "status", run_status, false },
};

static void
catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int
run_action(struct lab *lab, size_t a, const struct options *opts)
{
	int exit_status = 1;
	struct strbuf clean;
	struct error err;

	if (actions[a].changes) {
		catch_signals();
		if (!lab_become_owner(lab, strcmp(opts->action, "up") == 0, &err)) {
			error_report(&err);
			return 1;
		}
	}
	if (!actions[a].run(lab, opts, &exit_status, &err)) {
		error_report(&err);
		exit_status = 1;
		strbuf_init(&clean, 65536);
		utf8_clean(&clean, lab->tail.buf, lab->tail.len, false);
		fputs(clean.buf, stderr);
		strbuf_release(&clean);
	}
	fflush(stdout);
	return exit_status;
}

/*
 * As root the work is done by a child that is the lab's owner for good. The folder above may be
 * root's, so what is left of the lab's own, an empty folder, is removed here.
 */
static int
run_as_root(struct lab *lab, size_t a, const struct options *opts)
{
	struct stat st;
	int status;
	pid_t child;

	catch_signals();
	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(run_action(lab, a, opts));
	if (child < 0) {
		fprintf(stderr, "pgmedic: cannot start a process: %s\n", strerror(errno));
		return 1;
	}
	/* A signal is passed on: the child gives up and cleans up, we wait. */
	worker = child;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	worker = 0;
	if (lstat(lab->dir, &st) == 0 && st.st_uid == lab->uid)
		rmdir(lab->dir);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int
lab_main(int argc, char **argv)
{
	struct options opts = { 0 };
	struct lab lab;
	struct error err;
	size_t a = 0;
	int exit_status = 1;

	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0) {
			fputs(usage_text, stdout);
			return 0;
		}
	if (!parse(argc, argv, &opts, &err))
		goto usage;
	while (a < ARRAY_LEN(actions) && strcmp(actions[a].name, opts.action) != 0)
		a++;
	if (a == ARRAY_LEN(actions)) {
		error_set(&err, ERR_USAGE, "lab does not know \"%s\"", opts.action);
		goto usage;
	}
	if (!lab_locate(&lab, opts.directory, &err))
		error_report(&err);
	else if (actions[a].changes && geteuid() == 0)
		exit_status = run_as_root(&lab, a, &opts);
	else
		exit_status = run_action(&lab, a, &opts);
	lab_release(&lab);
	return exit_status;
usage:
	error_report(&err);
	fputs(usage_text, stderr);
	return 2;
}
