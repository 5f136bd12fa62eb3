#!/bin/sh
# `diagnose connect` of RDS instances against an AWS that is not ours (moto): their state, and whether security groups,
# network ACLs and routes let their port in, for this machine or for an address that is named.
# majors: system
# sanitizers: no
. "$(dirname "$0")/../lib.sh"
. "$test_dir/moto.sh"

[ -x "$PGMEDIC" ] || skip_all "no program is built here"
python3 -c 'import moto.server' 2>/dev/null || skip_all "moto is not installed"
for name in $(env | sed -n 's/^\(AWS_[A-Z0-9_]*\)=.*/\1/p'); do
	unset "$name"
done
start_moto
AWS_ACCESS_KEY_ID=AKIDPLANTED AWS_SECRET_ACCESS_KEY=planted-secret AWS_EC2_METADATA_DISABLED=true
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_EC2_METADATA_DISABLED
call=${PGMEDIC_BUILD:-$SOURCE}/tests/tool/aws_call
aws() {	# SERVICE OP [ARGUMENT...]
	"$call" -e "$url" -r eu-west-1 "$@"
}
first() {	# NAME: its first value in what was printed
	sed -n "s/^ *$1 //p" | head -n 1
}
vpc=$(aws ec2 CreateVpc CidrBlock=10.20.0.0/16 | first vpcId)
one=$(aws ec2 CreateSubnet VpcId="$vpc" CidrBlock=10.20.1.0/24 AvailabilityZone=eu-west-1a | first subnetId)
two=$(aws ec2 CreateSubnet VpcId="$vpc" CidrBlock=10.20.2.0/24 AvailabilityZone=eu-west-1b | first subnetId)
group=$(aws ec2 CreateSecurityGroup GroupName=db GroupDescription=db VpcId="$vpc" | first groupId)
aws ec2 AuthorizeSecurityGroupIngress GroupId="$group" IpPermissions.1.IpProtocol=tcp IpPermissions.1.FromPort=5432 \
    IpPermissions.1.ToPort=5432 IpPermissions.1.IpRanges.1.CidrIp=10.20.0.0/16 >/dev/null
aws rds CreateDBSubnetGroup DBSubnetGroupName=subnets DBSubnetGroupDescription=x SubnetIds.SubnetIdentifier.1="$one" \
    SubnetIds.SubnetIdentifier.2="$two" >/dev/null
aws rds CreateDBInstance DBInstanceIdentifier=lab DBInstanceClass=db.m5.large Engine=postgres MasterUsername=a \
    MasterUserPassword=abcdefgh1 AllocatedStorage=20 DBSubnetGroupName=subnets Port=5432 AvailabilityZone=eu-west-1a \
    VpcSecurityGroupIds.VpcSecurityGroupId.1="$group" >/dev/null
aws rds DescribeDBInstances >"$TMP/instance"
free_port
mkdir -p "$XDG_CONFIG_HOME/pgmedic"
cat >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[target lab]
provider = rds
instance = lab
region = eu-west-1
endpoint_url = $url
conninfo = host=lab.abc123.eu-west-1.rds.amazonaws.com hostaddr=127.0.0.1 port=$port dbname=postgres user=a password=planted-password
[target gone]
provider = rds
instance = gone
region = eu-west-1
endpoint_url = $url
conninfo = host=127.0.0.1 port=$port dbname=postgres
[target denied]
provider = rds
instance = lab
region = eu-west-1
endpoint_url = http://127.0.0.1:1
conninfo = host=127.0.0.1 port=$port dbname=postgres
CONF

