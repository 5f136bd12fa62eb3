/* Configuration: one const table of every key; values of [console]; what was wrong with the file.
 */
#ifndef PGMEDIC_APP_SETTINGS_H
#define PGMEDIC_APP_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/conf.h"
#include "base/error.h"
#include "base/mem.h"

enum setting_type {
	SETTING_TEXT,
	SETTING_NAME,    /* of a theme, keymap, pane: see `what` */
	SETTING_BOOL,    /* yes, no, on, off, true, false, 1, 0 */
	SETTING_SECONDS, /* 0.25 .. 3600, with or without "s" */
	SETTING_SIZE,    /* 0, 500kB, 16MB, 1GB */
	SETTING_DAYS,    /* 0 .. 3650, with or without "d" */
	SETTING_COLUMNS, /* column names of a pane, comma separated; key is columns.PANE */
	SETTING_ALERT,   /* thresholds of an alert rule; key is alert.RULE */
};

struct setting_info {
	const char *section; /* "console", "alerts" or "target" */
	const char *name;    /* "theme"; "columns.PANE" stands for one key per pane */
	enum setting_type type;
	const char *what;  /* SETTING_NAME: "theme", "keymap", "pane"; SETTING_TEXT: choices "a|b|c"
	                      or NULL */
	const char *value; /* default, as text; "" none */
	const char *help;
};
extern const struct setting_info setting_infos[]; /* NULL section ends */
const struct setting_info *setting_by_name(const char *section, const char *name);
/* Is the text a value for this setting? Otherwise *err says why, with what is right. */
bool setting_check(const struct setting_info *info, const char *value, struct error *err);

struct settings {
	struct arena arena;
	struct conf conf; /* the file as read */
	struct conf lab;  /* the same of a lab that is up; see settings_conf() */
	const char *path; /* of the file, even when there is none */
	struct {
		const char *name, *value;
	} * values; /* [console] keys set by the file or by :set */
	int n, cap;
	const char *
	    *problems; /* "FILE:LINE: what (nearest is …)", for the first screen and for stderr */
	int nproblems, cap_problems;
};

/* Read the file (path NULL: the usual place). Never fails: what cannot be used becomes a problem
 * and is skipped. */
void settings_read(struct settings *s, const char *path);
void settings_release(struct settings *s);
/* Where a section is: in the file, or, when that has none of this name, with the lab. */
const struct conf *settings_conf(const struct settings *s, const char *section);
/* Value of a [console] key, its default otherwise; never NULL. */
const char *settings_get(const struct settings *s, const char *name);
bool settings_bool(const struct settings *s, const char *name);
bool settings_parse_days(const char *text, double *days);
int settings_ms(const struct settings *s, const char *name);        /* of SETTING_SECONDS */
int64_t settings_bytes(const struct settings *s, const char *name); /* of SETTING_SIZE */
/* :set NAME VALUE; for the life of the program. */
bool settings_set(
    struct settings *s, const char *name, const char *value, struct error *err) MUST_CHECK;
/* "1", "0.5", "2s" to milliseconds. */
bool settings_parse_seconds(const char *text, int *ms);
bool settings_parse_bytes(const char *text, int64_t *bytes);
bool settings_parse_bool(const char *text, bool *value);

#endif
