/* Themes and keymaps as text: the user's folder first, then the installed one, then what is
 * compiled in. */
#ifndef PGMEDIC_TUI_DATAFILE_H
#define PGMEDIC_TUI_DATAFILE_H

#include "base/error.h"
#include "base/mem.h"

/* The text of folder/name+ending ("themes", "nord", ".theme"), in the arena; *path says where it
 * came from. NULL and *err when there is none; the error names the nearest one. A name with a slash
 * is a path. */
const char *datafile_read(struct arena *arena, const char *folder, const char *name,
    const char *ending, const char **path, struct error *err) MUST_CHECK;
/* All names, sorted, without the ending, NULL-terminated, in the arena. */
const char *const *datafile_names(struct arena *arena, const char *folder, const char *ending);

#endif
