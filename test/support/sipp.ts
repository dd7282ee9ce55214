/** SIPp as the other side of a call: scenarios from steps. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./server.ts";
import { freePort } from "./static-site.ts";

const TAG = ";tag=[pid]callee[call_number]";

/** Lines of a message in the form that SIPp wants. */
const message = (lines: readonly string[], attributes: string): string =>
  `<send ${attributes}><![CDATA[\n\n${lines.join("\n")}\n\n]]></send>`;

const ECHO = ["[last_Via:]", "[last_From:]"];
const CONTACT = "Contact: <sip:callee@[local_ip]:[local_port];transport=[transport]>";

export interface Answered {
  readonly headers?: readonly string[];
  readonly sdp?: readonly string[];
  /** The request has our tag already. */
  readonly inDialog?: boolean;
}

/** An answer to the request that came last. */
export function answer(status: number, { headers = [], sdp, inDialog }: Answered = {}): string {
  const body = sdp === undefined ? ["Content-Length: 0"] : [...SDP_HEAD, "", ...sdp];
  return message(
    [
      `SIP/2.0 ${status} x`,
      ...ECHO,
      `[last_To:]${inDialog === true || status === 100 ? "" : TAG}`,
      "[last_Call-ID:]",
      "[last_CSeq:]",
      CONTACT,
      ...headers,
      ...body,
    ],
    // The final answer to an INVITE is repeated until its ACK comes.
    status >= 200 && inDialog !== true ? 'retrans="500"' : "",
  );
}

const SDP_HEAD = ["Content-Type: application/sdp", "Content-Length: [len]"];

/** A session description with these media lines. */
export const sdp = (...media: readonly string[]): string[] => [
  "v=0",
  "o=callee 1 1 IN IP4 [local_ip]",
  "s=-",
  "c=IN IP4 [local_ip]",
  "t=0 0",
  ...media,
];

/** A request within the call. */
export const ask = (method: string, cseq: number, body?: readonly string[]): string =>
  message(
    [
      `${method} [next_url] SIP/2.0`,
      "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
      `From: <sip:callee@[local_ip]>${TAG}`,
      "To: [$caller]",
      "Call-ID: [call_id]",
      `CSeq: ${cseq} ${method}`,
      "Max-Forwards: 70",
      CONTACT,
      ...(body === undefined ? ["Content-Length: 0"] : [...SDP_HEAD, "", ...body]),
    ],
    method === "ACK" ? "" : 'retrans="500"',
  );

export const take = (request: string): string => `<recv request="${request}" rrs="true"/>`;
export const takeAnswer = (status: number): string => `<recv response="${status}"/>`;
export const pause = (ms: number): string => `<pause milliseconds="${ms}"/>`;

/** Writes two words to the log: the second is found by the first. */
export const note = (words: string): string =>
  `<nop><action><log message="${words}"/></action></nop>`;

/** The call comes in; its ports are written to the log as `audio N`, `video N` and `sip N`. */
export const incoming = (actions = ""): string =>
  `<recv request="INVITE" rrs="true"><action>
  <ereg regexp=".*" search_in="hdr" header="From:" assign_to="caller"/>
  <ereg regexp="m=audio ([0-9]+)" search_in="body" assign_to="a,audio"/>
  <ereg regexp="m=video ([0-9]+)" search_in="body" assign_to="v,video"/>
  <ereg regexp="Contact:[^@]*@[^:]*:([0-9]+)" search_in="msg" assign_to="c,sip"/>
  <log message="audio [$audio]"/><log message="video [$video]"/><log message="sip [$sip]"/>${actions}
</action></recv>`;

/** Variables that a scenario may leave unused. */
const REFERENCE = '<Reference variables="caller,a,audio,v,video,c,sip"/>';

export interface Sipp {
  readonly port: number;
  /** What follows `word` in the log. */
  logged(word: string): Promise<string>;
  /** Resolves when the scenario was played to its end; rejects with the complaint when it was not. */
  readonly done: Promise<void>;
  stop(): Promise<void>;
}

/** Plays one scenario once, as a callee that listens. */
export async function startSipp(
  steps: readonly string[],
  { transport = "u1", calls = 1 }: { transport?: "u1" | "t1"; calls?: number } = {},
): Promise<Sipp> {
  const folder = await mkdtemp(join(tmpdir(), "sipp-"));
  const port = await freePort();
  const file = (name: string): string => join(folder, name);
  const text = `<?xml version="1.0" encoding="UTF-8" ?>\n<scenario name="callee">\n${steps.join("\n")}\n${REFERENCE}\n</scenario>\n`;
  await writeFile(file("scenario.xml"), text);
  const logs = [
    "-trace_logs",
    "-log_file",
    file("log"),
    "-trace_err",
    "-error_file",
    file("error"),
  ];
  const child = spawn(
    "sipp",
    [
      ...["-sf", file("scenario.xml"), "-i", "127.0.0.1", "-p", String(port), "-t", transport],
      ...["-m", String(calls), "-nostdin", "-timeout", "40", "-timeout_error", ...logs],
    ],
    { cwd: folder, stdio: "ignore", env: { ...process.env, TERM: "dumb" } },
  );
  const read = (name: string): Promise<string> => readFile(file(name), "utf8").catch(() => "");
  const done = ended(child).then(async (code) => {
    if (code !== 0) throw new Error(`sipp ended with ${code}:\n${await read("error")}`);
  });
  done.catch(() => undefined);
  await bound(port, transport);
  return {
    port,
    done,
    logged: (word) =>
      until(
        `${word} in the log of sipp`,
        async () => new RegExp(`^${word} (\\S+)$`, "m").exec(await read("log"))?.[1],
      ),
    async stop() {
      if (child.exitCode === null) child.kill("SIGKILL");
      await done.catch(() => undefined);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve, reject) => {
    child.once("exit", resolve);
    child.once("error", reject);
  });

/** Whether a port of loopback is bound, read without sending anything to it. */
export async function bound(port: number, transport: "u1" | "t1" = "u1"): Promise<void> {
  const hex = `:${port.toString(16).toUpperCase().padStart(4, "0")} `;
  const tables = transport === "u1" ? ["/proc/net/udp"] : ["/proc/net/tcp"];
  await until(`port ${port} to be bound`, async () => {
    const texts = await Promise.all(tables.map((table) => readFile(table, "utf8")));
    return texts.some((text) => text.includes(hex)) ? true : undefined;
  });
}
