"""Takes every step with the official Python SDK, typed requests and answers: python_sdk.py JSON"""

import json
import sys
from unittest import mock

import steps
from tencentcloud.common import abstract_client, credential
from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.live.v20180801 import live_client, models


def profile(given, method, http_method="POST", unsigned=False):
    http = HttpProfile(protocol="http", endpoint=given["endpoint"], reqMethod=http_method)
    made = ClientProfile(signMethod=method, httpProfile=http, language="en-US")
    made.unsignedPayload = unsigned
    return made


def caller(given, made, key=None):
    who = credential.Credential(given["id"], key or given["key"])
    typed = live_client.LiveClient(who, "", made)
    untyped = CommonClient("live", "2018-08-01", who, "", profile=made)

    def call(action, params, is_untyped):
        try:
            if is_untyped:
                return untyped.call_json(action, params)["Response"]
            request = getattr(models, action + "Request")()
            request.from_json_string(json.dumps(params))
            return json.loads(getattr(typed, action)(request).to_json_string())
        except TencentCloudSDKException as error:
            assert error.get_request_id(), error
            raise steps.Refused(error.get_code(), error.get_message())

    return call


def refused(code, call, action="DescribeLiveDomains", params=None):
    steps.take({"action": action, "params": params or {}, "error": code}, {}, call)


def main():
    given = json.loads(sys.argv[1])
    ways = [
        ("TC3-HMAC-SHA256", "POST", False),
        ("TC3-HMAC-SHA256", "POST", True),
        ("TC3-HMAC-SHA256", "GET", False),
        ("HmacSHA1", "POST", False),
        ("HmacSHA256", "POST", False),
        ("HmacSHA256", "GET", False),
    ]
    for number, (method, http_method, unsigned) in enumerate(ways):
        call = caller(given, profile(given, method, http_method, unsigned))
        known = steps.names({**given, "run": "py%d" % number})
        for step in steps.load():
            steps.take(step, known, call)
        print("took every step:", method, http_method, "unsigned" if unsigned else "")

    for method in ["TC3-HMAC-SHA256", "HmacSHA1", "HmacSHA256"]:
        made = profile(given, method)
        refused("AuthFailure.SignatureFailure", caller(given, made, key="not-the-key"))
        refused("AuthFailure.SecretIdNotFound", caller({**given, "id": "nobody"}, made))
        refused("InvalidAction", lambda _, params, __: caller(given, made)("DescribeLiveNothing", params, True))
        refused("UnknownParameter", lambda action, _, __: caller(given, made)(action, {"Nothing": "1"}, True))
        refused("InvalidParameter", lambda action, _, __: caller(given, made)(action, {"PageNum": "one"}, True))
        real = abstract_client.time.time
        with mock.patch.object(abstract_client.time, "time", lambda: real() - 600):
            refused("AuthFailure.SignatureExpire", caller(given, made))
    print("all refused as they should be")


main()
