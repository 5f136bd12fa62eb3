"""A loopback endpoint for tests of the AWS client: hands out credentials as AWS, a container's agent and a
machine's metadata do, and answers calls by a script.

aws_recorder.py FOLDER: writes FOLDER/port, then each request as a line of JSON to FOLDER/requests. FOLDER/script
holds answers, one a line, each used once: "STATUS BODY", "cut" (closes after reading), "date SECONDS" (a refusal
for the clock, with a Date that is off), "slow SECONDS". Without one the answer is an empty success.
"""
import http.server, json, os, socketserver, sys, threading, time, urllib.parse
from email.utils import formatdate

folder = sys.argv[1]
lock = threading.Lock()
EXPIRES = "2099-01-01T00:00:00Z"


def keys(key, token="Token"):
    return json.dumps({"Code": "Success", "Version": 1, "AccessKeyId": key, "SecretAccessKey": "secret-of-" + key,
                       token: "token-of-" + key, "Expiration": EXPIRES})


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body, date=None):
        data = body.encode()
        self.send_response_only(status)
        self.send_header("Date", date or formatdate(usegmt=True))
        self.send_header("x-amzn-RequestId", "request-1")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def record(self, body):
        with lock, open(folder + "/requests", "a") as out:
            out.write(json.dumps({"method": self.command, "path": self.path, "body": body,
                                  "headers": {k.lower(): v for k, v in self.headers.items()}}) + "\n")

    def next_line(self):
        with lock:
            try:
                lines = open(folder + "/script").read().splitlines()
            except FileNotFoundError:
                return None
            if not lines:
                return None
            with open(folder + "/script", "w") as out:
                out.write("".join(line + "\n" for line in lines[1:]))
            return lines[0]

    def do_GET(self):
        self.record("")
        path = self.path.partition("?")[0]
        header = self.headers.get
        if path.startswith("/latest/meta-data/") and header("X-aws-ec2-metadata-token") != "imds-token":
            self.answer(401, "")
        elif path == "/latest/meta-data/iam/security-credentials/":
            self.answer(200, "the-role")
        elif path == "/latest/meta-data/iam/security-credentials/the-role":
            self.answer(200, keys("ASIAMACHINE"))
        elif path == "/latest/meta-data/placement/region":
            self.answer(200, "eu-north-1")
        elif path == "/container" and header("Authorization") == "container-token":
            self.answer(200, keys("ASIACONTAINER"))
        elif path == "/federation/credentials" and header("x-amz-sso_bearer_token") == "bearer":
            self.answer(200, json.dumps({"roleCredentials": {"accessKeyId": "ASIASSO", "secretAccessKey": "s",
                        "sessionToken": "t", "expiration": 4070908800000}}))
        else:
            self.answer(401, "")

    def do_PUT(self):
        self.record("")
        self.answer(200, "imds-token")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.record(body)
        form = dict(urllib.parse.parse_qsl(body, strict_parsing=True)) if body.startswith("Action") else {}
        action = form.get("Action", "")
        if action.startswith("AssumeRole"):
            who = "ASIAROLE" if action == "AssumeRole" else "ASIAWEB"
            self.answer(200, "<%sResponse><%sResult><Credentials><AccessKeyId>%s</AccessKeyId><SecretAccessKey>s"
                        "</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%s</Expiration></Credentials>"
                        "</%sResult></%sResponse>" % (action, action, who, EXPIRES, action, action))
            return
        line = self.next_line()
        if line == "cut":
            self.close_connection = True
            return
        word, _, rest = (line or "").partition(" ")
        if word == "slow":
            time.sleep(float(rest))
        if word == "date":
            self.answer(403, "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>Signature expired"
                        "</Message></Error></ErrorResponse>", formatdate(time.time() + int(rest), usegmt=True))
        elif word.isdigit():
            self.answer(int(word), rest)
        else:
            name = action or "X"
            self.answer(200, "<%sResponse><%sResult><Fine>yes</Fine></%sResult><ResponseMetadata><RequestId>r-1"
                        "</RequestId></ResponseMetadata></%sResponse>" % (name, name, name, name))


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


server = Server(("127.0.0.1", 0), Handler)
with open(folder + "/port.new", "w") as out:
    out.write(str(server.server_address[1]))
os.rename(folder + "/port.new", folder + "/port")
server.serve_forever()
