// The unmodified client of the Azure Digital Twins service against gemel: only the URL differs.
//
// The client insists on HTTPS with a bearer token: gemel's own TLS, with a certificate of a private authority that the
// client is told about in the documented way, NODE_EXTRA_CA_CERTS. That has to be set when node starts, so the calls
// are a process of their own: azure_sdk_calls.mjs.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { serve, start, tempDir } from "./support.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));

function certificate(dir) {
  const file = (name) => join(dir, name);
  const openssl = (...words) => execFileSync("openssl", words, { stdio: "ignore" });
  const key = (name) => ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", file(name)];
  openssl("req", "-x509", ...key("ca-key.pem"), "-days", "2", "-subj", "/CN=private authority", "-out", file("ca.pem"));
  openssl("req", ...key("key.pem"), "-subj", "/CN=localhost", "-out", file("request.pem"));
  writeFileSync(file("names.cnf"), "subjectAltName=DNS:localhost\n");
  openssl("x509", "-req", "-in", file("request.pem"), "-CA", file("ca.pem"), "-CAkey", file("ca-key.pem"), "-CAcreateserial",
    "-days", "2", "-extfile", file("names.cnf"), "-out", file("cert.pem"));
  return { ca: file("ca.pem"), cert: file("cert.pem"), key: file("key.pem") };
}

function run(script, env) {
  const calls = spawn(process.execPath, ["--test-reporter=spec", join(HERE, script)], {
    env: { ...process.env, NODE_TEST_CONTEXT: "", ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  calls.stdout.on("data", (text) => (out += text));
  calls.stderr.on("data", (text) => (out += text));
  return new Promise((resolve) => calls.on("close", (code) => resolve({ code, out })));
}

test("every method of @azure/digital-twins-core works over https with a private authority and a token", async () => {
  const home = tempDir("azure");
  const plant = join(home.dir, "plant"), data = join(home.dir, "data");
  mkdirSync(join(plant, "models"), { recursive: true });
  writeFileSync(join(plant, "gemel.conf"), "[endpoint people]\nkind = sse\n");
  const tls = certificate(home.dir);
  const added = start("user", "add", plant, "client", "--role", "engineer", "--data", data);
  assert.equal(await added.ended, 0, added.err);
  const server = await serve(plant, data, { more: ["--https", "127.0.0.1:0", "--tls-cert", tls.cert, "--tls-key", tls.key] });
  try {
    const env = { NODE_EXTRA_CA_CERTS: tls.ca, GM_AZURE_URL: `https://localhost:${server.https.split(":")[1]}` };
    const calls = await run("azure_sdk_calls.mjs", { ...env, GM_AZURE_TOKEN: added.out.trim() });
    assert.equal(calls.code, 0, calls.out);
    const forged = await run("azure_sdk_calls.mjs", { ...env, GM_AZURE_TOKEN: "gemel_forged" });
    assert.notEqual(forged.code, 0, "a forged token was let in");
  } finally {
    await server.stop();
    home.remove();
  }
});
