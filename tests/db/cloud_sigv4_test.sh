#!/bin/sh
# The signer beside an independent one, botocore (Debian: python3-botocore), over generated requests: what is
# signed, step by step, in headers and in queries, and login tokens. No server is needed.
# majors: system
. "$(dirname "$0")/../lib.sh"

python=''
for candidate in python3 /usr/bin/python3; do
	if "$candidate" -c 'import botocore.auth' 2>/dev/null; then
		python=$candidate
		break
	fi
done
[ -n "$python" ] || skip_all "python3-botocore is not installed"
tool=${PGMEDIC_BUILD:-$SOURCE}/tests/tool/sigv4_cases
[ -x "$tool" ] || skip_all "$tool is not built"

"$python" - "$tool" >"$TMP/out" 2>&1 <<'PY'
import datetime, json, random, subprocess, sys
from urllib.parse import quote
import botocore.auth, botocore.credentials, botocore.session
from botocore.awsrequest import AWSRequest

random.seed(20261121)
NOW = datetime.datetime(2026, 11, 21, 7, 8, 9)

class Clock(datetime.datetime):
    @classmethod
    def utcnow(cls):
        return NOW
    @classmethod
    def now(cls, tz=None):
        return NOW.replace(tzinfo=tz)

botocore.auth.datetime = type("d", (), {"datetime": Clock, "timezone": datetime.timezone})
if hasattr(botocore.auth, "get_current_datetime"):
    botocore.auth.get_current_datetime = lambda remove_tzinfo=True: NOW

alphabet = "abcXYZ019-._~ /+=%&?#:@!$'()*,;[]äß語🐘\"<>\\^`{|}"

def word(low=0, high=12):
    return "".join(random.choice(alphabet) for _ in range(random.randint(low, high)))

def path():
    if random.random() < 0.4:
        return "/"
    parts = [random.choice(["", ".", "..", "a", "b c", word(1)]) for _ in range(random.randint(1, 5))]
    return "/" + "/".join(quote(p, safe="-._~") for p in parts)

def query():
    pairs = []
    for _ in range(random.randint(0, 6)):
        name = quote(random.choice(["a", "A", "b", "a-b", "ab", word(1)]), safe="-._~")
        if random.random() < 0.2:
            pairs.append(name)          # no value
        else:
            pairs.append(name + "=" + quote(word(), safe="-._~"))
    return "&".join(pairs)

def headers(host):
    out = [["Host", host]]
    for _ in range(random.randint(0, 5)):
        name = random.choice(["X-Amz-Target", "Content-Type", "X-B", "x-b", "X-Bb", "X-A", "User-Agent", "Expect"])
        value = random.choice(["a", " a  b ", "a,b", "x\t y", '"q  q"', "one\n two\n\tthree", ""])
        out.append([name, value])
    return out

cases, wanted = [], []
for i in range(1500):
    host = random.choice(["rds.eu-central-1.amazonaws.com", "localhost:51200", "x.example"])
    key = botocore.credentials.Credentials("AKID" + word(4, 8).replace("/", ""),
        word(20, 40), random.choice([None, "FwoG/+=" * 30]))
    region, service = random.choice(["eu-central-1", "us-gov-west-1"]), random.choice(["rds", "monitoring", "ec2"])
    case = {"kind": random.choice(["headers", "query"]), "method": random.choice(["GET", "POST"]), "path": path(),
        "query": query(), "headers": headers(host), "body": random.choice(["", "Action=X&Version=1", "{}", "ä\n"]),
        "key_id": key.access_key, "secret": key.secret_key, "token": key.token or "",
        "region": region, "service": service, "now": "2026-11-21T07:08:09Z"}
    if case["kind"] == "query":
        # botocore reads a query anew while signing into it; pairs without a value are not kept by all versions
        case["body"], case["method"] = "", "GET"
        case["query"] = "&".join(p for p in case["query"].split("&") if "=" in p and not p.endswith("="))
        seen, kept = set(), []
        for p in case["query"].split("&"):
            if p and p.split("=")[0] not in seen:
                kept.append(p)
                seen.add(p.split("=")[0])
        case["query"] = "&".join(kept)
    url = "https://" + host + case["path"] + ("?" + case["query"] if case["query"] else "")
    request = AWSRequest(method=case["method"], url=url, data=case["body"].encode() or None)
    for name, value in case["headers"]:
        request.headers.add_header(name, value.replace("\n", " "))
    signer = (botocore.auth.SigV4QueryAuth if case["kind"] == "query" else botocore.auth.SigV4Auth)(key, service, region)
    if case["kind"] == "query":
        signer._expires = 900
    got = {}
    real_canonical, real_to_sign = signer.canonical_request, signer.string_to_sign
    def canonical(r):
        got["canonical"] = real_canonical(r)
        return got["canonical"]
    def to_sign(r, c):
        got["to_sign"] = real_to_sign(r, c)
        return got["to_sign"]
    signer.canonical_request, signer.string_to_sign = canonical, to_sign
    signer.add_auth(request)
    if case["kind"] == "query":
        got["query"] = request.url.partition("?")[2]
    else:
        got["authorization"] = request.headers["Authorization"]
    cases.append(case)
    wanted.append(got)

session = botocore.session.get_session()
for i in range(200):
    session.set_credentials("AKIDX", "s" * 40, random.choice([None, "tok/+=en" * 40]))
    client = session.create_client("rds", region_name="eu-west-1")
    user, host, port = word(1) or "u", "db%d.x.eu-west-1.rds.amazonaws.com" % i, random.choice([5432, 443, 6543])
    cases.append({"kind": "token", "host": host, "port": port, "user": user, "key_id": "AKIDX", "secret": "s" * 40,
        "token": session.get_credentials().token or "", "region": "eu-west-1", "now": "2026-11-21T07:08:09Z"})
    wanted.append({"token": client.generate_db_auth_token(DBHostname=host, Port=port, DBUsername=user)}) if i < 40 else cases.pop()

out = subprocess.run([sys.argv[1]], input="".join(json.dumps(c) + "\n" for c in cases), capture_output=True, text=True)
answers = [json.loads(line) for line in out.stdout.splitlines()]
assert len(answers) == len(cases), (len(answers), len(cases), out.stderr)
bad = 0
kinds = {}
for case, want, got in zip(cases, wanted, answers):
    kinds[case["kind"]] = kinds.get(case["kind"], 0) + 1
    for what, value in want.items():
        if got[what] != value:
            bad += 1
            if bad < 6:
                print("case", json.dumps(case, ensure_ascii=False))
                print("  botocore", what, repr(value))
                print("  pgmedic ", what, repr(got[what]))
            break
print("compared", sum(kinds.values()), "different", bad, sorted(kinds))
PY
sed 's/^/  | /' "$TMP/out" | tail -n 40
like "1540 requests are signed as botocore signs them" "$(tail -n 1 "$TMP/out")" "^compared 1540 different 0 .'headers', 'query', 'token'"
finish
