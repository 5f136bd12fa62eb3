/* The command line: what main() was asked to do. */
#ifndef PGMEDIC_APP_OPTIONS_H
#define PGMEDIC_APP_OPTIONS_H

#include <stdbool.h>

#include "base/error.h"

enum verb {
	VERB_CONSOLE, /* no subcommand: the screen */
	VERB_SHOW,
	VERB_RUN,
	VERB_RECORD,
	VERB_REPLAY,
	VERB_FORECAST,
	VERB_HISTORY,
	VERB_JOBS,
	VERB_JOURNAL,
	VERB_APPROVE,
	VERB_DIAGNOSE,
	VERB_LAB,
	VERB_DOCTOR,
	VERB_HELP,
	VERB_VERSION,
	VERB_COUNT,
};

/* Exit statuses, a contract. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_UNREACHABLE = 3 };

/* Values of the command line; strings point into argv. NULL and 0: not given. */
struct options {
	enum verb verb;
	const char *host, *port, *user, *database;
	bool no_password, ask_password; /* -w, -W */
	const char *pane, *theme, *keymap, *config, *log;
	int refresh_ms;
	bool read_only, no_color, ascii;
	bool json, csv, yes, dry_run, wait, force, all, totals;
	const char *replay, *at, *filter, *sort, *columns, *speed, *mode, *window, *capacity;
	const char *plan; /* hash that confirms an operation */
	const char *from; /* address that diagnose is about */
	int limit;        /* -1: all */
	const char *exec; /* command run at each alert */
	bool bell;
	const char *job;   /* hidden: run the journaled job whose request comes on standard input */
	const char **args; /* words after the options and the subcommand; owned by the struct */
	int nargs;
};

/* One per option: parser, --help and manual are made from the same table. */
struct option_info {
	char letter;       /* 0: long form only */
	const char *name;  /* long form without "--" */
	const char *value; /* "SECONDS", or NULL for a switch */
	unsigned verbs;    /* bit set of 1 << enum verb where it means something */
	const char *help;  /* NULL: not for users */
};
extern const struct option_info option_infos[]; /* ends with a NULL name */

struct verb_info {
	const char *name; /* "" for the console */
	const char *usage, *help;
	int min_args, max_args; /* max -1: any number */
};
extern const struct verb_info verb_infos[VERB_COUNT];

/*
 * Read argv. Options may stand before and after the subcommand; "--" ends them. Fails with
 * ERR_USAGE, naming the word and the nearest right one. Main thread.
 */
bool options_parse(struct options *opt, int argc, char **argv, struct error *err) MUST_CHECK;
void options_release(struct options *opt);
/* The exit status that belongs to an error: 2 for usage, 3 for an unreachable target, else 1. */
int options_exit_status(const struct error *err);

#endif
