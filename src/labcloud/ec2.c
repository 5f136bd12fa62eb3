/*
 * ec2: what `diagnose connect` asks about the way to an instance, and the one change that it
 * offers, a rule of the security group. Names and lists are those of EC2's own variant of the Query
 * protocol: lower camel case, <item>, no result around them.
 */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "labcloud/call.h"

#define ROUTES      "rtb-0000000000000lab"
#define NETWORK_ACL "acl-0000000000000lab"
#define GATEWAY     "igw-0000000000000lab"

/* ---- the network */

const char *
vpc_subnet(char zone)
{
	return zone == 'a' ? "subnet-000000000000laba" : "subnet-000000000000labb";
}

static bool
is_shown(const struct world *w, const struct rule *r)
{
	return !r->is_first || !fault_peek(&w->faults, FAULT_PORT_CLOSED, "", NULL);
}

/* Is 127.0.0.1, which stands for all of this machine, in a CIDR? */
static bool
covers_loopback(const char *cidr)
{
	char text[48];
	struct in_addr net;
	const char *slash = strchr(cidr, '/');
	int bits = slash ? (int)strtol(slash + 1, NULL, 10) : 32;
	uint32_t mask = bits <= 0 ? 0 : ~(uint32_t)0 << (32 - bits);

	snprintf(text, sizeof(text), "%.*s", (int)strcspn(cidr, "/"), cidr);
	return inet_pton(AF_INET, text, &net) == 1 &&
	    ((ntohl(net.s_addr) ^ INADDR_LOOPBACK) & mask) == 0;
}

void
vpc_tick(struct world *w)
{
	int port = w->endpoint_port;
	bool is_open = false;

	for (int i = 0; i < w->vpc.nrules; i++) {
		const struct rule *r = &w->vpc.rules[i];

		is_open |= is_shown(w, r) && covers_loopback(r->cidr) &&
		    (r->is_all || (r->from <= port && port <= r->to));
	}
	atomic_store(&w->to_writer.is_closed, !is_open);
	atomic_store(&w->to_reader.is_closed, !is_open);
}

static struct rule *
add_rule(struct world *w)
{
	struct rule *r = &w->vpc.rules[w->vpc.nrules++];

	*r = (struct rule){ .from = 0 };
	snprintf(r->id, sizeof(r->id), "sgr-0000000001ab%05x", (unsigned)++w->vpc.made & 0xfffff);
	return r;
}

void
vpc_init(struct world *w)
{
	struct rule *r = add_rule(w);

	r->from = r->to = w->endpoint_port;
	r->is_first = true;
	snprintf(r->cidr, sizeof(r->cidr), "127.0.0.0/8");
	snprintf(r->about, sizeof(r->about), "the machine of the lab");
}

/* ---- what is asked for */

/* Is `value` among those of the filter `name`, and of the ids PREFIX.1 …? NULL: there is nothing
 * of that kind to compare, and any value is met. Unknown filters meet nothing. */
struct known {
	const char *name, *value;
};

static bool
in_values(struct call *c, const char *prefix, const char *value)
{
	const char *given = form_getf(&c->form, "%s.1", prefix);

	for (int v = 1; given; given = form_getf(&c->form, "%s.%d", prefix, ++v))
		if (strcmp(given, value) == 0)
			return true;
	return false;
}

/* Does what is known of one thing pass the ids and every filter? A name may stand there more than
 * once: one of its values is enough. */
static bool
passes(struct call *c, const char *ids, const struct known *known)
{
	const char *filter;

	if (form_has(&c->form, ids) && !in_values(c, ids, known[0].value))
		return false;
	for (int f = 1; (filter = form_getf(&c->form, "Filter.%d.Name", f)); f++) {
		bool is_met = false;

		for (const struct known *k = known; k->name; k++)
			is_met |= strcmp(k->name, filter) == 0 &&
			    in_values(c, arena_printf(&c->request->arena, "Filter.%d.Value", f),
			        k->value);
		if (!is_met)
			return false;
	}
	return true;
}

