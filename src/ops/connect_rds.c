/*
 * What AWS knows of the way to an RDS instance: its state, and whether security groups, network
 * ACLs and routes let its port from here. Reading calls only. Where this machine stands is told by
 * the address it would send from; behind a NAT that is not the one AWS sees, and then only rules
 * for all addresses are certain.
 */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cloud/aws.h"
#include "ops/connect_cidr.h"
#include "ops/connect_priv.h"
#include "pg/login.h"

enum { CALL_MS = 5000, MAX_GROUPS = 8, SOON_DAYS = 30, EPHEMERAL = 40000 };

struct cloud {
	struct walk *w;
	struct aws *aws;
	struct aws_answer instance, groups, subnets, acls, routes;
	const struct xml *db; /* DBInstance */
	int port;
	char here[64];               /* the address that AWS sees; "" not known (behind a NAT) */
	const char *own[MAX_GROUPS]; /* security groups of this machine */
	int nown;
	const char *subnet; /* of the instance; "" not known */
	bool is_inside;     /* this machine is in the instance's VPC */
};

static bool
call(struct cloud *c, enum aws_service service, const char *op, const struct aws_param *params,
    struct aws_answer *answer, const char *area)
{
	struct aws_call what = {
		.service = service, .op = op, .params = params, .timeout_ms = CALL_MS
	};
	struct error err = { 0 };

	if (aws_do(c->aws, &what, answer, &err))
		return true;
	check_add(c->w->checks, area, CHECK_UNKNOWN, "%s", err.what);
	check_remedy(c->w->checks, "%s", err.hint);
	return false;
}

/* ------------------------------------------------------------------ the instance */

static const char *
name_of(const struct walk *w, bool *is_cluster)
{
	const char *host = walk_rds_host(w);

	*is_cluster = *w->target->cluster || strstr(host, ".cluster-");
	if (*w->target->cluster)
		return w->target->cluster;
	if (*w->target->instance)
		return w->target->instance;
	return strstr(host, ".proxy-") ? "" : arena_strndup(w->arena, host, strcspn(host, "."));
}

/* The instance that writes in a cluster. */
static const char *
writer_of(struct cloud *c, const char *cluster)
{
	struct aws_param params[] = { { "DBClusterIdentifier", cluster }, { NULL, NULL } };
	struct aws_answer answer;
	const struct xml *x;
	const char *id = "";

	aws_answer_init(&answer);
	if (call(c, AWS_RDS, "DescribeDBClusters", params, &answer, "instance")) {
		x = xml_get(answer.xml, "DBClusters/DBCluster");
		check_add(c->w->checks, "cluster",
		    strcmp(xml_text(x, "Status"), "available") == 0 ? CHECK_OK : CHECK_WARN,
		    "the cluster %s is %s", cluster, xml_text(x, "Status"));
		x = xml_get(x, "DBClusterMembers");
		for (x = x ? x->child : NULL; x; x = x->next)
			if (!*id || xml_true(x, "IsClusterWriter"))
				id = arena_strdup(c->w->arena, xml_text(x, "DBInstanceIdentifier"));
	}
	aws_answer_release(&answer);
	return id;
}

