// All 24 methods of DigitalTwinsClient, against the server at GM_AZURE_URL. Started by azure_sdk.test.mjs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DigitalTwinsClient } from "@azure/digital-twins-core";

const token = { getToken: async () => ({ token: process.env.GM_AZURE_TOKEN ?? "any", expiresOnTimestamp: Date.now() + 3600000 }) };
const client = new DigitalTwinsClient(process.env.GM_AZURE_URL, token, { retryOptions: { maxRetries: 0 } });

const MOTOR = { "@context": "dtmi:dtdl:context;3", "@id": "dtmi:azure:Motor;1", "@type": "Interface", displayName: "Motor", contents: [
  { "@type": "Property", name: "speed", schema: "double", writable: true }, { "@type": "Telemetry", name: "temperature", schema: "double" }] };
const PUMP = { "@context": "dtmi:dtdl:context;3", "@id": "dtmi:azure:Pump;1", "@type": "Interface", displayName: { en: "Pump", de: "Pumpe" },
  description: "Moves water", contents: [
    { "@type": "Property", name: "limit", schema: "integer" }, { "@type": "Telemetry", name: "flow", schema: "double" },
    { "@type": "Component", name: "motor", schema: "dtmi:azure:Motor;1" },
    { "@type": "Relationship", name: "feeds", properties: [{ "@type": "Property", name: "share", schema: "double" }] }] };
const PUMP_TWIN = { $metadata: { $model: "dtmi:azure:Pump;1" }, limit: 5, motor: { $metadata: {}, speed: 10 } };
const ODD_ID = "room 1/ä"; // a space, a slash and a letter that is two bytes

async function all(iterator) {
  const items = [];
  for await (const item of iterator) items.push(item);
  return items;
}

async function refused(call, status, code) {
  await assert.rejects(call, (error) => {
    assert.equal(error.statusCode, status, error.message);
    assert.equal(error.response?.headers.get("x-ms-error-code"), code);
    assert.equal(error.code, code);
    return true;
  });
}

test("models: createModels, getModel, listModels", async () => {
  const added = await client.createModels([MOTOR, PUMP]);
  assert.equal(added.length, 2);
  assert.deepEqual(added[1].displayName, { en: "Pump", de: "Pumpe" });
  assert.deepEqual(added[1].description, { en: "Moves water" });
  assert.ok(added[0].uploadTime instanceof Date);
  await refused(client.createModels([MOTOR]), 409, "ModelIdAlreadyExists");
  await refused(client.createModels([{ ...MOTOR, "@id": "dtmi:azure:Other;1", contents: [{ "@type": "Property" }] }]), 400, "DTDLParserError");

  const model = await client.getModel("dtmi:azure:Pump;1", true);
  assert.equal(model.model["@id"], "dtmi:azure:Pump;1");
  assert.equal(model.decommissioned, false);
  await refused(client.getModel("dtmi:azure:None;1"), 404, "ModelNotFound");

  const ids = (await all(client.listModels([], false, 1))).map((m) => m.id); // a page each
  assert.deepEqual(ids.sort(), ["dtmi:azure:Motor;1", "dtmi:azure:Pump;1"]);
  const needed = (await all(client.listModels(["dtmi:azure:Pump;1"], true))).map((m) => m.id);
  assert.deepEqual(needed.sort(), ["dtmi:azure:Motor;1", "dtmi:azure:Pump;1"]);
  assert.deepEqual((await all(client.listModels(["dtmi:azure:Motor;1"]))).map((m) => m.id), ["dtmi:azure:Motor;1"]);
});

