/** The examples of a cluster in `deploy/cluster`, held against the settings and the image they speak of. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse, parseAllDocuments } from "yaml";
import { environmentName, loadSettings } from "../src/settings/load.ts";
import { type Settings, settingsSchema } from "../src/settings/schema.ts";
import { PROJECT_ROOT } from "./support/server.ts";

const FOLDER = join(PROJECT_ROOT, "deploy", "cluster");
const read = (file: string): string => readFileSync(join(FOLDER, file), "utf8");
const KNOWN = new Set(Object.keys(settingsSchema.shape).map(environmentName));
/** What the end takes besides the settings, seconds. */
const GOODBYES_S = 10;

/** The settings that the server would make of these variables, none of which it does not know. */
function settingsOf(environment: Readonly<Record<string, string>>): Settings {
  for (const name of Object.keys(environment)) assert.ok(KNOWN.has(name), name);
  const sources = { file: undefined, environment, flags: [] };
  const { settings, errors, warnings } = loadSettings(sources);
  assert.deepEqual([errors, warnings], [[], []]);
  return settings as Settings;
}

const endOf = (settings: Settings): number =>
  (settings.shutdown_delay_ms + settings.shutdown_drain_ms) / 1000 + GOODBYES_S;

interface Service {
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: readonly string[];
  readonly stop_grace_period?: string;
}

test("the compose file starts nodes that find each other and can be reached each by itself", () => {
  const text = read("compose.yaml").replaceAll(/\$\{PUBLIC_IP[^}]*\}/g, "192.0.2.10");
  const { services, volumes } = parse(text, { merge: true }) as {
    services: Record<string, Service>;
    volumes: Record<string, object>;
  };
  const nodes = Object.entries(services).filter(([, { build }]) => build !== undefined);
  assert.equal(nodes.length, 3);
  const outside = Object.values(services).flatMap(({ ports = [] }) =>
    ports.map((port) => port.replace(/:\d+/, "")),
  );
  assert.equal(new Set(outside).size, outside.length, "a port is published twice");
  for (const [name, service] of nodes) {
    const { build, environment = {}, ports = [], stop_grace_period: grace } = service;
    assert.ok(existsSync(join(FOLDER, build?.context ?? "", build?.dockerfile ?? "")));
    const settings = settingsOf(environment);
    assert.deepEqual(settings["cluster.nats_url"], ["nats://nats:4222"]);
    assert.equal(settings["cluster.node_name"], name);
    const published = (url: string | undefined, inside: number): string =>
      `${new URL(url ?? "").port}:${inside}`;
    assert.deepEqual(ports, [
      published(settings["cluster.advertise_http"], settings["http.port"]),
      published(settings["cluster.advertise_ws"], settings["ws.port"]),
      `${settings.media_port_from}:${settings.media_port_from}/udp`,
    ]);
    assert.ok(Number.parseInt(grace ?? "", 10) >= endOf(settings));
  }
  for (const { volumes: used = [], depends_on: needed = [] } of Object.values(services)) {
    for (const other of needed) assert.ok(Object.hasOwn(services, other), other);
    for (const volume of used) {
      const [source = ""] = volume.split(":");
      const known = Object.hasOwn(volumes, source) || existsSync(join(FOLDER, source));
      assert.ok(known, source);
    }
  }
});

test("the load balancer knows every node of the compose file, and asks whether it is ready", () => {
  const config = read("haproxy.cfg");
  const { services } = parse(read("compose.yaml"), { merge: true }) as {
    services: Record<string, Service>;
  };
  const nodes = Object.keys(services).filter((name) => services[name]?.build !== undefined);
  const servers = [...config.matchAll(/^\s+server (\S+) (\S+):(\d+)/gm)];
  for (const port of ["8080", "8081"]) {
    const known = servers.filter(([, , , to]) => to === port).map(([, , host]) => host);
    assert.deepEqual(known, nodes);
  }
  assert.match(config, /^\s+option httpchk GET \/readyz$/m);
  const bound = [...config.matchAll(/^\s+bind :(\d+)$/gm)].map(([, port]) => `${port}:${port}`);
  assert.deepEqual(bound, services["balancer"]?.ports);
});

interface Resource {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: Readonly<Record<string, never>>;
}

interface Container {
  readonly env: readonly { readonly name: string; readonly value?: string; valueFrom?: object }[];
  readonly ports: readonly {
    readonly name: string;
    readonly containerPort: number;
    readonly hostPort: number;
    readonly protocol?: string;
  }[];
  readonly readinessProbe: { readonly httpGet: { readonly path: string; readonly port: string } };
  readonly livenessProbe: { readonly httpGet: { readonly path: string } };
}

interface PodSpec {
  readonly hostNetwork: boolean;
  readonly dnsPolicy: string;
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly [Container];
}

test("the Kubernetes example runs nodes on their hosts' ports, and gives them time to drain", () => {
  const documents = parseAllDocuments(read("kubernetes.yaml"));
  for (const { errors, warnings } of documents) assert.deepEqual([...errors, ...warnings], []);
  const all = documents.map((document) => document.toJS() as Resource);
  const named = (kind: string, name: string) =>
    all.find((one) => one.kind === kind && one.metadata.name === name)?.spec as unknown;
  const { spec: pod } = (named("Deployment", "transponder") as { template: { spec: PodSpec } })
    .template;
  assert.deepEqual([pod.hostNetwork, pod.dnsPolicy], [true, "ClusterFirstWithHostNet"]);
  const [container] = pod.containers;
  const known: Record<string, string> = {};
  for (const { name, value } of container.env) {
    // What the scheduler fills in is an address or a name, and may be used in what follows.
    const given = value ?? (name.endsWith("_IP") ? "192.0.2.10" : "host-1");
    known[name] = given.replaceAll(/\$\((\w+)\)/g, (_, other: string) => known[other] ?? "none");
  }
  const settings = settingsOf(known);
  assert.equal(settings["cluster.advertise_http"], "http://192.0.2.10:8081");
  assert.ok(pod.terminationGracePeriodSeconds >= endOf(settings));
  const ports = new Map(container.ports.map((port) => [port.name, port]));
  for (const { containerPort, hostPort } of ports.values()) assert.equal(containerPort, hostPort);
  assert.equal(ports.get("http")?.containerPort, settings["http.port"]);
  assert.equal(ports.get("websdk")?.containerPort, settings["ws.port"]);
  assert.equal(ports.get("rtmp")?.containerPort, settings.rtmp_port);
  const media = ports.get("media");
  assert.deepEqual([media?.containerPort, media?.protocol], [settings.media_port_from, "UDP"]);
  assert.deepEqual(container.readinessProbe.httpGet, { path: "/readyz", port: "http" });
  assert.equal(container.livenessProbe.httpGet.path, "/healthz");
  const [server = ""] = settings["cluster.nats_url"];
  const { hostname, port } = new URL(server.replace("nats:", "http:"));
  const [service = "", namespace] = hostname.split(".");
  const nats = named("Service", service) as { ports: { port: number }[] };
  assert.equal(nats.ports[0]?.port, Number(port));
  for (const { kind, metadata } of all) {
    assert.equal(kind === "Namespace" ? metadata.name : metadata.namespace, namespace);
  }
});
