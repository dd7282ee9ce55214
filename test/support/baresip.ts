/** baresip as a callee that answers with a tone and a moving picture. */
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./server.ts";
import { bound } from "./sipp.ts";
import { freePort } from "./static-site.ts";

export interface Baresip {
  /** SIP port on loopback. */
  readonly port: number;
  /** Everything printed so far, SIP messages included. */
  output(): string;
  /** A command as its menu knows it, such as `hangup`. */
  command(name: string): Promise<void>;
  stop(): Promise<void>;
}

const MODULES = "/usr/lib/baresip/modules";

const config = (sip: number, control: number, folder: string): string => `
sip_listen 127.0.0.1:${sip}
call_max_calls 4
audio_player aufile,${folder}/heard.wav
audio_source ausine,440
audio_alert aufile,/dev/null
ausrc_channels 2
auplay_channels 2
video_source fakevideo
video_display fakevideo
video_size 320x240
video_bitrate 300000
video_fps 15.00
rtcp_enable yes
jitter_buffer_delay 1-5
ctrl_tcp_listen 127.0.0.1:${control}
module_path ${MODULES}
module g711.so
module opus.so
module ausine.so
module aufile.so
module avcodec.so
module fakevideo.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
`;

/** Answers every call at once, with the first of `codecs` that the caller knows. */
export async function startBaresip(codecs: string): Promise<Baresip> {
  const folder = await mkdtemp(join(tmpdir(), "baresip-"));
  const [sip, control] = [await freePort(), await freePort()];
  await writeFile(join(folder, "config"), config(sip, control, folder));
  const account = `<sip:callee@127.0.0.1:${sip}>;regint=0;answermode=auto;audio_codecs=${codecs}\n`;
  await writeFile(join(folder, "accounts"), account);
  await writeFile(join(folder, "contacts"), "");
  // What it prints would wait for more in a pipe.
  const child = spawn("stdbuf", ["-oL", "baresip", "-f", folder, "-s", "-v"], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (bytes: Buffer) => {
      text = (text + bytes.toString()).slice(-1_000_000);
    });
  }
  await until("baresip to be ready", async () => (text.includes("is ready") ? true : undefined));
  await bound(sip);
  return {
    port: sip,
    output: () => text,
    command: (name) =>
      new Promise((resolve, reject) => {
        const body = JSON.stringify({ command: name, params: "", token: "t" });
        const socket = connect(control, "127.0.0.1", () => socket.write(`${body.length}:${body},`));
        socket.once("data", () => {
          socket.destroy();
          resolve();
        });
        socket.once("error", reject);
      }),
    async stop() {
      const exited = new Promise((resolve) => child.once("exit", resolve));
      if (child.exitCode === null) child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
