/*
 * The lab's small cloud: instances, snapshots and events, moved on by the clock. What a call begins
 * is finished by time and, where it really acts, by pgmedic's own operation: whichever ends last.
 * All of it is behind one mutex, which callers hold.
 */
#ifndef PGMEDIC_LABCLOUD_WORLD_H
#define PGMEDIC_LABCLOUD_WORLD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/compat.h"
#include "base/error.h"

#include "labcloud/fault.h"
#include "labcloud/forward.h"
#include "labcloud/sigv4.h"
#include "labcloud/tags.h"
#include "labcloud/vpc.h"

enum {
	ID_SIZE = 64,
	MAX_INSTANCES = 12,
	MAX_CLUSTERS = 4,
	MAX_SNAPSHOTS = 100,
	MAX_EVENTS = 1000,
	MAX_CREDENTIALS = 32,
	MAX_PHASES = 4,
};

struct cloud_options { /* from the file that the lab writes */
	char region[32], account[16], access_key[32], secret_key[64], control_key[64];
	char directory[512]; /* of the lab */
	char pgmedic[512];   /* the program that acts */
	char bindir[512];    /* of PostgreSQL */
	char version[32];
	char password[80]; /* of the lab's superuser: what GetSecretValue tells */
	int port, endpoint_port, primary_port, standby_port; /* endpoint_port 0: a free one */
};

/* How long states last at least. */
struct durations {
	int snapshot_ms, reboot_ms, modify_ms, optimize_ms, delete_ms;
	int zone_ms; /* after a failover, until the zone that is told is the new one */
};

enum act_state { ACT_NONE, ACT_RUNNING, ACT_DONE, ACT_FAILED };

struct phase {
	const char *status;
	int ms;
	const char *message, *category; /* the event at its end; NULL: none */
};

/* An instance, or a cluster of them. */
struct instance {
	char id[ID_SIZE], resource_id[40];
	bool is_cluster;
	const char *engine;
	char cluster[ID_SIZE];                      /* that it is a member of, "" none */
	char source[ID_SIZE], next_source[ID_SIZE]; /* of a replica; and after what is under way */
	char
	    label[96]; /* of a restored cluster: of pgBackRest, "--at TIME", or a snapshot's home */
	const char *status;
	struct phase phases[MAX_PHASES]; /* the first is under way */
	int nphases;
	struct mono until; /* of the first phase */
	enum act_state act;
	char failure[256];
	char data[64]; /* folder of its server in the lab: "primary"; "" its own */
	char home[96]; /* folder of a server of its own in the lab, "" none */
	char told[64]; /* the data whose zone is told: it comes late */
	struct mono told_at;
	char address[256]; /* a restored server has a socket only: its folder */
	int port, standby_port;
	struct tags tags;
	struct wall created;
	struct mono replicated; /* its automated backups, to another region; 0: not */
	int replicated_days;
	/* What ModifyDBInstance sets. */
	struct instance_spec {
		char class[32], storage_type[16], parameter_group[ID_SIZE], monitoring_role[160];
		int storage_gb, max_storage_gb, iops, throughput, retention_days, insights_days;
		int monitoring_s;
		bool has_insights, is_multi_az, is_protected;
	} spec, pending;
	bool has_pending;
};

struct snapshot {
	bool is_cluster;
	char id[ID_SIZE], instance[ID_SIZE], resource_id[40];
	char source[ID_SIZE * 2]; /* identifier of the one it is a copy of, "" */
	char label[64];           /* of pgBackRest, "" one that is a folder */
	char home[96];            /* that folder in the lab, "" none */
	struct tags tags;
	const char *status;
	struct mono begin;
	struct wall created;
	int duration_ms, storage_gb;
	enum act_state act;
};

struct event {
	char source[ID_SIZE], message[400];
	const char *type, *category;
	struct wall at;
};

struct world {
	pthread_mutex_t lock;
	struct cloud_options options;
	struct durations durations;
	struct wall archived; /* what the archive has: of the last WAL file; 0: none */
	struct credential credentials[MAX_CREDENTIALS];
	int ncredentials;
	struct instance instances[MAX_INSTANCES];
	int ninstances;
	struct instance clusters[MAX_CLUSTERS];
	int nclusters;
	char writer[16];   /* data of the pair's primary */
	int endpoint_port; /* of the writer, on 127.0.0.1, and of the reader, on .2 */
	struct forward to_writer, to_reader;
	struct snapshot snapshots[MAX_SNAPSHOTS];
	int nsnapshots;
	struct event events[MAX_EVENTS]; /* a ring */
	int64_t nevents;                 /* ever */
	struct faults faults;
	struct metrics *metrics;
	struct alarms *alarms;
	struct parameters *parameters;
	struct proxies *proxies;
	struct scaling *scaling;
	struct vpc vpc;
	uint64_t requests;
};

bool world_init(struct world *w, const struct cloud_options *options, struct error *err) MUST_CHECK;
/* Move everything on to now. */
void world_tick(struct world *w);
struct instance *world_instance(struct world *w, const char *id); /* NULL: none */
struct instance *world_cluster(struct world *w, const char *id);
/* Target of pgmedic's own configuration behind which the pair's primary is. */
const char *world_target(const struct world *w);
/* The pair has changed places. */
void world_failed_over(struct world *w);
/* The port of a server of the pair. */
int world_port(const struct world *w, const char *data);
struct snapshot *world_snapshot(struct world *w, bool is_cluster, const char *id);
/* "14:00-14:30": half a day from when it was made, so that a drill on a young lab never meets it.
 */
const char *world_backup_window(struct wall created, char *buf, size_t size);
void world_event(struct world *w, const char *type, const char *source, const char *category,
    const char *fmt, ...) PRINTF_LIKE(5, 6);
/* Give an instance its next states; they end in "available". */
void instance_go(struct instance *i, const struct phase *phases, int n);
/* The service's clock: ours, and what a fault adds. */
struct wall world_now(const struct world *w);
/* An identifier as AWS takes it: letters, digits, single hyphens; lower-case in out. */
bool identifier(const char *given, char out[static ID_SIZE]) MUST_CHECK;

#endif
