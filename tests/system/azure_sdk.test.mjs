// The unmodified client of the Azure Digital Twins service against gemel: only the URL differs.
//
// The client insists on HTTPS with a bearer token. Until the server speaks TLS itself, a proxy in this process does it
// (gemel's paths pass through it byte for byte), with a certificate of a private authority that the client is told about
// in the documented way, NODE_EXTRA_CA_CERTS. That has to be set when node starts, so the calls are a process of their
// own: azure_sdk_calls.mjs.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:https";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { serve, tempDir } from "./support.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));

function certificate(dir) {
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", join(dir, "key.pem"), "-out", join(dir, "cert.pem")], { stdio: "ignore" });
  return { key: readFileSync(join(dir, "key.pem")), cert: readFileSync(join(dir, "cert.pem")) };
}

function proxy(tls, target) {
  const [host, port] = target.split(":");
  const server = createServer(tls, (from, to) => {
    const onward = request({ host, port, method: from.method, path: from.url, headers: from.headers }, (reply) => {
      to.writeHead(reply.statusCode, reply.headers);
      reply.pipe(to);
    });
    onward.on("error", () => to.destroy());
    from.pipe(onward);
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

test("every method of @azure/digital-twins-core works", async () => {
  const home = tempDir("azure");
  mkdirSync(join(home.dir, "plant", "models"), { recursive: true });
  const server = await serve(join(home.dir, "plant"), join(home.dir, "data"));
  const front = await proxy(certificate(home.dir), server.http);
  try {
    const calls = spawn(process.execPath, ["--test-reporter=spec", join(HERE, "azure_sdk_calls.mjs")], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: join(home.dir, "cert.pem"), NODE_TEST_CONTEXT: "",
             GM_AZURE_URL: `https://localhost:${front.address().port}` },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    calls.stdout.on("data", (text) => (out += text));
    calls.stderr.on("data", (text) => (out += text));
    const code = await new Promise((resolve) => calls.on("close", resolve));
    assert.equal(code, 0, out);
  } finally {
    front.closeAllConnections?.();
    front.close();
    await server.stop();
    home.remove();
  }
});
