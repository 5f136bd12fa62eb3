#!/bin/sh
# The AWS client against a loopback endpoint: sources of credentials in their order, endpoints, repeating and not
# repeating, the clock, words of errors. No server is needed.
# majors: system
. "$(dirname "$0")/../lib.sh"

command -v python3 >/dev/null 2>&1 || skip_all "python3 is not installed"
call=${PGMEDIC_BUILD:-$SOURCE}/tests/tool/aws_call
[ -x "$call" ] || skip_all "$call is not built"
for name in $(env | sed -n 's/^\(AWS_[A-Z0-9_]*\)=.*/\1/p'); do
	unset "$name"
done
unset HTTPS_PROXY HTTP_PROXY https_proxy http_proxy ALL_PROXY all_proxy
mkdir -p "$TMP/rec" "$HOME/.aws"
spawn python3 "$test_dir/../tool/aws_recorder.py" "$TMP/rec"
wait_for 10 test -f "$TMP/rec/port" || { echo "the recorder does not start"; exit 1; }
url=http://127.0.0.1:$(cat "$TMP/rec/port")

# aws [NAME=VALUE...] -- ARGUMENT...: in an environment with those; $answer and $aws_status
aws() {
	set_of='AWS_EC2_METADATA_DISABLED=true'
	while [ "$1" != -- ]; do
		set_of="$set_of
$1"
		shift
	done
	shift
	rm -f "$TMP/rec/requests"
	old_ifs=$IFS
	IFS='
'
	# shellcheck disable=SC2086 # one a line
	answer=$(env $set_of "$call" "$@" 2>&1)
	aws_status=$?
	IFS=$old_ifs
}

sent() {	# the recorded requests
	cat "$TMP/rec/requests" 2>/dev/null
}

keyed() {	# with keys and an endpoint
	aws AWS_ACCESS_KEY_ID=AKIDENV AWS_SECRET_ACCESS_KEY=planted-secret AWS_REGION=eu-west-1 AWS_ENDPOINT_URL="$url" "$@"
}

# ------------------------------------------------------------------ sources
keyed -- rds DescribeDBInstances
like "keys of the environment" "$answer" '^source environment$'
like "... sign" "$(sent)" 'Credential=AKIDENV/[0-9]{8}/eu-west-1/rds/aws4_request'
like "... and the answer is read" "$answer" '^Fine yes$'
like "... with its request id" "$answer" '^request r-1$'
unlike "the secret stays at home" "$answer$(sent)" 'planted-secret'
aws AWS_ACCESS_KEY_ID=AKIDENV AWS_REGION=eu-west-1 AWS_ENDPOINT_URL="$url" -- rds X
like "a key without its secret ends the search" "$answer" 'AUTH: AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not'
aws AWS_REGION=eu-west-1 AWS_ENDPOINT_URL="$url" -- rds X
like "nothing at all is said" "$answer" 'AUTH: no AWS credentials found'
like "... with what was looked at" "$answer" '^environment: AWS_ACCESS_KEY_ID is not set$'
like "... to the end" "$answer" '^machine: AWS_EC2_METADATA_DISABLED is set$'

