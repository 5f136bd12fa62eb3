/*
 * Enhanced Monitoring: what an agent within the instance's machine measures, as one JSON text in a
 * stream of CloudWatch Logs. The newest is read while somebody looks; it has the processes with the
 * pids of pg_stat_activity. Sizes come in kB. A row is one figure, or one process.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/rowset.h"
#include "collect/cloud_priv.h"

enum { MAX_LIST = 64, MAX_PROCESSES = 500, KB = 1024 };

/* A figure of an object, or of each object of a list; what is not there has no row. */
struct figure {
	const char *key, *name, *unit;
	double factor;
};

/* clang-format off */
static const struct figure cpu[] = {
	{ "total", "cpu_total", "pct", 1 }, { "user", "cpu_user", "pct", 1 },
	{ "system", "cpu_system", "pct", 1 }, { "wait", "cpu_wait", "pct", 1 },
	{ "steal", "cpu_steal", "pct", 1 }, { "nice", "cpu_nice", "pct", 1 },
	{ "irq", "cpu_irq", "pct", 1 }, { "idle", "cpu_idle", "pct", 1 },
};
static const struct figure load[] = {
	{ "one", "load_1m", "count", 1 }, { "five", "load_5m", "count", 1 },
	{ "fifteen", "load_15m", "count", 1 },
};
static const struct figure memory[] = {
	{ "total", "memory_total", "bytes", KB }, { "free", "memory_free", "bytes", KB },
	{ "cached", "memory_cached", "bytes", KB }, { "buffers", "memory_buffers", "bytes", KB },
	{ "active", "memory_active", "bytes", KB }, { "dirty", "memory_dirty", "bytes", KB },
	{ "pageTables", "memory_page_tables", "bytes", KB },
	{ "hugePagesTotal", "huge_pages_total", "count", 1 },
	{ "hugePagesFree", "huge_pages_free", "count", 1 },
};
static const struct figure swap[] = {
	{ "total", "swap_total", "bytes", KB }, { "free", "swap_free", "bytes", KB },
	{ "in", "swap_in", "bytes_per_s", KB }, { "out", "swap_out", "bytes_per_s", KB },
};
static const struct figure tasks[] = {
	{ "running", "tasks_running", "count", 1 }, { "sleeping", "tasks_sleeping", "count", 1 },
	{ "blocked", "tasks_blocked", "count", 1 }, { "zombie", "tasks_zombie", "count", 1 },
	{ "total", "tasks_total", "count", 1 },
};
static const struct figure network[] = {
	{ "rx", "received", "bytes_per_s", 1 }, { "tx", "sent", "bytes_per_s", 1 },
};
/* Aurora's first device has other keys than the rest. */
static const struct figure disk[] = {
	{ "util", "busy", "pct", 1 }, { "await", "await", "s", 0.001 },
	{ "avgQueueLen", "queue", "count", 1 }, { "diskQueueDepth", "queue", "count", 1 },
	{ "readIOsPS", "reads", "per_s", 1 }, { "writeIOsPS", "writes", "per_s", 1 },
	{ "readKbPS", "read", "bytes_per_s", KB }, { "writeKbPS", "written", "bytes_per_s", KB },
	{ "readThroughput", "read", "bytes_per_s", 1 },
	{ "writeThroughput", "written", "bytes_per_s", 1 },
	{ "readLatency", "read_latency", "s", 0.001 },
	{ "writeLatency", "write_latency", "s", 0.001 },
};
static const struct figure files[] = {
	{ "usedPercent", "used", "pct", 1 }, { "used", "used_bytes", "bytes", KB },
	{ "total", "total_bytes", "bytes", KB }, { "usedFilePercent", "files_used", "pct", 1 },
};

/* member: of the text; label: in objects of a list what tells them apart, NULL it is one object. */
static const struct {
	const char *member, *label, *prefix;
	const struct figure *figures;
	size_t n;
} groups[] = {
	{ "cpuUtilization", NULL, "", cpu, ARRAY_LEN(cpu) },
	{ "loadAverageMinute", NULL, "", load, ARRAY_LEN(load) },
	{ "tasks", NULL, "", tasks, ARRAY_LEN(tasks) },
	{ "memory", NULL, "", memory, ARRAY_LEN(memory) },
	{ "swap", NULL, "", swap, ARRAY_LEN(swap) },
	{ "diskIO", "device", "disk", disk, ARRAY_LEN(disk) },
	{ "physicalDeviceIO", "device", "device", disk, ARRAY_LEN(disk) },
	{ "fileSys", "mountPoint", "files", files, ARRAY_LEN(files) },
	{ "network", "interface", "network", network, ARRAY_LEN(network) },
};
/* clang-format on */

static const char *const names[] = { "kind", "name", "value", "unit", "time", "pid", "memory_pct",
	"rss_bytes" };
