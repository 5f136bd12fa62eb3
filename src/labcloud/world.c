#include "config.h"

#include "labcloud/world.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "labcloud/parameter.h"
#include "labcloud/scaling.h"

/* Durations come from the environment, for tests and for demonstrations that may take longer. */
static int
from_environment(const char *name, int other)
{
	const char *text = getenv(name);
	long ms = text && *text ? strtol(text, NULL, 10) : other;

	return ms >= 0 && ms <= 3600000 ? (int)ms : other;
}

static struct instance *
add_instance(struct world *w, const char *id, const char *resource, const char *data)
{
	struct instance *i = &w->instances[w->ninstances++];

	*i = (struct instance){ .engine = "postgres",
		.status = "available",
		.address = "127.0.0.1",
		.port = w->endpoint_port,
		.standby_port = w->options.standby_port,
		.created = wall_now(),
		.spec = { .class = "db.t4g.medium",
		    .storage_type = "gp3",
		    .parameter_group = "lab",
		    .storage_gb = 20,
		    .max_storage_gb = 100,
		    .iops = 3000,
		    .throughput = 125,
		    .retention_days = 7,
		    .insights_days = 7,
		    .monitoring_s = 0,
		    .has_insights = true,
		    .is_multi_az = w->options.standby_port != 0 } };
	snprintf(i->id, sizeof(i->id), "%s", id);
	snprintf(i->resource_id, sizeof(i->resource_id), "%s", resource);
	snprintf(i->data, sizeof(i->data), "%s", data);
	snprintf(i->told, sizeof(i->told), "%s", data);
	return i;
}

/* The same two servers once more, as a cluster whose members they are. */
static void
add_cluster(struct world *w)
{
	static const char *const data[] = { "primary", "standby" };
	static const char *const ids[] = { "aurora-1", "aurora-2" };
	struct instance *c = &w->clusters[w->nclusters++];

	for (int m = 0; m < 2; m++) {
		struct instance *i = add_instance(w, ids[m],
		    m ? "db-LABAURORATWOAAAAAAAAAAAAAA" : "db-LABAURORAONEAAAAAAAAAAAAAA", data[m]);

		i->engine = "aurora-postgresql";
		i->spec.is_multi_az = false;
		i->port = world_port(w, data[m]);
		snprintf(i->cluster, sizeof(i->cluster), "aurora");
	}
	*c = *world_instance(w, "aurora-1");
	c->is_cluster = true;
	c->port = w->endpoint_port;
	c->cluster[0] = 0;
	snprintf(c->id, sizeof(c->id), "aurora");
	snprintf(c->resource_id, sizeof(c->resource_id), "cluster-LABAURORAAAAAAAAAAAAAAA");
}

int
world_port(const struct world *w, const char *data)
{
	return strcmp(data, "standby") == 0 ? w->options.standby_port : w->options.primary_port;
}

const char *
world_target(const struct world *w)
{
	return strcmp(w->writer, "standby") == 0 ? "lab-standby" : "lab";
}

void
world_failed_over(struct world *w)
{
	bool is_first = strcmp(w->writer, "primary") == 0;
	struct instance *lab = world_instance(w, "lab");

	snprintf(w->writer, sizeof(w->writer), "%s", is_first ? "standby" : "primary");
	atomic_store(&w->to_writer.to_port, world_port(w, w->writer));
	atomic_store(&w->to_reader.to_port, world_port(w, is_first ? "primary" : "standby"));
	if (!lab)
		return;
	snprintf(lab->data, sizeof(lab->data), "%s", w->writer);
	lab->told_at.us = mono_now().us + (int64_t)w->durations.zone_ms * 1000;
}