static void
judge_state(struct cloud *c, const char *id)
{
	static const struct {
		const char *status;
		enum check_state state;
		const char *remedy;
	} states[] = {
		{ "available", CHECK_OK, "" },
		{ "backing-up", CHECK_OK, "" },
		{ "storage-optimization", CHECK_OK, "" },
		{ "stopped", CHECK_FAIL, "Start it: aws rds start-db-instance." },
		{ "stopping", CHECK_FAIL, "It can be started again when it is stopped." },
		{ "starting", CHECK_FAIL, "Minutes; it takes connections when it is available." },
		{ "rebooting", CHECK_FAIL, "A minute or two; its events say why." },
		{ "creating", CHECK_FAIL, "It takes connections when it is available." },
		{ "storage-full", CHECK_FAIL,
		    "It is shut down until it has more storage: modify AllocatedStorage." },
		{ "failed", CHECK_FAIL, "It cannot be recovered: restore a snapshot." },
		{ "deleting", CHECK_FAIL, "It is being deleted: restore a snapshot." },
		{ "incompatible-", CHECK_FAIL,
		    "What is incompatible has to be changed (parameters, network, options)." },
		{ "inaccessible-encryption", CHECK_FAIL, "Its KMS key is disabled or deleted." },
	};
	const char *status = xml_text(c->db, "DBInstanceStatus"), *remedy = "";
	enum check_state state = CHECK_WARN;

	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		if (strncmp(status, states[i].status, strlen(states[i].status)) == 0) {
			state = states[i].state;
			remedy = states[i].remedy;
			break;
		}
	check_add(c->w->checks, "instance", state, "%s is %s", id, status);
	check_remedy(c->w->checks, "%s", remedy);
}

static void
judge_instance(struct cloud *c, const char *id)
{
	const char *asked = c->w->where->hosts[0].port;
	const char *ca = xml_text(c->db, "CACertificateIdentifier");
	struct wall until;

	judge_state(c, id);
	check_evidence(c->w->checks, "%s, %s %s, in %s%s%s", xml_text(c->db, "DBInstanceClass"),
	    xml_text(c->db, "Engine"), xml_text(c->db, "EngineVersion"),
	    xml_text(c->db, "AvailabilityZone"), xml_true(c->db, "MultiAZ") ? ", Multi-AZ" : "",
	    xml_true(c->db, "PubliclyAccessible") ? ", publicly accessible" : ", private");
	check_evidence(
	    c->w->checks, "endpoint %s:%d", xml_text(c->db, "Endpoint/Address"), c->port);
	if (c->port && c->port != (int)strtol(asked, NULL, 10) && !*c->w->where->hosts[0].addr &&
	    pg_is_rds_host(c->w->where->hosts[0].host)) {
		c->w->checks->items[c->w->checks->n - 1].state = CHECK_FAIL;
		check_remedy(
		    c->w->checks, "Its port is %d, not %s: -p %d.", c->port, asked, c->port);
	}
	if (!wall_parse(xml_text(c->db, "CertificateDetails/ValidTill"), &until))
		until.us = 0;
	if (until.us && until.us - wall_now().us < SOON_DAYS * INT64_C(86400000000)) {
		check_add(c->w->checks, "certificate", CHECK_WARN, "%s of the instance ends %.10s",
		    ca, xml_text(c->db, "CertificateDetails/ValidTill"));
		check_remedy(c->w->checks,
		    "aws rds modify-db-instance --ca-certificate-identifier with a newer one.");
	}
	if (c->w->target->password && strncmp(c->w->target->password, PG_LOGIN_MARK, 7) == 0 &&
	    !strstr(c->w->target->password, "\"secret\"") &&
	    !xml_true(c->db, "IAMDatabaseAuthenticationEnabled")) {
		check_add(c->w->checks, "iam", CHECK_WARN,
		    "IAM authentication is off for the instance, and auth = iam asks for it");
		check_remedy(c->w->checks,
		    "aws rds modify-db-instance --enable-iam-database-authentication.");
	}
}

/* ------------------------------------------------------------------ where we are */

static bool
is_private(const char *address)
{
	return cidr_match("10.0.0.0/8", address) >= 0 ||
	    cidr_match("172.16.0.0/12", address) >= 0 ||
	    cidr_match("192.168.0.0/16", address) >= 0 || cidr_match("fc00::/7", address) >= 0;
}

