"""AWS as moto plays it, with a witness: every request is kept, and judged by botocore's service models.

    aws_moto.py serve PORT FOLDER   moto's server; FOLDER/requests gets a line of JSON for each request. FOLDER/faults
                                    holds what is to go wrong, one a line, each used once, "*" for any action:
                                    "ACTION status CODE BODY", "ACTION cut BYTES", "ACTION slow", "ACTION change OLD NEW"
                                    (in the answer's text)
    aws_moto.py judge FOLDER...     what the models do not allow in those requests, one finding a line; then the number
                                    of requests and of actions
    aws_moto.py state URL           all that changes: instances, clusters, snapshots, groups, proxies, alarms, targets
"""
import datetime
import json
import os
import re
import sys
import threading
import time
import urllib.parse

SERVICES = {"monitoring": "cloudwatch"}


# ---- serving

class Witness:
    def __init__(self, app, folder):
        self.app, self.folder, self.lock = app, folder, threading.Lock()

    def fault(self, action):
        path = self.folder + "/faults"
        with self.lock:
            try:
                lines = open(path).read().splitlines()
            except FileNotFoundError:
                return None
            for n, line in enumerate(lines):
                name, _, what = line.partition(" ")
                if name in ("*", action):
                    with open(path, "w") as out:
                        out.write("".join(x + "\n" for x in lines[:n] + lines[n + 1:]))
                    return what
        return None

    def record(self, environ, body):
        scope = re.search(r"Credential=[^/]*/\d+/([^/]*)/([^/]*)/", environ.get("HTTP_AUTHORIZATION", ""))
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        form = dict(urllib.parse.parse_qsl(body, keep_blank_values=True)) if not target else {}
        action = target.rpartition(".")[2] or form.get("Action", "")
        if scope:
            with self.lock, open(self.folder + "/requests", "a") as out:
                out.write(json.dumps({"service": scope.group(2), "region": scope.group(1), "action": action,
                                      "type": environ.get("CONTENT_TYPE", ""), "form": form,
                                      "json": body if target else ""}) + "\n")
        return action

    def __call__(self, environ, start):
        import io
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        action = self.record(environ, body.decode("utf-8", "replace"))
        what = self.fault(action) if action else None
        if not what:
            return self.app(environ, start)
        kind, _, rest = what.partition(" ")
        if kind == "status":
            code, _, text = rest.partition(" ")
            start(code + " Fault", [("Content-Type", "text/xml"), ("Content-Length", str(len(text.encode())))])
            return [text.encode()]
        if kind == "slow":  # to the end of the client's patience, a byte at a time
            start("200 OK", [("Content-Type", "text/xml")])
            return (time.sleep(0.5) or b" " for _ in range(2400))
        told = []
        answer = b"".join(self.app(environ, lambda status, headers, *more: told.extend((status, headers))))
        if kind == "change":
            old, _, new = rest.partition(" ")
            answer = answer.replace(old.encode(), new.encode())
        headers = [h for h in told[1] if h[0].lower() != "content-length"]
        if kind == "cut":  # fewer bytes than were announced
            start(told[0], headers + [("Content-Length", str(len(answer)))])
            return [answer[:int(rest)]]
        start(told[0], headers + [("Content-Length", str(len(answer)))])
        return [answer]


def serve(port, folder):
    os.environ["MOTO_PORT"] = str(port)
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import run_simple
    os.makedirs(folder, exist_ok=True)
    run_simple("127.0.0.1", port, Witness(DomainDispatcherApplication(create_backend_app), folder), threaded=True)


# ---- judging

class Wrong(Exception):
    pass


def scalar(shape, text):
    if shape.type_name == "boolean":
        if text not in ("true", "false"):
            raise Wrong("%r is no boolean" % text)
        return text == "true"
    if shape.type_name in ("integer", "long"):
        return int(text)
    if shape.type_name in ("float", "double"):
        return float(text)
    if shape.type_name == "timestamp":
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", text):
            raise Wrong("%r is no time" % text)
        return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return text


def tree(pairs):
    root = {}
    for key, value in pairs.items():
        at = root
        *path, last = key.split(".")
        for part in path:
            at = at.setdefault(part, {})
            if not isinstance(at, dict):
                raise Wrong("%s is a value and more" % key)
        at[last] = value
    return root


def member_name(name, shape, ec2):
    if not ec2:
        return shape.serialization.get("name", name)
    other = shape.serialization.get("queryName")
    if other:
        return other
    other = shape.serialization.get("name", name)
    return other[0].upper() + other[1:]


