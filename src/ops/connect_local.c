/* A server of this machine: its socket, its postmaster.pid, who listens on the port. */
#include "config.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/proc.h"
#include "ops/connect_priv.h"

/* ------------------------------------------------------------------ sockets */

/* errno of connecting to the socket; 0: somebody listens. */
static int
knock(const char *path, bool is_abstract)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	int fd, error = 0;

	if (len >= sizeof(un.sun_path))
		return ENAMETOOLONG;
	memcpy(un.sun_path, path, len);
	if (is_abstract)
		un.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return errno;
	if (connect(fd, (struct sockaddr *)&un,
	        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + !is_abstract)) != 0 &&
	    errno != EINPROGRESS)
		error = errno;
	close(fd);
	return error;
}

/* Sockets of servers where they usually are, as evidence of what could be meant. */
static void
add_sockets(struct walk *w, const char *folder)
{
	const char *const folders[] = { folder, "/var/run/postgresql", "/tmp", NULL };
	int found = 0;

	for (int i = 0; folders[i]; i++) {
		glob_t all = { 0 };

		if (i && strcmp(folders[i], folder) == 0)
			continue;
		if (glob(arena_printf(w->arena, "%s/.s.PGSQL.*[0-9]", folders[i]), 0, NULL, &all) ==
		    0)
			for (size_t k = 0; k < all.gl_pathc && found < 4; k++) {
				bool is_live = knock(all.gl_pathv[k], false) == 0;

				check_evidence(w->checks, "there is %s%s", all.gl_pathv[k],
				    is_live ? ": a server listens" : ": nobody listens");
				found += is_live;
			}
		globfree(&all);
	}
	if (!found)
		check_evidence(w->checks, "no socket of a server was found on this machine");
	else
		check_remedy(w->checks,
		    "A server listens on another socket: give its folder with "
		    "-h and the number in its name with -p.");
}

static void
try_socket(struct walk *w, const struct pg_where_host *host)
{
	const char *path = arena_printf(w->arena, "%s/.s.PGSQL.%s", host->host, host->port);
	int error = knock(path, *host->host == '@');

	if (error == 0) {
		w->is_socket_live = true;
		check_add(w->checks, "socket", CHECK_OK, "a server listens on %s", path);
		return;
	}
	check_add(w->checks, "socket", CHECK_FAIL, "%s: %s", path,
	    error == ENOENT           ? "there is no such socket" :
	        error == ECONNREFUSED ? "nobody listens any more" :
	                                strerror(error));
	if (error == ENOENT) {
		check_remedy(w->checks,
		    "The server is not running, or has another port or unix_socket_directories.");
		add_sockets(w, host->host);
	} else if (error == ECONNREFUSED) {
		check_remedy(w->checks,
		    "The server that made it was killed: start it again, it then recovers.");
	} else if (error == EACCES) {
		check_remedy(w->checks,
		    "This user may not use it (unix_socket_permissions, its folder): connect by -h "
		    "localhost, or as another user.");
	} else if (error == EAGAIN) {
		check_remedy(w->checks, "Its queue is full: the server is frozen or overloaded.");
	}
}

/* ------------------------------------------------------------------ postmaster.pid */

struct pidfile {
	char lines[8][256]; /* pid, folder, start, port, socket folder, listen address, key, status
	                     */
	int n;
};

/* errno; 0: read. */
static int
read_pidfile(const char *folder, struct pidfile *out)
{
	char path[1024];
	FILE *in;

	snprintf(path, sizeof(path), "%s/postmaster.pid", folder);
	memset(out, 0, sizeof(*out));
	in = fopen(path, "re");
	if (!in)
		return errno;
	while (out->n < 8 && fgets(out->lines[out->n], sizeof(out->lines[0]), in)) {
		char *line = out->lines[out->n++];

		line[strcspn(line, "\r\n")] = '\0';
		line[strcspn(line, " ")] = '\0';
	}
	fclose(in);
	return 0;
}

