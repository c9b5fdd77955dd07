// The operation and its neighbours on Node's own http, written from the published page and from the contract alone:
// nothing of the reference deployment, which is of another language and another stack, was looked at.
//
//   node service.mjs STATE [FAULT]
//
// serves on a free port of the loopback interface until its standard input ends. The first line that it writes is a
// target description. Tokens come from CONFORMANCE_TOKEN, CONFORMANCE_RESTRICTED_TOKEN and CONFORMANCE_FOREIGN_TOKEN.

import { createServer } from "node:http";

import { NETWORK, Store, allocate, beginning, mayHaveAnother } from "./store.mjs";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const CONTENT_AT_MOST = 256 * 1024;
const PHRASES = { 401: "unauthorized", 403: "forbidden", 405: "badMethod", 413: "overLimit" };

// Each takes one thing away that the service above does right.
const FAULTS = {
  "changes-without-a-queue": "Two changes at once read the same file, and the later one undoes the earlier.",
  "content-over-path": "What JSON content says of ip_association stands above what the path says.",
  "id-with-an-open-end": "What follows the 36 characters of an ID is not looked at.",
  "removes-by-address": "A removal takes every association of the address, whatever its server.",
  "falls-through": "A method without a handler finds no route, and the answer is 404.",
};

class Refused extends Error {
  constructor(code, message, headers = {}) {
    super(message);
    Object.assign(this, { code, headers });
  }
}

const [stateFile, fault = ""] = process.argv.slice(2);
if (fault && !(fault in FAULTS)) throw new Error(`no fault ${fault}: there are ${Object.keys(FAULTS).join(", ")}`);
const store = new Store(stateFile, { queued: fault !== "changes-without-a-queue" });

// Reading a request

function segmentsOf(url) {
  try {
    return url.split("?")[0].split("/").slice(1).map(decodeURIComponent);
  } catch {
    throw new Refused(400, "the path is not encoded well");
  }
}

async function contentOf(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size <= CONTENT_AT_MOST) chunks.push(chunk);
  }
  if (size > CONTENT_AT_MOST) throw new Refused(413, "so much content is never needed here");
  return Buffer.concat(chunks);
}

function memberOf(content, name) {
  let document;
  try {
    document = JSON.parse(content.toString("utf8"));
  } catch {
    throw new Refused(400, "the content is no JSON");
  }
  const member = document?.[name];
  if (member === null || typeof member !== "object" || Array.isArray(member)) throw new Refused(400, `no ${name}`);
  return member;
}

function addressIdOf(text) {
  if (fault === "id-with-an-open-end") text = text.slice(0, 36);
  if (!UUID.test(text)) throw new Refused(400, "the ID of an address is a UUID");
  return text.toLowerCase();
}

// Who may do what

function callerOf(content, request) {
  const caller = Object.hasOwn(content.callers, request.headers["x-auth-token"] ?? "")
    ? content.callers[request.headers["x-auth-token"]]
    : undefined;
  if (!caller) throw new Refused(401, "who are you?", { "WWW-Authenticate": "Token" });
  return caller;
}

function mustWrite(caller) {
  if (!caller.writes) throw new Refused(403, "you may only read");
}

function serverOf(content, caller, id) {
  const server = content.servers.find((one) => one.id === id);
  if (!server) throw new Refused(400, "there is no such server");
  if (server.tenant !== caller.tenant) throw new Refused(403, "the server is not yours");
  return server;
}

function addressOf(content, caller, id, code) {
  const address = content.addresses.find((one) => one.id === id && one.tenant === caller.tenant);
  if (!address) throw new Refused(code, "there is no such address");
  return address;
}

// What is shown

const shownAssociation = ({ id, address }) => ({ id, address, links: [] });

function shownAddress({ id, address, version, tenant, port_ids }) {
  const type = port_ids.length > 1 ? "shared" : "fixed";
  const ours = { id, address, port_ids, type, version: String(version), network_id: NETWORK };
  return { ...ours, subnet_id: version === 6 ? "subnet-six" : "subnet-four", tenant_id: tenant, used_by_tenant_id: tenant };
}

// Compute: what a server uses

function associationsOf(content, server) {
  const used = content.associations.filter((one) => one.server === server.id);
  return used.map((one) => content.addresses.find(({ id }) => id === one.address));
}