def read_list(shape, node, ec2, where):
    flat = ec2 or shape.serialization.get("flattened")
    if not isinstance(node, dict):
        raise Wrong("%s is a list" % where)
    if not flat:
        name = shape.member.serialization.get("name", "member")
        if list(node) != [name]:
            raise Wrong("%s: members are called %s, not %s" % (where, name, ",".join(node)))
        node = node[name]
    if sorted(node, key=int) != [str(n + 1) for n in range(len(node))]:
        raise Wrong("%s is numbered %s" % (where, ",".join(node)))
    return [read(shape.member, node[n], ec2, where) for n in sorted(node, key=int)]


def read(shape, node, ec2, where=""):
    if shape.type_name == "list":
        return read_list(shape, node, ec2, where)
    if shape.type_name != "structure":
        if isinstance(node, dict):
            raise Wrong("%s is no structure" % where)
        return scalar(shape, node)
    names = {member_name(name, member, ec2): (name, member) for name, member in shape.members.items()}
    out = {}
    for key, value in node.items():
        if key not in names:
            raise Wrong("there is no parameter %s" % ".".join(filter(None, (where, key))))
        name, member = names[key]
        out[name] = read(member, value, ec2, ".".join(filter(None, (where, key))))
    return out


def check_enums(shape, value, where):
    if shape.type_name == "structure":
        for name, member in value.items():
            check_enums(shape.members[name], member, where + "." + name)
    elif shape.type_name == "list":
        for member in value:
            check_enums(shape.member, member, where)
    elif shape.type_name == "string" and shape.enum and value not in shape.enum:
        raise Wrong("%s: %r is none of its values" % (where.strip("."), value))


def judge_one(model, request):
    from botocore.validate import ParamValidator
    shape = model.operation_model(request["action"]).input_shape
    if request["json"]:
        params = json.loads(request["json"])
    else:
        form = dict(request["form"])
        if form.pop("Action", None) is None or form.pop("Version", None) != model.api_version:
            raise Wrong("Action and Version %s are missing" % model.api_version)
        params = read(shape, tree(form), model.metadata["protocol"] == "ec2") if shape else form
    if not shape:
        if params:
            raise Wrong("it takes no parameters")
        return
    report = ParamValidator().validate(params, shape)
    if report.has_errors():
        raise Wrong(report.generate_report().replace("\n", "; "))
    check_enums(shape, params, "")


def judge(folders):
    import botocore.session
    session, models, requests = botocore.session.get_session(), {}, set()
    count = 0
    for folder in folders:
        for line in open(folder + "/requests"):
            count += 1
            requests.add(line)
    actions = set()
    for line in sorted(requests):
        request = json.loads(line)
        name = SERVICES.get(request["service"], request["service"])
        actions.add((name, request["action"]))
        try:
            if name not in models:
                models[name] = session.get_service_model(name)
            judge_one(models[name], request)
        except Exception as wrong:
            print("%s:%s: %s" % (name, request["action"], str(wrong) or repr(wrong)))
    print("judged %d requests of %d actions" % (count, len(actions)))


# ---- state

def state(url):
    import botocore.session
    session = botocore.session.get_session()
    session.set_credentials("AKIDSTATE", "secret")
    asked = {
        "rds": ["describe_db_instances", "describe_db_clusters", "describe_db_snapshots", "describe_db_cluster_snapshots",
                "describe_db_parameter_groups", "describe_db_cluster_parameter_groups", "describe_db_proxies"],
        "cloudwatch": ["describe_alarms"],
        "application-autoscaling": ["describe_scalable_targets", "describe_scaling_policies"],
    }
    for region in ("eu-west-1", "us-east-1"):
        for service, calls in asked.items():
            client = session.create_client(service, region_name=region, endpoint_url=url)
            for call in calls:
                args = {"ServiceNamespace": "rds"} if service.startswith("application") else {}
                answer = getattr(client, call)(**args)
                answer.pop("ResponseMetadata")
                text = json.dumps(answer, default=str, sort_keys=True)
                print(region, call, re.sub(r'"LatestRestorableTime": "[^"]*", ', "", text))  # moto says: now
            if service == "rds":
                for group in client.describe_db_parameter_groups()["DBParameterGroups"]:
                    name = group["DBParameterGroupName"]
                    answer = client.describe_db_parameters(DBParameterGroupName=name)["Parameters"]
                    print(region, name, json.dumps(answer, default=str, sort_keys=True))


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(int(sys.argv[2]), sys.argv[3])
    elif sys.argv[1] == "judge":
        judge(sys.argv[2:])
    else:
        state(sys.argv[2])
