/* `pgmedic show PANE [TARGET]`: one pane, once, to standard output. Main thread. */
#ifndef PGMEDIC_APP_SHOW_H
#define PGMEDIC_APP_SHOW_H

#include "app/options.h"
#include "app/settings.h"
#include "base/grid.h"
#include "base/strbuf.h"
#include "model/snapshot.h"
#include "panes/pane.h"

enum show_format { SHOW_TEXT, SHOW_JSON, SHOW_CSV };

int show_main(const struct options *opt, struct settings *settings);

/* A filled grid in a format; width 0: unlimited. Also for save, export and report. Pure. */
void show_grid(struct strbuf *out, enum show_format format, const struct pane *pane,
    const struct snapshot *snap, const struct grid *grid, struct mono now, int width);
/*
 * A grid with only these columns, in this order ("pid,user", "all"), sharing the cells of the
 * other, which must stay. Empty names: as the screen shows it at first. Fails with the nearest
 * name.
 */
bool show_project(struct grid *out, const struct grid *from, struct column *cols, int max,
    const char *names, struct error *err) MUST_CHECK;

#endif
