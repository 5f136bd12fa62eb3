/*
 * Snapshots of servers that are not the lab's pair, which have no pgBackRest: each is a folder,
 * made by pg_basebackup, or the data directory of an instance that was deleted with a last
 * snapshot.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "labcloud/act.h"
#include "labcloud/rds.h"

static const char *
path(struct call *c, const char *home)
{
	return arena_printf(&c->request->arena, "%s/%s", c->world->options.directory, home);
}

/* The server of a snapshot's source; NULL: a cluster that has no instance. */
static const struct instance *
server_of(const struct world *w, const struct instance *source)
{
	if (!source->is_cluster)
		return source;
	for (int i = 0; i < w->ninstances; i++)
		if (strcmp(w->instances[i].cluster, source->id) == 0 && *w->instances[i].home)
			return &w->instances[i];
	return NULL;
}

/* A standby of the lab has its socket where the lab's servers have theirs, and a port of its own.
 */
static const char *
socket_of(struct call *c, const struct instance *i)
{
	return *i->address == '/' ? i->address : path(c, "socket");
}

bool
rds_folder_snapshot(struct call *c, const struct instance *source, struct snapshot *s,
    act_finish *finish, struct error *err)
{
	struct arena *a = &c->request->arena;
	const struct instance *i = server_of(c->world, source);

	if (!i)
		return error_set(err, ERR_STATE, "The cluster %s has no instance.", source->id);
	snprintf(
	    s->home, sizeof(s->home), "snapshots/%s%s", s->is_cluster ? "cluster-" : "", s->id);
	const char *folder[] = { "/bin/mkdir", "-p", path(c, "snapshots"), NULL };
	const char *copy[] = { act_program(c->world, a, "pg_basebackup"), "-d",
		arena_printf(a, "host='%s' port=%d user=lab", socket_of(c, i), i->port), "-D",
		path(c, s->home), "-X", "stream", "-c", "fast", NULL };
	const char *const *programs[] = { folder, copy };

	return act_programs(c->world, s->id, finish, 2, programs, err);
}

static void
restore_done(struct world *w, const char *id, const struct act_answer *answer)
{
	struct instance *i = world_instance(w, id);

	if (!i)
		return;
	i->act = answer->is_done ? ACT_DONE : ACT_FAILED;
	snprintf(i->failure, sizeof(i->failure), "The restore has failed: %s", answer->what);
}

bool
rds_folder_restore(struct call *c, struct instance *i, const char *snapshot, struct error *err)
{
	struct arena *a = &c->request->arena;
	const char *dir, *data;

	snprintf(i->home, sizeof(i->home), "restores/%s", i->id);
	dir = path(c, i->home);
	data = arena_printf(a, "%s/data", dir);
	snprintf(i->address, sizeof(i->address), "%s", dir);
	i->port = act_free_port();
	const char *folder[] = { "/bin/mkdir", "-m", "700", dir, NULL };
	const char *copy[] = { "/bin/cp", "-a", path(c, snapshot), data, NULL };
	/* What was a standby does not go on as one. */
	const char *signal[] = { "/bin/rm", "-f", arena_printf(a, "%s/standby.signal", data),
		NULL };
	const char *start[] = { act_program(c->world, a, "pg_ctl"), "start", "-D", data, "-w", "-l",
		arena_printf(a, "%s/log", dir), "-o",
		arena_printf(a,
		    "-p %d -c listen_addresses= -c unix_socket_directories='%s' -c archive_mode=off",
		    i->port, dir),
		NULL };
	const char *const *programs[] = { folder, copy, signal, start };

	return act_programs(c->world, i->id, restore_done, 4, programs, err);
}

static void
nothing(struct world *w, const char *id, const struct act_answer *answer)
{
	(void)w;
	(void)id;
	(void)answer;
}

bool
rds_folder_delete(struct call *c, const struct snapshot *s, struct error *err)
{
	const char *rm[] = { "/bin/rm", "-rf", "--one-file-system", "--", path(c, s->home), NULL };
	const char *const *programs[] = { rm };

	if (!*s->home)
		return true;
	/* A copy is another name of it, and a restored cluster may have no instance yet. */
	for (int i = 0; i < c->world->nsnapshots; i++)
		if (&c->world->snapshots[i] != s &&
		    strcmp(c->world->snapshots[i].home, s->home) == 0)
			return true;
	for (int i = 0; i < c->world->nclusters; i++)
		if (strcmp(c->world->clusters[i].label, s->home) == 0)
			return true;
	return act_programs(c->world, s->id, nothing, 1, programs, err);
}

bool
rds_folder_last(struct call *c, const struct instance *i, struct snapshot *s, const char *data,
    act_finish *finish, struct error *err)
{
	snprintf(s->home, sizeof(s->home), "snapshots/%s", s->id);
	const char *folder[] = { "/bin/mkdir", "-p", path(c, "snapshots"), NULL };
	const char *stop[] = { act_program(c->world, &c->request->arena, "pg_ctl"), "stop", "-D",
		data, "-m", "fast", "-w", NULL };
	const char *keep[] = { "/bin/mv", "-T", data, path(c, s->home), NULL };
	const char *rm[] = { "/bin/rm", "-rf", "--one-file-system", "--", path(c, i->home), NULL };
	const char *const *programs[] = { folder, stop, keep, rm };

	return act_programs(c->world, i->id, finish, 4, programs, err);
}