/* Ids that are asked for and are not there are an error. */
static bool
ids_known(struct call *c, const char *ids, const char *code, const char *const *there)
{
	const char *id;

	for (int n = 1; (id = form_getf(&c->form, "%s.%d", ids, n)); n++) {
		bool is_known = false;

		for (int t = 0; there[t]; t++)
			is_known |= strcmp(there[t], id) == 0;
		if (!is_known)
			return call_fail(c, 400, code, "The ID '%s' does not exist", id);
	}
	return true;
}

/* ---- security groups */

static void
write_range(struct call *c, const struct rule *r)
{
	bool is_6 = strchr(r->cidr, ':') != NULL;

	for (int v = 4; v <= 6; v += 2) {
		w_list(&c->w, v == 6 ? "ipv6Ranges" : "ipRanges", "item");
		if (is_6 == (v == 6)) {
			w_open(&c->w, NULL);
			w_text(&c->w, v == 6 ? "cidrIpv6" : "cidrIp", r->cidr);
			if (*r->about)
				w_text(&c->w, "description", r->about);
			w_close(&c->w);
		}
		w_close(&c->w);
	}
}

static void
write_permission(struct call *c, const struct rule *r)
{
	w_open(&c->w, NULL);
	w_text(&c->w, "ipProtocol", r->is_all ? "-1" : "tcp");
	if (!r->is_all) {
		w_int(&c->w, "fromPort", r->from);
		w_int(&c->w, "toPort", r->to);
	}
	w_list(&c->w, "groups", "item");
	w_close(&c->w);
	write_range(c, r);
	w_list(&c->w, "prefixListIds", "item");
	w_close(&c->w);
	w_close(&c->w);
}

static void
describe_groups(struct call *c)
{
	static const char *const there[] = { VPC_GROUP, NULL };
	const struct known known[] = { { "group-id", VPC_GROUP }, { "group-name", "lab" },
		{ "vpc-id", VPC_ID }, { NULL, NULL } };
	const struct rule out = { .is_all = true, .cidr = "0.0.0.0/0" };
	const struct vpc *vpc = &c->world->vpc;
	int from, to;

	if (!ids_known(c, "GroupId", "InvalidGroup.NotFound", there) ||
	    !call_page(c, passes(c, "GroupId", known), &from, &to))
		return;
	w_list(&c->w, "securityGroupInfo", "item");
	if (from < to) {
		w_open(&c->w, NULL);
		w_text(&c->w, "ownerId", c->world->options.account);
		w_text(&c->w, "groupId", VPC_GROUP);
		w_text(&c->w, "groupName", "lab");
		w_text(&c->w, "groupDescription", "who reaches the lab's endpoints");
		w_text(&c->w, "vpcId", VPC_ID);
		w_list(&c->w, "ipPermissions", "item");
		for (int i = 0; i < vpc->nrules; i++)
			if (is_shown(c->world, &vpc->rules[i]))
				write_permission(c, &vpc->rules[i]);
		w_close(&c->w);
		w_list(&c->w, "ipPermissionsEgress", "item");
		write_permission(c, &out);
		w_close(&c->w);
		w_close(&c->w);
	}
	w_close(&c->w);
}

static void
write_rule(struct call *c, const struct rule *r, bool is_egress)
{
	w_open(&c->w, NULL);
	w_text(&c->w, "securityGroupRuleId", r->id);
	w_text(&c->w, "groupId", VPC_GROUP);
	w_text(&c->w, "groupOwnerId", c->world->options.account);
	w_bool(&c->w, "isEgress", is_egress);
	w_text(&c->w, "ipProtocol", r->is_all ? "-1" : "tcp");
	w_int(&c->w, "fromPort", r->is_all ? -1 : r->from);
	w_int(&c->w, "toPort", r->is_all ? -1 : r->to);
	w_text(&c->w, strchr(r->cidr, ':') ? "cidrIpv6" : "cidrIpv4", r->cidr);
	if (*r->about)
		w_text(&c->w, "description", r->about);
	w_close(&c->w);
}

