/* What of a lab runs. Reads files and /proc only, and may be asked by root about another user's
 * lab. */
#include "config.h"

#include "guide/lab_status.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "guide/lab.h"
#include "guide/lab_cloud.h"
#include "guide/lab_pool.h"
#include "guide/lab_stop.h"

static const char *const state_names[] = { "down", "partial", "up" };

void
lab_look(struct lab *lab, struct lab_status *status)
{
	*status = (struct lab_status){ .primary = lab_server_pid(lab, "primary", &lab->primary) };
	if (lab->standby.port)
		status->standby = lab_server_pid(lab, "standby", &lab->standby);
	if (lab->pool_port)
		status->pool = pool_pid(lab);
	if (lab->cloud_port)
		status->cloud = cloud_pid(lab);
	if (lab->has_load)
		load_status(lab, &status->load);
	bool whole = lab->is_complete && status->primary &&
	    (status->standby || !lab->standby.port) && (status->pool || !lab->pool_port) &&
	    (status->cloud || !lab->cloud_port) && (status->load.supervisor || !lab->has_load);

	status->state = whole ? LAB_UP : LAB_PARTIAL;
}

const char *
lab_uri(struct lab *lab, const char *role, int port, const char *database)
{
	if (strcmp(role, "lab") == 0)
		role = arena_printf(&lab->arena, "lab:%s", lab->password);
	return arena_printf(&lab->arena, "postgresql://%s@127.0.0.1:%d/%s", role, port, database);
}

/* A primary that has crashed is what is to be looked at: the lab is there as long as any of its
 * servers is. */
static bool
any_runs(const struct lab_status *status)
{
	return status->primary || status->standby || status->cloud;
}

int
lab_primary_port(const struct lab *lab)
{
	return lab->cloud_port ? lab->endpoint_port : lab->primary.port;
}

bool
lab_conninfo(struct arena *arena, const char **primary, const char **standby,
    const char **pgbouncer_admin, struct error *err)
{
	struct lab lab;
	struct lab_status status;
	bool ok = lab_locate(&lab, NULL, err) && lab_read(&lab, err);

	*primary = *standby = *pgbouncer_admin = NULL;
	if (ok) {
		lab_look(&lab, &status);
		ok = lab.is_complete && any_runs(&status) ?
		    true :
		    error_set(err, ERR_NOT_FOUND, "the lab in %s does not run", lab.dir);
	}
	if (ok) {
		*primary =
		    arena_strdup(arena, lab_uri(&lab, "lab", lab_primary_port(&lab), "shop"));
		if (status.standby)
			*standby =
			    arena_strdup(arena, lab_uri(&lab, "lab", lab.standby.port, "shop"));
		if (status.pool)
			*pgbouncer_admin =
			    arena_strdup(arena, lab_uri(&lab, "lab", lab.pool_port, "pgbouncer"));
	}
	lab_release(&lab);
	return ok;
}

const char *
lab_targets_file(struct arena *arena)
{
	struct lab lab;
	struct lab_status status;
	struct error ignored = { 0 };
	const char *path = NULL;

	if (lab_locate(&lab, NULL, &ignored) && lab_read(&lab, &ignored)) {
		lab_look(&lab, &status);
		if (lab.is_complete && any_runs(&status))
			path = arena_strdup(arena, lab_path(&lab, LAB_TARGETS));
	}
	lab_release(&lab);
	return path;
}

static void
put_text(struct strbuf *out, bool *first, const char *key, const char *value)
{
	json_key(out, first, key);
	json_str(out, value, strlen(value));
}

static void
json_process(struct strbuf *out, bool *first, int port, pid_t pid)
{
	json_key(out, first, "port");
	json_int(out, port);
	json_key(out, first, "pid");
	if (pid)
		json_int(out, pid);
	else
		strbuf_adds(out, "null");
	json_key(out, first, "running");
	strbuf_adds(out, pid ? "true" : "false");
}

static void
json_server(struct lab *lab, struct strbuf *out, const char *data, int port, pid_t pid)
{
	bool first = true;

	if (!port) {
		strbuf_adds(out, "null");
		return;
	}
	strbuf_addc(out, '{');
	put_text(out, &first, "uri", lab_uri(lab, "lab", port, "shop"));
	put_text(out, &first, "dba_uri", lab_uri(lab, "dba", port, "shop"));
	put_text(out, &first, "data_directory", lab_path(lab, data));
	json_process(out, &first, port, pid);
	strbuf_addc(out, '}');
}