test("twins: upsertDigitalTwin, getDigitalTwin, updateDigitalTwin", async () => {
  for (const id of ["p1", "p2", ODD_ID]) {
    const twin = await client.upsertDigitalTwin(id, JSON.stringify(PUMP_TWIN));
    assert.equal(twin.body.$dtId, id);
    assert.equal(twin.etag, twin.body.$etag);
    assert.equal(twin._response.status, 200);
  }
  await refused(client.upsertDigitalTwin("p1", JSON.stringify(PUMP_TWIN), { ifNoneMatch: "*" }), 412, "PreconditionFailed");
  await refused(client.upsertDigitalTwin("p9", JSON.stringify({ $metadata: { $model: "dtmi:azure:None;1" } })), 400, "ValidationFailed");

  const before = await client.getDigitalTwin(ODD_ID);
  assert.equal(before.body.limit, 5);
  assert.match(before.body.$metadata.limit.lastUpdateTime, /^\d{4}-.*Z$/);
  const patched = await client.updateDigitalTwin(ODD_ID, [{ op: "replace", path: "/limit", value: 6 }], { ifMatch: before.etag });
  assert.equal(patched._response.status, 204);
  assert.notEqual(patched.etag, before.etag);
  await refused(client.updateDigitalTwin(ODD_ID, [{ op: "replace", path: "/limit", value: 7 }], { ifMatch: before.etag }), 412, "PreconditionFailed");
  await refused(client.updateDigitalTwin(ODD_ID, [{ op: "move", path: "/limit" }]), 400, "JsonPatchInvalid");
  await refused(client.updateDigitalTwin(ODD_ID, [{ op: "add", path: "/limit", value: "much" }]), 400, "ValidationFailed");
  assert.equal((await client.getDigitalTwin(ODD_ID)).body.limit, 6);
  await refused(client.getDigitalTwin("nobody"), 404, "DigitalTwinNotFound");
});

test("components: getComponent, updateComponent", async () => {
  assert.equal((await client.getComponent(ODD_ID, "motor")).body.speed, 10);
  assert.equal((await client.updateComponent(ODD_ID, "motor", [{ op: "replace", path: "/speed", value: 11 }]))._response.status, 204);
  assert.equal((await client.getComponent(ODD_ID, "motor")).body.speed, 11);
  await refused(client.getComponent(ODD_ID, "none"), 404, "ComponentNotFound");
});

test("relationships: upsertRelationship, getRelationship, updateRelationship, listRelationships, listIncomingRelationships", async () => {
  for (let i = 0; i < 3; i++) {
    const made = await client.upsertRelationship(ODD_ID, `r ${i}/ä`, { $relationshipName: "feeds", $targetId: "p1", share: i });
    assert.equal(made.body.$sourceId, ODD_ID);
  }
  assert.equal((await client.getRelationship(ODD_ID, "r 1/ä")).body.share, 1);
  assert.equal((await client.updateRelationship(ODD_ID, "r 1/ä", [{ op: "replace", path: "/share", value: 0.5 }]))._response.status, 204);
  assert.equal((await client.getRelationship(ODD_ID, "r 1/ä")).body.share, 0.5);
  await refused(client.getRelationship(ODD_ID, "none"), 404, "RelationshipNotFound");
  await refused(client.upsertRelationship(ODD_ID, "x", { $relationshipName: "feeds", $targetId: "nobody" }), 404, "TargetDigitalTwinNotFound");
  assert.equal((await all(client.listRelationships(ODD_ID))).length, 3);
  const incoming = await all(client.listIncomingRelationships("p1"));
  assert.deepEqual(incoming.map((r) => r.relationshipId).sort(), ["r 0/ä", "r 1/ä", "r 2/ä"]);
  assert.equal(incoming[0].sourceId, ODD_ID);
  // More than a page: the client follows nextLink by itself.
  for (let i = 0; i < 250; i++) await client.upsertRelationship("p2", `n${i}`, { $relationshipName: "feeds", $targetId: "p1" });
  assert.equal(new Set((await all(client.listRelationships("p2"))).map((r) => r.$relationshipId)).size, 250);
  assert.equal((await all(client.listIncomingRelationships("p1"))).length, 253);
});

