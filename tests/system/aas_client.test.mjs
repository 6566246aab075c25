// An independent implementation of the metamodel against gemel: everything that the API gives is read and verified by it, and what it
// builds is posted, read back, deleted and posted again.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { copyExample, json, serve, tempDir } from "./support.mjs";

const require = createRequire(import.meta.url);
const { types, jsonization, verification } = require("@aas-core-works/aas-core3.0-typescript");

const base64url = (id) => Buffer.from(id).toString("base64url");
const JSON_BODY = { "content-type": "application/json" };

async function send(address, method, path, body, expected) {
  const reply = await json(address, path, { method, headers: JSON_BODY, body: body === undefined ? undefined : JSON.stringify(body) });
  assert.equal(reply.status, expected, `${method} ${path}: ${JSON.stringify(reply.body)}`);
  return reply.body;
}

/** Every item of a list, page by page. */
async function all(address, path) {
  const items = [];
  for (let cursor = "", more = true; more; ) {
    const page = await json(address, `${path}?limit=7${cursor === "" ? "" : `&cursor=${cursor}`}`);
    assert.equal(page.status, 200);
    items.push(...page.body.result);
    cursor = page.body.paging_metadata.cursor ?? "";
    more = cursor !== "";
  }
  return items;
}

/** Read by the library; every constraint that it knows is held. */
function verified(read, body, what) {
  const either = read(body);
  assert.equal(either.error, null, `${what}: ${either.error?.message} at ${either.error?.path}`);
  const faults = [...verification.verify(either.mustValue())].map((e) => `${e.path}: ${e.message}`);
  assert.deepEqual(faults, [], what);
  return either.mustValue();
}

async function post(address, path, body, headers) {
  const reply = await fetch(`http://${address}${path}`, { method: "POST", headers, body });
  assert.ok(reply.ok, `${path}: ${await reply.text()}`);
}

/** Facts of all kinds, a bill of materials, a document, something installed. */
async function tell(address, twin) {
  const from = "2024-01-05T00:00:00Z";
  const facts = [
    { key: "serialNumber", value: "SN-7" }, { key: "manufacturerName", value: "ACME" }, { key: "manufacturerStreet", value: "Ring 1" },
    { key: "yearOfConstruction", value: "2024" }, { key: "dateOfManufacture", value: "2024-01-02" }, { key: "countryOfOrigin", value: "CH" },
    { key: "bore", value: 50, unit: "mm", min: 49, max: 51, phase: "as-designed" }, { key: "ATEX: zone 1?", value: true, phase: "as-designed" },
    { key: "7 of 9", value: "x", phase: "as-designed" }, { key: "a\u0000b".slice(0, 1), value: 1e-9, phase: "as-designed" },
    { key: "bom/10", part: "bolt M8", quantity: 8, phase: "as-designed" }, { key: "bom/20", part: "oil", quantity: 1.5, unit: "l", phase: "as-designed" },
    { key: "bom/20~winter", part: "winter oil", quantity: 1.5, unit: "l", phase: "as-designed", more: { alternate: true } },
    { key: "hours", value: 812.5, phase: "as-operated" }, { key: "finding", value: { crack: [1, 2] }, phase: "maintained" },
  ];
  await post(address, "/v1/thread", JSON.stringify(facts.map((f) => ({ twin, phase: "as-built", from, ...f }))), JSON_BODY);
  await post(address, "/v1/thread", JSON.stringify({ twin: "bolt M8", phase: "as-designed", key: "mass", value: 12, unit: "g" }), JSON_BODY);
  await post(address, "/v1/thread", JSON.stringify({ twin: "seal-3", phase: "as-built", key: "installedIn", part: twin, position: "P1" }), JSON_BODY);
  await post(address, `/v1/thread/${encodeURIComponent(twin)}/documents?key=manual&name=manual.txt&from=${from}`, "Turn it on.\n", { "content-type": "text/plain" });
}

