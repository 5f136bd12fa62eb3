/* Targets: words of the command line and sections of the configuration, resolved to conninfo
 * strings. */
#ifndef PGMEDIC_APP_TARGETS_H
#define PGMEDIC_APP_TARGETS_H

#include <stdbool.h>

#include "app/options.h"
#include "app/settings.h"
#include "base/mem.h"
#include "collect/cloud.h"
#include "model/capacity.h"

struct target {
	const char *name; /* unique; what the title line shows and a confirmation asks for */
	const char
	    *conninfo; /* conninfo or URI with -h -p -U -d merged in; "" = libpq's environment */
	const char *password;  /* asked for at the start (-W), a login (app/login.h), or NULL */
	const char *pgbouncer; /* conninfo of its admin console, or NULL */
	const char *log_file;  /* its server log on this machine, or NULL */
	const char *color;     /* red, yellow, green, blue, magenta or "" */
	int refresh_ms;
	struct capacity_conf capacity;
	struct cloud_conf cloud;
	bool is_protected;     /* acts ask for the target's name */
	const char *approvals; /* approve = two: the folder ("" none is set); NULL: one will do */
	bool is_read_only;     /* acts are refused */
	const char *read_only_why; /* "--read-only", "read_only = yes of [target prod]"; NULL when
	                              it is not */
	bool no_hypopg;            /* hypopg = never: advice does not use it */
	double unused_days;        /* advice_unused_days; 0: the default, negative: any age */
	const char *backup_file, *backup_verified_file; /* "" none */
	bool is_lab;                                    /* found because the lab is up */
};

struct targets {
	struct arena arena;
	struct target *items;
	int n, cap;
};

/*
 * Resolve the words of the command line. Without words: the configuration's targets, unless -h -p
 * -U -d or libpq's environment name a server; without those the lab when it is up; else libpq's
 * defaults. ERR_USAGE when a word is no target. Main thread, at start.
 */
bool targets_resolve(struct targets *t, const struct options *opt, const struct settings *s,
    const char *const *words, int nwords, struct error *err) MUST_CHECK;
void targets_release(struct targets *t);
/* Index of a name or unique prefix; -1. */
int targets_find(const struct targets *t, const char *name);
/* A conninfo or URI with a keyword replaced or added (value NULL or "": unchanged). In the arena.
 * Pure. */
const char *conninfo_with(
    struct arena *arena, const char *conninfo, const char *keyword, const char *value);

#endif
