/* Tags of what RDS has: a few for each. */
#ifndef PGMEDIC_LABCLOUD_TAGS_H
#define PGMEDIC_LABCLOUD_TAGS_H

#include <stdbool.h>

enum { MAX_TAGS = 5 };

struct tags {
	int n;
	struct tag {
		char key[128], value[256];
	} items[MAX_TAGS];
};

struct call;

/* Those that were given with a call, over those of the same key; false and failed: too many. */
bool tags_take(struct call *c, struct tags *tags);
/* Elements of a list that is open. */
void tags_write(struct call *c, const struct tags *tags);
/* "TagList", where there are any. */
void tags_list(struct call *c, const struct tags *tags);

#endif
