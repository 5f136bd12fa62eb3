/*
 * Storage: what fills the disk, how it grows, when it is full, and what to do about it. Everything
 * is derived from a snapshot and from the history posted into it. Pure.
 */
#ifndef PGMEDIC_MODEL_STORAGE_H
#define PGMEDIC_MODEL_STORAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "model/capacity.h"
#include "model/forecast.h"
#include "model/snapshot.h"

/* ------------------------------------------------------------------ now: storage_now.c */

#define STORAGE_KINDS(X)                                                                           \
	X(TOTAL, "total", "databases, WAL, temporary and log files")                               \
	X(DATABASE, "database", "a database")                                                      \
	X(TABLES, "tables", "heaps of tables and materialized views of this database")             \
	X(INDEXES, "indexes", "its indexes")                                                       \
	X(TOAST, "toast", "its TOAST tables with their indexes")                                   \
	X(SYSTEM, "system", "its system catalogs")                                                 \
	X(UNCOUNTED, "uncounted",                                                                  \
	    "of its size: grown since the last vacuum or analyze, free space and visibility maps") \
	X(WAL, "wal", "files of pg_wal")                                                           \
	X(SLOT, "slot", "WAL that a replication slot keeps, part of wal")                          \
	X(TEMP, "temp", "temporary files of running statements")                                   \
	X(LOG, "log", "log files of the collector")                                                \
	X(FREE, "free", "what is left")                                                            \
	X(TABLE, "table", "one of the largest tables with its indexes and TOAST")

enum storage_kind {
#define X(sym, name, text) STORAGE_##sym,
	STORAGE_KINDS(X)
#undef X
	    STORAGE_KIND_COUNT,
};
struct storage_kind_info {
	const char *name, *text;
};
extern const struct storage_kind_info storage_kind_infos[STORAGE_KIND_COUNT];

/* How the growth of something is known. */
enum storage_known {
	KNOWN_NOT,
	KNOWN_MEASURED, /* between the last samples of this run */
	KNOWN_HISTORY,  /* from sizes kept on this machine */
	KNOWN_REBUILT,  /* from partition bounds or statistics of time columns */
	KNOWN_COUNTED   /* from row counters since the statistics were reset */
};
extern const char *const storage_known_names[]; /* "", "measured", "history", … */

struct storage_item {
	enum storage_kind kind;
	const char *name;        /* database, slot, table as SCHEMA.NAME; else the kind's */
	const char *object;      /* its name in the history; NULL: not kept */
	double bytes;            /* NAN: unknown */
	enum sample_state state; /* of its probe, when unknown */
	int depth;               /* 1: part of the database above */
	int row;                 /* of PROBE_STORAGE_TABLES or PROBE_SLOTS; -1 */
	/* Filled by storage_trends(): NAN unknown. */
	double rate;         /* bytes per day */
	double in_30, in_90; /* bytes expected in 30 and 90 days */
	enum storage_known known;
};

/* Room on the storage that the data directory is on. */
struct storage_room {
	double capacity, free; /* bytes; NAN unknown */
	double wal_free;       /* where pg_wal is, when that is another file system; else as free */
	double max;            /* of autoscaling; NAN: none */
	bool is_autoscaling;
	bool is_configured; /* capacity is from the configuration */
};

struct storage {
	struct storage_item *items; /* total first, then as they are shown */
	int n, cap;
	struct storage_room room;
	struct wall at;   /* of the newest sizes; 0 unknown */
	bool is_complete; /* nothing of the total is unknown */
};

/* All in the arena; texts live there too. */
void storage_read(const struct snapshot *snap, struct arena *arena, struct storage *out);
/* The first item of a kind (and name, unless NULL); NULL: none. */
struct storage_item *storage_item(
    const struct storage *s, enum storage_kind kind, const char *name);

/*
 * What the history keeps of a snapshot's sizes: "total", "database:NAME", "tables:DB",
 * "indexes:DB", "toast:DB", "table:DB.SCHEMA.NAME", "wal", "slots", "temp", "log", "free",
 * "capacity". Only what is known. In the arena; returns how many.
 */
struct storage_object {
	const char *object;
	double bytes;
};
int storage_objects(const struct snapshot *snap, struct arena *arena, struct storage_object **out);

#endif