printf '\357\273\277[default]\r\nregion = eu-central-1 # here\r\n\r\n[profile role]\nrole_arn = arn:aws:iam::1:role/ops\nsource_profile = base
external_id = ext/1\nmfa_serial = arn:mfa\n[profile "two words"]\ncredential_process = "%s" two\n[profile loop]\nrole_arn=a\nsource_profile=loop2
[profile loop2]\nrole_arn=b\nsource_profile=loop\n[bare]\nregion=x\n[profile sso]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = ops
[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://x\n[profile url]\nservices = lab\nregion=eu-west-2\n[services lab]\nrds =\n  endpoint_url = %s/prefix
' "$TMP/process" "$url" >"$HOME/.aws/config"
printf '[base]\naws_access_key_id=AKIDBASE\naws_secret_access_key = a#b=c\n[role]\nregion = eu-west-3\n[url]\naws_access_key_id=AKIDURL\naws_secret_access_key=x' \
    >"$HOME/.aws/credentials"
printf '#!/bin/sh\necho warning >&2\necho "{\\"Version\\":1,\\"AccessKeyId\\":\\"AKIDPROC\\",\\"SecretAccessKey\\":\\"$1\\"}"\n' >"$TMP/process"
chmod +x "$TMP/process"
aws AWS_ENDPOINT_URL="$url" -- -p base -r eu-west-1 rds X
like "keys of the credentials file" "$answer" '^source profile base \(credentials file\)$'
keyed -- -p base rds X
like "a profile that is asked for beats the environment" "$answer" '^source profile base'
aws AWS_ENDPOINT_URL="$url" AWS_PROFILE=role -- rds X
like "a role by another profile" "$answer" '^source profile role \(role ops\)$'
like "... in the region of the credentials file, which wins" "$answer" '^region eu-west-3$'
like "... with its code asked" "$answer" '^asked arn:mfa$'
like "... and all it needs" "$(sent)" 'ExternalId=ext%2F1&SerialNumber=arn%3Amfa&TokenCode=123456'
like "... asked for by the source" "$(sent)" 'Credential=AKIDBASE/[0-9]+/eu-west-3/sts/'
aws AWS_ENDPOINT_URL="$url" -- -p loop -r eu-west-1 rds X
like "roles in a circle are said" "$answer" 'CONFIG: the roles of profile loop go in a circle'
aws AWS_ENDPOINT_URL="$url" -- -p "two words" -r eu-west-1 rds X
like "a process, without a shell" "$answer" '^source profile two words \(credential_process\)$'
printf '#!/bin/sh\necho >&2\necho "the vault is sealed" >&2\nexit 3\n' >"$TMP/process"
aws AWS_ENDPOINT_URL="$url" -- -p "two words" -r eu-west-1 rds X
like "... and what it says when it fails" "$answer" 'credential_process of two words: .*: the vault is sealed$'
aws AWS_ENDPOINT_URL="$url" -- -p bare -r eu-west-1 rds X
like "a bare section is no profile" "$answer" "there is no profile 'bare'"
like "... and is warned of" "$(aws AWS_ENDPOINT_URL="$url" -- -p base rds X; echo "$answer")" 'is ignored: bare'
aws AWS_ENDPOINT_URL="$url" -- -p sso -r eu-west-1 rds X
like "SSO that was not begun" "$answer" 'aws sso login --profile sso'
mkdir -p "$HOME/.aws/sso/cache"
cache=$HOME/.aws/sso/cache/$(printf corp | sha1sum | cut -d ' ' -f 1).json
echo '{"accessToken":"bearer","expiresAt":"2099-01-01T00:00:00Z"}' >"$cache"
aws AWS_ENDPOINT_URL="$url" -- -p sso -r eu-west-1 rds X
like "SSO from its cache" "$answer" '^source profile sso \(SSO\)$'
like "... signs with its token" "$(sent)" 'x-amz-security-token'
aws AWS_ENDPOINT_URL="$url" AWS_ENDPOINT_URL_SSO="$url" -- -e http://127.0.0.1:1 -p sso -r eu-west-1 rds X
like "... at its own endpoint where one is set, whatever the target's is" "$answer" '^source profile sso \(SSO\)$'
echo '{"accessToken":"bearer","expiresAt":"2020-01-01T00:00:00Z"}' >"$cache"
aws AWS_ENDPOINT_URL="$url" -- -p sso -r eu-west-1 rds X
like "... and when it has expired" "$answer" 'the SSO session of profile sso has expired'
rm -rf "$HOME/.aws"
echo web-token >"$TMP/web"
aws AWS_ENDPOINT_URL="$url" AWS_REGION=eu-west-1 AWS_ROLE_ARN=arn:aws:iam::1:role/w AWS_WEB_IDENTITY_TOKEN_FILE="$TMP/web" -- rds X
like "web identity" "$answer" '^source profile default \(role w\)$'
like "... unsigned, with its token" "$(sent)" 'WebIdentityToken=web-token'
aws AWS_ENDPOINT_URL="$url" AWS_REGION=eu-west-1 AWS_CONTAINER_CREDENTIALS_FULL_URI="$url/container" \
    AWS_CONTAINER_AUTHORIZATION_TOKEN=container-token -- rds X
like "a container" "$answer" '^source container$'
aws AWS_ENDPOINT_URL="$url" AWS_REGION=eu-west-1 AWS_CONTAINER_CREDENTIALS_FULL_URI=http://192.0.2.1/x -- rds X
like "... never over plain http from elsewhere" "$answer" 'REFUSED: '
aws AWS_ENDPOINT_URL="$url" AWS_EC2_METADATA_DISABLED=false AWS_EC2_METADATA_SERVICE_ENDPOINT="$url/" -- rds X
like "the machine's role" "$answer" '^source machine \(role the-role\)$'
like "... and its region" "$answer" '^region eu-north-1$'

# ------------------------------------------------------------------ endpoints and regions
keyed -- -h db.abc.ap-south-1.rds.amazonaws.com rds X
like "the name of the endpoint tells the region" "$answer" '^region ap-south-1$'
keyed AWS_DEFAULT_REGION=eu-west-9 -- rds X
like "two regions are warned of" "$answer" 'AWS_REGION is eu-west-1 and AWS_DEFAULT_REGION eu-west-9'
keyed AWS_ENDPOINT_URL_RDS="$url/own" -- rds X
like "an endpoint of a service, with a path" "$(sent)" '"path": "/own"'
keyed AWS_USE_FIPS_ENDPOINT=true -- rds X
like "FIPS and another endpoint do not go together" "$answer" 'CONFIG: '

# ------------------------------------------------------------------ repeating
error='<ErrorResponse><Error><Code>%s</Code><Message>%s</Message></Error><RequestId>q-7</RequestId></ErrorResponse>'
script() {
	printf '%s\n' "$@" >"$TMP/rec/script"
}
answer_of() {	# STATUS CODE MESSAGE
	# shellcheck disable=SC2059 # a format of ours
	printf "$1 $error" "$2" "$3"
}
script "$(answer_of 400 Throttling 'Rate exceeded')" '503 ' cut
keyed -- rds DescribeDBInstances
like "throttled, without a body, cut: read again" "$answer" '^attempts [34]$'
like "... to the end" "$answer" '^Fine yes$'
script cut
keyed -- -c rds RebootDBInstance
is "what changes something is not sent again" "$(sent | wc -l | tr -d ' ')" 1
like "... but called uncertain" "$answer" '^uncertain 1$'
like "... in words" "$answer" 'LOST: RebootDBInstance was sent, and no answer came'
script "$(answer_of 400 Throttling 'Rate exceeded')"
keyed -- -c rds RebootDBInstance
is "... unless it surely was not taken up" "$(sent | wc -l | tr -d ' ') $aws_status" "2 0"
script '500 <html>'
keyed -- -c rds RebootDBInstance
like "a 500 leaves it open" "$answer" '^uncertain 1$'
script 'slow 3'
keyed -- -c -t 500 rds RebootDBInstance
like "no answer in time leaves it open" "$answer" '^uncertain 1$'
script 'slow 2' 'slow 2' 'slow 2'
keyed -- -t 300 rds DescribeDBInstances
like "who asks what is there asks once more" "$answer" '^attempts 2$'
like "... then says so" "$answer" '^TIMEOUT: DescribeDBInstances: 127.0.0.1'
aws AWS_ACCESS_KEY_ID=A AWS_SECRET_ACCESS_KEY=S AWS_REGION=eu-west-1 AWS_ENDPOINT_URL=http://127.0.0.1:1 -- -c rds RebootDBInstance
like "nobody there is certain" "$answer" '^uncertain 0$'
like "... and said" "$answer" '^CONNECT: RebootDBInstance: 127.0.0.1:1'
script 'date 1020'
keyed -- rds DescribeDBInstances
like "a clock that is behind is corrected" "$answer" '^Fine yes$'
like "... and said" "$answer" "this machine's clock is (1019|1020|1021) s behind AWS"
script "$(answer_of 403 ExpiredToken 'The security token included in the request is expired')" \
    "$(answer_of 403 ExpiredToken 'The security token included in the request is expired')"
keyed -- rds DescribeDBInstances
is "expired credentials are read again once" "$(sent | wc -l | tr -d ' ')" 2
like "... then said" "$answer" 'AUTH: the session credentials \(environment\) have expired'

# ------------------------------------------------------------------ words
refused() {	# WHAT STATUS CODE MESSAGE REGEX
	script "$(answer_of "$2" "$3" "$4")"
	keyed -- rds DescribeDBInstances
	like "$1" "$answer" "$5"
}
refused "not allowed" 403 AccessDenied 'User: arn:aws:iam::1:user/dba is not authorized to perform: rds:DescribeDBInstances on resource: arn:aws:rds:eu-west-1:1:db:prod because no identity-based policy allows the rds:DescribeDBInstances action' \
    '^DENIED: rds:DescribeDBInstances is not allowed to user/dba on db:prod: no identity-based policy allows it'
refused "... by a policy that denies" 403 AccessDenied 'User: arn:aws:sts::1:assumed-role/ops/me is not authorized to perform: rds:DescribeDBInstances with an explicit deny in a service control policy' \
    '^DENIED: rds:DescribeDBInstances is not allowed to assumed-role/ops/me: an explicit deny in a service control policy'
refused "... in other words" 403 UnauthorizedOperation 'You may not.' '^DENIED: rds:DescribeDBInstances is not allowed: You may not.'
refused "an unknown key" 403 InvalidClientTokenId 'The security token included in the request is invalid' \
    '^AUTH: AWS does not know the key that ends in DENV'
refused "a wrong secret" 403 SignatureDoesNotMatch 'The request signature we calculated does not match' \
    '^AUTH: AWS does not accept the signature of the key that ends in DENV'
refused "not there" 404 DBInstanceNotFound 'DBInstance x not found.' '^NOT_FOUND: .*x not found'
refused "not now" 400 InvalidDBInstanceState 'Instance x is not available.' '^STATE: '
refused "no room" 400 InsufficientDBInstanceCapacity 'none' '^REFUSED: '
like "the request id is kept" "$answer" '^request (q-7|request-1)$'
script '400 {"__type":"com.amazon.coral#ResourceNotFoundException:x","message":"gone"}'
keyed -- logs GetLogEvents
like "JSON errors, too" "$answer" '^code ResourceNotFoundException$'
finish