static void
describe_rules(struct call *c)
{
	static const struct rule out = {
		.id = "sgr-0000000001ab00000", .is_all = true, .cidr = "0.0.0.0/0"
	};
	const struct rule *found[MAX_RULES + 1];
	const struct vpc *vpc = &c->world->vpc;
	int n = 0, from, to;

	for (int i = -1; i < vpc->nrules; i++) {
		const struct rule *r = i < 0 ? &out : &vpc->rules[i];
		const struct known known[] = { { "security-group-rule-id", r->id },
			{ "group-id", VPC_GROUP }, { NULL, NULL } };

		if ((i < 0 || is_shown(c->world, r)) && passes(c, "SecurityGroupRuleId", known))
			found[n++] = r;
	}
	if (!call_page(c, n, &from, &to))
		return;
	w_list(&c->w, "securityGroupRuleSet", "item");
	for (int i = from; i < to; i++)
		write_rule(c, found[i], found[i] == &out);
	w_close(&c->w);
}

/* A rule as it is given: among permissions, or by itself. */
static bool
read_rule(struct call *c, const char *prefix, struct rule *r)
{
	const char *dot = *prefix ? "." : "";
	const char *protocol = form_getf(&c->form, "%s%sIpProtocol", prefix, dot),
	           *from = form_getf(&c->form, "%s%sFromPort", prefix, dot),
	           *to = form_getf(&c->form, "%s%sToPort", prefix, dot),
	           *cidr = form_getf(
	               &c->form, "%s%s", prefix, *prefix ? ".IpRanges.1.CidrIp" : "CidrIp"),
	           *about = form_getf(&c->form, "%s.IpRanges.1.Description", prefix);
	unsigned char address[16];
	char text[48];

	cidr = cidr ? cidr : form_getf(&c->form, "%s.Ipv6Ranges.1.CidrIpv6", prefix);
	*r = (struct rule){ .is_all = protocol && strcmp(protocol, "-1") == 0 };
	if (!r->is_all && (!protocol || strcmp(protocol, "tcp") != 0 || !from || !to))
		return call_fail(c, 400, "InvalidParameterValue",
		    "The lab's group takes rules of tcp with ports, and of all protocols (-1).");
	snprintf(text, sizeof(text), "%.*s", cidr ? (int)strcspn(cidr, "/") : 0, cidr ? cidr : "");
	if (!cidr || strlen(cidr) >= sizeof(r->cidr) || !strchr(cidr, '/') ||
	    (inet_pton(AF_INET, text, address) != 1 && inet_pton(AF_INET6, text, address) != 1))
		return call_fail(c, 400, "InvalidParameterValue", "CIDR block %s is malformed",
		    cidr ? cidr : "");
	snprintf(r->cidr, sizeof(r->cidr), "%s", cidr);
	snprintf(r->about, sizeof(r->about), "%s", about ? about : "");
	r->from = from ? (int)strtol(from, NULL, 10) : 0;
	r->to = to ? (int)strtol(to, NULL, 10) : 65535;
	return true;
}

static struct rule *
find_rule(struct world *w, const struct rule *like)
{
	for (int i = 0; i < w->vpc.nrules; i++) {
		struct rule *r = &w->vpc.rules[i];

		if (is_shown(w, r) && r->is_all == like->is_all &&
		    strcmp(r->cidr, like->cidr) == 0 &&
		    (r->is_all || (r->from == like->from && r->to == like->to)))
			return r;
	}
	return NULL;
}

static bool
is_own_group(struct call *c)
{
	const char *group = call_need(c, "GroupId");

	return group &&
	    (strcmp(group, VPC_GROUP) == 0 ||
	        call_fail(c, 400, "InvalidGroup.NotFound", "The security group '%s' does not exist",
	            group));
}