bool
world_init(struct world *w, const struct cloud_options *options, struct error *err)
{
	struct credential *root = &w->credentials[0];

	*w = (struct world){ .options = *options, .ncredentials = 1 };
	w->endpoint_port = options->endpoint_port;
	pthread_mutex_init(&w->lock, NULL);
	w->durations = (struct durations){
		.snapshot_ms = from_environment("PGMEDIC_CLOUD_SNAPSHOT_MS", 8000),
		.reboot_ms = from_environment("PGMEDIC_CLOUD_REBOOT_MS", 3000),
		.modify_ms = from_environment("PGMEDIC_CLOUD_MODIFY_MS", 6000),
		.optimize_ms = from_environment("PGMEDIC_CLOUD_OPTIMIZE_MS", 15000),
		.delete_ms = from_environment("PGMEDIC_CLOUD_DELETE_MS", 2000),
		.zone_ms = from_environment("PGMEDIC_CLOUD_ZONE_MS", 10000),
	};
	snprintf(root->access_key, sizeof(root->access_key), "%s", options->access_key);
	snprintf(root->secret, sizeof(root->secret), "%s", options->secret_key);
	snprintf(root->arn, sizeof(root->arn), "arn:aws:iam::%s:user/lab", options->account);
	snprintf(root->user_id, sizeof(root->user_id), "AIDALABLABLABLABLABLA");
	snprintf(w->writer, sizeof(w->writer), "primary");
	if (!forward_start(
	        &w->to_writer, "127.0.0.1", &w->endpoint_port, options->primary_port, err) ||
	    (options->standby_port &&
	        !forward_start(
	            &w->to_reader, "127.0.0.2", &w->endpoint_port, options->standby_port, err)))
		return false;
	vpc_init(w);
	add_instance(w, "lab", "db-LABPRIMARYAAAAAAAAAAAAAAAAA", "primary");
	if (options->standby_port)
		add_cluster(w);
	return true;
}

struct wall
world_now(const struct world *w)
{
	int64_t ahead_ms = 0;
	struct wall now = wall_now();

	if (fault_peek(&w->faults, FAULT_CLOCK, "", &ahead_ms))
		now.us += ahead_ms * 1000;
	return now;
}

struct instance *
world_instance(struct world *w, const char *id)
{
	for (int i = 0; i < w->ninstances; i++)
		if (strcasecmp(w->instances[i].id, id) == 0)
			return &w->instances[i];
	return NULL;
}

struct instance *
world_cluster(struct world *w, const char *id)
{
	for (int i = 0; i < w->nclusters; i++)
		if (strcasecmp(w->clusters[i].id, id) == 0)
			return &w->clusters[i];
	return NULL;
}

struct snapshot *
world_snapshot(struct world *w, bool is_cluster, const char *id)
{
	for (int i = 0; i < w->nsnapshots; i++)
		if (w->snapshots[i].is_cluster == is_cluster &&
		    strcasecmp(w->snapshots[i].id, id) == 0)
			return &w->snapshots[i];
	return NULL;
}

const char *
world_backup_window(struct wall created, char *buf, size_t size)
{
	int hour = (int)((created.us / INT64_C(3600000000) + 12) % 24);

	snprintf(buf, size, "%02d:00-%02d:30", hour, hour);
	return buf;
}

void
world_event(struct world *w, const char *type, const char *source, const char *category,
    const char *fmt, ...)
{
	struct event *e = &w->events[w->nevents++ % MAX_EVENTS];
	va_list ap;

	*e = (struct event){ .type = type, .category = category, .at = wall_now() };
	e->at.us -= e->at.us % 1000; /* as AWS writes it */
	snprintf(e->source, sizeof(e->source), "%s", source);
	va_start(ap, fmt);
	vsnprintf(e->message, sizeof(e->message), fmt, ap);
	va_end(ap);
}

bool
identifier(const char *given, char out[static ID_SIZE])
{
	size_t len = strlen(given);

	if (len == 0 || len >= ID_SIZE || !isalpha((unsigned char)given[0]) ||
	    given[len - 1] == '-' || strstr(given, "--"))
		return false;
	for (size_t i = 0; i <= len; i++) {
		if (given[i] && !isalnum((unsigned char)given[i]) && given[i] != '-')
			return false;
		out[i] = (char)tolower((unsigned char)given[i]);
	}
	return true;
}

