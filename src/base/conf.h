/* INI files (inih behind): sections, keys, values, with line numbers for messages. */
#ifndef PGMEDIC_BASE_CONF_H
#define PGMEDIC_BASE_CONF_H

#include <stdbool.h>

#include "base/error.h"
#include "base/mem.h"

struct conf_entry {
	const char *section; /* "console", "target prod" */
	const char *key, *value;
	int line;
};

struct conf {
	struct arena arena;
	struct conf_entry *entries;
	int n, cap;
	int *bad_lines; /* lines that are no INI, 0-terminated when any */
	int nbad;
};

/* A missing file is an empty configuration and true; an unreadable one fails. */
bool conf_read(struct conf *conf, const char *path, struct error *err) MUST_CHECK;
void conf_release(struct conf *conf);

/* Paths, in the arena: $XDG_CONFIG_HOME/pgmedic[/rest], $XDG_STATE_HOME/pgmedic[/rest] (made 0700
 * on demand). */
const char *path_config(struct arena *arena, const char *rest);
const char *path_state(struct arena *arena, const char *rest);
/* A data file "themes/nord.theme": config folder first, then PGMEDIC_DATADIR (environment), then
 * the installed share folder; NULL: none. */
const char *path_data(struct arena *arena, const char *rest);
/* mkdir -p with mode 0700. */
bool path_make(const char *dir, struct error *err) MUST_CHECK;

#endif
