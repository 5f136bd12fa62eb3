/*
 * RDS Proxy: its states and those of its target. Nothing listens at its endpoint. A proxy whose
 * secret is not that of its target's master user is available all the same, and its target is not:
 * as there.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "labcloud/rds.h"

enum { MAX_PROXIES = 8, MAX_SUBNETS = 16 };

struct proxy {
	char name[ID_SIZE], id[24], role[256], secret[256], target[ID_SIZE];
	struct tags tags;
	char subnets[MAX_SUBNETS][40];
	int nsubnets;
	bool has_tls, is_deleting;
	struct mono until, target_until;
	struct wall created;
};

struct proxies {
	struct proxy items[MAX_PROXIES];
	int n, made;
};

/* With those gone whose time is over. */
static struct proxies *
proxies(struct world *w)
{
	struct proxies *all = w->proxies ? w->proxies : xcalloc(1, sizeof(*all));

	w->proxies = all;
	for (int i = 0; i < all->n; i++)
		if (all->items[i].is_deleting && mono_now().us >= all->items[i].until.us) {
			world_event(w, "db-proxy", all->items[i].name, "deletion",
			    "RDS deleted DB proxy %s.", all->items[i].name);
			all->items[i] = all->items[--all->n];
			i--;
		}
	return all;
}

static struct proxy *
proxy_of(struct call *c)
{
	const char *name = call_need(c, "DBProxyName");
	struct proxies *all = proxies(c->world);

	for (int i = 0; name && i < all->n; i++)
		if (strcasecmp(all->items[i].name, name) == 0)
			return &all->items[i];
	if (name)
		call_fail(c, 404, "DBProxyNotFoundFault", "DB Proxy %s not found.", name);
	return NULL;
}

static struct mono
after(int ms)
{
	return (struct mono){ mono_now().us + (int64_t)ms * 1000 };
}

static const char *
status_of(const struct proxy *p)
{
	return p->is_deleting ? "deleting" : mono_now().us < p->until.us ? "creating" : "available";
}

static const char *
arn_of(struct call *c, const struct proxy *p)
{
	return call_arn(c, "db-proxy", p->id);
}

static void
write_proxy(struct call *c, const struct proxy *p)
{
	struct writer *w = &c->w;

	w_text(w, "DBProxyName", p->name);
	w_text(w, "DBProxyArn", arn_of(c, p));
	w_text(w, "Status", status_of(p));
	w_text(w, "EngineFamily", "POSTGRESQL");
	w_text(w, "VpcId", VPC_ID);
	w_list(w, "VpcSubnetIds", "member");
	for (int i = 0; i < p->nsubnets; i++)
		w_text(w, NULL, p->subnets[i]);
	w_close(w);
	w_list(w, "Auth", "member");
	w_open(w, NULL);
	w_text(w, "AuthScheme", "SECRETS");
	w_text(w, "SecretArn", p->secret);
	w_text(w, "IAMAuth", "DISABLED");
	w_close(w);
	w_close(w);
	w_text(w, "RoleArn", p->role);
	w_text(w, "Endpoint",
	    arena_printf(&c->request->arena, "%s.proxy-lab.%s.rds.invalid", p->name,
	        c->world->options.region));
	w_bool(w, "RequireTLS", p->has_tls);
	w_int(w, "IdleClientTimeout", 1800);
	w_bool(w, "DebugLogging", false);
	w_time(w, "CreatedDate", p->created);
	w_time(w, "UpdatedDate", p->created);
}

static void
answer_proxy(struct call *c, const struct proxy *p)
{
	w_open(&c->w, "DBProxy");
	write_proxy(c, p);
	w_close(&c->w);
}