void
instance_go(struct instance *i, const struct phase *phases, int n)
{
	i->nphases = n;
	for (int p = 0; p < n; p++)
		i->phases[p] = phases[p];
	i->status = phases[0].status;
	i->until.us = mono_now().us + (int64_t)phases[0].ms * 1000;
}

static void
apply_pending(struct instance *i)
{
	if (i->has_pending && strcmp(i->status, "modifying") == 0) {
		i->spec = i->pending;
		i->has_pending = false;
	}
}

/* True when it is to be removed. */
static bool
tick_instance(struct world *w, struct instance *i)
{
	const char *type = i->is_cluster ? "db-cluster" : "db-instance";

	if (strcmp(i->told, i->data) != 0 && mono_now().us >= i->told_at.us)
		snprintf(i->told, sizeof(i->told), "%s", i->data);
	while (i->nphases && mono_now().us >= i->until.us) {
		const struct phase *p = &i->phases[0];

		/* The first state lasts until what it stands for has been done. */
		if (i->act == ACT_RUNNING)
			return false;
		bool is_failed = i->act == ACT_FAILED;

		i->act = ACT_NONE;
		if (is_failed)
			world_event(w, type, i->id, "failure", "%s", i->failure);
		else if (p->message)
			world_event(w, type, i->id, p->category, "%s", p->message);
		if (is_failed && strcmp(p->status, "creating") == 0) {
			i->status = "restore-error";
			i->nphases = 0;
			return false;
		}
		if (strcmp(p->status, "deleting") == 0)
			return true;
		apply_pending(i);
		/* A replica that was promoted has no source any more. */
		if (strcmp(p->status, "rebooting") == 0 && !is_failed)
			snprintf(i->source, sizeof(i->source), "%s", i->next_source);
		memmove(i->phases, i->phases + 1, sizeof(i->phases[0]) * (MAX_PHASES - 1));
		if (--i->nphases) {
			i->status = i->phases[0].status;
			i->until.us += (int64_t)i->phases[0].ms * 1000;
		} else {
			i->status = "available";
		}
	}
	return false;
}

static void
tick_snapshot(struct world *w, struct snapshot *s)
{
	bool is_due = mono_since_ms(mono_now(), s->begin) >= s->duration_ms;

	const char *type = s->is_cluster ? "db-cluster-snapshot" : "db-snapshot";

	if (s->act == ACT_FAILED) {
		s->status = "failed";
		s->act = ACT_NONE;
	} else if (strcmp(s->status, "creating") == 0 && is_due && s->act != ACT_RUNNING) {
		s->status = "available";
		world_event(w, type, s->id, "creation", "%s",
		    s->is_cluster  ? "Manual cluster snapshot created" :
		        *s->source ? "Snapshot copy finished" :
		                     "Manual snapshot created");
	}
}

/* The instances or clusters; those that are gone are taken out. */
static void
tick_all(struct world *w, struct instance *items, int *n)
{
	for (int i = 0; i < *n; i++)
		if (tick_instance(w, &items[i])) {
			memmove(&items[i], &items[i + 1], sizeof(items[0]) * (size_t)(*n - i - 1));
			--*n;
			i--;
		}
}

void
world_tick(struct world *w)
{
	tick_all(w, w->instances, &w->ninstances);
	tick_all(w, w->clusters, &w->nclusters);
	parameter_tick(w);
	scaling_tick(w);
	vpc_tick(w);
	for (int i = 0; i < w->nsnapshots; i++) {
		struct snapshot *s = &w->snapshots[i];

		tick_snapshot(w, s);
		if (strcmp(s->status, "deleting") == 0 &&
		    mono_since_ms(mono_now(), s->begin) >= s->duration_ms) {
			world_event(w, s->is_cluster ? "db-cluster-snapshot" : "db-snapshot", s->id,
			    "deletion", "Deleted manual snapshot");
			memmove(s, s + 1, sizeof(*s) * (size_t)(w->nsnapshots - i - 1));
			w->nsnapshots--;
			i--;
		}
	}
}
