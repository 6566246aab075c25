// npm's MQTT client over WebSocket, as it speaks from a browser, in the clear and over TLS.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import mqtt from "mqtt";
import { json, serve, tempDir, until } from "./support.mjs";

function makePlant(dir) {
  mkdirSync(join(dir, "models"), { recursive: true });
  mkdirSync(join(dir, "twins"), { recursive: true });
  writeFileSync(join(dir, "models", "pump.json"), JSON.stringify({ "@context": "dtmi:dtdl:context;3", "@id": "dtmi:test:Pump;1",
    "@type": "Interface", contents: [{ "@type": "Telemetry", name: "flow", schema: "double" }] }));
  writeFileSync(join(dir, "twins", "pumps.ndjson"), [{ Section: "Header" }, { fileVersion: "1.0.0" }, { Section: "Twins" },
    { $dtId: "pump1", $metadata: { $model: "dtmi:test:Pump;1" } }].map((line) => JSON.stringify(line)).join("\n") + "\n");
}

/** Everything a page does: connect, subscribe, publish with each QoS, telemetry that is read back, a large message, leave. */
async function everything(url, http, large) {
  for (const protocolVersion of [4, 5]) {
    const client = await mqtt.connectAsync(url, { protocolVersion, clientId: `page${protocolVersion}`, reconnectPeriod: 0, rejectUnauthorized: false });
    const seen = [];
    client.on("message", (topic, payload) => seen.push(`${topic} ${payload.length > 40 ? payload.length : payload}`));
    await client.subscribeAsync("room/#", { qos: 2 });
    for (const qos of [0, 1, 2]) await client.publishAsync("room/light", `qos ${qos}`, { qos });
    await client.publishAsync("room/photo", Buffer.alloc(large, 7), { qos: 1 });
    await until(() => seen.length === 4, 5000, () => `only ${seen}`);
    assert.deepEqual(seen, ["room/light qos 0", "room/light qos 1", "room/light qos 2", `room/photo ${large}`]);
    const flow = protocolVersion + 0.5;
    await client.publishAsync("gemel/pump1/telemetry", JSON.stringify({ flow }), { qos: 1 });
    const metrics = await (await fetch(`http://${http}/metrics`)).text();
    assert.match(metrics, new RegExp(`gemel_mqtt_native_applied_total ${protocolVersion - 3 + everything.before}\n`));
    await client.endAsync();
  }
  everything.before += 2;
}
everything.before = 0;

/** A handshake by hand; resolves with the answer's first line. */
function ask(address, headers) {
  const [host, port] = address.split(":");
  return new Promise((resolve, reject) => {
    const socket = createConnection(Number(port), host, () =>
      socket.write(`GET /mqtt HTTP/1.1\r\nHost: ${address}\r\n${headers.map((h) => h + "\r\n").join("")}\r\n`));
    socket.once("data", (bytes) => (resolve(String(bytes)), socket.destroy()));
    socket.on("error", reject);
  });
}

test("npm's client speaks MQTT over ws: and wss:", async () => {
  const home = tempDir("websocket");
  const plant = join(home.dir, "plant");
  makePlant(plant);
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
    "-keyout", join(home.dir, "key.pem"), "-out", join(home.dir, "cert.pem")], { stdio: "ignore" });
  const server = await serve(plant, join(home.dir, "data"), { more: ["--https", "127.0.0.1:0", "--tls-cert", join(home.dir, "cert.pem"),
    "--tls-key", join(home.dir, "key.pem")] });
  try {
    await everything(`ws://${server.http}/mqtt`, server.http, 300000);
    await everything(`wss://${server.https}/mqtt`, server.http, 3000);
    // A will, when the page is simply gone.
    const watcher = await mqtt.connectAsync(`mqtt://${server.mqtt}`, { reconnectPeriod: 0 });
    let gone = false;
    watcher.on("message", () => (gone = true));
    await watcher.subscribeAsync("gone");
    const page = await mqtt.connectAsync(`ws://${server.http}/mqtt`, { reconnectPeriod: 0, will: { topic: "gone", payload: "x" } });
    page.stream.destroy();
    await until(() => gone, 5000, "no will");
    await watcher.endAsync();
    const upgrade = ["Upgrade: websocket", "Connection: keep-alive, Upgrade", "Sec-WebSocket-Version: 13"];
    const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", protocol = "Sec-WebSocket-Protocol: other, mqtt";
    const fine = await ask(server.http, [...upgrade, key, protocol]);
    assert.match(fine, /^HTTP\/1.1 101 /);
    assert.match(fine, /Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/);  // the example of RFC 6455, section 1.3
    assert.match(fine, /Sec-WebSocket-Protocol: mqtt\r\n/);
    assert.match(await ask(server.http, []), /^HTTP\/1.1 426 /);
    assert.match(await ask(server.http, [...upgrade, protocol]), /^HTTP\/1.1 426 /);
    assert.match(await ask(server.http, [...upgrade, key]), /^HTTP\/1.1 400 /);
    assert.match(await ask(server.http, [...upgrade, key, protocol, "Origin: http://elsewhere.example"]), /^HTTP\/1.1 403 /);
    assert.match(await ask(server.http, [...upgrade, key, protocol, `Origin: http://${server.http}`]), /^HTTP\/1.1 101 /);
    // The server ends while somebody is connected.
    const last = await mqtt.connectAsync(`ws://${server.http}/mqtt`, { reconnectPeriod: 0 });
    const closed = new Promise((resolve) => last.on("close", resolve));
    assert.equal((await json(server.http, "/healthz")).status, 200);
    assert.equal(await server.stop(), 0);
    await closed;
  } finally {
    await server.stop();
    home.remove();
  }
});