static void
find_here(struct cloud *c)
{
	const struct reach *to = &c->w->reaches[0];
	char source[64];
	bool is_tunnel;

	if (*c->w->from) {
		snprintf(c->here, sizeof(c->here), "%s", c->w->from);
		return;
	}
	/* What is sent to this machine itself goes on through a tunnel, from its other end; unless
	 * the instance itself is there, as the lab's. */
	is_tunnel = c->w->nreaches && reach_is_own(to) &&
	    strcmp(xml_text(c->db, "Endpoint/Address"), to->text) != 0;
	if (!c->w->nreaches || is_tunnel || !reach_source(to, source, sizeof(source)))
		return;
	for (const struct xml *x = xml_get(c->subnets.xml, "subnetSet/item"); x; x = x->next)
		c->is_inside |= cidr_match(xml_text(x, "cidrBlock"), source) >= 0;
	if (c->is_inside)
		c->nown = aws_machine_groups(c->aws, c->w->arena, c->own, MAX_GROUPS);
	/* To a public address a private one is sent from behind a NAT. */
	if (reach_is_private(to) || !is_private(source))
		memcpy(c->here, source, sizeof(c->here));
}

static const char *
here_text(const struct cloud *c)
{
	return *c->here ? c->here : "here (behind a NAT or a tunnel)";
}

/* ------------------------------------------------------------------ security groups */

struct rules {
	bool lets_in, lets_all, is_unsure;
	struct strbuf who; /* for whom the port is open */
};

static void
note(struct rules *r, const char *who)
{
	strbuf_addf(&r->who, "%s%s", r->who.len ? ", " : "", who);
}

static void
read_permission(struct cloud *c, const struct xml *p, struct rules *r)
{
	const char *protocol = xml_text(p, "ipProtocol");
	int from = (int)xml_int(p, "fromPort", 0), to = (int)xml_int(p, "toPort", 65535);

	if (strcmp(protocol, "-1") != 0 && strcmp(protocol, "tcp") != 0 &&
	    strcmp(protocol, "6") != 0)
		return;
	if (strcmp(protocol, "-1") != 0 && (c->port < from || c->port > to))
		return;
	for (const struct xml *x = xml_get(p, "ipRanges/item"); x; x = x->next) {
		const char *cidr = xml_text(x, "cidrIp");

		note(r, cidr);
		r->lets_all |= strcmp(cidr, "0.0.0.0/0") == 0;
		r->lets_in |= *c->here && cidr_match(cidr, c->here) >= 0;
	}
	for (const struct xml *x = xml_get(p, "ipv6Ranges/item"); x; x = x->next) {
		note(r, xml_text(x, "cidrIpv6"));
		r->lets_in |= *c->here && cidr_match(xml_text(x, "cidrIpv6"), c->here) >= 0;
	}
	for (const struct xml *x = xml_get(p, "groups/item"); x; x = x->next) {
		const char *id = xml_text(x, "groupId");

		note(r, id);
		for (int i = 0; i < c->nown; i++)
			r->lets_in |= strcmp(c->own[i], id) == 0;
		r->is_unsure |= c->is_inside && c->nown == 0;
	}
	for (const struct xml *x = xml_get(p, "prefixListIds/item"); x; x = x->next) {
		note(r, xml_text(x, "prefixListId"));
		r->is_unsure = true;
	}
}

