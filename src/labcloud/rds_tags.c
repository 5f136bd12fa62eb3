/* Tags, and the calls about them. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "labcloud/rds.h"

static bool
put(struct call *c, struct tags *tags, const char *key, const char *value)
{
	int i = 0;

	while (i < tags->n && strcmp(tags->items[i].key, key) != 0)
		i++;
	if (i == MAX_TAGS)
		return call_fail(c, 400, "InvalidParameterValue",
		    "The lab keeps at most %d tags of a resource.", MAX_TAGS);
	if (!*key || strlen(key) >= sizeof(tags->items[i].key) ||
	    strlen(value) >= sizeof(tags->items[i].value))
		return call_fail(c, 400, "InvalidParameterValue", "The tag %s is invalid.", key);
	snprintf(tags->items[i].key, sizeof(tags->items[i].key), "%s", key);
	snprintf(tags->items[i].value, sizeof(tags->items[i].value), "%s", value);
	if (i == tags->n)
		tags->n++;
	return true;
}

bool
tags_take(struct call *c, struct tags *tags)
{
	const char *key;

	for (int t = 1; (key = form_getf(&c->form, "Tags.Tag.%d.Key", t)); t++) {
		const char *value = form_getf(&c->form, "Tags.Tag.%d.Value", t);

		if (!put(c, tags, key, value ? value : ""))
			return false;
	}
	return true;
}

void
tags_write(struct call *c, const struct tags *tags)
{
	for (int i = 0; i < tags->n; i++) {
		w_open(&c->w, NULL);
		w_text(&c->w, "Key", tags->items[i].key);
		w_text(&c->w, "Value", tags->items[i].value);
		w_close(&c->w);
	}
}

void
tags_list(struct call *c, const struct tags *tags)
{
	if (!tags->n)
		return;
	w_list(&c->w, "TagList", "Tag");
	tags_write(c, tags);
	w_close(&c->w);
}

/* What the ARN of a call names; NULL and failed: it is not there. */
static struct tags *
tags_of(struct call *c)
{
	const char *arn = call_need(c, "ResourceName"), *name = arn ? arn_name(arn) : "";
	bool is_cluster = arn && strstr(arn, ":cluster-snapshot:");
	struct world *w = c->world;
	struct instance *i = NULL;
	struct snapshot *s = NULL;
	struct tags *found = NULL;

	if (!arn)
		return NULL;
	if (strstr(arn, ":db:"))
		i = world_instance(w, name);
	else if (strstr(arn, ":cluster:"))
		i = world_cluster(w, name);
	else if (strstr(arn, "snapshot:"))
		s = world_snapshot(w, is_cluster, name);
	else
		found = rds_proxy_tags(c, arn);
	if (i)
		found = &i->tags;
	if (s)
		found = &s->tags;
	if (!found)
		call_fail(c, 404,
		    s || strstr(arn, "snapshot:") ? "DBSnapshotNotFound" :
		        strstr(arn, ":cluster:")  ? "DBClusterNotFoundFault" :
		        strstr(arn, ":db-proxy:") ? "DBProxyNotFoundFault" :
		                                    "DBInstanceNotFound",
		    "%s not found.", arn);
	return found;
}

static void
list_tags(struct call *c)
{
	const struct tags *tags = tags_of(c);

	if (!tags)
		return;
	w_list(&c->w, "TagList", "Tag");
	tags_write(c, tags);
	w_close(&c->w);
}

static void
add_tags(struct call *c)
{
	struct tags *tags = tags_of(c);
	struct tags made = tags ? *tags : (struct tags){ 0 };

	/* All of them, or none. */
	if (tags && tags_take(c, &made))
		*tags = made;
}

static void
remove_tags(struct call *c)
{
	struct tags *tags = tags_of(c);
	const char *key;

	for (int k = 1; tags && (key = form_getf(&c->form, "TagKeys.member.%d", k)); k++)
		for (int i = 0; i < tags->n; i++)
			if (strcmp(tags->items[i].key, key) == 0) {
				memmove(&tags->items[i], &tags->items[i + 1],
				    (size_t)(--tags->n - i) * sizeof(tags->items[0]));
				break;
			}
}

const struct action rds_tag_actions[] = {
	{ "rds", "ListTagsForResource", list_tags, RDS_NAMESPACE },
	{ "rds", "AddTagsToResource", add_tags, RDS_NAMESPACE },
	{ "rds", "RemoveTagsFromResource", remove_tags, RDS_NAMESPACE },
	{ NULL, NULL, NULL, NULL },
};
