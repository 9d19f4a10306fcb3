"""Calls every action with the key of one account about the things of another: foreign.py JSON

Prints `action code` for each call, `good` where it was answered, and fails where an answer tells anything of the other.
Signs by the written rules with what Python itself has.
"""

import hashlib
import hmac
import json
import sys
import time
import urllib.request

given = json.loads(sys.argv[1])
HOST, ID, SECRET = given["endpoint"], given["id"], given["key"]
OURS, THEIRS, STREAM = given["ours"], given["theirs"], given["stream"]


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def call(action, params):
    body, now = json.dumps(params).encode(), int(time.time())
    date = time.strftime("%Y-%m-%d", time.gmtime(now))
    canonical = "POST\n/\n\ncontent-type:application/json\nhost:%s\n\ncontent-type;host\n%s" % (
        HOST, hashlib.sha256(body).hexdigest())
    scope = "%s/live/tc3_request" % date
    text = "TC3-HMAC-SHA256\n%d\n%s\n%s" % (now, scope, hashlib.sha256(canonical.encode()).hexdigest())
    key = mac(mac(mac(("TC3" + SECRET).encode(), date), "live"), "tc3_request")
    credential = "Credential=%s/%s, SignedHeaders=content-type;host, Signature=%s" % (ID, scope, mac(key, text).hex())
    headers = {"Content-Type": "application/json", "Authorization": "TC3-HMAC-SHA256 " + credential, "X-TC-Action": action,
               "X-TC-Version": "2018-08-01", "X-TC-Timestamp": str(now)}
    with urllib.request.urlopen(urllib.request.Request("http://%s/" % HOST, body, headers)) as answer:
        return json.load(answer)["Response"]


def utc(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def about(action, params):
    answer = call(action, params)
    text = json.dumps(answer, ensure_ascii=False)
    for secret in given["secrets"]:
        assert secret not in text, "%s %s: %s" % (action, params, text)
    print(action, answer.get("Error", {}).get("Code", "good"), flush=True)
    return answer


now = time.time()
stream = {"DomainName": THEIRS, "AppName": "live", "StreamName": STREAM}
window = {"StartTime": utc(now - 3600), "EndTime": utc(now)}
page = {"PageNum": 1, "PageSize": 10}
template = {"TemplateId": given["template"]}
# Its own template, to bind it to what is not its own.
own = call("CreateLiveCallbackTemplate", {"TemplateName": "own", "StreamEndNotifyUrl": given["url"]})["TemplateId"]
print("CreateLiveCallbackTemplate good")

for strict in (0, 1):
    for name in ({"StreamName": STREAM, "IsStrict": strict}, {"DomainName": THEIRS}, {}):
        assert about("DescribeLiveStreamEventList", {**window, **name})["TotalNum"] == 0
assert about("DescribeLiveStreamPublishedList", {**window, "DomainName": THEIRS})["TotalNum"] == 0
for filters in ({}, {"DomainName": THEIRS}, {"StreamName": STREAM}):
    assert about("DescribeLiveStreamOnlineList", filters)["TotalNum"] == 0
for action in ("DescribeLiveStreamState", "DropLiveStream", "ForbidLiveStream", "ResumeLiveStream"):
    about(action, stream)
assert about("DescribeLiveForbidStreamList", {})["TotalNum"] == 0
assert about("DescribeLiveStreamPushInfoList", {})["TotalNum"] == 0
assert about("DescribeLiveStreamPushInfoList", {"PushDomain": THEIRS})["TotalNum"] == 0
for name in (STREAM, given["ended"]):
    assert about("DescribeStreamPushInfoList", {**window, "StreamName": name})["DataInfoList"] == []
    assert about("DescribeCallbackRecordsList", {**window, **page, "StreamName": name})["TotalNum"] == 0

about("DescribeLiveCallbackTemplate", template)
about("ModifyLiveCallbackTemplate", {**template, "TemplateName": "mine"})
about("DeleteLiveCallbackTemplate", template)
assert len(about("DescribeLiveCallbackTemplates", {})["Templates"]) == 1
about("CreateLiveCallbackRule", {"DomainName": THEIRS, "AppName": "live", "TemplateId": own})
about("CreateLiveCallbackRule", {"DomainName": OURS, "AppName": "live", **template})
about("DeleteLiveCallbackRule", {"DomainName": THEIRS, "AppName": "live"})
assert about("DescribeLiveCallbackRules", {})["Rules"] == []

for name in (THEIRS, "below." + THEIRS):
    about("AddLiveDomain", {"DomainName": name, "DomainType": 0})
about("DeleteLiveDomain", {"DomainName": THEIRS, "DomainType": 0})
for action in ("DescribeLiveDomain", "EnableLiveDomain", "ForbidLiveDomain", "DescribeLivePushAuthKey",
               "ModifyLivePushAuthKey", "DescribeLivePlayAuthKey", "ModifyLivePlayAuthKey"):
    about(action, {"DomainName": THEIRS})
about("ModifyLivePlayDomain", {"DomainName": THEIRS, "PlayType": 2})
assert [d["Name"] for d in about("DescribeLiveDomains", {})["DomainList"]] == [OURS]

assert about("DescribeBackupStreamList", {})["StreamInfoList"] == []
assert about("DescribeBackupStreamList", {"StreamName": STREAM})["StreamInfoList"] == []
about("SwitchBackupStream", {"PushDomainName": THEIRS, "AppName": "live", "StreamName": STREAM,
                             "UpstreamSequence": given["sequence"]})
about("EnableOptimalSwitching", {"StreamName": STREAM, "EnableSwitch": 0})
