#include "config.h"

#include "guide/lab_backup.h"

#include <glob.h>
#include <signal.h>
#include <string.h>

#include "base/proc.h"
#include "guide/lab_cluster.h"
#include "guide/lab_stop.h"

enum {
	STANZA_MS = 60000,
	MAX_SOCKET = 107 - 21, /* of a socket's path, and what the server adds to its folder */
};

static const char first[] = "backrest/pgbackrest.conf", second[] = "backrest/pgbackrest-b.conf";

bool
backup_find(struct lab *lab, struct error *err)
{
	if (!proc_find(&lab->arena, "pgbackrest")) {
		error_set(err, ERR_PROGRAM, "pgbackrest is not installed");
		return error_hint(err, "apt-get install pgbackrest");
	}
	if (strlen(lab_path(lab, "socket")) > MAX_SOCKET || strchr(lab->dir, '%')) {
		error_set(err, ERR_LAB, "the path of %s is too long, or holds a '%%'", lab->dir);
		return error_hint(err, "Choose another folder with --directory.");
	}
	return true;
}

/* pgBackRest's configuration for when this server is the primary. */
static bool
write_conf(struct lab *lab, const char *file, const char *name, int port, struct error *err)
{
	const char *dir = lab->dir;

	return lab_write_file(lab, file,
	    arena_printf(&lab->arena,
	        "[global]\nrepo1-path=%s/repo\nlog-path=%s/backrest\nlock-path=%s/backrest\n"
	        "spool-path=%s/backrest\nlog-level-file=off\nstart-fast=y\nprocess-max=2\n"
	        "compress-type=lz4\nrepo1-retention-full=9999999\n"
	        "[lab]\npg1-path=%s/%s\npg1-port=%d\npg1-socket-path=%s/socket\npg1-user=lab\n",
	        dir, dir, dir, dir, dir, name, port, dir),
	    err);
}

bool
backup_make(struct lab *lab, struct error *err)
{
	return lab_make_dir(lab, "backrest", err) && lab_make_dir(lab, "repo", err) &&
	    lab_make_dir(lab, "socket", err) &&
	    write_conf(lab, first, "primary", lab->primary.port, err) &&
	    (!lab->standby.port || write_conf(lab, second, "standby", lab->standby.port, err));
}

static const char *
archive_command(struct lab *lab, const char *conf)
{
	return arena_printf(&lab->arena,
	    "archive_command = 'pgbackrest --config=\"%s/%s\" --stanza=lab archive-push \"%%p\"'\n",
	    lab->dir, conf);
}

bool
backup_begin(struct lab *lab, struct error *err)
{
	const char *argv[] = { "pgbackrest",
		arena_printf(&lab->arena, "--config=%s/%s", lab->dir, first), "--stanza=lab",
		"--no-online", "--log-level-console=warn", "stanza-create", NULL };
	const struct proc_spec spec = { .argv = argv,
		.env = lab_environment(lab, NULL),
		.dir = lab->dir,
		.log = lab_path(lab, "log/pgbackrest.log"),
		.dies_with_us = true };

	if (!proc_run(&spec, STANZA_MS, lab->stop, NULL, err)) {
		lab_keep_tail(lab, spec.log);
		return false;
	}
	return cluster_configure(lab, "primary/postgresql.conf",
	    arena_printf(&lab->arena,
	        "\n# Backups by pgBackRest, over a socket in the lab's private folder.\n"
	        "unix_socket_directories = '\"%s/socket\"'\nunix_socket_permissions = 0700\n"
	        "archive_mode = on\n%s",
	        lab->dir, archive_command(lab, first)),
	    err);
}

const char *
backup_standby_conf(struct lab *lab)
{
	return archive_command(lab, second);
}

const char *
backup_hba(void)
{
	return "# Who reaches the socket is the lab's owner already, or root.\n"
	       "local  all          lab                       trust\n"
	       "local  replication  all                       trust\n";
}

const char *
backup_keys(struct lab *lab, bool is_standby)
{
	return arena_printf(&lab->arena, "pgbackrest_config = %s/%s\npgbackrest_stanza = lab\n",
	    lab->dir, is_standby ? second : first);
}

/* They run in restores/NAME or a folder of it. */
void
backup_stop(struct lab *lab)
{
	glob_t found;

	for (int depth = 0; depth < 2; depth++) {
		if (glob(arena_printf(&lab->arena, "%s/restores/*%s", lab->dir, depth ? "/*" : ""),
		        GLOB_ONLYDIR, NULL, &found) != 0)
			continue;
		for (size_t i = 0; i < found.gl_pathc; i++)
			lab_end_in("postgres", found.gl_pathv[i], SIGQUIT);
		globfree(&found);
	}
}
