#include "config.h"

#include "guide/lab_cloud.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/proc.h"
#include "guide/lab_backup.h"
#include "guide/lab_stop.h"

enum {
	START_MS = 15000,
	LOOK_MS = 5,
};

static const char program_name[] = "pgmedic-cloud";

/* This program, and the other one beside it or on the PATH. */
static const char *
own_path(struct lab *lab)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	return n > 0 ? arena_strndup(&lab->arena, path, (size_t)n) :
	               proc_find(&lab->arena, "pgmedic");
}

static const char *
cloud_program(struct lab *lab)
{
	const char *own = own_path(lab), *slash = own ? strrchr(own, '/') : NULL;
	const char *beside = slash ?
	    arena_printf(&lab->arena, "%.*s/%s", (int)(slash - own), own, program_name) :
	    NULL;

	return beside && access(beside, X_OK) == 0 ? beside : proc_find(&lab->arena, program_name);
}

bool
cloud_find(struct lab *lab, struct error *err)
{
	if (!cloud_program(lab)) {
		error_set(err, ERR_PROGRAM, "%s is not there, or not to be reached by %s",
		    program_name, lab->user);
		return error_hint(
		    err, "It is built where libmicrohttpd is: apt-get install libmicrohttpd-dev.");
	}
	return true;
}

/* ---- files */

static bool
random_text(char *out, size_t len, const char *letters, struct error *err)
{
	unsigned char raw[64];

	if (len > sizeof(raw) || getentropy(raw, len) < 0)
		return error_set(
		    err, ERR_LAB, "the system has no random bytes: %s", strerror(errno));
	for (size_t i = 0; i < len; i++)
		out[i] = letters[raw[i] % strlen(letters)];
	out[len] = 0;
	return true;
}

static bool
write_keys(struct lab *lab, struct error *err)
{
	static const char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	static const char hex[] = "0123456789abcdef";
	char key[17], secret[41], control[33];

	if (!random_text(key, 16, capitals, err) || !random_text(secret, 40, hex, err) ||
	    !random_text(control, 32, hex, err))
		return false;
	const char *options = arena_printf(&lab->arena,
	    "region = " LAB_CLOUD_REGION "\naccount = " LAB_CLOUD_ACCOUNT
	    "\naccess_key = AKIA%s\nsecret_key = %s\ncontrol_key = %s\ndirectory = %s\n"
	    "pgmedic = %s\nbindir = %s\nversion = %s\npassword = %s\nport = %d\nendpoint_port = %d\n"
	    "primary_port = %d\nstandby_port = %d\n",
	    key, secret, control, lab->dir, own_path(lab), lab->bindir, lab->version, lab->password,
	    lab->cloud_port, lab->endpoint_port, lab->primary.port, lab->standby.port);

	return lab_write_file(lab, "cloud/cloud.conf", options, err) &&
	    lab_write_file(lab, "cloud/control", control, err) &&
	    lab_write_file(lab, "cloud/credentials",
	        arena_printf(&lab->arena,
	            "[default]\naws_access_key_id = AKIA%s\naws_secret_access_key = %s\n", key,
	            secret),
	        err);
}

/* A target of pgmedic's own configuration: either server may be the primary. */
static const char *
target_text(struct lab *lab, bool is_standby, const char *other)
{
	const char *dir = lab->dir;

	return arena_printf(&lab->arena,
	    "[target %s]\nconninfo = host='%s/socket' port=%d user=lab dbname=shop\n"
	    "provider = local\ndata_directory = %s/%s\n%srestore_root = %s/restores\n%s%s%s",
	    is_standby ? "lab-standby" : "lab", dir,
	    is_standby ? lab->standby.port : lab->primary.port, dir,
	    is_standby ? "standby" : "primary", backup_keys(lab, is_standby), dir,
	    *other ? "standby = " : "", other, *other ? "\n" : "");
}

/* What the cloud acts with. */
static bool
write_local(struct lab *lab, struct error *err)
{
	bool has_standby = lab->standby.port != 0;

	return lab_write_file(lab, "cloud/config/pgmedic/pgmedic.conf",
	    arena_printf(&lab->arena, "%s%s",
	        target_text(lab, false, has_standby ? "lab-standby" : ""),
	        has_standby ? target_text(lab, true, "lab") : ""),
	    err);
}

bool
cloud_make(struct lab *lab, struct error *err)
{
	static const char *const folders[] = { "cloud", "cloud/config", "cloud/config/pgmedic",
		"cloud/state" };

	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		if (!lab_make_dir(lab, folders[i], err))
			return false;
	return true;
}

/* ---- the endpoint */

