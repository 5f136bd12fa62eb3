/* One row of the storage pane in words: a remark for the table, the whole story for Enter. Pure. */
#ifndef PGMEDIC_PANES_STORAGE_DETAIL_H
#define PGMEDIC_PANES_STORAGE_DETAIL_H

#include "base/doc.h"
#include "model/storage.h"

/* What the pane keeps between two answers of its probes. */
struct storage_view {
	struct arena arena;
	struct storage storage;
	struct storage_outlook outlook;
};

/* At most a line, in the arena or constant; NULL: nothing worth saying. */
const char *storage_remark(const struct snapshot *snap, const struct storage_view *v,
    const struct storage_item *item, struct arena *arena);
void storage_story(const struct snapshot *snap, const struct storage_view *v,
    const struct storage_item *item, struct doc *doc);

#endif
