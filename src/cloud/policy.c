#include "config.h"

#include "cloud/policy.h"

#include <string.h>

#define PI_TIMES "\"ServiceType\":\"RDS\",\"Identifier\":\"@R\",\"StartTime\":@P,\"EndTime\":@T"
#define PI_ARN   "arn:aws:pi:*:*:metrics/rds/*"

/* clang-format off */
#define RDS(name, probe) { POLICY_READ, "rds:" name, NULL, AWS_RDS, probe }
#define EC2(name, probe) { POLICY_READ, "ec2:" name, NULL, AWS_EC2, probe }
#define CW(name, probe) { POLICY_READ, "cloudwatch:" name, NULL, AWS_CLOUDWATCH, probe }
#define PI(name, probe) { POLICY_READ, "pi:" name, PI_ARN, AWS_PI, probe }
#define LOGS(name, probe) \
	{ POLICY_READ, "logs:" name, "arn:aws:logs:*:*:log-group:RDSOSMetrics:*", AWS_LOGS, probe }
#define SCALING(name) { POLICY_READ, "application-autoscaling:" name, NULL, AWS_AUTOSCALING, \
	"{\"ServiceNamespace\":\"rds\"}" }
#define OPERATE(name) { POLICY_OPERATE, name, NULL, AWS_RDS, NULL }

const struct policy_action policy_actions[] = {
	RDS("DescribeDBInstances", ""),
	RDS("DescribeDBClusters", ""),
	RDS("DescribeDBSnapshots", "MaxRecords=20"),
	RDS("DescribeDBClusterSnapshots", "MaxRecords=20"),
	RDS("DescribeEvents", "Duration=60"),
	RDS("DescribeDBLogFiles", "DBInstanceIdentifier=@I"),
	RDS("DownloadDBLogFilePortion", "DBInstanceIdentifier=@I&LogFileName=error/pgmedic-none"),
	RDS("DownloadCompleteDBLogFile", NULL),
	RDS("DescribeDBParameterGroups", "MaxRecords=20"),
	RDS("DescribeDBParameters", "DBParameterGroupName=pgmedic-none"),
	RDS("DescribeDBClusterParameterGroups", "MaxRecords=20"),
	RDS("DescribeDBClusterParameters", "DBClusterParameterGroupName=pgmedic-none"),
	RDS("DescribeDBProxies", ""),
	RDS("DescribeDBProxyTargets", "DBProxyName=pgmedic-none"),
	RDS("DescribeDBProxyTargetGroups", "DBProxyName=pgmedic-none"),
	RDS("DescribePendingMaintenanceActions", ""),
	RDS("DescribeGlobalClusters", ""),
	RDS("DescribeOrderableDBInstanceOptions", "Engine=postgres&MaxRecords=20"),
	RDS("DescribeDBSubnetGroups", ""),
	RDS("DescribeDBInstanceAutomatedBackups", "MaxRecords=20"),
	RDS("ListTagsForResource", NULL),
	CW("GetMetricData", "{\"StartTime\":@P,\"EndTime\":@T,\"MetricDataQueries\":[{\"Id\":\"a\","
	    "\"MetricStat\":{\"Metric\":{\"Namespace\":\"AWS/RDS\",\"MetricName\":\"CPUUtilization\"},"
	    "\"Period\":60,\"Stat\":\"Average\"}}]}"),
	CW("ListMetrics", "{\"Namespace\":\"AWS/RDS\"}"),
	CW("DescribeAlarms", "{\"MaxRecords\":1}"),
	PI("GetResourceMetrics", "{" PI_TIMES ",\"MetricQueries\":[{\"Metric\":\"db.load.avg\"}]}"),
	PI("DescribeDimensionKeys", "{" PI_TIMES ",\"Metric\":\"db.load.avg\","
	    "\"GroupBy\":{\"Group\":\"db.wait_event\"}}"),
	PI("GetDimensionKeyDetails", NULL),
	PI("GetResourceMetadata", "{\"ServiceType\":\"RDS\",\"Identifier\":\"@R\"}"),
	PI("ListAvailableResourceMetrics",
	    "{\"ServiceType\":\"RDS\",\"Identifier\":\"@R\",\"MetricTypes\":[\"db\"]}"),
	PI("ListAvailableResourceDimensions",
	    "{\"ServiceType\":\"RDS\",\"Identifier\":\"@R\",\"Metrics\":[\"db.load\"]}"),
	LOGS("GetLogEvents",
	    "{\"logGroupName\":\"RDSOSMetrics\",\"logStreamName\":\"@R\",\"limit\":1}"),
	LOGS("FilterLogEvents", "{\"logGroupName\":\"RDSOSMetrics\",\"limit\":1}"),
	LOGS("DescribeLogStreams", "{\"logGroupName\":\"RDSOSMetrics\",\"limit\":1}"),
	EC2("DescribeSecurityGroups", "MaxResults=5"),
	EC2("DescribeSecurityGroupRules", "MaxResults=5"),
	EC2("DescribeSubnets", "MaxResults=5"),
	EC2("DescribeRouteTables", "MaxResults=5"),
	EC2("DescribeNetworkAcls", "MaxResults=5"),
	EC2("DescribeInstanceTypes", "MaxResults=5"),
	SCALING("DescribeScalableTargets"),
	SCALING("DescribeScalingPolicies"),
	SCALING("DescribeScalingActivities"),
	OPERATE("rds:CreateDBSnapshot"),
	OPERATE("rds:CreateDBClusterSnapshot"),
	OPERATE("rds:StartDBInstanceAutomatedBackupsReplication"),
	OPERATE("rds:StopDBInstanceAutomatedBackupsReplication"),
	OPERATE("rds:CopyDBSnapshot"),
	OPERATE("rds:CopyDBClusterSnapshot"),
	OPERATE("rds:DeleteDBSnapshot"),
	OPERATE("rds:DeleteDBClusterSnapshot"),
	OPERATE("application-autoscaling:RegisterScalableTarget"),
	OPERATE("application-autoscaling:PutScalingPolicy"),
	OPERATE("application-autoscaling:DeregisterScalableTarget"),
	OPERATE("rds:CreateDBProxy"),
	OPERATE("rds:RegisterDBProxyTargets"),
	OPERATE("rds:DeleteDBProxy"),
	OPERATE("iam:PassRole"),
	OPERATE("iam:CreateServiceLinkedRole"),
	OPERATE("cloudwatch:PutMetricAlarm"),
	OPERATE("cloudwatch:DeleteAlarms"),
	OPERATE("rds:ModifyDBInstance"),
	OPERATE("rds:ModifyDBCluster"),
	OPERATE("rds:ModifyDBParameterGroup"),
	OPERATE("rds:ModifyDBClusterParameterGroup"),
	OPERATE("rds:ResetDBParameterGroup"),
	OPERATE("rds:ResetDBClusterParameterGroup"),
	OPERATE("rds:AddTagsToResource"),
	OPERATE("rds:RestoreDBInstanceFromDBSnapshot"),
	OPERATE("rds:RestoreDBInstanceToPointInTime"),
	OPERATE("rds:RebootDBInstance"),
	OPERATE("rds:FailoverDBCluster"),
	OPERATE("rds:PromoteReadReplica"),
	OPERATE("rds:CreateDBInstanceReadReplica"),
	OPERATE("rds:CreateDBInstance"),
	OPERATE("rds:RestoreDBClusterFromSnapshot"),
	OPERATE("rds:RestoreDBClusterToPointInTime"),
	{ POLICY_OPERATE, "rds:DeleteDBInstance", "arn:aws:rds:*:*:db:*", AWS_RDS, NULL },
	{ POLICY_OPERATE, "rds:DeleteDBCluster", "arn:aws:rds:*:*:cluster:*", AWS_RDS, NULL },
	{ POLICY_READ, NULL, NULL, AWS_RDS, NULL },
};
/* clang-format on */