static bool
accepts(int port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

static bool
wait_up(struct lab *lab, pid_t pid, uint64_t start, struct error *err)
{
	const struct timespec look = { .tv_nsec = LOOK_MS * 1000000L };
	struct mono begin = mono_now();

	while (proc_alive(pid, start)) {
		if (accepts(lab->cloud_port))
			return true;
		if (lab->stop && *lab->stop)
			return error_set(err, ERR_STATE, "interrupted");
		if (mono_since_ms(mono_now(), begin) > START_MS)
			break;
		nanosleep(&look, NULL);
	}
	lab_keep_tail(lab, lab_path(lab, "log/cloud.log"));
	return error_set(err, ERR_PROGRAM, "%s did not start", program_name);
}

/* Its states' durations may be set from outside. */
static const char *const durations[] = { "PGMEDIC_CLOUD_SNAPSHOT_MS", "PGMEDIC_CLOUD_REBOOT_MS",
	"PGMEDIC_CLOUD_MODIFY_MS", "PGMEDIC_CLOUD_OPTIMIZE_MS", "PGMEDIC_CLOUD_DELETE_MS",
	"PGMEDIC_CLOUD_ZONE_MS" };

bool
cloud_start(struct lab *lab, struct error *err)
{
	const char *argv[] = { cloud_program(lab), lab_path(lab, "cloud/cloud.conf"), NULL };
	const char *extra[ARRAY_LEN(durations) + 3];
	size_t n = 0;
	uint64_t start;
	pid_t pid;

	extra[n++] = arena_printf(&lab->arena, "XDG_CONFIG_HOME=%s/cloud/config", lab->dir);
	extra[n++] = arena_printf(&lab->arena, "XDG_STATE_HOME=%s/cloud/state", lab->dir);
	for (size_t i = 0; i < ARRAY_LEN(durations); i++)
		if (getenv(durations[i]))
			extra[n++] =
			    arena_printf(&lab->arena, "%s=%s", durations[i], getenv(durations[i]));
	extra[n] = NULL;
	const struct proc_spec spec = { .argv = argv,
		.env = lab_environment(lab, extra),
		.dir = lab_path(lab, "cloud"),
		.log = lab_path(lab, "log/cloud.log") };

	return write_keys(lab, err) && write_local(lab, err) &&
	    proc_spawn(&spec, &pid, &start, err) && wait_up(lab, pid, start, err);
}

const char *
cloud_url(struct lab *lab)
{
	return arena_printf(&lab->arena, "http://127.0.0.1:%d", lab->cloud_port);
}

const char *
cloud_target_keys(struct lab *lab)
{
	return arena_printf(&lab->arena,
	    "provider = rds\nauth = password\ninstance = lab\nregion = " LAB_CLOUD_REGION
	    "\nendpoint_url = %s\ncredentials_file = %s/cloud/credentials\n",
	    cloud_url(lab), lab->dir);
}

/* ---- from outside */

struct search {
	const char *dir;
	pid_t pid;
};

static bool
is_cloud(const struct proc_info *info, void *arg)
{
	struct search *s = arg;
	char cwd[4096];

	if (strcmp(info->comm, program_name) == 0 && proc_cwd(info->pid, cwd, sizeof(cwd)) &&
	    strcmp(cwd, s->dir) == 0)
		s->pid = info->pid;
	return s->pid == 0;
}

pid_t
cloud_pid(struct lab *lab)
{
	struct search s = { .dir = lab_path(lab, "cloud") };

	proc_each(is_cloud, &s);
	return s.pid;
}

/* Does its environment hold this line? An operation of the cloud is known by the state folder that
 * it was given: it runs in a session of its own. */
static bool
has_in_environment(pid_t pid, const char *line)
{
	char path[64], text[65536];
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%ld/environ", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = 0;
	for (const char *at = text; at < text + n; at += strlen(at) + 1)
		if (strcmp(at, line) == 0)
			return true;
	return false;
}

static bool
end_operation(const struct proc_info *info, void *arg)
{
	if (info->pid != getpid() &&
	    (strcmp(info->comm, "pgmedic") == 0 || strcmp(info->comm, "pgbackrest") == 0) &&
	    has_in_environment(info->pid, arg)) {
		kill(info->pid, SIGKILL);
		proc_wait_gone(info->pid, info->start, 2000);
	}
	return true;
}

void
cloud_stop(struct lab *lab)
{
	char *state = arena_printf(&lab->arena, "XDG_STATE_HOME=%s/cloud/state", lab->dir);

	lab_end_in(program_name, lab_path(lab, "cloud"), SIGTERM);
	proc_each(end_operation, state);
}
