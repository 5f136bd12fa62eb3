/* The classes that the lab's instance could have, and the machines behind them. */
#include "config.h"

#include <stdlib.h>
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

/* Each size has twice the processors of the one before, from two. */
static int
processors(const char *size)
{
	int factor = (int)strtol(size, NULL, 10);

	return factor ? 4 * factor : strcmp(size, "xlarge") == 0 ? 4 : 2;
}

static int
memory_gib(const char *class)
{
	const char *size = strrchr(class, '.') + 1;

	if (strcmp(size, "medium") == 0)
		return 4;
	return processors(size) * (class[strlen("db.")] == 'r' ? 8 : 4);
}

static void
write_type(struct call *c, const char *class)
{
	w_open(&c->w, NULL);
	w_text(&c->w, "instanceType", class + strlen("db."));
	w_bool(&c->w, "currentGeneration", true);
	w_open(&c->w, "vCpuInfo");
	w_int(&c->w, "defaultVCpus", processors(strrchr(class, '.') + 1));
	w_close(&c->w);
	w_open(&c->w, "memoryInfo");
	w_int(&c->w, "sizeInMiB", memory_gib(class) * 1024);
	w_close(&c->w);
	w_close(&c->w);
}

static void
describe_types(struct call *c)
{
	const char *classes[MAX_CLASSES], *found[MAX_CLASSES], *given;
	int all = list_classes(c, classes), n = 0, from, to;

	for (int i = 0; i < all && !form_has(&c->form, "InstanceType"); i++)
		found[n++] = classes[i];
	for (int k = 1; (given = form_getf(&c->form, "InstanceType.%d", k)); k++) {
		int i = 0;

		while (i < all && strcmp(classes[i] + strlen("db."), given) != 0)
			i++;
		if (i == all || n == MAX_CLASSES) {
			call_fail(c, 400, "InvalidInstanceType",
			    "The following supplied instance types do not exist: [%s]", given);
			return;
		}
		found[n++] = classes[i];
	}
	if (!call_page(c, n, &from, &to))
		return;
	w_list(&c->w, "instanceTypeSet", "item");
	for (int i = from; i < to; i++)
		write_type(c, found[i]);
	w_close(&c->w);
}

const struct action rds_order_actions[] = {
	{ "ec2", "DescribeInstanceTypes", describe_types, EC2_NAMESPACE },
	{ "rds", "DescribeOrderableDBInstanceOptions", describe_orderable, RDS_NAMESPACE },
	{ NULL, NULL, NULL, NULL },
};
