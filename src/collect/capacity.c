/*
 * How much room there is: as the configuration says, and, where the server is on this machine, of
 * the file systems of its data directory, WAL and tablespaces (statvfs, no query). File systems
 * over a network are left out: a dead file server would hold this thread, and with it every target.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/cell.h"
#include "collect/target.h"

enum capacity_column {
	CAP_WHAT,
	CAP_PATH,
	CAP_SOURCE,
	CAP_DEVICE,
	CAP_TOTAL,
	CAP_FREE,
	CAP_MAX,
	CAP_AUTOSCALING,
	CAP_COLUMNS
};

static const char *const capacity_names[CAP_COLUMNS] = {
	"what",
	"path",
	"source",
	"device",
	"total_bytes",
	"free_bytes",
	"max_bytes",
	"autoscaling",
};
static const uint8_t capacity_types[CAP_COLUMNS] = {
	CELL_TEXT,
	CELL_TEXT,
	CELL_TEXT,
	CELL_INT,
	CELL_INT,
	CELL_INT,
	CELL_INT,
	CELL_BOOL,
};

/* Does a path lie below a folder? */
static bool
is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	if (strcmp(folder, "/") == 0)
		return path[0] == '/';
	return strncmp(path, folder, len) == 0 && (path[len] == '/' || !path[len]);
}

/* By the text of the mount table, which never waits; without such a table nothing is known and
 * nothing refused. */
bool
path_is_remote(const char *path)
{
	static const char *const remote[] = { "nfs", "cifs", "smb", "fuse.", "ceph", "glusterfs",
		"lustre", "afs", "9p", "gfs", "ocfs", "beegfs", "gpfs" };
	char line[4096], folder[2048], type[128];
	size_t longest = 0;
	bool found = false;
	FILE *f = fopen("/proc/self/mounts", "re");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %2047s %127s", folder, type) != 2 ||
		    !is_below(path, folder) || strlen(folder) < longest)
			continue;
		longest = strlen(folder);
		found = false;
		for (size_t i = 0; i < ARRAY_LEN(remote); i++)
			found |= strncmp(type, remote[i], strlen(remote[i])) == 0;
	}
	if (f)
		fclose(f);
	return found;
}

static void
add_file_system(struct rowset *rs, const char *what, const char *path)
{
	struct statvfs vfs;
	struct stat st;
	struct cell *c;

	if (path[0] != '/' || path_is_remote(path) || stat(path, &st) != 0 ||
	    statvfs(path, &vfs) != 0)
		return;
	c = rowset_add(rs);
	c[CAP_WHAT] = cell_text(arena_strdup(&rs->arena, what));
	c[CAP_PATH] = cell_text(arena_strdup(&rs->arena, path));
	c[CAP_SOURCE] = cell_text("statvfs");
	c[CAP_DEVICE] = cell_int((int64_t)st.st_dev);
	c[CAP_TOTAL] = cell_int((int64_t)vfs.f_blocks * (int64_t)vfs.f_frsize);
	/* What the server may use: not the blocks kept for root. */
	c[CAP_FREE] = cell_int((int64_t)vfs.f_bavail * (int64_t)vfs.f_frsize);
}

static void
add_configured(struct rowset *rs, const struct capacity_conf *conf)
{
	struct cell *c;

	if (conf->capacity_bytes <= 0 && conf->max_bytes <= 0 && !conf->is_autoscaling)
		return;
	c = rowset_add(rs);
	c[CAP_WHAT] = cell_text("configured");
	c[CAP_SOURCE] = cell_text("setting");
	if (conf->capacity_bytes > 0)
		c[CAP_TOTAL] = cell_int(conf->capacity_bytes);
	if (conf->max_bytes > 0)
		c[CAP_MAX] = cell_int(conf->max_bytes);
	c[CAP_AUTOSCALING] = cell_bool(conf->is_autoscaling);
}

static void
add_file_systems(struct rowset *rs, const struct feed *feed)
{
	const struct server_info *server = feed_server_info(feed);
	const struct sample *spaces = feed_good(feed, PROBE_TABLESPACES);
	char path[512];

	if (!server->is_local)
		return;
	if (server->data_directory[0]) {
		add_file_system(rs, "data directory", server->data_directory);
		snprintf(path, sizeof(path), "%s/pg_wal", server->data_directory);
		add_file_system(rs, "pg_wal", path);
	}
	for (int i = 0; spaces && i < spaces->rows->nrows; i++) {
		const struct cell *name = rowset_get(spaces->rows, i, "name");
		const struct cell *location = rowset_get(spaces->rows, i, "location");
		char what[128];

		if (name->type != CELL_TEXT || location->type != CELL_TEXT)
			continue;
		snprintf(what, sizeof(what), "tablespace %.*s", (int)name->len, name->s);
		snprintf(path, sizeof(path), "%.*s", (int)location->len, location->s);
		add_file_system(rs, what, path);
	}
}

struct sample *
capacity_sample(const struct feed *feed, const struct capacity_conf *conf)
{
	const struct server_info *server = feed_server_info(feed);
	struct rowset *rs = rowset_new(CAP_COLUMNS, capacity_names, capacity_types);
	struct sample *s;

	add_configured(rs, conf);
	add_file_systems(rs, feed);
	s = sample_new(PROBE_CAPACITY, rs->nrows ? SAMPLE_OK : SAMPLE_UNSUPPORTED, rs);
	s->at = mono_now();
	s->server_at = feed_server_clock(feed, s->at);
	if (rs->nrows)
		return s;
	if (server->is_local && !server->data_directory[0]) {
		s->state = SAMPLE_DENIED;
		snprintf(s->what, sizeof(s->what), "where the data directory is, is hidden");
		snprintf(s->hint, sizeof(s->hint),
		    "GRANT pg_monitor TO %s, or set storage_capacity of the target.", server->user);
		return s;
	}
	snprintf(s->what, sizeof(s->what),
	    "the server's disk is not on this machine and its size is not configured");
	snprintf(s->hint, sizeof(s->hint),
	    "Set storage_capacity = 500GB (its size) in the section of the target.");
	return s;
}