async function listAssociations({ request, segments }) {
  const content = await store.read();
  const server = serverOf(content, callerOf(content, request), segments[2]);
  return [200, { ip_associations: associationsOf(content, server).map(shownAssociation) }];
}

async function showAssociation({ request, segments }) {
  const content = await store.read();
  const server = serverOf(content, callerOf(content, request), segments[2]);
  const id = addressIdOf(segments[4]);
  const found = associationsOf(content, server).find((one) => one.id === id);
  if (!found) throw new Refused(400, "the server does not use this address");
  return [200, { ip_association: shownAssociation(found) }];
}

async function associate({ request, segments }) {
  return store.change((content) => {
    const caller = callerOf(content, request);
    const id = addressIdOf(segments[4]);
    mustWrite(caller);
    const server = serverOf(content, caller, segments[2]);
    const address = addressOf(content, caller, id, 400);
    const devices = content.ports.filter((port) => address.port_ids.includes(port.id)).map((port) => port.device_id);
    if (!devices.includes(server.id)) throw new Refused(400, "none of the ports of the address is the server's");
    const standing = content.associations.some((one) => one.address === id && one.server === server.id);
    if (!standing) content.associations.push({ address: id, server: server.id });
    return [200, { ip_association: shownAssociation(address) }];
  });
}

function namedIn(content, segments) {
  if (fault !== "content-over-path" || !content.length) return segments[4];
  try {
    return JSON.parse(content.toString()).ip_association?.id ?? segments[4];
  } catch {
    return segments[4];
  }
}

async function remove({ request, segments, sent }) {
  if (sent.length && fault !== "content-over-path") throw new Refused(400, "a removal has no content");
  return store.change((content) => {
    const caller = callerOf(content, request);
    const id = addressIdOf(namedIn(sent, segments));
    mustWrite(caller);
    const server = serverOf(content, caller, segments[2]);
    const goes = (one) => one.address === id && (fault === "removes-by-address" || one.server === server.id);
    content.associations = content.associations.filter((one) => !goes(one));
    return [204];
  });
}

// Networking: addresses and ports

async function listAddresses({ request }) {
  const content = await store.read();
  const caller = callerOf(content, request);
  return [200, { ip_addresses: content.addresses.filter((one) => one.tenant === caller.tenant).map(shownAddress) }];
}

async function showAddress({ request, segments }) {
  const content = await store.read();
  const address = addressOf(content, callerOf(content, request), segments[2].toLowerCase(), 404);
  return [200, { ip_address: shownAddress(address) }];
}

function portsOf(content, caller, wanted) {
  const mine = content.ports.filter((port) => port.tenant_id === caller.tenant).map((port) => port.id);
  if (!Array.isArray(wanted)) throw new Refused(400, "port_ids is a list");
  if (!wanted.every((id) => mine.includes(id))) throw new Refused(404, "there is no such port");
  return [...new Set(wanted)];
}

async function allocateAddress({ request, sent }) {
  return store.change((content) => {
    const caller = callerOf(content, request);
    mustWrite(caller);
    const wanted = memberOf(sent, "ip_address");
    const version = Number(wanted.version);
    if (wanted.network_id !== NETWORK) throw new Refused(404, "there is no such network");
    if (version !== 4 && version !== 6) throw new Refused(400, "a version is 4 or 6");
    const ports = portsOf(content, caller, wanted.port_ids);
    if (!ports.length) throw new Refused(400, "an address needs a port");
    if (!mayHaveAnother(content, ports)) throw new Refused(400, "you have as many addresses as you may");
    return [200, { ip_address: shownAddress(allocate(content, caller.tenant, version, ports)) }];
  });
}

function mustBeFree(content, address, code) {
  const used = content.associations.some((one) => one.address === address.id);
  if (used) throw new Refused(code, "servers use this address");
}

function forget(content, address) {
  content.addresses = content.addresses.filter((one) => one.id !== address.id);
}

async function replacePorts({ request, segments, sent }) {
  return store.change((content) => {
    const caller = callerOf(content, request);
    mustWrite(caller);
    const address = addressOf(content, caller, segments[2].toLowerCase(), 404);
    const ports = portsOf(content, caller, memberOf(sent, "ip_address").port_ids ?? []);
    mustBeFree(content, address, 400);
    if (!ports.length) forget(content, address);
    address.port_ids = ports;
    return [200, { ip_address: shownAddress(address) }];
  });
}

