// What people do with a broker, by npm's MQTT client over TCP in both versions: an ordinary broker's topics, which no twin and no
// mapping claims. Waiting is for messages, never for time: that nothing came is shown by a later message that did.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import mqtt from "mqtt";
import { serve, tempDir, until } from "./support.mjs";

const PATIENCE = 20000;
let home, server, number = 0;

before(async () => {
  home = tempDir("mqtt-clients");
  mkdirSync(join(home.dir, "plant", "models"), { recursive: true });
  server = await serve(join(home.dir, "plant"), join(home.dir, "data"));
});
after(async () => {
  await server?.stop();
  home?.remove();
});

/** A name that nobody else has used: topics and clients of one scenario do not meet those of another. */
const fresh = (word) => `${word}-${++number}`;

/** Connects; what arrives is in `seen`, in its order. */
async function connect(version, options = {}) {
  const client = mqtt.connect(`mqtt://${server.mqtt}`, { protocolVersion: version, reconnectPeriod: 0, clientId: fresh("client"), ...options });
  client.seen = [];
  client.farewells = [];
  client.on("message", (topic, payload, packet) => client.seen.push({ ...packet, topic, payload: String(payload) }));
  client.on("disconnect", (packet) => client.farewells.push(packet.reasonCode));
  client.connack = await new Promise((resolve, reject) => {
    client.once("connect", resolve);
    client.once("error", reject);
  });
  return client;
}

const arrived = (client, n) => until(() => client.seen.length >= n, PATIENCE, () => `${client.seen.length} of ${n} messages`);
const payloads = (client) => client.seen.map((m) => m.payload);

/** Everything that was published before this has arrived now, or does not come. */
async function settle(client) {
  const topic = fresh("settled");
  await client.subscribeAsync(topic, { qos: 1 });
  await client.publishAsync(topic, "end", { qos: 1 });
  await until(() => client.seen.some((m) => m.topic === topic), PATIENCE, "the last message did not come");
  client.seen = client.seen.filter((m) => m.topic !== topic);
}

/** The connection breaks; nothing is said. */
function cut(client) {
  const closed = new Promise((resolve) => client.once("close", resolve));
  client.stream.destroy();
  return closed;
}

