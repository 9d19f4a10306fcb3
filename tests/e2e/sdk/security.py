"""Calls that nobody honest makes. Prints the code that each is refused with, one `case code` a line; `good` where it is not.

Signs by the written rules with what Python itself has, so that every byte of a request can be chosen.
"""

import base64
import hashlib
import hmac
import json
import select
import socket
import sys
import time
import urllib.parse

given = json.loads(sys.argv[1])
HOST, ID, SECRET = given["endpoint"], given["id"], given["key"]


def ask(head, body=b""):
    address, port = HOST.rsplit(":", 1)
    with socket.create_connection((address, int(port)), timeout=60) as connection:
        connection.sendall(head.encode("latin-1") + b"\r\n" + body)
        # Who stops sending at once may not be answered at all; who has not sent enough is answered only then.
        if not select.select([connection], [], [], 5)[0]:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while data := connection.recv(65536):
            answer += data
    return answer


def code(answer):
    status, _, rest = answer.partition(b"\r\n")
    body = rest.partition(b"\r\n\r\n")[2]
    if status.split()[1] != b"200":
        return status.split()[1].decode()
    found = json.loads(body)["Response"]
    return found.get("Error", {}).get("Code", "good")


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signed(action, params, extra="", secret=SECRET, body=None, line="POST / HTTP/1.1", change=lambda head: head):
    """A call as TC3-HMAC-SHA256 wants it; `body` is sent in place of what was signed, `change` spoils the head."""
    wanted, now = json.dumps(params), int(time.time())
    date = time.strftime("%Y-%m-%d", time.gmtime(now))
    canonical = "POST\n/\n\ncontent-type:application/json\nhost:%s\n\ncontent-type;host\n%s" % (
        HOST, hashlib.sha256(wanted.encode()).hexdigest())
    scope = "%s/live/tc3_request" % date
    text = "TC3-HMAC-SHA256\n%d\n%s\n%s" % (now, scope, hashlib.sha256(canonical.encode()).hexdigest())
    key = mac(mac(mac(("TC3" + secret).encode(), date), "live"), "tc3_request")
    sent = (wanted if body is None else body).encode()
    head = (
        "%s\r\nHost: %s\r\nConnection: close\r\nContent-Type: application/json\r\nX-TC-Action: %s\r\n"
        "X-TC-Version: 2018-08-01\r\nX-TC-Timestamp: %d\r\nContent-Length: %d\r\n"
        "Authorization: TC3-HMAC-SHA256 Credential=%s/%s, SignedHeaders=content-type;host, Signature=%s\r\n%s"
    ) % (line, HOST, action, now, len(sent), ID, scope, mac(key, text).hex(), extra)
    return code(ask(change(head), sent))


def by_parameters(nonce, tamper=False):
    params = {"Action": "DescribeLiveDomains", "Version": "2018-08-01", "Timestamp": int(time.time()), "Nonce": nonce,
              "SecretId": ID, "SignatureMethod": "HmacSHA256", "PageSize": 10}
    text = "GET%s/?%s" % (HOST, "&".join("%s=%s" % pair for pair in sorted(params.items())))
    params["Signature"] = base64.b64encode(mac(SECRET.encode(), text)).decode()
    if tamper:
        params["PageSize"] = 20
    return "GET /?%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n" % (urllib.parse.urlencode(params), HOST)


def say(case, found):
    print(case, found, flush=True)


LIST = ("DescribeLiveDomains", {})
say("honest", signed(*LIST))

# One reader takes the first of two, another the last.
for name in ("X-TC-Action: DeleteLiveDomain", "X-TC-Timestamp: 1", "Content-Type: text/plain", "Authorization: Bearer x:y",
             "X-TC-Version: 2018-08-01", "X-TC-Language: en-US\r\nX-TC-Language: zh-CN"):
    say("twice:" + name.split(":")[0], signed(*LIST, extra=name + "\r\n"))
say("query-beside-body", signed(*LIST, line="POST /?Action=DeleteLiveDomain HTTP/1.1"))
say("parameter-twice", signed("DescribeLiveDomains", {}, body='{"PageSize":10,"PageSize":20}'))
say("other-host", signed(*LIST, change=lambda head: head.replace("Host: " + HOST, "Host: another.example")))

# What was signed is not what is sent.
say("other-body", signed(*LIST, body='{"PageSize":10}'))
say("other-secret", signed(*LIST, secret="not-the-key"))
say("other-parameter", code(ask(by_parameters(11, tamper=True))))
first = by_parameters(12)
say("first-use", code(ask(first)))
say("replay", code(ask(first)))

# What is too much, and what is none.
say("oversized", signed(*LIST, body='{"x":"%s"}' % ("x" * 300_000)))
say("no-json", signed(*LIST, body="\x00{]"))

# Another account's things are like what does not exist.
say("cross-account", signed("DescribeLiveDomain", {"DomainName": given["foreign"]}))
say("cross-account-change", signed("DeleteLiveDomain", {"DomainName": given["foreign"], "DomainType": 0}))

# A callback into the network of the server.
for number, url in enumerate((
        "http://127.0.0.1/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://2130706433/", "http://0x7f.1/",
        "http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/", "http://100.64.0.1/", "http://0.0.0.0/",
        "http://[fd00::1]/", "http://[64:ff9b::7f00:1]/", "file:///etc/passwd", "gopher://127.0.0.1/")):
    params = {"TemplateName": "inside-%d" % number, "StreamBeginNotifyUrl": url}
    say("inside:" + url, signed("CreateLiveCallbackTemplate", params))