static const char *
wanted_port(const struct walk *w)
{
	return w->where->hosts[0].port;
}

static void
judge_running(struct walk *w, const char *folder, const struct pidfile *p)
{
	const char *status = p->lines[7], *port = p->lines[3], *listens = p->lines[5];

	if (strcmp(port, wanted_port(w)) != 0) {
		check_add(w->checks, "local", CHECK_FAIL, "the server in %s runs on port %s",
		    folder, port);
		check_remedy(w->checks, "Connect with -p %s.", port);
	} else if (strcmp(status, "starting") == 0 || strcmp(status, "stopping") == 0) {
		check_add(w->checks, "local", CHECK_FAIL, "the server in %s is %s", folder, status);
		check_remedy(w->checks, "%s",
		    strcmp(status, "starting") == 0 ?
		        "It reads its WAL (crash recovery or a standby that is not consistent yet): its log "
		        "says how far." :
		        "It waits for sessions or its last checkpoint to end; then start it again.");
	} else {
		check_add(w->checks, "local", CHECK_OK, "the server in %s runs (pid %s, %s)",
		    folder, p->lines[0], *status ? status : "status unknown");
	}
	check_evidence(w->checks, "port %s, sockets in %s, listens on %s", port,
	    *p->lines[4] ? p->lines[4] : "no folder", *listens ? listens : "no address");
	if (!w->has_socket && !*listens) {
		w->checks->items[w->checks->n - 1].state = CHECK_FAIL;
		check_remedy(w->checks,
		    "listen_addresses is empty: connect by its socket, or set it and restart.");
	}
}

/* True: it says why. */
static bool
walk_folder(struct walk *w, const char *folder)
{
	struct pidfile p;
	int error = read_pidfile(folder, &p);
	struct proc_info info;
	long pid = strtol(p.lines[0], NULL, 10);

	if (error == ENOENT && access(folder, F_OK) != 0) {
		check_add(w->checks, "local", CHECK_FAIL, "there is no %s", folder);
		check_remedy(
		    w->checks, "Is data_directory of the target right, and its volume mounted?");
	} else if (error == ENOENT) {
		check_add(
		    w->checks, "local", CHECK_FAIL, "the server in %s is not running", folder);
		check_evidence(w->checks, "there is no postmaster.pid");
		check_remedy(w->checks,
		    "Start it (systemctl start postgresql, pg_ctlcluster, or pg_ctl -D %s start); its log "
		    "says why it ended.",
		    folder);
	} else if (error) {
		check_add(w->checks, "local", CHECK_UNKNOWN, "%s/postmaster.pid: %s", folder,
		    strerror(error));
	} else if (!proc_info((pid_t)pid, &info)) {
		check_add(w->checks, "local", CHECK_FAIL, "the server in %s was killed", folder);
		check_evidence(w->checks, "postmaster.pid names process %ld, which is gone", pid);
		check_remedy(
		    w->checks, "Start it: it recovers by itself, and removes the stale file.");
	} else {
		judge_running(w, folder, &p);
	}
	return w->checks->items[w->checks->n - 1].state == CHECK_FAIL;
}

/* ------------------------------------------------------------------ who listens */

/* Listeners of a port from one table of the kernel; addresses in its hexadecimal. */
static int
add_listeners(struct walk *w, const char *table, unsigned port)
{
	FILE *in = fopen(table, "re");
	char line[512], hex[64], text[64];
	unsigned local, state;
	int n = 0;

	while (in && fgets(line, sizeof(line), in)) {
		struct in6_addr a = { 0 };
		uint32_t part;

		if (sscanf(line, "%*d: %63[0-9A-F]:%x %*[0-9A-F]:%*x %x", hex, &local, &state) !=
		        3 ||
		    state != 0x0A || local != port)
			continue;
		for (size_t i = 0; i * 8 < strlen(hex) && i < 4; i++) {
			char word[9] = "";

			memcpy(word, hex + i * 8, 8);
			part = (uint32_t)strtoul(word, NULL, 16);
			memcpy((char *)&a + i * 4, &part, 4);
		}
		if (inet_ntop(strlen(hex) == 8 ? AF_INET : AF_INET6, &a, text, sizeof(text))) {
			check_evidence(w->checks, "somebody listens on %s port %u", text, port);
			n++;
		}
	}
	if (in)
		fclose(in);
	return n;
}