/* All actions of one resource, once. */
static void
statement(struct strbuf *out, enum policy policy, const char *resource, bool *first)
{
	bool is_first = true,
	     is_undo = strcmp(resource, "arn:aws:rds:*:*:db:*") == 0 ||
	    strcmp(resource, "arn:aws:rds:*:*:cluster:*") == 0;

	strbuf_addf(
	    out, "%s    {\n      \"Effect\": \"Allow\",\n      \"Action\": [", *first ? "" : ",\n");
	*first = false;
	for (const struct policy_action *a = policy_actions; a->action; a++) {
		if (a->policy != policy || strcmp(a->resource ? a->resource : "*", resource) != 0)
			continue;
		strbuf_addf(out, "%s\n        \"%s\"", is_first ? "" : ",", a->action);
		is_first = false;
	}
	strbuf_addf(out, "\n      ],\n      \"Resource\": \"%s\"", resource);
	/* What `job undo` deletes was made by a restore here, which its tag says. */
	if (is_undo)
		strbuf_adds(out,
		    ",\n      \"Condition\": "
		    "{ \"Null\": { \"aws:ResourceTag/pgmedic-job\": \"false\" } }");
	strbuf_adds(out, "\n    }");
}

void
policy_write(struct strbuf *out, enum policy policy)
{
	const char *seen[8];
	int n = 0;
	bool first = true;

	strbuf_adds(out, "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n");
	for (const struct policy_action *a = policy_actions; a->action; a++) {
		const char *resource = a->resource ? a->resource : "*";
		bool is_known = a->policy != policy;

		for (int i = 0; i < n; i++)
			is_known = is_known || strcmp(seen[i], resource) == 0;
		if (is_known || n == 8)
			continue;
		seen[n++] = resource;
		statement(out, policy, resource, &first);
	}
	strbuf_adds(out, "\n  ]\n}\n");
}
