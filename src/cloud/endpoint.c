#include "config.h"

#include "cloud/endpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const struct aws_service_def aws_services[AWS_SERVICES] = {
	[AWS_RDS] = { "rds", "2014-10-31", "RDS", AWS_WIRE_QUERY, NULL },
	[AWS_STS] = { "sts", "2011-06-15", "STS", AWS_WIRE_QUERY, NULL },
	[AWS_EC2] = { "ec2", "2016-11-15", "EC2", AWS_WIRE_EC2, NULL },
	[AWS_CLOUDWATCH] = { "monitoring", "GraniteServiceVersion20100801", "CLOUDWATCH",
	    AWS_WIRE_JSON10, "2010-08-01" },
	[AWS_PI] = { "pi", "PerformanceInsightsv20180227", "PI", AWS_WIRE_JSON11, NULL },
	[AWS_LOGS] = { "logs", "Logs_20140328", "CLOUDWATCH_LOGS", AWS_WIRE_JSON11, NULL },
	[AWS_SECRETS] = { "secretsmanager", "secretsmanager", "SECRETS_MANAGER", AWS_WIRE_JSON11,
	    NULL },
	[AWS_AUTOSCALING] = { "application-autoscaling", "AnyScaleFrontendService",
	    "APPLICATION_AUTO_SCALING", AWS_WIRE_JSON11, NULL },
	[AWS_SSO] = { "portal.sso", "", "SSO", AWS_WIRE_REST, NULL },
};

struct partition {
	const char *prefix, *name, *suffix, *dual; /* dual NULL: none */
};

/* By the beginning of a region's name; the first that fits. */
static const struct partition partitions[] = {
	{ "cn-", "aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn" },
	{ "us-gov-", "aws-us-gov", "amazonaws.com", "api.aws" },
	{ "us-iso-", "aws-iso", "c2s.ic.gov", NULL },
	{ "us-isob-", "aws-iso-b", "sc2s.sgov.gov", NULL },
	{ "eu-isoe-", "aws-iso-e", "cloud.adc-e.uk", NULL },
	{ "us-isof-", "aws-iso-f", "csp.hci.ic.gov", NULL },
	{ "eusc-", "aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu" },
	{ "", "aws", "amazonaws.com", "api.aws" },
};

static const struct partition *
partition_of(const char *region)
{
	const struct partition *p = partitions;

	while (strncmp(region, p->prefix, strlen(p->prefix)) != 0)
		p++;
	return p;
}

const char *
endpoint_partition(const char *region)
{
	return partition_of(region)->name;
}

static bool
is_region(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return n >= 3 && n < 40 && !s[n] && s[0] != '-' && s[n - 1] != '-';
}

/* What the names of some partition end with. */
static bool
is_suffix(const char *s)
{
	for (size_t i = 0; i < sizeof(partitions) / sizeof(partitions[0]); i++)
		if (strcmp(partitions[i].suffix, s) == 0)
			return true;
	return false;
}

bool
endpoint_region(const char *host, char *region, size_t size)
{
	const char *at = strstr(host, ".rds."), *end, *start;

	if (!at)
		return false;
	end = at;
	for (start = at; start > host && start[-1] != '.'; start--)
		;
	/* China's newer names have the region behind: "x.abc.rds.cn-north-1.amazonaws.com.cn". */
	if (!is_suffix(at + strlen(".rds."))) {
		start = at + strlen(".rds.");
		end = start + strcspn(start, ".");
		if (!*end || !is_suffix(end + 1))
			return false;
	}
	if ((size_t)(end - start) >= size || start == host)
		return false;
	memcpy(region, start, (size_t)(end - start));
	region[end - start] = '\0';
	return is_region(region);
}

static bool
is_set(const struct endpoint_ask *ask, const char *variable, const char *key)
{
	const char *s = getenv(variable);

	if ((!s || !*s) && ask->profiles)
		s = profile_get(ask->profiles, ask->profile, key);
	return s && strcasecmp(s, "true") == 0;
}

