/*
 * Inside of collect/cloud*.c: an account (of one region), its members (targets), and the kinds of
 * requests. A kind is a line of cloud_kinds[] and a function that asks and posts; who adds one
 * keeps what it remembers in its own struct, behind a pointer here.
 */
#ifndef PGMEDIC_COLLECT_CLOUD_PRIV_H
#define PGMEDIC_COLLECT_CLOUD_PRIV_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cloud/aws.h"
#include "collect/cloud.h"

enum cloud_kind_id {
	CLOUD_INSTANCES,
	CLOUD_CLUSTERS,
	CLOUD_METRICS,
	CLOUD_EVENTS,
	CLOUD_ALARMS,
	CLOUD_LOAD,
	CLOUD_LOGS,
	CLOUD_OS,
	CLOUD_KINDS
};

enum { CLOUD_PERIOD_MS = 60000, CLOUD_PAST_S = 3 * 3600 };

struct cloud_account;
struct cloud_member;

struct cloud_kind {
	const char *name;
	enum probe_id probe; /* that fails when it fails; PROBE_COUNT: none */
	int period_ms;       /* while the period of metrics is 60 s; changes with that */
	bool is_each;        /* once for each member; else once for the account, member NULL */
	bool is_when_shown;  /* only for members whose `probe` is looked at */
	/* Ask by cloud_do() or cloud_pages(), and post. False: *err becomes the sample's. */
	bool (*run)(struct cloud_account *a, struct cloud_member *m, struct error *err);
};
extern const struct cloud_kind cloud_kinds[CLOUD_KINDS];

struct cloud_turn { /* when a kind is next, of an account or of a member */
	struct mono due;
	int failures; /* in a row */
};

struct cloud_member {
	struct cloud_member *next;
	struct cloud_account *account;
	int target;
	char *name, *instance, *cluster, *host;
	bool is_lazy; /* see cloud_conf.is_when_shown */
	atomic_bool is_shown[PROBE_COUNT], is_hurried;

	/* of the account's thread only */
	struct cloud_turn turns[CLOUD_KINDS];
	char id[64], cluster_id[64], resource_id[80]; /* as found; "" unknown */
	struct metric_memory *metrics;                /* of cloud_metrics.c */
	struct load_memory *load;                     /* of cloud_load.c */
	struct log_memory *logs;                      /* of cloud_logs.c */
};

/* Answers of a paged call, kept until the next. */
struct cloud_listing {
	struct aws_answer *pages;
	int n, cap;
	struct wall at;
	bool is_known;
};

struct cloud_account {
	struct cloud_account *next;
	struct cloud *cloud;
	char *profile, *credentials_file, *region, *endpoint_url, *host;
	int period_ms;
	struct cloud_member *members; /* added to under the mutex, never taken away */
	pthread_cond_t wake;
	bool is_awoken; /* under the mutex: somebody wants something, whether it sleeps or not */

	/* of its thread only */
	struct aws *aws;
	struct cloud_turn turns[CLOUD_KINDS];
	struct cloud_listing instances, clusters;
	struct event_memory *events; /* of cloud_events.c */
	struct {
		double tokens;
		struct mono at;
	} buckets[AWS_SERVICES];
	int64_t calls[AWS_SERVICES], throttled; /* attempts since the start */
	int64_t metrics;                        /* asked for since the start */
	double metrics_per_s;                   /* at the present pace */
	struct mono started;
	char trouble[256];   /* of the last failure, "" none */
	struct mono cost_at; /* when the cost was last told */
	bool is_cost_old;    /* something was asked since the cost was last told */
};

/* A call, its attempts when their turn has come by the service's bucket; counted. */
bool cloud_do(struct cloud_account *a, const struct aws_call *call, struct aws_answer *answer,
    struct error *err) MUST_CHECK;
/* The same over all pages of a JSON service, at most `most`; *more: there were others. */
bool cloud_json_pages(struct cloud_account *a, const struct aws_call *call, int most, bool *more,
    bool (*f)(const struct aws_answer *answer, void *arg, struct error *err), void *arg,
    struct error *err) MUST_CHECK;
/* The members of the account, newest first. */
struct cloud_member *cloud_members(struct cloud_account *a);
/* An answer for a member; takes rows. */
void cloud_post(struct cloud_member *m, enum probe_id probe, struct rowset *rows);
void cloud_post_failed(struct cloud_member *m, enum probe_id probe, const struct error *why);
/* Seconds since 1970 by AWS's clock, as far as that is known to differ from ours. */
int64_t cloud_clock(const struct cloud_account *a);
bool cloud_is_stopping(const struct cloud_account *a);

/* All pages of a reading call of the Query services into a listing, which is let go first if all
 * came. */
bool cloud_list(struct cloud_account *a, const char *op, const struct aws_param *params,
    struct cloud_listing *out, struct error *err) MUST_CHECK;
void cloud_listing_release(struct cloud_listing *l);

/* cloud_rds.c */
bool cloud_instances_run(struct cloud_account *a, struct cloud_member *m, struct error *err);
bool cloud_clusters_run(struct cloud_account *a, struct cloud_member *m, struct error *err);
/* The member's instance in the last answer; NULL: not there. */
const struct xml *cloud_instance_of(const struct cloud_member *m);
bool cloud_is_writer(const struct cloud_member *m); /* of its cluster */
/* Call f for each instance, or cluster, of a listing until it returns false. */
void cloud_each(const struct cloud_listing *l, const char *items,
    bool (*f)(const struct xml *x, void *arg), void *arg);

/* cloud_metrics.c */
bool cloud_metrics_run(struct cloud_account *a, struct cloud_member *m, struct error *err);
void cloud_metrics_release(struct metric_memory *memory);

/* cloud_events.c */
bool cloud_events_run(struct cloud_account *a, struct cloud_member *m, struct error *err);
void cloud_events_release(struct event_memory *memory);
bool cloud_alarms_run(struct cloud_account *a, struct cloud_member *m, struct error *err);

/* cloud_load.c */
bool cloud_load_run(struct cloud_account *a, struct cloud_member *m, struct error *err);
void cloud_load_release(struct load_memory *memory);

/* cloud_logs.c */
bool cloud_logs_run(struct cloud_account *a, struct cloud_member *m, struct error *err);
void cloud_logs_release(struct log_memory *memory);

/* cloud_os.c */
bool cloud_os_run(struct cloud_account *a, struct cloud_member *m, struct error *err);

/* cloud_cost.c */
void cloud_cost_post(struct cloud_account *a);

#endif
