/*
 * Processes of a server on this machine, from /proc: no query. Only the busy ones are looked at,
 * since each costs a few system calls. CPU is the process's time so far; a rate comes from two
 * samples. Read and write bytes are those that reached the block layer, and only root or the
 * server's own user may see them: NULL, denied, for others.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cell.h"
#include "collect/target.h"

enum { OS_MAX = 500 };

int64_t
os_cpu_us(void)
{
	struct rusage ru;
	if (getrusage(RUSAGE_SELF, &ru) != 0)
		return 0;
	return (int64_t)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000 + ru.ru_utime.tv_usec +
	    ru.ru_stime.tv_usec;
}

#ifdef __linux__

enum os_column {
	OS_NOW,
	OS_PID,
	OS_STATE,
	OS_CPU_S,
	OS_RSS_BYTES,
	OS_PRIVATE_BYTES,
	OS_READ_BYTES,
	OS_WRITE_BYTES,
	OS_COLUMNS
};

static const char *const os_names[OS_COLUMNS] = {
	"now",
	"pid",
	"os_state",
	"cpu_s",
	"rss_bytes",
	"private_bytes",
	"read_bytes",
	"write_bytes",
};
static const uint8_t os_types[OS_COLUMNS] = {
	CELL_TIME,
	CELL_INT,
	CELL_TEXT,
	CELL_FLOAT,
	CELL_INT,
	CELL_INT,
	CELL_INT,
	CELL_INT,
};

/* A /proc file of a process, terminated; false when it is gone or not ours to read. */
static bool
read_proc(int pid, const char *file, char *buf, size_t size)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, buf, size - 1);
	close(fd);
	if (n <= 0)
		return false;
	buf[n] = '\0';
	return true;
}

/* State and CPU time from "pid (comm) S ppid …": fields 14 and 15 are user and system ticks. */
static bool
fill_stat(struct rowset *rs, struct cell *cells, int pid, double tick_s)
{
	char buf[1024], state;
	unsigned long user, system;
	if (!read_proc(pid, "stat", buf, sizeof(buf)))
		return false;
	const char *rest = strrchr(buf, ')');
	if (!rest ||
	    sscanf(rest + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &state, &user,
	        &system) != 3)
		return false;
	cells[OS_STATE] = cell_textn(arena_strndup(&rs->arena, &state, 1), 1);
	cells[OS_CPU_S] = cell_float((double)(user + system) * tick_s);
	return true;
}

static void
fill_memory(struct cell *cells, int pid, long page)
{
	char buf[256];
	long long resident, shared;
	if (!read_proc(pid, "statm", buf, sizeof(buf)) ||
	    sscanf(buf, "%*d %lld %lld", &resident, &shared) != 2)
		return;
	cells[OS_RSS_BYTES] = cell_int(resident * page);
	cells[OS_PRIVATE_BYTES] = cell_int((resident - shared) * page);
}

static void
fill_io(struct cell *cells, int pid)
{
	char buf[512];
	cells[OS_READ_BYTES] = cells[OS_WRITE_BYTES] = cell_null(WHY_DENIED);
	if (!read_proc(pid, "io", buf, sizeof(buf)))
		return;
	const char *r = strstr(buf, "\nread_bytes: "), *w = strstr(buf, "\nwrite_bytes: ");
	if (r)
		cells[OS_READ_BYTES] = cell_int(strtoll(r + strlen("\nread_bytes: "), NULL, 10));
	if (w)
		cells[OS_WRITE_BYTES] = cell_int(strtoll(w + strlen("\nwrite_bytes: "), NULL, 10));
}

static bool
is_busy(const struct cell *state, const struct cell *type)
{
	return cell_is(state, "active") || cell_is(state, "idle in transaction") ||
	    cell_is(state, "fastpath function call") ||
	    (cell_is_null(state) && !cell_is(type, "client backend"));
}

struct sample *
os_sample(const struct feed *feed)
{
	const struct sample *a = feed_good(feed, PROBE_ACTIVITY);
	if (!a || !feed_server_info(feed)->is_local) {
		struct sample *s = sample_new(PROBE_OS, SAMPLE_UNSUPPORTED, NULL);
		snprintf(
		    s->what, sizeof(s->what), "the server's processes are not on this machine");
		s->at = mono_now();
		s->server_at = feed_server_clock(feed, s->at);
		return s;
	}
	struct rowset *rs = rowset_new(OS_COLUMNS, os_names, os_types);
	int pid_col = rowset_col(a->rows, "pid"), state_col = rowset_col(a->rows, "state");
	int type_col = rowset_col(a->rows, "backend_type");
	double tick_s = 1.0 / (double)sysconf(_SC_CLK_TCK);
	long page = sysconf(_SC_PAGESIZE);
	struct mono now = mono_now();
	struct wall at = feed_server_clock(feed, now);
	for (int i = 0; i < a->rows->nrows && rs->nrows < OS_MAX; i++) {
		if (!is_busy(rowset_cell(a->rows, i, state_col), rowset_cell(a->rows, i, type_col)))
			continue;
		int pid = (int)cell_i64(rowset_cell(a->rows, i, pid_col), 0);
		struct cell stat[OS_COLUMNS] = { { .i = 0 } };
		if (!fill_stat(rs, stat, pid, tick_s))
			continue;
		struct cell *cells = rowset_add(rs);
		cells[OS_NOW] = cell_time(at.us);
		cells[OS_PID] = cell_int(pid);
		cells[OS_STATE] = stat[OS_STATE];
		cells[OS_CPU_S] = stat[OS_CPU_S];
		fill_memory(cells, pid, page);
		fill_io(cells, pid);
	}
	struct sample *s = sample_new(PROBE_OS, SAMPLE_OK, rs);
	s->at = now;
	s->server_at = at;
	return s;
}

#else

struct sample *
os_sample(const struct feed *feed)
{
	struct sample *s = sample_new(PROBE_OS, SAMPLE_UNSUPPORTED, NULL);
	snprintf(
	    s->what, sizeof(s->what), "this system has no /proc with the figures of processes");
	s->at = mono_now();
	s->server_at = feed_server_clock(feed, s->at);
	return s;
}

#endif