static const char *
permission(struct call *c)
{
	return form_has(&c->form, "IpPermissions.1") ? "IpPermissions.1" : "";
}

static void
authorize(struct call *c)
{
	struct rule given, *r;

	if (!is_own_group(c) || !read_rule(c, permission(c), &given))
		return;
	if (find_rule(c->world, &given)) {
		call_fail(c, 400, "InvalidPermission.Duplicate",
		    "the specified rule \"peer: %s\" already exists", given.cidr);
		return;
	}
	if (c->world->vpc.nrules == MAX_RULES) {
		call_fail(c, 400, "RulesPerSecurityGroupLimitExceeded",
		    "The maximum number of rules per security group has been reached.");
		return;
	}
	r = add_rule(c->world);
	memcpy(given.id, r->id, sizeof(given.id));
	*r = given;
	vpc_tick(c->world);
	w_bool(&c->w, "return", true);
	w_list(&c->w, "securityGroupRuleSet", "item");
	write_rule(c, r, false);
	w_close(&c->w);
}

static void
revoke(struct call *c)
{
	struct vpc *vpc = &c->world->vpc;
	struct rule given, *r;

	if (!is_own_group(c) || !read_rule(c, permission(c), &given))
		return;
	r = find_rule(c->world, &given);
	if (!r) {
		call_fail(c, 400, "InvalidPermission.NotFound",
		    "The specified rule does not exist in this security group.");
		return;
	}
	*r = vpc->rules[--vpc->nrules];
	vpc_tick(c->world);
	w_bool(&c->w, "return", true);
}

/* ---- subnets, routes, ACLs */

static void
describe_subnets(struct call *c)
{
	const char *const there[] = { vpc_subnet('a'), vpc_subnet('b'), NULL };
	struct arena *arena = &c->request->arena;
	char found[2];
	int n = 0, from, to;

	if (!ids_known(c, "SubnetId", "InvalidSubnetID.NotFound", there))
		return;
	for (char zone = 'a'; zone <= 'b'; zone++) {
		const struct known known[] = { { "subnet-id", vpc_subnet(zone) },
			{ "vpc-id", VPC_ID },
			{ "availability-zone",
			    arena_printf(arena, "%s%c", c->world->options.region, zone) },
			{ NULL, NULL } };

		if (passes(c, "SubnetId", known))
			found[n++] = zone;
	}
	if (!call_page(c, n, &from, &to))
		return;
	w_list(&c->w, "subnetSet", "item");
	for (int i = from; i < to; i++) {
		w_open(&c->w, NULL);
		w_text(&c->w, "subnetId", vpc_subnet(found[i]));
		w_text(&c->w, "state", "available");
		w_text(&c->w, "vpcId", VPC_ID);
		w_text(&c->w, "cidrBlock", found[i] == 'a' ? "10.99.0.0/24" : "10.99.1.0/24");
		w_int(&c->w, "availableIpAddressCount", 250);
		w_text(&c->w, "availabilityZone",
		    arena_printf(arena, "%s%c", c->world->options.region, found[i]));
		w_bool(&c->w, "mapPublicIpOnLaunch", false);
		w_close(&c->w);
	}
	w_close(&c->w);
}

static void
write_route(struct call *c, const char *to, const char *by, const char *origin)
{
	w_open(&c->w, NULL);
	w_text(&c->w, "destinationCidrBlock", to);
	w_text(&c->w, "gatewayId", by);
	w_text(&c->w, "state", "active");
	w_text(&c->w, "origin", origin);
	w_close(&c->w);
}