static void
walk_groups(struct cloud *c)
{
	struct rules r = { .who = STRBUF_INIT(1024) };
	struct aws_param params[MAX_GROUPS + 1] = { { NULL, NULL } };
	const struct xml *x = xml_get(c->db, "VpcSecurityGroups/VpcSecurityGroupMembership");
	const char *first = "";
	int n = 0;

	for (; x && n < MAX_GROUPS; x = x->next) {
		params[n].name = arena_printf(c->w->arena, "GroupId.%d", n + 1);
		params[n++].value = xml_text(x, "VpcSecurityGroupId");
	}
	if (!n || !call(c, AWS_EC2, "DescribeSecurityGroups", params, &c->groups, "security group"))
		goto out;
	first = params[0].value;
	for (x = xml_get(c->groups.xml, "securityGroupInfo/item"); x; x = x->next)
		for (const struct xml *p = xml_get(x, "ipPermissions/item"); p; p = p->next)
			read_permission(c, p, &r);
	r.is_unsure |= !*c->here && r.who.len;
	if (r.lets_in || r.lets_all)
		check_add(c->w->checks, "security group",
		    r.lets_all && xml_true(c->db, "PubliclyAccessible") ? CHECK_WARN : CHECK_OK,
		    "port %d is open for %s", c->port,
		    r.lets_all ? "the whole world" : here_text(c));
	else if (r.is_unsure)
		check_add(c->w->checks, "security group", CHECK_UNKNOWN,
		    "port %d is open for some; whether for here is not known", c->port);
	else
		check_add(c->w->checks, "security group", CHECK_FAIL,
		    "no rule lets port %d from %s", c->port, here_text(c));
	for (int i = 0; i < n; i++)
		check_evidence(c->w->checks, "%s of the instance", params[i].value);
	check_evidence(
	    c->w->checks, "port %d is open for: %s", c->port, r.who.len ? r.who.buf : "nobody");
	if (r.lets_all && xml_true(c->db, "PubliclyAccessible"))
		check_remedy(c->w->checks, "Open it for your own addresses only.");
	else if (!r.lets_in && !r.lets_all)
		check_remedy(c->w->checks,
		    "aws ec2 authorize-security-group-ingress --group-id %s --protocol tcp --port %d "
		    "--cidr %s/32 (never 0.0.0.0/0)",
		    first, c->port, *c->here ? c->here : "YOUR.PUBLIC.ADDRESS");
out:
	strbuf_release(&r.who);
}

/* ------------------------------------------------------------------ subnets, ACLs, routes */

/* The subnet that holds the instance's address; behind a tunnel or a public address, one of its
 * zone. */
static void
find_subnet(struct cloud *c)
{
	const char *zone = xml_text(c->db, "AvailabilityZone");
	const struct xml *x;

	c->subnet = "";
	for (int i = 0; i < c->w->nreaches && !*c->subnet; i++)
		for (x = xml_get(c->subnets.xml, "subnetSet/item"); x && !*c->subnet; x = x->next)
			if (cidr_match(xml_text(x, "cidrBlock"), c->w->reaches[i].text) >= 0)
				c->subnet = xml_text(x, "subnetId");
	for (x = xml_get(c->db, "DBSubnetGroup/Subnets/Subnet"); x && !*c->subnet; x = x->next)
		if (strcmp(xml_text(x, "SubnetAvailabilityZone/Name"), zone) == 0)
			c->subnet = xml_text(x, "SubnetIdentifier");
}

static bool
acl_covers(const struct xml *e, bool egress, const char *address, int port)
{
	const char *protocol = xml_text(e, "protocol");

	if (xml_true(e, "egress") != egress ||
	    (strcmp(protocol, "-1") != 0 && strcmp(protocol, "6") != 0))
		return false;
	if (strcmp(protocol, "6") == 0 && xml_get(e, "portRange") &&
	    (port < xml_int(e, "portRange/from", 0) || port > xml_int(e, "portRange/to", 65535)))
		return false;
	return cidr_match(xml_text(e, "cidrBlock"), address) >= 0 ||
	    cidr_match(xml_text(e, "ipv6CidrBlock"), address) >= 0;
}

/* The rule of the least number decides; none is a no. */
static const struct xml *
acl_rule(const struct xml *acl, bool egress, const char *address, int port)
{
	const struct xml *found = NULL;

	for (const struct xml *e = xml_get(acl, "entrySet/item"); e; e = e->next)
		if (acl_covers(e, egress, address, port) &&
		    (!found || xml_int(e, "ruleNumber", 0) < xml_int(found, "ruleNumber", 0)))
			found = e;
	return found;
}

