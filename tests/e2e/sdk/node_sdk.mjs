// Takes every step with the official Node SDK: node node_sdk.mjs FOLDER JSON, where FOLDER holds node_modules.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const [folder, text] = process.argv.slice(2);
const given = JSON.parse(text);
const require = createRequire(folder + "/");
const { live } = require("tencentcloud-sdk-nodejs");
const { CommonClient } = require("tencentcloud-sdk-nodejs/tencentcloud/common/common_client.js");
const steps = JSON.parse(readFileSync(new URL("steps.json", import.meta.url), "utf8"));

const utc = (seconds) => new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, "Z");
const clock = Date.now() / 1000;

function fill(value, known) {
  if (Array.isArray(value)) return value.map((inner) => fill(inner, known));
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, fill(inner, known)]));
  }
  if (typeof value !== "string") return value;
  if (value.startsWith("$") && value.slice(1) in known) return known[value.slice(1)];
  const names = Object.keys(known).sort((a, b) => b.length - a.length);
  return names.reduce((filled, name) => filled.replaceAll("$" + name, String(known[name])), value);
}

const at = (answer, path) => path.split(".").reduce((inner, part) => inner[part], answer);

function hold(truth, what) {
  if (!truth) throw new Error(what);
}

async function take(step, known, client, untyped) {
  const params = fill(step.params, known);
  let answer;
  try {
    answer = step.untyped ? await untyped.request(step.action, params) : await client[step.action](params);
  } catch (error) {
    hold(step.error && step.error === error.code, `${step.action} ${JSON.stringify(params)}: ${error.code} ${error.message}`);
    hold(error.requestId, `${step.action}: an error without a request id`);
    return;
  }
  hold(!step.error, `${step.action} was not refused: ${JSON.stringify(answer)}`);
  for (const [path, wanted] of Object.entries(step.expect ?? {})) {
    const found = at(answer, path);
    hold(found === fill(wanted, known), `${step.action}: ${path} is ${JSON.stringify(found)}`);
  }
  hold(!step.some || answer[step.some].length > 0, `${step.action}: no ${step.some}`);
  for (const [name, path] of Object.entries(step.keep ?? {})) known[name] = at(answer, path);
}

function clients(signMethod, reqMethod, secretKey = given.key) {
  const config = {
    credential: { secretId: given.id, secretKey },
    region: "",
    profile: { signMethod, language: "en-US", httpProfile: { protocol: "http://", endpoint: given.endpoint, reqMethod } },
  };
  return [new live.v20180801.Client(config), new CommonClient(given.endpoint, "2018-08-01", config)];
}

const ways = [
  ["TC3-HMAC-SHA256", "POST"],
  ["TC3-HMAC-SHA256", "GET"],
  ["HmacSHA1", "POST"],
  ["HmacSHA256", "POST"],
  ["HmacSHA256", "GET"],
];
for (const [number, [signMethod, reqMethod]] of ways.entries()) {
  const known = { ...given, run: "node" + number, start: utc(clock - 3600), now: utc(clock), soon: utc(clock + 60) };
  const [client, untyped] = clients(signMethod, reqMethod);
  for (const step of steps) await take(step, known, client, untyped);
  const wrong = { action: "DescribeLiveDomains", params: {}, error: "AuthFailure.SignatureFailure" };
  await take(wrong, known, ...clients(signMethod, reqMethod, "not-the-key"));
  console.log("took every step:", signMethod, reqMethod);
}