static const uint8_t types[] = { CELL_TEXT, CELL_TEXT, CELL_FLOAT, CELL_TEXT, CELL_TIME, CELL_INT,
	CELL_FLOAT, CELL_INT };

static void
take_figures(
    struct rowset *rows, const struct json *of, size_t group, const char *label, struct wall at)
{
	for (size_t i = 0; i < groups[group].n; i++) {
		const struct figure *f = &groups[group].figures[i];
		double value;

		if (!aws_number(json_get(of, f->key), &value))
			continue;
		struct cell *c = rowset_add(rows);

		c[0] = cell_text("os");
		c[1] = label ? cell_text(arena_printf(&rows->arena, "%s %s %s",
		                   groups[group].prefix, label, f->name)) :
		               cell_text(f->name);
		c[2] = cell_float(value * f->factor);
		c[3] = cell_text(f->unit);
		c[4] = cell_time(at.us);
	}
}

static void
take_group(struct rowset *rows, const struct json *root, size_t group, struct wall at)
{
	const struct json *of = json_get(root, groups[group].member);
	int n = 0;

	if (!groups[group].label) {
		take_figures(rows, of, group, NULL, at);
		return;
	}
	for (of = json_child(of); of && n < MAX_LIST; of = json_next(of), n++) {
		const char *label = json_text(json_get(of, groups[group].label));

		if (!label)
			label = json_text(json_get(of, "name"));
		take_figures(rows, of, group, label ? label : "", at);
	}
}

static void
take_processes(struct rowset *rows, const struct json *root, struct wall at)
{
	const struct json *p = json_child(json_get(root, "processList"));

	for (int n = 0; p && n < MAX_PROCESSES; p = json_next(p), n++) {
		const char *name = json_text(json_get(p, "name"));
		double number;

		if (!name || !aws_number(json_get(p, "cpuUsedPc"), &number))
			continue;
		struct cell *c = rowset_add(rows);

		c[0] = cell_text("process");
		c[1] = cell_text(arena_strdup(&rows->arena, name));
		c[2] = cell_float(number);
		c[3] = cell_text("pct");
		c[4] = cell_time(at.us);
		if (aws_number(json_get(p, "id"), &number))
			c[5] = cell_int((int64_t)number);
		if (aws_number(json_get(p, "memoryUsedPc"), &number))
			c[6] = cell_float(number);
		if (aws_number(json_get(p, "rss"), &number))
			c[7] = cell_int((int64_t)number * KB);
	}
}

/* The newest text of the stream; NULL: there is none. */
static struct json *
newest(const struct aws_answer *answer, struct wall *at, struct error *err)
{
	const struct json *event = NULL;
	const char *message;
	double ms;

	for (const struct json *e = json_child(json_get(answer->json, "events")); e;
	     e = json_next(e))
		event = e;
	message = json_text(json_get(event, "message"));
	if (!message) {
		error_set(err, ERR_NOT_FOUND, "it has told nothing yet");
		return NULL;
	}
	if (aws_number(json_get(event, "timestamp"), &ms))
		at->us = (int64_t)(ms * 1000);
	return json_parse(message, strlen(message), err);
}

bool
cloud_os_run(struct cloud_account *a, struct cloud_member *m, struct error *err)
{
	const struct xml *x = cloud_instance_of(m);
	struct strbuf body = STRBUF_INIT(1024);
	struct aws_call call = { .service = AWS_LOGS, .op = "GetLogEvents" };
	struct aws_answer answer;
	struct json *root = NULL;
	struct wall at = { 0 };

	if (!*m->resource_id)
		return error_set(err, ERR_UNSUPPORTED, "the instance is not known");
	if (x && xml_int(x, "MonitoringInterval", 0) <= 0) {
		error_set(err, ERR_UNSUPPORTED, "it is off for %s", m->id);
		return error_hint(
		    err, "It is switched on by MonitoringInterval and a role for it.");
	}
	strbuf_adds(&body, "{\"logGroupName\":\"RDSOSMetrics\",\"logStreamName\":");
	json_str(&body, m->resource_id, strlen(m->resource_id));
	strbuf_adds(&body, ",\"limit\":1,\"startFromHead\":false}");
	call.json = body.buf;
	aws_answer_init(&answer);
	if (cloud_do(a, &call, &answer, err))
		root = newest(&answer, &at, err);
	if (root) {
		struct rowset *rows = rowset_new((int)ARRAY_LEN(names), names, types);

		for (size_t i = 0; i < ARRAY_LEN(groups); i++)
			take_group(rows, root, i, at);
		take_processes(rows, root, at);
		cloud_post(m, PROBE_CLOUD_OS, rows);
		json_free(root);
	}
	aws_answer_release(&answer);
	strbuf_release(&body);
	return root != NULL;
}