for (const version of [4, 5]) {
  const user = version === 5 ? { properties: { userProperties: { a: "2", c: ["3", "4"] } } } : {};

  describe(`MQTT ${version === 5 ? "5" : "3.1.1"}`, () => {
    test("connect, leave, connect, publish with every quality of service", async () => {
      const topic = fresh("basic");
      await (await connect(version, { clientId: "comes-again" })).endAsync();
      const client = await connect(version, { clientId: "comes-again" });
      assert.equal(client.connack.sessionPresent, false);
      await client.subscribeAsync(topic, { qos: 2 });
      for (const qos of [0, 1, 2]) await client.publishAsync(topic, `qos ${qos}`, { qos, ...user });
      await arrived(client, 3);
      assert.deepEqual(client.seen.map((m) => [m.payload, m.qos, m.retain, m.dup]), [0, 1, 2].map((qos) => [`qos ${qos}`, qos, false, false]));
      if (version === 5) for (const m of client.seen) assert.deepEqual({ ...m.properties.userProperties }, { a: "2", c: ["3", "4"] });
      await client.endAsync();
    });

    test("retained messages come with their quality of service, and go with an empty one", async () => {
      const root = fresh("retained");
      const client = await connect(version);
      for (const qos of [0, 1, 2]) await client.publishAsync(`${root}/${qos}`, `qos ${qos}`, { qos, retain: true, ...user });
      await client.subscribeAsync(`${root}/+`, { qos: 2 });
      await arrived(client, 3);
      assert.deepEqual(client.seen.map((m) => m.qos).sort(), [0, 1, 2]);
      assert.ok(client.seen.every((m) => m.retain));
      if (version === 5) for (const m of client.seen) assert.equal(m.properties.userProperties.a, "2");
      for (const qos of [0, 1, 2]) await client.publishAsync(`${root}/${qos}`, "", { qos, retain: true });
      const later = await connect(version);
      await later.subscribeAsync(`${root}/#`, { qos: 2 });
      await settle(later);
      assert.deepEqual(later.seen, []);
      await client.endAsync();
      await later.endAsync();
    });

    test("a will is published when its client is gone, not when it leaves", async () => {
      const topic = fresh("will");
      const will = { topic, payload: "gone", qos: 1, retain: true, ...user };
      const watcher = await connect(version);
      await watcher.subscribeAsync(topic, { qos: 2 });
      const polite = await connect(version, { will });
      await polite.endAsync();
      const mortal = await connect(version, { will });
      await cut(mortal);
      await arrived(watcher, 1);
      await settle(watcher);
      assert.deepEqual(payloads(watcher), ["gone"]);
      if (version === 5) assert.equal(watcher.seen[0].properties.userProperties.a, "2");
      const later = await connect(version);
      await later.subscribeAsync(topic);
      await arrived(later, 1);
      assert.equal(later.seen[0].retain, true);
      await later.endAsync();
      await watcher.endAsync();
    });

    test("messages wait for a client that is away", async () => {
      const root = fresh("offline"), clientId = fresh("keeper");
      const kept = { clientId, clean: false, ...(version === 5 ? { properties: { sessionExpiryInterval: 99999 } } : {}) };
      const first = await connect(version, kept);
      await first.subscribeAsync(`${root}/+`, { qos: 2 });
      await first.endAsync();
      const sender = await connect(version);
      for (const qos of [0, 1, 2]) await sender.publishAsync(`${root}/${qos}`, `qos ${qos}`, { qos });
      const again = await connect(version, kept);
      assert.equal(again.connack.sessionPresent, true);
      await arrived(again, 2);
      assert.deepEqual(payloads(again), ["qos 1", "qos 2"]);
      await again.endAsync();
      const clean = await connect(version, { clientId, clean: true });
      assert.equal(clean.connack.sessionPresent, false);
      await sender.publishAsync(`${root}/x`, "for nobody", { qos: 1 });
      await settle(clean);
      assert.deepEqual(clean.seen, []);
      await clean.endAsync();
      await sender.endAsync();
    });

    test("what was not acknowledged is sent again, marked, in its order", async () => {
      const topic = fresh("again"), clientId = fresh("lazy");
      const kept = { clientId, clean: false, ...(version === 5 ? { properties: { sessionExpiryInterval: 600 } } : {}) };
      const lazy = await connect(version, kept);
      let came = 0;
      lazy.handleMessage = () => { came++; };  // never says that it is done, so nothing is acknowledged
      await lazy.subscribeAsync(topic, { qos: 1 });
      const sender = await connect(version);
      for (const word of ["one", "two", "three"]) await sender.publishAsync(topic, word, { qos: 1 });
      await until(() => came > 0, PATIENCE, "nothing came");
      await cut(lazy);
      const back = await connect(version, kept);
      await arrived(back, 3);
      assert.deepEqual(payloads(back), ["one", "two", "three"]);
      assert.equal(back.seen[0].dup, true);
      await settle(back);
      assert.equal(back.seen.length, 3);
      await back.endAsync();
      await sender.endAsync();
    });

    test("overlapping subscriptions, unsubscribing, topics with a dollar", async () => {
      const root = fresh("filters");
      const client = await connect(version);
      const granted = await client.subscribeAsync({ [`${root}/#`]: { qos: 2 }, [`${root}/+/b`]: { qos: 1 } });
      assert.deepEqual(granted.map((g) => g.qos), [2, 1]);
      await client.publishAsync(`${root}/a/b`, "both", { qos: 2 });
      await settle(client);
      assert.deepEqual(client.seen.map((m) => [m.payload, m.qos]), [["both", 2]]);
      await client.unsubscribeAsync([`${root}/#`]);
      await client.publishAsync(`${root}/c`, "not any more", { qos: 1 });
      await client.publishAsync(`${root}/c/b`, "still", { qos: 1 });
      await settle(client);
      assert.deepEqual(payloads(client), ["both", "still"]);
      const wild = await connect(version);
      await wild.subscribeAsync(`+/${root}`);
      await client.publishAsync(`$elsewhere/${root}`, "hidden", { qos: 1 });
      await client.publishAsync(`somewhere/${root}`, "seen", { qos: 1 });
      await settle(wild);
      assert.deepEqual(payloads(wild), ["seen"]);
      await wild.endAsync();
      await client.endAsync();
    });

    test("odd topics, long ones, large payloads and long identifiers pass unchanged", async () => {
      const root = fresh("odd");
      const topics = ["", "/", "//x", " ", "a b", "ü/λ/水/🌡", "%2F%00", "a\tb", "UPPER", "'\"\\", "x".repeat(60000)].map((t) => `${root}/${t}`);
      const client = await connect(version, { clientId: "i".repeat(60000), clean: false, ...(version === 5 ? { properties: { sessionExpiryInterval: 5 } } : {}) });
      await client.subscribeAsync(`${root}/#`, { qos: 1 });
      const sender = await connect(version);
      for (const topic of topics) await sender.publishAsync(topic, topic.slice(0, 100), { qos: 1 });
      await arrived(client, topics.length);
      assert.deepEqual(client.seen.map((m) => m.topic), topics);
      for (const qos of [0, 1, 2]) await sender.publishAsync(`${root}/large`, "z".repeat(500000), { qos });
      await arrived(client, topics.length + 3);
      assert.ok(client.seen.slice(topics.length).every((m) => m.payload.length === 500000));
      await client.endAsync();
      await sender.endAsync();
    });

    test("a shared subscription gives each message to one of its members", async () => {
      const topic = fresh("shared"), filter = `$share/${fresh("group")}/${topic}`;
      const members = [await connect(version), await connect(version), await connect(version)];
      for (const member of members) await member.subscribeAsync(filter, { qos: 1 });
      const sender = await connect(version);
      const sent = Array.from({ length: 30 }, (_, i) => `message ${i}`);
      for (const text of sent) await sender.publishAsync(topic, text, { qos: 1 });
      for (const member of members) await settle(member);
      assert.deepEqual(members.flatMap(payloads).sort(), [...sent].sort());
      assert.ok(members.every((member) => member.seen.length > 0));
      for (const client of [...members, sender]) await client.endAsync();
    });

    test("a client identifier in use goes to who comes later", async () => {
      const clientId = fresh("twice");
      const first = await connect(version, { clientId });
      const closed = new Promise((resolve) => first.once("close", resolve));
      const second = await connect(version, { clientId });
      await closed;
      if (version === 5) assert.deepEqual(first.farewells, [0x8e]);
      await settle(second);
      await second.endAsync();
    });
  });
}