test("telemetry: publishTelemetry, publishComponentTelemetry", async () => {
  await client.publishTelemetry(ODD_ID, { flow: 1.5 }, "m1");
  await client.publishTelemetry(ODD_ID, { flow: 2.5 });
  assert.equal((await client.getDigitalTwin(ODD_ID)).body.flow, 2.5);
  await refused(client.publishTelemetry("nobody", { flow: 1 }, "m2"), 404, "DigitalTwinNotFound");
  // Version 1.1.0 takes the payload as a text, and hands it over as the message id.
  await client.publishComponentTelemetry(ODD_ID, "motor", JSON.stringify({ temperature: 40 }), "m3");
  assert.equal((await client.getComponent(ODD_ID, "motor")).body.temperature, 40);
  await refused(client.publishComponentTelemetry(ODD_ID, "motor", JSON.stringify({ colour: 40 }), "m4"), 400, "ValidationFailed");
  await refused(client.publishComponentTelemetry(ODD_ID, "none", JSON.stringify({ temperature: 40 }), "m5"), 404, "ComponentNotFound");
});

test("queries: queryTwins", async () => {
  const rows = await all(client.queryTwins("SELECT * FROM DIGITALTWINS T WHERE T.limit = 6"));
  assert.deepEqual(rows.map((r) => r.$dtId), [ODD_ID]);
  assert.equal((await all(client.queryTwins("SELECT * FROM DIGITALTWINS", 1))).length, 3); // a page each
  const page = (await client.queryTwins("SELECT COUNT() FROM RELATIONSHIPS").byPage().next()).value;
  assert.deepEqual(page.value, [{ COUNT: 253 }]);
  assert.ok(page.queryCharge > 0);
  await refused(all(client.queryTwins("foo")), 400, "SqlQueryError");
});

test("event routes: listEventRoutes, getEventRoute, upsertEventRoute, deleteEventRoute", async () => {
  assert.deepEqual(await all(client.listEventRoutes()), []);
  await refused(client.getEventRoute("r"), 404, "EventRouteNotFound");
  await refused(client.upsertEventRoute("r", "endpoint", "true"), 400, "EventRouteEndpointInvalid");
  await refused(client.upsertEventRoute("r", "people", "type = "), 400, "EventRouteFilterInvalid");
  await refused(client.deleteEventRoute("r"), 404, "EventRouteNotFound");
  for (const id of ["r1", "r 2/ä", "r3"]) {
    await client.upsertEventRoute(id, "people", "type = 'Microsoft.DigitalTwins.Twin.Update' AND $body.modelId = 'dtmi:azure:Pump;1'");
  }
  const route = await client.getEventRoute("r 2/ä");
  assert.equal(route.endpointName, "people");
  assert.match(route.filter, /Twin.Update/);
  assert.deepEqual((await all(client.listEventRoutes(1))).map((r) => r.id), ["r 2/ä", "r1", "r3"]); // a page each
  for (const id of ["r1", "r 2/ä", "r3"]) await client.deleteEventRoute(id);
  assert.deepEqual(await all(client.listEventRoutes()), []);
});

test("the end: deleteRelationship, deleteDigitalTwin, decomissionModel, deleteModel", async () => {
  await refused(client.deleteDigitalTwin("p1"), 400, "RelationshipsNotDeleted");
  for (let i = 0; i < 3; i++) await client.deleteRelationship(ODD_ID, `r ${i}/ä`);
  for (let i = 0; i < 250; i++) await client.deleteRelationship("p2", `n${i}`);
  await refused(client.deleteRelationship("p2", "n0"), 404, "RelationshipNotFound");
  await refused(client.deleteDigitalTwin("p1", { ifMatch: 'W/"123456789"' }), 412, "PreconditionFailed");
  await refused(client.deleteModel("dtmi:azure:Pump;1"), 409, "ModelReferencesNotDeleted");
  for (const id of ["p1", "p2", ODD_ID]) assert.equal((await client.deleteDigitalTwin(id))._response.status, 204);
  await refused(client.deleteModel("dtmi:azure:Motor;1"), 409, "ModelReferencesNotDeleted");
  await client.decomissionModel("dtmi:azure:Pump;1");
  assert.equal((await client.getModel("dtmi:azure:Pump;1")).decommissioned, true);
  await refused(client.upsertDigitalTwin("p1", JSON.stringify(PUMP_TWIN)), 400, "ModelDecommissioned");
  await client.deleteModel("dtmi:azure:Pump;1");
  await client.deleteModel("dtmi:azure:Motor;1");
  assert.deepEqual(await all(client.listModels()), []);
});