static void
describe_proxies(struct call *c)
{
	struct proxies *all = proxies(c->world);
	const struct proxy *one = form_get(&c->form, "DBProxyName") ? proxy_of(c) : NULL;
	int from, to;

	if (c->code || !call_page(c, all->n, &from, &to))
		return;
	w_list(&c->w, "DBProxies", "member");
	for (int i = one ? 0 : from; i < (one ? 1 : to); i++) {
		w_open(&c->w, NULL);
		write_proxy(c, one ? one : &all->items[i]);
		w_close(&c->w);
	}
	w_close(&c->w);
}

/* ---- making and removing */

static bool
read_subnets(struct call *c, struct proxy *p)
{
	const char *id;

	while (p->nsubnets < MAX_SUBNETS &&
	    (id = form_getf(&c->form, "VpcSubnetIds.member.%d", p->nsubnets + 1)))
		snprintf(p->subnets[p->nsubnets++], sizeof(p->subnets[0]), "%s", id);
	return p->nsubnets >= 2 ||
	    call_fail(c, 400, "InvalidSubnet",
	        "Your subnets don't span enough Availability Zones. At least two are needed.");
}

static bool
read_proxy(struct call *c, struct proxy *p)
{
	const char *name = call_need(c, "DBProxyName"), *family = call_need(c, "EngineFamily");
	const char *role = call_need(c, "RoleArn");
	const char *secret = form_get(&c->form, "Auth.member.1.SecretArn");

	if (!name || !family || !role)
		return false;
	if (!identifier(name, p->name))
		return call_fail(c, 400, "InvalidParameterValue", "Invalid proxy name %s", name);
	if (strcmp(family, "POSTGRESQL") != 0)
		return call_fail(
		    c, 400, "InvalidParameterValue", "The lab has no engine family %s", family);
	if (strncmp(role, "arn:", 4) != 0 || !strstr(role, ":role/"))
		return call_fail(c, 400, "InvalidParameterValue", "Invalid RoleArn: %s", role);
	if (!secret || strncmp(secret, "arn:", 4) != 0)
		return call_fail(
		    c, 400, "InvalidParameterValue", "The Auth must name the ARN of a secret.");
	snprintf(p->role, sizeof(p->role), "%s", role);
	snprintf(p->secret, sizeof(p->secret), "%s", secret);
	p->has_tls = call_bool(c, "RequireTLS", false);
	return tags_take(c, &p->tags) && read_subnets(c, p);
}

static void
create_proxy(struct call *c)
{
	struct proxies *all = proxies(c->world);
	struct proxy made = { .created = wall_now(),
		.until = after(c->world->durations.modify_ms) };

	if (!read_proxy(c, &made))
		return;
	for (int i = 0; i < all->n; i++)
		if (strcmp(all->items[i].name, made.name) == 0) {
			call_fail(c, 400, "DBProxyAlreadyExistsFault",
			    "Cannot create the DBProxy %s: one of that name exists.", made.name);
			return;
		}
	if (all->n == MAX_PROXIES) {
		call_fail(c, 400, "DBProxyQuotaExceededFault", "The lab has no more proxies.");
		return;
	}
	snprintf(made.id, sizeof(made.id), "prx-1ab%08x", (unsigned)++all->made);
	all->items[all->n++] = made;
	world_event(
	    c->world, "db-proxy", made.name, "creation", "RDS created DB proxy %s.", made.name);
	answer_proxy(c, &made);
}

static void
delete_proxy(struct call *c)
{
	struct proxy *p = proxy_of(c);

	if (!p)
		return;
	if (p->is_deleting) {
		call_fail(c, 400, "InvalidDBProxyStateFault", "DB Proxy %s is deleting.", p->name);
		return;
	}
	p->is_deleting = true;
	p->until = after(c->world->durations.delete_ms);
	answer_proxy(c, p);
}

/* ---- targets */