test("everything that is served is of the metamodel", async () => {
  const home = tempDir("aas");
  const server = await serve(copyExample("pumphouse", join(home.dir, "plant"), ["models", "twins"]), join(home.dir, "data"));
  try {
    const twins = (await json(server.http, "/query?api-version=2023-10-31", { method: "POST", headers: JSON_BODY, body: JSON.stringify({ query: "SELECT * FROM DIGITALTWINS" }) })).body.value;
    await tell(server.http, twins[0].$dtId);
    const shells = await all(server.http, "/shells"), submodels = await all(server.http, "/submodels"), concepts = await all(server.http, "/concept-descriptions");
    assert.ok(shells.length > twins.length && submodels.length > 2 * twins.length && concepts.length > 5);
    for (const shell of shells) verified(jsonization.assetAdministrationShellFromJsonable, shell, shell.id);
    for (const submodel of submodels) verified(jsonization.submodelFromJsonable, submodel, submodel.id);
    for (const concept of concepts) verified(jsonization.conceptDescriptionFromJsonable, concept, concept.id);
    // One by one, and below its shell, each is the same.
    for (const submodel of submodels) assert.deepEqual((await json(server.http, `/submodels/${base64url(submodel.id)}`)).body, submodel);
    for (const shell of shells) {
      assert.deepEqual((await json(server.http, `/shells/${base64url(shell.id)}`)).body, shell);
      for (const reference of shell.submodels ?? []) {
        const below = await json(server.http, `/shells/${base64url(shell.id)}/submodels/${base64url(reference.keys[0].value)}`);
        assert.deepEqual(below.body, submodels.find((s) => s.id === reference.keys[0].value));
      }
    }
    const ids = shells.map((s) => base64url(s.id)).join(",");
    const environment = (await json(server.http, `/serialization?aasIds=${ids}`)).body;
    const read = verified(jsonization.environmentFromJsonable, environment, "the environment");
    assert.equal(read.assetAdministrationShells.length, shells.length);
    assert.deepEqual(jsonization.toJsonable(read), environment);
  } finally {
    await server.stop();
    home.remove();
  }
});

/** A submodel with an element of every kind. */
function everyKind() {
  const words = (text) => [new types.LangStringTextType("en", text), new types.LangStringTextType("de", `${text} (de)`)];
  const external = (id) => new types.Reference(types.ReferenceTypes.ExternalReference, [new types.Key(types.KeyTypes.GlobalReference, id)]);
  const model = (id) => new types.Reference(types.ReferenceTypes.ModelReference, [new types.Key(types.KeyTypes.Submodel, id)]);
  const named = (element, idShort) => Object.assign(element, { idShort });
  const property = (idShort, type, value) => Object.assign(named(new types.Property(type), idShort), { value });
  const X = types.DataTypeDefXsd;
  const list = named(new types.SubmodelElementList(types.AasSubmodelElements.Property), "List");
  list.valueTypeListElement = X.Int;
  list.value = [1, 2, 3].map((n) => Object.assign(new types.Property(X.Int), { value: String(n) }));
  const collection = named(new types.SubmodelElementCollection(), "Collection");
  collection.value = [property("inner", X.String, "\u00e4\u20ac\ud83d\ude00"), named(new types.SubmodelElementCollection(), "empty")];
  const entity = named(new types.Entity(types.EntityType.SelfManagedEntity), "Entity");
  entity.globalAssetId = "urn:x:part";
  entity.statements = [property("count", X.UnsignedInt, "4")];
  const operation = named(new types.Operation(), "Operation");
  operation.inputVariables = [new types.OperationVariable(property("by", X.Double, "1.5"))];
  const annotated = named(new types.AnnotatedRelationshipElement(external("urn:a"), external("urn:b")), "Annotated");
  annotated.annotations = [property("weight", X.Float, "0.5")];
  const qualified = property("Qualified", X.Boolean, "true");
  qualified.semanticId = external("urn:x:meaning");
  qualified.supplementalSemanticIds = [external("urn:x:more")];
  qualified.description = words("a switch");
  qualified.qualifiers = [Object.assign(new types.Qualifier("unit", X.String), { value: "1", kind: types.QualifierKind.ValueQualifier })];
  qualified.extensions = [Object.assign(new types.Extension("note"), { valueType: X.Int, value: "7" })];
  const submodel = new types.Submodel("urn:x:every-kind");
  submodel.idShort = "EveryKind";
  submodel.administration = Object.assign(new types.AdministrativeInformation(), { version: "1", revision: "2" });
  submodel.submodelElements = [
    qualified, property("Empty", X.DateTime, null), list, collection, entity, operation, annotated,
    Object.assign(named(new types.MultiLanguageProperty(), "Words"), { value: words("hello") }),
    Object.assign(named(new types.Range(X.Double), "Range"), { min: "1", max: "2.5" }),
    Object.assign(named(new types.Blob("text/plain"), "Blob"), { value: new Uint8Array([1, 2, 254]) }),
    Object.assign(named(new types.File("text/plain"), "File"), { value: "/aasx/files/x.txt" }),
    Object.assign(named(new types.ReferenceElement(), "Reference"), { value: model("urn:x:other") }),
    named(new types.RelationshipElement(model("urn:x:one"), model("urn:x:two")), "Relationship"),
    named(new types.Capability(), "Capability"),
    named(new types.BasicEventElement(model("urn:x:observed"), types.Direction.Output, types.StateOfEvent.On), "Event"),
  ];
  return submodel;
}