/* One table, the VPC's main one: no subnet has a table of its own. */
static void
describe_routes(struct call *c)
{
	static const char *const there[] = { ROUTES, NULL };
	const struct known known[] = { { "route-table-id", ROUTES }, { "vpc-id", VPC_ID },
		{ "association.main", "true" }, { NULL, NULL } };
	int from, to;

	if (!ids_known(c, "RouteTableId", "InvalidRouteTableID.NotFound", there) ||
	    !call_page(c, passes(c, "RouteTableId", known), &from, &to))
		return;
	w_list(&c->w, "routeTableSet", "item");
	if (from < to) {
		w_open(&c->w, NULL);
		w_text(&c->w, "routeTableId", ROUTES);
		w_text(&c->w, "vpcId", VPC_ID);
		w_list(&c->w, "routeSet", "item");
		write_route(c, VPC_CIDR, "local", "CreateRouteTable");
		write_route(c, "0.0.0.0/0", GATEWAY, "CreateRoute");
		w_close(&c->w);
		w_list(&c->w, "associationSet", "item");
		w_open(&c->w, NULL);
		w_text(&c->w, "routeTableAssociationId", "rtbassoc-000000000000lab");
		w_text(&c->w, "routeTableId", ROUTES);
		w_bool(&c->w, "main", true);
		w_close(&c->w);
		w_close(&c->w);
		w_close(&c->w);
	}
	w_close(&c->w);
}

static void
write_entry(struct call *c, int number, bool is_allowed, bool is_egress)
{
	w_open(&c->w, NULL);
	w_int(&c->w, "ruleNumber", number);
	w_text(&c->w, "protocol", "-1");
	w_text(&c->w, "ruleAction", is_allowed ? "allow" : "deny");
	w_bool(&c->w, "egress", is_egress);
	w_text(&c->w, "cidrBlock", "0.0.0.0/0");
	w_close(&c->w);
}

static void
describe_acls(struct call *c)
{
	static const char *const there[] = { NETWORK_ACL, NULL };
	const struct known known[] = { { "network-acl-id", NETWORK_ACL }, { "vpc-id", VPC_ID },
		{ "association.subnet-id", vpc_subnet('a') },
		{ "association.subnet-id", vpc_subnet('b') }, { "default", "true" },
		{ NULL, NULL } };
	int from, to;

	if (!ids_known(c, "NetworkAclId", "InvalidNetworkAclID.NotFound", there) ||
	    !call_page(c, passes(c, "NetworkAclId", known), &from, &to))
		return;
	w_list(&c->w, "networkAclSet", "item");
	if (from < to) {
		w_open(&c->w, NULL);
		w_text(&c->w, "networkAclId", NETWORK_ACL);
		w_text(&c->w, "vpcId", VPC_ID);
		w_bool(&c->w, "default", true);
		w_list(&c->w, "entrySet", "item");
		for (int egress = 0; egress < 2; egress++) {
			write_entry(c, 100, true, egress == 1);
			write_entry(c, 32767, false, egress == 1);
		}
		w_close(&c->w);
		w_list(&c->w, "associationSet", "item");
		for (char zone = 'a'; zone <= 'b'; zone++) {
			w_open(&c->w, NULL);
			w_text(&c->w, "networkAclAssociationId",
			    zone == 'a' ? "aclassoc-00000000000laba" : "aclassoc-00000000000labb");
			w_text(&c->w, "networkAclId", NETWORK_ACL);
			w_text(&c->w, "subnetId", vpc_subnet(zone));
			w_close(&c->w);
		}
		w_close(&c->w);
		w_close(&c->w);
	}
	w_close(&c->w);
}

const struct action ec2_actions[] = {
	{ "ec2", "DescribeSecurityGroups", describe_groups, EC2_NAMESPACE },
	{ "ec2", "DescribeSecurityGroupRules", describe_rules, EC2_NAMESPACE },
	{ "ec2", "AuthorizeSecurityGroupIngress", authorize, EC2_NAMESPACE },
	{ "ec2", "RevokeSecurityGroupIngress", revoke, EC2_NAMESPACE },
	{ "ec2", "DescribeSubnets", describe_subnets, EC2_NAMESPACE },
	{ "ec2", "DescribeRouteTables", describe_routes, EC2_NAMESPACE },
	{ "ec2", "DescribeNetworkAcls", describe_acls, EC2_NAMESPACE },
	{ NULL, NULL, NULL, NULL },
};