static void
walk_acl(struct cloud *c)
{
	struct aws_param params[] = { { "Filter.1.Name", "association.subnet-id" },
		{ "Filter.1.Value.1", c->subnet }, { NULL, NULL } };
	/* Of an unknown address a rule for all decides, which any address will do to find. */
	const char *address = *c->here ? c->here : "198.51.100.1";
	const struct xml *acl;
	bool ok = true;

	if (!call(c, AWS_EC2, "DescribeNetworkAcls", params, &c->acls, "network acl"))
		return;
	acl = xml_get(c->acls.xml, "networkAclSet/item");
	if (!acl)
		return;
	for (int egress = 0; egress < 2 && ok; egress++) {
		const struct xml *rule =
		    acl_rule(acl, egress == 1, address, egress ? EPHEMERAL : c->port);

		ok = rule && strcmp(xml_text(rule, "ruleAction"), "allow") == 0;
		if (ok)
			continue;
		check_add(c->w->checks, "network acl", *c->here ? CHECK_FAIL : CHECK_UNKNOWN,
		    "%s %s %s %s", xml_text(acl, "networkAclId"),
		    egress ? "does not let answers out to" : "does not let in", here_text(c),
		    egress ? "(ports 1024-65535)" :
		             arena_printf(c->w->arena, "to port %d", c->port));
		check_evidence(c->w->checks, "rule %s of subnet %s",
		    rule ? xml_text(rule, "ruleNumber") : "* (none fits)", c->subnet);
		check_remedy(c->w->checks,
		    "Network ACLs keep no state: they need a rule in and one out for ports 1024-65535.");
	}
	if (ok)
		check_add(c->w->checks, "network acl", CHECK_OK, "%s lets port %d in, answers out",
		    xml_text(acl, "networkAclId"), c->port);
}

static const char *
route_by(const struct xml *r)
{
	static const char *const ways[] = { "gatewayId", "natGatewayId", "transitGatewayId",
		"vpcPeeringConnectionId", "networkInterfaceId", "instanceId" };

	for (size_t i = 0; i < ARRAY_LEN(ways); i++)
		if (*xml_text(r, ways[i]))
			return xml_text(r, ways[i]);
	return "";
}

/* The narrowest route to an address. */
static const struct xml *
route_to(const struct xml *table, const char *address)
{
	const struct xml *found = NULL;
	int best = -1;

	for (const struct xml *r = xml_get(table, "routeSet/item"); r; r = r->next) {
		int n = cidr_match(xml_text(r, "destinationCidrBlock"), address);

		if (n < 0)
			n = cidr_match(xml_text(r, "destinationIpv6CidrBlock"), address);
		if (n > best) {
			best = n;
			found = r;
		}
	}
	return found;
}

static const struct xml *
table_of(struct cloud *c)
{
	struct aws_param own[] = { { "Filter.1.Name", "association.subnet-id" },
		{ "Filter.1.Value.1", c->subnet }, { NULL, NULL } };
	struct aws_param main_table[] = { { "Filter.1.Name", "vpc-id" },
		{ "Filter.1.Value.1", xml_text(c->db, "DBSubnetGroup/VpcId") },
		{ "Filter.2.Name", "association.main" }, { "Filter.2.Value.1", "true" },
		{ NULL, NULL } };

	if (!call(c, AWS_EC2, "DescribeRouteTables", own, &c->routes, "route"))
		return NULL;
	if (!xml_get(c->routes.xml, "routeTableSet/item") &&
	    !call(c, AWS_EC2, "DescribeRouteTables", main_table, &c->routes, "route"))
		return NULL;
	return xml_get(c->routes.xml, "routeTableSet/item");
}

static void
walk_route(struct cloud *c)
{
	const struct xml *table = table_of(c), *r;
	const char *by, *address = *c->here ? c->here : "198.51.100.1";
	/* A tunnel may end anywhere. */
	bool is_tunnel = !*c->here && c->w->nreaches && reach_is_own(&c->w->reaches[0]);
	enum check_state missing = is_tunnel ? CHECK_UNKNOWN : CHECK_FAIL;

	if (!table)
		return;
	r = route_to(table, address);
	by = r ? route_by(r) : "";
	if (!r || strcmp(xml_text(r, "state"), "blackhole") == 0) {
		check_add(c->w->checks, "route", missing, "subnet %s has no way back to %s",
		    c->subnet, here_text(c));
		check_remedy(c->w->checks, "%s",
		    xml_true(c->db, "PubliclyAccessible") ?
		        "A public instance needs a route 0.0.0.0/0 to an internet gateway." :
		        "It is private: come from inside the VPC, or by peering, VPN or a tunnel.");
	} else if (strncmp(by, "nat-", 4) == 0) {
		check_add(c->w->checks, "route", missing,
		    "subnet %s reaches %s through a NAT only, which lets nothing in", c->subnet,
		    here_text(c));
		check_remedy(c->w->checks,
		    "It is private: come from inside the VPC, or by peering, "
		    "VPN or a tunnel.");
	} else {
		check_add(c->w->checks, "route", CHECK_OK, "subnet %s reaches %s by %s", c->subnet,
		    here_text(c), by);
	}
	check_evidence(c->w->checks, "route table %s", xml_text(table, "routeTableId"));
}