test("what the library builds is kept, read back, deleted and made again", async () => {
  const home = tempDir("aas-write");
  const server = await serve(copyExample("pumphouse", join(home.dir, "plant"), ["models"]), join(home.dir, "data"));
  try {
    const submodel = everyKind();
    const reference = new types.Reference(types.ReferenceTypes.ModelReference, [new types.Key(types.KeyTypes.Submodel, submodel.id)]);
    const asset = new types.AssetInformation(types.AssetKind.Instance);
    asset.globalAssetId = "urn:x:asset";
    asset.specificAssetIds = [new types.SpecificAssetId("inventory", "17")];
    const shell = new types.AssetAdministrationShell("urn:x:shell", asset);
    Object.assign(shell, { idShort: "Built", submodels: [reference], displayName: [new types.LangStringNameType("en", "Built by a library")] });
    const sent = [["/shells", jsonization.toJsonable(shell)], ["/submodels", jsonization.toJsonable(submodel)]];
    for (let round = 0; round < 2; round++) {
      for (const [list, body] of sent) {
        const made = await send(server.http, "POST", list, body, 201);
        assert.deepEqual(made, body);
        await send(server.http, "POST", list, body, 409);
        assert.deepEqual(await send(server.http, "GET", `${list}/${base64url(body.id)}`, undefined, 200), body);
        await send(server.http, "PUT", `${list}/${base64url(body.id)}`, body, 204);
        assert.deepEqual(await send(server.http, "GET", `${list}/${base64url(body.id)}`, undefined, 200), body);
      }
      const at = `/shells/${base64url(shell.id)}/submodels/${base64url(submodel.id)}`;
      for (const element of sent[1][1].submodelElements) {
        const path = `${at}/submodel-elements/${element.idShort}`;
        assert.deepEqual(await send(server.http, "GET", path, undefined, 200), element);
        await send(server.http, "DELETE", path, undefined, 204);
        await send(server.http, "POST", `${at}/submodel-elements`, element, 201);
        await send(server.http, "PUT", path, element, 204);
        assert.deepEqual(await send(server.http, "GET", path, undefined, 200), element);
        const value = await json(server.http, `${path}/$value`);
        if (value.status === 200 && value.body !== null) await send(server.http, "PATCH", `${path}/$value`, value.body, 204);
        assert.deepEqual(await send(server.http, "GET", path, undefined, 200), element, "its own value, set again");
      }
      assert.deepEqual(await send(server.http, "GET", at, undefined, 200), sent[1][1]);
      for (const [list, body] of sent) {
        await send(server.http, "DELETE", `${list}/${base64url(body.id)}`, undefined, 204);
        await send(server.http, "GET", `${list}/${base64url(body.id)}`, undefined, 404);
      }
    }
  } finally {
    await server.stop();
    home.remove();
  }
});

test("what was answered is there after the power has gone", async () => {
  const home = tempDir("aas-kill");
  const plant = copyExample("pumphouse", join(home.dir, "plant"), ["models"]), data = join(home.dir, "data");
  let server = await serve(plant, data);
  try {
    const body = jsonization.toJsonable(everyKind());
    const many = Array.from({ length: 40 }, (_, i) => ({ ...body, id: `urn:x:${i}` }));
    const plate = { modelType: "Submodel", id: "urn:gemel:submodel:Nameplate:fan", submodelElements: [
      { modelType: "Property", idShort: "SerialNumber", valueType: "xs:string", value: "SN-1" }, { modelType: "Property", idShort: "Colour", valueType: "xs:string", value: "red" }] };
    await send(server.http, "POST", "/submodels", plate, 201);
    const answered = [];
    const under = many.map(async (one) => {
      const reply = await json(server.http, "/submodels", { method: "POST", headers: JSON_BODY, body: JSON.stringify(one) }).catch(() => null);
      if (reply !== null && reply.status === 201) answered.push(one);
    });
    await Promise.race(under);
    server.child.kill("SIGKILL");
    await server.ended;
    await Promise.all(under);
    server = await serve(plant, data);
    assert.ok(answered.length > 0);
    for (const one of answered) assert.deepEqual(await send(server.http, "GET", `/submodels/${base64url(one.id)}`, undefined, 200), one);
    const values = await send(server.http, "GET", `/submodels/${base64url(plate.id)}/$value`, undefined, 200);
    assert.deepEqual([values.SerialNumber, values.Colour], ["SN-1", "red"]);
  } finally {
    await server.stop();
    home.remove();
  }
});