static const char *
environment_override(const char *suffix)
{
	char name[64];
	const char *s;

	snprintf(name, sizeof(name), "AWS_ENDPOINT_URL_%s", suffix);
	s = getenv(name);
	return s && *s ? s : NULL;
}

/* endpoint_url of the service in [services NAME], NAME as the profile says. */
static const char *
profile_override(const struct endpoint_ask *ask, const char *suffix)
{
	const char *block =
	    ask->profiles ? profile_get(ask->profiles, ask->profile, "services") : NULL;
	char key[48];

	snprintf(key, sizeof(key), "%s", suffix);
	for (char *c = key; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c += 'a' - 'A';
	return block ? profile_block(ask->profiles, PROFILE_SERVICES, block, key, "endpoint_url") :
	               NULL;
}

/*
 * What overrides the name that the region gives; NULL: nothing. The option says where the target
 * is asked, thus where its keys come from only while nothing is set for that service itself.
 */
static const char *
override_of(const struct endpoint_ask *ask, enum aws_service service)
{
	bool is_login = service == AWS_SSO || service == AWS_STS;
	bool has_option = ask->option && *ask->option;
	const char *suffix = aws_services[service].suffix, *environment, *profile, *s;

	if ((has_option && !is_login) ||
	    is_set(ask, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls"))
		return has_option ? ask->option : NULL;
	environment = environment_override(suffix);
	profile = profile_override(ask, suffix);
	if (environment)
		return environment;
	if (has_option)
		return profile ? profile : ask->option;
	s = getenv("AWS_ENDPOINT_URL");
	if (s && *s)
		return s;
	if (profile || !ask->profiles)
		return profile;
	return profile_get(ask->profiles, ask->profile, "endpoint_url");
}

/* GovCloud's plain names are FIPS, but for these. */
static bool
has_fips_name(const struct partition *p, enum aws_service service, bool dual)
{
	if (strcmp(p->name, "aws-us-gov") != 0)
		return true;
	if (service == AWS_PI || service == AWS_SECRETS)
		return true;
	return dual && service != AWS_CLOUDWATCH;
}

bool
endpoint_of(const struct endpoint_ask *ask, enum aws_service service, struct strbuf *url,
    bool *is_custom, struct error *err)
{
	bool fips = is_set(ask, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint");
	bool dual = is_set(ask, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint");
	const char *custom = override_of(ask, service);
	const struct partition *p;

	strbuf_clear(url);
	*is_custom = custom != NULL;
	if (custom) {
		size_t len = strlen(custom);

		if (fips || dual) {
			error_set(err, ERR_CONFIG,
			    "a FIPS or dual-stack endpoint is asked for, and "
			    "another endpoint is set");
			return error_hint(err, "Unset one of them.");
		}
		if (strncmp(custom, "http://", 7) != 0 && strncmp(custom, "https://", 8) != 0)
			return error_set(
			    err, ERR_CONFIG, "the endpoint '%s' is no http or https URL", custom);
		while (len && custom[len - 1] == '/')
			len--;
		strbuf_add(url, custom, len);
		return true;
	}
	if (!is_region(ask->region)) {
		error_set(err, ERR_CONFIG,
		    *ask->region ? "'%s' is no region" : "no region is set%s", ask->region);
		return error_hint(err,
		    "Set region of the target, AWS_REGION, or region of the "
		    "profile; the name of an RDS endpoint tells it, too.");
	}
	p = partition_of(ask->region);
	if (dual && !p->dual)
		return error_set(err, ERR_CONFIG, "%s has no dual-stack endpoints", p->name);
	if (service == AWS_SECRETS && dual && !fips && *p->prefix != 'e')
		dual = false;
	strbuf_addf(url, "https://%s%s.%s.%s", aws_services[service].name,
	    fips && has_fips_name(p, service, dual) ? "-fips" : "", ask->region,
	    dual ? p->dual : p->suffix);
	return true;
}