async function deleteAddress({ request, segments }) {
  return store.change((content) => {
    const caller = callerOf(content, request);
    mustWrite(caller);
    const address = addressOf(content, caller, segments[2].toLowerCase(), 404);
    mustBeFree(content, address, 403);
    forget(content, address);
    return [204];
  });
}

async function listPorts({ request }) {
  const content = await store.read();
  const caller = callerOf(content, request);
  const device = new URL(request.url, "http://any").searchParams.get("device_id");
  const mine = content.ports.filter((one) => one.tenant_id === caller.tenant);
  const asked = mine.filter((one) => device === null || one.device_id === device);
  return [200, { ports: asked.map((port) => ({ ...port, status: "ACTIVE", fixed_ips: [] })) }];
}

// Routing

const ROUTES = [
  [/^\/v2\/servers\/[^/]+\/ip_associations$/, { GET: listAssociations }],
  [/^\/v2\/servers\/[^/]+\/ip_associations\/[^/]+$/, { GET: showAssociation, PUT: associate, DELETE: remove }],
  [/^\/v2\.0\/ip_addresses$/, { GET: listAddresses, POST: allocateAddress }],
  [/^\/v2\.0\/ip_addresses\/[^/]+$/, { GET: showAddress, PUT: replacePorts, DELETE: deleteAddress }],
  [/^\/v2\.0\/ports$/, { GET: listPorts }],
];
const allowed = (handlers) => ({ Allow: Object.keys(handlers).join(", ") });

function handlerOf(request) {
  const path = request.url.split("?")[0];
  const [, handlers] = ROUTES.find(([pattern]) => pattern.test(path)) ?? [];
  if (!handlers) throw new Refused(404, "there is nothing here");
  const handler = handlers[request.method === "HEAD" ? "GET" : request.method];
  if (handler) return handler;
  throw fault === "falls-through" ? new Refused(404, "no route") : new Refused(405, "no such method", allowed(handlers));
}

async function answerTo(request) {
  const sent = await contentOf(request);
  callerOf(await store.read(), request);
  return handlerOf(request)({ request, sent, segments: segmentsOf(request.url) });
}

function write(response, code, document, headers = {}) {
  const text = document === undefined ? "" : JSON.stringify(document);
  response.writeHead(code, text ? { "Content-Type": "application/json; charset=utf-8", ...headers } : headers);
  response.end(text);
}

async function serve(request, response) {
  try {
    write(response, ...(await answerTo(request)));
  } catch (error) {
    if (!(error instanceof Refused)) console.error(error);
    const code = error.code >= 400 ? error.code : 500;
    write(response, code, { [PHRASES[code] ?? "badRequest"]: { code, message: error.message } }, error.headers);
  }
}

// What Node's parser does not let through never becomes a request: a method that it has no name for, above all.
function unread(error, socket) {
  if (!socket.writable) return;
  const invented = error.code === "HPE_INVALID_METHOD";
  if (invented && fault !== "falls-through") {
    socket.end("HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, PUT, DELETE\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  } else {
    const status = invented ? "404 Not Found" : "400 Bad Request";
    socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
  }
}

function description(content, url) {
  const tenant = content.servers[0].tenant;
  return {
    name: fault ? `node-${fault}` : "node",
    compute: url,
    network: url,
    auth: {
      token: "env:CONFORMANCE_TOKEN",
      restricted_token: "env:CONFORMANCE_RESTRICTED_TOKEN",
      foreign_token: "env:CONFORMANCE_FOREIGN_TOKEN",
    },
    resources: { servers: content.servers.filter((one) => one.tenant === tenant).map((one) => one.id) },
  };
}

const { CONFORMANCE_TOKEN: full, CONFORMANCE_RESTRICTED_TOKEN: restricted, CONFORMANCE_FOREIGN_TOKEN: foreign } = process.env;
const content = beginning({ full, restricted, foreign });
await store.create(content);
const server = createServer(serve).on("clientError", unread);
server.listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify(description(content, `http://127.0.0.1:${server.address().port}`)));
});
process.stdin.on("end", () => process.exit(0)).resume();