static void
json_pool(struct lab *lab, struct strbuf *out, pid_t pid)
{
	bool first = true;

	if (!lab->pool_port) {
		strbuf_adds(out, "null");
		return;
	}
	strbuf_addc(out, '{');
	put_text(out, &first, "uri", lab_uri(lab, "app", lab->pool_port, "shop"));
	put_text(out, &first, "admin_uri", lab_uri(lab, "lab", lab->pool_port, "pgbouncer"));
	put_text(out, &first, "stats_uri", lab_uri(lab, "dba", lab->pool_port, "pgbouncer"));
	put_text(out, &first, "data_directory", lab_path(lab, "pgbouncer"));
	json_process(out, &first, lab->pool_port, pid);
	strbuf_addc(out, '}');
}

static void
json_cloud(struct lab *lab, struct strbuf *out, pid_t pid)
{
	bool first = true;

	if (!lab->cloud_port) {
		strbuf_adds(out, "null");
		return;
	}
	strbuf_addc(out, '{');
	put_text(out, &first, "uri", lab_uri(lab, "lab", lab->endpoint_port, "shop"));
	put_text(out, &first, "endpoint_url", cloud_url(lab));
	put_text(out, &first, "region", LAB_CLOUD_REGION);
	put_text(out, &first, "instance", "lab");
	put_text(out, &first, "credentials_file", lab_path(lab, "cloud/credentials"));
	put_text(out, &first, "control_file", lab_path(lab, "cloud/control"));
	json_process(out, &first, lab->cloud_port, pid);
	strbuf_addc(out, '}');
}

void
lab_print_json(struct lab *lab, const struct lab_status *status)
{
	struct strbuf out;
	bool first = true, first_load = true;

	strbuf_init(&out, 65536);
	strbuf_addc(&out, '{');
	put_text(&out, &first, "state", state_names[status->state]);
	put_text(&out, &first, "directory", lab->dir);
	put_text(&out, &first, "user", lab->user);
	json_key(&out, &first, "version");
	if (lab->version)
		json_str(&out, lab->version, strlen(lab->version));
	else
		strbuf_adds(&out, "null");
	json_key(&out, &first, "primary");
	json_server(lab, &out, "primary", lab->primary.port, status->primary);
	json_key(&out, &first, "standby");
	json_server(lab, &out, "standby", lab->standby.port, status->standby);
	json_key(&out, &first, "pgbouncer");
	json_pool(lab, &out, status->pool);
	json_key(&out, &first, "cloud");
	json_cloud(lab, &out, status->cloud);
	json_key(&out, &first, "load");
	strbuf_addc(&out, '{');
	json_key(&out, &first_load, "running");
	json_int(&out, status->load.running);
	json_key(&out, &first_load, "expected");
	json_int(&out, status->load.expected);
	strbuf_addc(&out, '}');
	strbuf_addc(&out, '}');
	puts(out.buf);
	strbuf_release(&out);
}

static void
print_part(const char *name, const char *where, pid_t pid)
{
	if (pid)
		printf("  %-10s %s  (pid %ld)\n", name, where, (long)pid);
	else
		printf("  %-10s %s  (does not run)\n", name, where);
}

void
lab_print_text(struct lab *lab, const struct lab_status *status)
{
	struct strbuf dir;

	strbuf_init(&dir, 8192);
	utf8_clean(&dir, lab->dir, strlen(lab->dir), true);
	printf("The lab is %s in %s",
	    status->state == LAB_PARTIAL ? "partly up" : state_names[status->state], dir.buf);
	strbuf_release(&dir);
	if (status->state == LAB_DOWN) {
		puts(".");
		return;
	}
	printf(" (PostgreSQL %s, user %s).\n", lab->version, lab->user);
	print_part("primary", lab_uri(lab, "lab", lab->primary.port, "shop"), status->primary);
	print_part("", lab_uri(lab, "dba", lab->primary.port, "shop"), status->primary);
	if (lab->standby.port)
		print_part(
		    "standby", lab_uri(lab, "lab", lab->standby.port, "shop"), status->standby);
	if (lab->pool_port) {
		print_part("pgbouncer", lab_uri(lab, "app", lab->pool_port, "shop"), status->pool);
		print_part(
		    "  admin", lab_uri(lab, "lab", lab->pool_port, "pgbouncer"), status->pool);
	}
	if (lab->cloud_port) {
		print_part("cloud", cloud_url(lab), status->cloud);
		printf("  %-10s instance lab at 127.0.0.1:%d, region " LAB_CLOUD_REGION
		       ", keys in %s\n",
		    "", lab->endpoint_port, lab_path(lab, "cloud/credentials"));
	}
	if (lab->has_load)
		printf("  %-10s %d of %d programs run\n", "load", status->load.running,
		    status->load.expected);
}