describe("MQTT 5 alone", () => {
  test("an identifier is assigned, a keep-alive is set, limits are told", async () => {
    const client = await connect(5, { clientId: "", keepalive: 120 });
    const told = client.connack.properties;
    assert.match(told.assignedClientIdentifier, /^gemel-/);
    assert.equal(told.serverKeepAlive, 60);
    assert.equal(told.receiveMaximum, 1024);
    assert.equal(told.topicAliasMaximum, 64);
    assert.equal(told.maximumPacketSize, 1 << 20);
    await client.endAsync();
  });

  test("a message's properties arrive as they were sent; requests find their responses", async () => {
    const requests = fresh("requests"), responses = fresh("responses");
    const service = await connect(5), asker = await connect(5);
    service.on("message", (topic, payload, packet) =>
      service.publish(packet.properties.responseTopic, `re: ${payload}`, { qos: 1, properties: { correlationData: packet.properties.correlationData } }));
    await service.subscribeAsync(requests, { qos: 1 });
    await asker.subscribeAsync(responses, { qos: 1 });
    await asker.publishAsync(requests, "question", { qos: 1, properties: { payloadFormatIndicator: true, contentType: "text/plain", messageExpiryInterval: 100,
      responseTopic: responses, correlationData: Buffer.from([0, 1, 255]) } });
    await arrived(asker, 1);
    assert.equal(asker.seen[0].payload, "re: question");
    assert.deepEqual([...asker.seen[0].properties.correlationData], [0, 1, 255]);
    const { payloadFormatIndicator, contentType, messageExpiryInterval } = service.seen[0].properties;
    assert.deepEqual([payloadFormatIndicator, contentType], [true, "text/plain"]);
    assert.ok(messageExpiryInterval >= 99 && messageExpiryInterval <= 100, String(messageExpiryInterval));
    await service.endAsync();
    await asker.endAsync();
  });

  test("subscription identifiers and options", async () => {
    const topic = fresh("options");
    const a = await connect(5), b = await connect(5);
    await a.subscribeAsync(topic, { qos: 1, nl: true, properties: { subscriptionIdentifier: 456789 } });
    await b.subscribeAsync(topic, { qos: 1, rap: true, properties: { subscriptionIdentifier: 2 } });
    await b.subscribeAsync(`${topic}/#`, { qos: 1, rap: true, properties: { subscriptionIdentifier: 3 } });
    await a.publishAsync(topic, "mine", { qos: 1, retain: true });
    await b.publishAsync(topic, "theirs", { qos: 1 });
    await settle(a);
    await settle(b);
    assert.deepEqual(a.seen.map((m) => [m.payload, m.properties.subscriptionIdentifier]), [["theirs", 456789]]);
    assert.deepEqual(b.seen.map((m) => [m.payload, m.retain, [...m.properties.subscriptionIdentifier].sort()]), [["mine", true, [2, 3]], ["theirs", false, [2, 3]]]);
    for (const [rh, first, second] of [[0, 1, 1], [1, 1, 0], [2, 0, 0]]) {
      const c = await connect(5);
      for (const expected of [first, second]) {
        c.seen = [];
        await c.subscribeAsync(topic, { qos: 1, rh });
        await settle(c);
        assert.equal(c.seen.length, expected, `retain handling ${rh}`);
      }
      await c.endAsync();
    }
    await a.endAsync();
    await b.endAsync();
  });

  test("topic aliases both ways, a packet that is too large, a narrow window", async () => {
    const topic = fresh("limits");
    const client = await connect(5, { autoUseTopicAlias: true, autoAssignTopicAlias: true,
      properties: { topicAliasMaximum: 5, maximumPacketSize: 300, receiveMaximum: 2 } });
    const raw = [];
    client.on("packetreceive", (packet) => packet.cmd === "publish" && raw.push({ topic: packet.topic, alias: packet.properties?.topicAlias }));
    await client.subscribeAsync(`${topic}/#`, { qos: 2 });
    const sender = await connect(5);
    for (let i = 0; i < 20; i++) await sender.publishAsync(`${topic}/a`, `m${i}`, { qos: i % 3 });
    await sender.publishAsync(`${topic}/a`, "x".repeat(400), { qos: 1 });
    await sender.publishAsync(`${topic}/a`, "last", { qos: 1 });
    await arrived(client, 21);
    assert.ok(client.seen.every((m) => m.payload.length < 400));
    assert.deepEqual(new Set(payloads(client)), new Set([...Array.from({ length: 20 }, (_, i) => `m${i}`), "last"]));
    assert.equal(new Set(raw.map((p) => p.alias)).size, 1);
    assert.ok(raw[0].alias > 0);
    for (let i = 0; i < 3; i++) await client.publishAsync(`${topic}/b`, `by alias ${i}`, { qos: 1 });
    await arrived(client, 24);
    assert.deepEqual(client.seen.slice(-3).map((m) => m.payload), ["by alias 0", "by alias 1", "by alias 2"]);
    await client.endAsync();
    await sender.endAsync();
  });

  test("a session ends when its client says so", async () => {
    const clientId = fresh("brief");
    const kept = { clientId, clean: false, properties: { sessionExpiryInterval: 600 } };
    const first = await connect(5, kept);
    await first.endAsync();
    const second = await connect(5, kept);
    assert.equal(second.connack.sessionPresent, true);
    await second.endAsync(false, { properties: { sessionExpiryInterval: 0 } });
    const third = await connect(5, kept);
    assert.equal(third.connack.sessionPresent, false);
    await third.endAsync();
  });
});