# from ADDRESS: $text and $code
from() {
	text=$("$PGMEDIC" diagnose connect lab --from "$1" 2>&1 </dev/null)
	code=$?
}
from 10.20.9.9
is "a port where nobody listens" "$code" 3
like "the instance is there" "$text" '^ok +instance +lab is available'
like "... what it is" "$text" 'db.m5.large, postgres'
like "an address of the VPC is let in" "$text" '^ok +security group +port 5432 is open for 10.20.9.9'
like "... by a rule that is told" "$text" 'port 5432 is open for: 10.20.0.0/16'
like "... the ACL, too" "$text" '^ok +network acl +acl-[0-9a-f]+ lets port 5432 in'
like "... and there is a way back" "$text" '^ok +route +.* reaches 10.20.9.9 by local'
from 203.0.113.7
like "another one is not" "$text" '^fail +security group +no rule lets port 5432 from 203.0.113.7'
like "... that is the verdict" "$text" '^NOT REACHED: no rule lets port 5432 from 203.0.113.7'
like "... and how it would be" "$text" "^HINT: aws ec2 authorize-security-group-ingress --group-id $group .* --cidr 203.0.113.7/32"
like "... has no way back, either" "$text" '^fail +route +.* has no way back to 203.0.113.7'
text=$("$PGMEDIC" diagnose connect lab 2>&1)
like "through a tunnel it is not known" "$text" '^unknown +security group +port 5432 is open for some'
like "... the tunnel is what is missing" "$text" '^NOT REACHED: 127.0.0.1 is this machine, and nothing listens'
like "... and what to do about it" "$text" "^HINT: Is it a tunnel's end.*ssh -L"
unlike "no secret is told" "$text" 'planted'

aws ec2 AuthorizeSecurityGroupIngress GroupId="$group" IpPermissions.1.IpProtocol=-1 \
    IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0 >/dev/null
gateway=$(aws ec2 CreateInternetGateway | first internetGatewayId)
aws ec2 AttachInternetGateway InternetGatewayId="$gateway" VpcId="$vpc" >/dev/null
table=$(aws ec2 DescribeRouteTables Filter.1.Name=vpc-id Filter.1.Value.1="$vpc" | first routeTableId)
aws ec2 CreateRoute RouteTableId="$table" DestinationCidrBlock=0.0.0.0/0 GatewayId="$gateway" >/dev/null
from 203.0.113.7
like "open for all protocols and addresses" "$text" 'security group +port 5432 is open for the whole world'
like "... and a way back" "$text" "^ok +route +.* reaches 203.0.113.7 by igw-"
acl=$(aws ec2 DescribeNetworkAcls Filter.1.Name=association.subnet-id Filter.1.Value.1="$one" | first networkAclId)
aws ec2 CreateNetworkAclEntry NetworkAclId="$acl" RuleNumber=50 Protocol=6 RuleAction=deny Egress=false \
    CidrBlock=203.0.113.0/24 PortRange.From=5000 PortRange.To=6000 >/dev/null
from 203.0.113.7
like "a rule of less number denies" "$text" "^fail +network acl +$acl does not let in 203.0.113.7 to port 5432"
like "... which one" "$text" 'rule 50 of subnet subnet-'
from 203.0.114.7
like "... not others" "$text" '^ok +network acl'
aws ec2 CreateNetworkAclEntry NetworkAclId="$acl" RuleNumber=60 Protocol=-1 RuleAction=deny Egress=true \
    CidrBlock=0.0.0.0/0 >/dev/null
from 203.0.114.7
like "answers have to get out" "$text" '^fail +network acl +.* does not let answers out'

aws rds StopDBInstance DBInstanceIdentifier=lab >/dev/null
from 10.20.9.9
like "a stopped instance is the reason" "$text" '^NOT REACHED: lab is stopped'
like "... and is started" "$text" '^HINT: .*start-db-instance'
text=$("$PGMEDIC" diagnose connect gone 2>&1)
like "an instance that is not there" "$text" '^NOT REACHED: there is no instance gone in eu-west-1'
text=$("$PGMEDIC" diagnose connect denied 2>&1)
like "AWS that does not answer" "$text" '^unknown +instance'
like "... costs that part only" "$text" '^fail +tcp'
judged
finish
