// What the service knows, in a JSON file: read for every request, and replaced as a whole by every change.
//
// A change reads the file, computes the next content and renames a new file over the old one. Changes stand in a
// queue, since between reading and renaming the event loop serves other requests.

import { randomUUID } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";

export const NETWORK = "00000000-0000-0000-0000-000000000000";
const SHARED_AT_MOST = 5;
const ON_A_PORT_AT_MOST = 6;

export function beginning(tokens, serverCount = 4) {
  const tenants = { ours: randomUUID().replaceAll("-", ""), theirs: randomUUID().replaceAll("-", "") };
  const owners = [...Array(serverCount).fill(tenants.ours), tenants.theirs];
  const servers = owners.map((tenant) => ({ id: randomUUID(), tenant }));
  return {
    callers: {
      [tokens.full]: { tenant: tenants.ours, writes: true },
      [tokens.restricted]: { tenant: tenants.ours, writes: false },
      [tokens.foreign]: { tenant: tenants.theirs, writes: true },
    },
    servers,
    ports: servers.map(({ id, tenant }) => ({ id: randomUUID(), device_id: id, network_id: NETWORK, tenant_id: tenant })),
    addresses: [],
    associations: [],
    allocated: 0,
  };
}

export class Store {
  constructor(file, { queued = true } = {}) {
    this.file = file;
    this.queued = queued;
    this.last = Promise.resolve();
    this.writes = 0;
  }

  async create(content) {
    await writeFile(this.file, JSON.stringify(content));
  }

  async read() {
    return JSON.parse(await readFile(this.file, "utf8"));
  }

  // `step` is given the content, changes it and returns what the caller wants to know; what it throws changes nothing.
  async change(step) {
    if (!this.queued) return this.#change(step);
    const mine = this.last.then(() => this.#change(step));
    this.last = mine.catch(() => {});
    return mine;
  }

  async #change(step) {
    const content = await this.read();
    const result = step(content);
    const next = `${this.file}.${(this.writes += 1)}`;
    await writeFile(next, JSON.stringify(content));
    await rename(next, this.file);
    return result;
  }
}

export function mayHaveAnother(content, portIds) {
  const shared = content.addresses.filter((one) => one.port_ids.length > 1).length;
  const crowded = portIds.some((port) => {
    return content.addresses.filter((one) => one.port_ids.includes(port)).length >= ON_A_PORT_AT_MOST;
  });
  return !crowded && (portIds.length < 2 || shared < SHARED_AT_MOST);
}

export function allocate(content, tenant, version, portIds) {
  content.allocated += 1;
  const host = 0x0a00 + content.allocated;
  const literal = version === 6 ? `2001:db8:5::${host.toString(16)}` : `203.0.${host >> 8}.${host & 0xff}`;
  const address = { id: randomUUID(), address: literal, version, tenant, port_ids: portIds };
  content.addresses.push(address);
  return address;
}