static void
walk_listeners(struct walk *w, const struct reach *r)
{
	unsigned port = (unsigned)strtoul(r->host->port, NULL, 10);
	int n;

	check_add(w->checks, "local", CHECK_FAIL,
	    "%s is this machine, and nothing listens there on port %u", r->text, port);
	if (*r->host->addr && strcmp(r->host->addr, r->host->host) != 0) {
		check_remedy(w->checks,
		    "Is it a tunnel's end? Then it is down: ssh -L %u:%s:5432 HOST", port,
		    r->host->host);
		return;
	}
	n = add_listeners(w, "/proc/net/tcp", port) + add_listeners(w, "/proc/net/tcp6", port);
	if (n)
		check_remedy(w->checks,
		    "Its listen_addresses leaves this address out: add it and restart, or connect to "
		    "one of those.");
	else
		check_remedy(w->checks,
		    "The server is not running, or has another port, or listen_addresses is empty.");
}

/* Of this name, perhaps run by the dynamic loader. */
static bool
is_server(const char *args, const char *pid)
{
	const char *base = strrchr(args, '/');

	base = base ? base + 1 : args;
	return strcmp(base, "postgres") == 0 || strcmp(base, "postmaster") == 0 ||
	    (strncmp(base, "ld-", 3) == 0 &&
	        proc_is_program((pid_t)strtol(pid, NULL, 10), "postgres"));
}

/* Postmasters of this machine: their children have titles instead of arguments. */
static void
add_postmasters(struct walk *w)
{
	DIR *dir = opendir("/proc");
	int n = 0;

	for (struct dirent *e; dir && n < 4 && (e = readdir(dir));) {
		char path[300], args[4096] = "";
		const char *data = NULL;
		struct pidfile p;
		FILE *in;
		size_t len;

		if (e->d_name[0] < '0' || e->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/cmdline", e->d_name);
		in = fopen(path, "re");
		if (!in)
			continue;
		len = fread(args, 1, sizeof(args) - 1, in);
		fclose(in);
		if (!is_server(args, e->d_name))
			continue;
		for (const char *a = args; a < args + len; a += strlen(a) + 1)
			if (strcmp(a, "-D") == 0)
				data = a + 3;
		if (data && read_pidfile(data, &p) == 0)
			check_evidence(w->checks, "a server runs in %s, port %s, pid %s", data,
			    p.lines[3], e->d_name);
		else
			check_evidence(w->checks, "a server runs%s%s, pid %s", data ? " in " : "",
			    data ? data : "", e->d_name);
		n++;
	}
	if (dir)
		closedir(dir);
	if (!n)
		check_evidence(w->checks, "no server process was found on this machine");
}

void
walk_local(struct walk *w)
{
	const struct reach *refused = NULL;
	bool is_here = false, is_told = false;

	for (int i = 0; i < w->where->nhosts; i++)
		if (*w->where->hosts[i].host == '/' || *w->where->hosts[i].host == '@')
			try_socket(w, &w->where->hosts[i]);
	for (int i = 0; i < w->nreaches; i++) {
		bool is_own = reach_is_own(&w->reaches[i]);

		is_here |= is_own;
		if (is_own && w->reaches[i].state == REACH_REFUSED && !refused)
			refused = &w->reaches[i];
	}
	if (*w->target->data_directory && (is_here || w->has_socket))
		is_told = walk_folder(w, w->target->data_directory);
	if (refused && !w->first && !is_told)
		walk_listeners(w, refused);
	if (!is_told && ((refused && !w->first) || (w->has_socket && !w->is_socket_live)))
		add_postmasters(w);
}
