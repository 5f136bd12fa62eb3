/*
 * Storage: what fills the disk, how it grows, when it is full, and what to do about it. Everything
 * is derived from a snapshot and from the history posted into it. Pure.
 */
#ifndef PGMEDIC_MODEL_STORAGE_H
#define PGMEDIC_MODEL_STORAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/role.h"
#include "base/strbuf.h"
#include "model/capacity.h"
#include "model/forecast.h"
#include "model/snapshot.h"
#include "model/storage_arrivals.h"

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
	int row; /* of PROBE_STORAGE_TABLES or PROBE_SLOTS; -1: a partitioned table */
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
	bool is_waiting;  /* a part of the total has not been asked for yet: no total either */
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

/* ------------------------------------------------------------------ growth: storage_trend.c */

/* What is known of the past of one of the largest tables, or why nothing. */
struct storage_past {
	const char *name; /* SCHEMA.NAME, of partitions the parent's */
	bool is_parent;
	double bytes; /* now */
	struct arrivals arrivals;
	double rate;     /* of the last 30 days, bytes per day; NAN */
	bool is_counted; /* by the row counters, for want of a curve */
};

struct storage_outlook {
	struct forecast total;
	double capacity; /* bytes of the total at which the storage is full; NAN: unknown */
	const struct forecast_point *points; /* of the total */
	int n, nrebuilt;
	enum storage_known known; /* how the points are known */
	double carried_own;       /* the same of the connected database */
	double carried; /* share of the databases' bytes whose past is rebuilt or counted; NAN */
	struct storage_past *past;
	int npast;
	int hidden; /* tables whose statistics this role may not read */
};

/* Growth of each item, and the forecast of the total. In the arena. */
void storage_trends(const struct snapshot *snap, struct storage *s, struct arena *arena,
    struct storage_outlook *out);

/* ------------------------------------------------------------------ slots: storage_slots.c */

/*
 * WAL kept for a slot is not a matter of trend but of rate: what is written is kept while nobody
 * reads, until the disk is full or max_slot_wal_keep_size gives the slot up.
 */
struct storage_slot {
	const char *name;
	double kept; /* bytes */
	double rate; /* bytes per second by which that grows; NAN unknown */
	bool is_active;
	double hours_full; /* INFINITY: not by this */
	double hours_lost; /* until the slot is given up; INFINITY: never */
	double hours;      /* the nearer of both */
};
/* The slot that is the nearest danger, by name "" when there is none. Two samples suffice. */
void storage_slots(const struct snapshot *snap, const struct storage *s, struct arena *arena,
    struct storage_slot *out);

/* ------------------------------------------------------------------ words: storage_words.c */

struct storage_word {
	const char *code; /* "slot", "full", "room", "archive", "refused", "denied", "autoscaling",
	                     "regime", "rebuilt", "step" */
	const char *what, *hint;
	enum role role;
};
/* What a DBA would say, most urgent first. In the arena; returns how many. */
int storage_say(const struct snapshot *snap, const struct storage *s,
    const struct storage_outlook *o, const struct storage_slot *slot, struct arena *arena,
    struct storage_word **out);
/* Bytes rounded up to what one orders: 10, 20, 50, 100, 200 … of a unit. */
double storage_round_up(double bytes);

#endif