static void
write_target(struct call *c, const struct proxy *p)
{
	const struct instance *i = world_instance(c->world, p->target);
	bool is_due = mono_now().us >= p->target_until.us;
	bool fits = i && strstr(p->secret, arena_printf(&c->request->arena, ":rds!db-%s", i->id));
	struct writer *w = &c->w;

	w_open(w, NULL);
	w_text(w, "RdsResourceId", p->target);
	w_text(w, "Type", "RDS_INSTANCE");
	if (i) {
		w_text(w, "Endpoint", i->address);
		w_int(w, "Port", i->port);
	}
	w_text(w, "Role", "READ_WRITE");
	w_open(w, "TargetHealth");
	w_text(w, "State", !is_due ? "REGISTERING" : fits ? "AVAILABLE" : "UNAVAILABLE");
	if (is_due && !fits)
		w_text(w, "Reason", "AUTH_FAILURE");
	w_close(w);
	w_close(w);
}

static void
describe_targets(struct call *c)
{
	const struct proxy *p = proxy_of(c);

	if (!p)
		return;
	w_list(&c->w, "Targets", "member");
	if (*p->target)
		write_target(c, p);
	w_close(&c->w);
}

static void
register_targets(struct call *c)
{
	struct proxy *p = proxy_of(c);
	const char *id = form_get(&c->form, "DBInstanceIdentifiers.member.1");
	const struct instance *i = id ? world_instance(c->world, id) : NULL;

	if (!p)
		return;
	if (!i) {
		call_fail(c, 404, "DBInstanceNotFound", "DBInstance %s not found.", id ? id : "");
		return;
	}
	if (strcmp(status_of(p), "available") != 0 || *p->target) {
		call_fail(c, 400,
		    *p->target ? "DBProxyTargetAlreadyRegisteredFault" : "InvalidDBProxyStateFault",
		    "DB Proxy %s is %s.", p->name, *p->target ? "registered" : status_of(p));
		return;
	}
	snprintf(p->target, sizeof(p->target), "%s", i->id);
	p->target_until = after(c->world->durations.modify_ms);
	w_list(&c->w, "DBProxyTargets", "member");
	write_target(c, p);
	w_close(&c->w);
}

static void
describe_target_groups(struct call *c)
{
	const struct proxy *p = proxy_of(c);
	struct writer *w = &c->w;

	if (!p)
		return;
	w_list(w, "TargetGroups", "member");
	w_open(w, NULL);
	w_text(w, "DBProxyName", p->name);
	w_text(w, "TargetGroupName", "default");
	w_text(w, "TargetGroupArn",
	    call_arn(c, "target-group", arena_printf(&c->request->arena, "prx-tg-%s", p->id)));
	w_bool(w, "IsDefault", true);
	w_text(w, "Status", status_of(p));
	w_open(w, "ConnectionPoolConfig");
	w_int(w, "MaxConnectionsPercent", 100);
	w_int(w, "MaxIdleConnectionsPercent", 50);
	w_int(w, "ConnectionBorrowTimeout", 120);
	w_list(w, "SessionPinningFilters", "member");
	w_close(w);
	w_close(w);
	w_time(w, "CreatedDate", p->created);
	w_time(w, "UpdatedDate", p->created);
	w_close(w);
	w_close(w);
}

struct tags *
rds_proxy_tags(struct call *c, const char *arn)
{
	struct proxies *all = proxies(c->world);

	for (int i = 0; i < all->n; i++)
		if (strcmp(arn, arn_of(c, &all->items[i])) == 0)
			return &all->items[i].tags;
	return NULL;
}

const struct action rds_proxy_actions[] = {
	{ "rds", "DescribeDBProxies", describe_proxies, RDS_NAMESPACE },
	{ "rds", "CreateDBProxy", create_proxy, RDS_NAMESPACE },
	{ "rds", "DeleteDBProxy", delete_proxy, RDS_NAMESPACE },
	{ "rds", "DescribeDBProxyTargets", describe_targets, RDS_NAMESPACE },
	{ "rds", "RegisterDBProxyTargets", register_targets, RDS_NAMESPACE },
	{ "rds", "DescribeDBProxyTargetGroups", describe_target_groups, RDS_NAMESPACE },
	{ NULL, NULL, NULL, NULL },
};
