/* The machine of a server that runs on this one: CPU time since boot, from /proc/stat. Time that a
 * hypervisor gave to others counts as busy, time spent waiting for a disk as idle. */
#include "config.h"

#include <stdio.h>
#include <unistd.h>

#include "base/cell.h"
#include "collect/target.h"

enum host_column { HOST_NOW, HOST_BUSY, HOST_IDLE, HOST_CPUS, HOST_COLUMNS };
static const char *const host_names[HOST_COLUMNS] = { "now", "cpu_busy_s", "cpu_idle_s", "cpus" };
static const uint8_t host_types[HOST_COLUMNS] = { CELL_TIME, CELL_FLOAT, CELL_FLOAT, CELL_INT };

/* user nice system idle iowait irq softirq steal; guest time is part of user's. */
static bool
read_cpu(double *busy_s, double *idle_s)
{
	unsigned long long v[8] = { 0 };
	double tick_s = 1.0 / (double)sysconf(_SC_CLK_TCK);
	FILE *f = fopen("/proc/stat", "re");
	int n;

	if (!f)
		return false;
	n = fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &v[0], &v[1], &v[2], &v[3],
	    &v[4], &v[5], &v[6], &v[7]);
	fclose(f);
	*idle_s = (double)(v[3] + v[4]) * tick_s;
	*busy_s = (double)(v[0] + v[1] + v[2] + v[5] + v[6] + v[7]) * tick_s;
	return n >= 4;
}

struct sample *
host_sample(const struct feed *feed)
{
	double busy_s, idle_s;
	bool ok = feed_server_info(feed)->is_local && read_cpu(&busy_s, &idle_s);
	struct rowset *rs = rowset_new(HOST_COLUMNS, host_names, host_types);
	struct sample *s = sample_new(PROBE_HOST, ok ? SAMPLE_OK : SAMPLE_UNSUPPORTED, rs);

	s->at = mono_now();
	s->server_at = feed_server_clock(feed, s->at);
	if (ok) {
		struct cell *c = rowset_add(rs);
		c[HOST_NOW] = cell_time(s->server_at.us);
		c[HOST_BUSY] = cell_float(busy_s);
		c[HOST_IDLE] = cell_float(idle_s);
		c[HOST_CPUS] = cell_int(sysconf(_SC_NPROCESSORS_ONLN));
	} else {
		snprintf(s->what, sizeof(s->what), "the server is not on this machine");
	}
	return s;
}
