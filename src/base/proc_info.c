/* Processes of others, as /proc tells of them. */
#include "config.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/proc.h"

enum { FIRST_WORDS = 6 }; /* a loader may stand before its program */

#ifdef __linux__
/* "PID (comm) S PPID ...": comm may hold blanks and parentheses, so it ends at the last one. */
static bool
parse_stat(char *text, struct proc_info *info)
{
	char *name = strchr(text, '('), *end = strrchr(text, ')'), *at;
	unsigned long long start = 0;

	if (!name || !end || end < name || strlen(end) < 4)
		return false;
	*end = 0;
	snprintf(info->comm, sizeof(info->comm), "%s", name + 1);
	info->state = end[2];
	at = end + 3;
	for (int field = 4; field <= 22 && at; field++) {
		if (field == 4)
			info->ppid = (pid_t)strtol(at, NULL, 10);
		if (field == 22)
			start = strtoull(at, NULL, 10);
		at = strchr(at + 1, ' ');
	}
	info->start = start;
	return start != 0;
}
#endif

bool
proc_info(pid_t pid, struct proc_info *info)
{
	*info = (struct proc_info){ .pid = pid, .state = '?' };
	if (pid <= 0)
		return false;
#ifdef __linux__
	char path[64], text[1024];

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return false;
	text[n] = 0;
	return parse_stat(text, info) && info->state != 'Z' && info->state != 'X';
#else
	return kill(pid, 0) == 0 || errno == EPERM;
#endif
}

bool
proc_alive(pid_t pid, uint64_t start)
{
	struct proc_info info;

	return proc_info(pid, &info) && (!start || !info.start || info.start == start);
}

bool
proc_cwd(pid_t pid, char *buf, size_t size)
{
	static const char gone[] = " (deleted)";
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/cwd", (long)pid);
	ssize_t n = readlink(path, buf, size - 1);

	if (n < 0)
		return false;
	buf[n] = 0;
	if ((size_t)n >= sizeof(gone) && strcmp(buf + n - sizeof(gone) + 1, gone) == 0)
		buf[(size_t)n - sizeof(gone) + 1] = 0;
	return true;
}

bool
proc_is_program(pid_t pid, const char *name)
{
	char path[64], text[4096];
	ssize_t n;
	int fd, words = 0;

	snprintf(path, sizeof(path), "/proc/%ld/cmdline", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return false;
	text[n] = 0;
	for (const char *w = text; w < text + n && words < FIRST_WORDS;
	     w += strlen(w) + 1, words++) {
		const char *slash = strrchr(w, '/');

		if (strcmp(slash ? slash + 1 : w, name) == 0)
			return true;
	}
	return false;
}

bool
proc_has_shared_memory(pid_t pid)
{
	char path[64], *line = NULL;
	size_t cap = 0;
	bool has = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/maps", (long)pid);
	f = fopen(path, "re");
	while (f && !has && getline(&line, &cap, f) > 0)
		has = strstr(line, " /SYSV") != NULL;
	free(line);
	if (f)
		fclose(f);
	return has;
}

void
proc_each(bool (*f)(const struct proc_info *info, void *arg), void *arg)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	struct proc_info info;

	while (dir && (entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		if (proc_info((pid_t)strtol(entry->d_name, NULL, 10), &info) && !f(&info, arg))
			break;
	}
	if (dir)
		closedir(dir);
}

extern char **environ;

static bool
begins_with_one_of(const char *entry, const char *const *names)
{
	for (int i = 0; names && names[i]; i++)
		if (strncmp(entry, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* The variables of our environment that are chosen, or begin with one of `also`. */
static const char *const *
env_with(struct arena *arena, bool (*is_chosen)(const char *entry), const char *const *also)
{
	const char **env;
	int n = 0;

	while (environ[n])
		n++;
	env = arena_zalloc(arena, (size_t)n + 1, sizeof(*env));
	n = 0;
	for (int i = 0; environ[i]; i++)
		if (is_chosen(environ[i]) || begins_with_one_of(environ[i], also))
			env[n++] = arena_strdup(arena, environ[i]);
	return env;
}

static bool
is_kept(const char *entry)
{
	/* Of libpq only where files are, of AWS only who one is. */
	static const char *const kept[] = { "PATH=", "HOME=", "USER=", "LOGNAME=", "SHELL=",
		"LANG=", "LANGUAGE=", "LC_", "TZ=", "TMPDIR=", "XDG_RUNTIME_DIR=", "PGPASSFILE=",
		"PGSERVICEFILE=", "PGSYSCONFDIR=", "PGSSLROOTCERT=", "SSL_CERT_",
		"http_proxy=", "https_proxy=", "HTTPS_PROXY=", "no_proxy=", "NO_PROXY=",
		"AWS_REGION=", "AWS_ROLE_ARN=", "AWS_WEB_IDENTITY_TOKEN_FILE=", NULL };

	return begins_with_one_of(entry, kept);
}

const char *const *
proc_env(struct arena *arena, const char *const *also)
{
	return env_with(arena, is_kept, also);
}

bool
proc_env_is_secret(const char *entry)
{
	static const char *const names[] = { "PGPASSWORD=", "AWS_SECRET_ACCESS_KEY=",
		"AWS_SESSION_TOKEN=", "AWS_SECURITY_TOKEN=", "AWS_CONTAINER_AUTHORIZATION_TOKEN=",
		NULL };
	static const char *const parts[] = { "_PASS", "_KEY", "_SECRET", "_TOKEN" };
	const char *end = strchr(entry, '=');

	if (begins_with_one_of(entry, names))
		return true;
	for (size_t i = 0; end && strncmp(entry, "PGBACKREST_", 11) == 0 && i < ARRAY_LEN(parts);
	     i++) {
		const char *at = strstr(entry, parts[i]);

		if (at && at < end)
			return true;
	}
	return false;
}

static bool
is_public(const char *entry)
{
	return !proc_env_is_secret(entry);
}

const char *const *
proc_env_public(struct arena *arena, const char *const *also)
{
	return env_with(arena, is_public, also);
}