static void
walk_network(struct cloud *c)
{
	struct aws_param params[] = { { "Filter.1.Name", "vpc-id" },
		{ "Filter.1.Value.1", xml_text(c->db, "DBSubnetGroup/VpcId") }, { NULL, NULL } };

	if (*params[1].value &&
	    !call(c, AWS_EC2, "DescribeSubnets", params, &c->subnets, "security group"))
		return;
	find_here(c);
	walk_groups(c);
	find_subnet(c);
	if (!*c->subnet)
		return;
	walk_acl(c);
	walk_route(c);
}

/* ------------------------------------------------------------------ all of it */

static struct aws *
open_aws(struct walk *w)
{
	const struct op_target *t = w->target;
	struct aws_config config = { .profile = t->profile,
		.credentials_file = t->credentials_file,
		.region = t->region,
		.host = walk_rds_host(w),
		.endpoint_url = t->endpoint_url };
	struct error err = { 0 };
	struct aws *aws = aws_open(&config, &err);

	if (aws && *aws_region(aws))
		return aws;
	if (aws)
		error_set(&err, ERR_CONFIG, "the region is not known");
	check_add(w->checks, "instance", CHECK_UNKNOWN, "%s", err.what);
	check_remedy(w->checks, "Set region of the target, or AWS_REGION.");
	aws_close(aws);
	return NULL;
}

static void
walk_cloud(struct cloud *c)
{
	bool is_cluster;
	const char *id = name_of(c->w, &is_cluster);
	struct aws_param params[] = { { "DBInstanceIdentifier", NULL }, { NULL, NULL } };

	if (is_cluster)
		id = writer_of(c, id);
	params[0].value = id;
	if (!*id)
		return;
	if (!call(c, AWS_RDS, "DescribeDBInstances", params, &c->instance, "instance")) {
		if (strcmp(c->instance.code, "DBInstanceNotFound") == 0) {
			struct check *last = &c->w->checks->items[c->w->checks->n - 1];

			last->state = CHECK_FAIL;
			last->what = arena_printf(
			    c->w->arena, "there is no instance %s in %s", id, aws_region(c->aws));
			check_remedy(c->w->checks,
			    "Was it deleted or renamed, or is it in another region or account?");
		}
		return;
	}
	c->db = xml_get(c->instance.xml, "DBInstances/DBInstance");
	if (!c->db)
		return;
	c->port = (int)xml_int(c->db, "Endpoint/Port", 5432);
	judge_instance(c, id);
	walk_network(c);
}

void
walk_rds(struct walk *w)
{
	struct cloud c = { .w = w };

	if (op_provider_of(w->target) != PROVIDER_RDS)
		return;
	c.aws = open_aws(w);
	if (!c.aws)
		return;
	aws_answer_init(&c.instance);
	aws_answer_init(&c.groups);
	aws_answer_init(&c.subnets);
	aws_answer_init(&c.acls);
	aws_answer_init(&c.routes);
	walk_cloud(&c);
	aws_answer_release(&c.instance);
	aws_answer_release(&c.groups);
	aws_answer_release(&c.subnets);
	aws_answer_release(&c.acls);
	aws_answer_release(&c.routes);
	aws_close(c.aws);
}
