/* The classes that the lab's instance could have. */
#include "config.h"

#include <string.h>

#include "labcloud/rds.h"

static const struct {
	const char *family, *sizes;
} families[] = {
	{ "db.t4g", "medium large xlarge 2xlarge" },
	{ "db.m6g", "large xlarge 2xlarge 4xlarge 8xlarge" },
	{ "db.m7g", "large xlarge 2xlarge 4xlarge 8xlarge" },
	{ "db.r6g", "large xlarge 2xlarge 4xlarge 8xlarge" },
	{ "db.r7g", "large xlarge 2xlarge 4xlarge 8xlarge" },
};
static const char *const storage_types[] = { "gp2", "gp3", "io1", "io2" };

enum { MAX_CLASSES = 64 };

static int
list_classes(struct call *c, const char **classes)
{
	const char *wanted = form_get(&c->form, "DBInstanceClass");
	int n = 0;

	for (size_t f = 0; f < ARRAY_LEN(families); f++)
		for (const char *s = families[f].sizes; *s && n < MAX_CLASSES;) {
			size_t len = strcspn(s, " ");
			const char *class = arena_printf(
			    &c->request->arena, "%s.%.*s", families[f].family, (int)len, s);

			if (!wanted || strcmp(wanted, class) == 0)
				classes[n++] = class;
			s += len + (s[len] == ' ');
		}
	return n;
}

static void
describe_orderable(struct call *c)
{
	const char *engine = call_need(c, "Engine"), *version = form_get(&c->form, "EngineVersion");
	const char *classes[MAX_CLASSES];
	const char *own = c->world->options.version;
	int n, from, to, types = (int)ARRAY_LEN(storage_types);

	if (!engine)
		return;
	n = strcmp(engine, "postgres") == 0 && (!version || strcmp(version, own) == 0) ?
	    list_classes(c, classes) * types :
	    0;
	if (!call_page(c, n, &from, &to))
		return;
	w_list(&c->w, "OrderableDBInstanceOptions", "OrderableDBInstanceOption");
	for (int i = from; i < to; i++) {
		w_open(&c->w, NULL);
		w_text(&c->w, "Engine", "postgres");
		w_text(&c->w, "EngineVersion", own);
		w_text(&c->w, "DBInstanceClass", classes[i / types]);
		w_text(&c->w, "LicenseModel", "postgresql-license");
		w_bool(&c->w, "MultiAZCapable", true);
		w_bool(&c->w, "ReadReplicaCapable", true);
		w_bool(&c->w, "Vpc", true);
		w_bool(&c->w, "SupportsPerformanceInsights", true);
		w_text(&c->w, "StorageType", storage_types[i % types]);
		w_close(&c->w);
	}
	w_close(&c->w);
}

const struct action rds_order_actions[] = {
	{ "rds", "DescribeOrderableDBInstanceOptions", describe_orderable, RDS_NAMESPACE },
	{ NULL, NULL, NULL, NULL },
};
