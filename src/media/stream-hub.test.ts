import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  deltaPicture,
  keyPicture,
  opusFrame,
  picture,
  SPS_1080,
} from "../../test/support/pictures.ts";
import { always } from "../../test/support/properties.ts";
import { aacForm, passedForm } from "../../test/support/sound-forms.ts";
import { micros } from "../base/time.ts";
import type { VideoTag } from "../protocol/flv/tag.ts";
import { slotAt } from "./audio-grid.ts";
import type { AudioSlot } from "./audio-line.ts";
import type { AudioFrame } from "./frame.ts";
import type { SoundForm } from "./sound-form.ts";
import type { EncodedSink } from "./sound-row.ts";
import { type HubSubscriber, StreamHub } from "./stream-hub.ts";

const ms = (n: number) => micros(n * 1000);
const AAC = aacForm(2);
const G711 = passedForm("pcma");

/** What one destination got, as text: role and time of pictures, `live` or `silent` of slots. */
class Listener implements HubSubscriber {
  readonly got: string[] = [];
  readonly slots: AudioSlot[] = [];
  wantsLiveAudio = true;
  awaitsFirstPicture = true;
  holdsPictures = true;
  readonly soundForm: SoundForm;

  constructor(soundForm = AAC) {
    this.soundForm = soundForm;
  }

  onVideo(tag: VideoTag): void {
    this.got.push(`${tag.role}@${tag.pts / 1000}`);
    if (tag.role === "key") this.awaitsFirstPicture = false;
  }

  /** A replay may bring slots again that went out before; a destination sends them once. */
  onAudio(slot: AudioSlot): void {
    if (slot.slot > (this.slots.at(-1)?.slot ?? -1)) this.slots.push(slot);
  }
}

function openHub() {
  const calls = { keyframes: 0, opened: 0, closed: 0 };
  const encoded: AudioFrame[] = [];
  const sinks = new Map<SoundForm, EncodedSink>();
  const hub = new StreamHub(
    {
      ring: { maxBytes: 1 << 20, maxDuration: ms(10_000) },
      line: { patience: ms(100), idleDelay: ms(20), history: 200 },
      freshGroup: ms(500),
      keyframePatience: ms(200),
      keyframeInterval: ms(2000),
      encoderGrace: ms(500),
    },
    {
      requestKeyframe: () => {
        calls.keyframes += 1;
      },
      openAudio: (form, sink) => {
        calls.opened += 1;
        sinks.set(form, sink);
        return {
          write: (frame) => {
            encoded.push(frame);
          },
          close: () => {
            calls.closed += 1;
          },
        };
      },
    },
  );
  return { hub, calls, encoded, sinks };
}

/** Keeps every picture, with a copy of what it was; `holdsPictures` says how many of the last groups it still needs. */
class Keeper extends Listener {
  override holdsPictures = false;
  readonly kept: { readonly body: Uint8Array; readonly copy: Uint8Array }[] = [];

  override onVideo(tag: VideoTag): void {
    super.onVideo(tag);
    if (tag.role !== "config") this.kept.push({ body: tag.body, copy: tag.body.slice() });
  }

  /** Pictures whose bytes are no longer what they were. */
  get changed(): number {
    return this.kept.filter(({ body, copy }) => !body.every((byte, at) => byte === copy[at]))
      .length;
  }
}

/** Groups of 30 pictures of 10 KB, from `from` milliseconds on. */
function playGroups(hub: StreamHub, from: number, groups: number): void {
  for (let i = 0; i < groups * 30; i += 1) {
    const at = from + i * 33;
    hub.onFrame(
      i % 30 === 0 ? keyPicture(at) : picture(at, new Uint8Array(10_000).fill(i).fill(0x41, 0, 1)),
    );
  }
}

test("memory of pictures is used again once nobody has them, but never that of the current group", () => {
  const { hub } = openHub();
  const keeper = new Keeper();
  hub.join(keeper, ms(0));
  playGroups(hub, 0, 4);
  assert.ok(keeper.changed > 0);
  const group = new Set(hub.group.map(({ body }) => body));
  const current = keeper.kept.filter(({ body }) => group.has(body));
  assert.equal(current.length, 30);
  assert.ok(current.every(({ body, copy }) => body.every((byte, at) => byte === copy[at])));
});

test("pictures keep their bytes while a destination has them, and for good when it left with them", () => {
  const { hub } = openHub();
  const slow = new Keeper();
  slow.holdsPictures = true;
  hub.join(slow, ms(0));
  playGroups(hub, 0, 4);
  assert.equal(slow.changed, 0);
  hub.leave(slow, ms(4000));
  const other = new Keeper();
  hub.join(other, ms(4000));
  playGroups(hub, 4000, 6);
  assert.equal(slow.changed, 0);
  assert.ok(other.changed > 0);
});

test("a group of pictures that is fresh starts a destination at once", () => {
  const { hub, calls } = openHub();
  hub.onFrame(keyPicture(1000));
  hub.onFrame(deltaPicture(1033));
  const listener = new Listener();
  hub.join(listener, ms(1100));
  assert.deepEqual(listener.got, ["config@1000", "key@1000", "delta@1033"]);
  assert.equal(calls.keyframes, 0);
  hub.onFrame(deltaPicture(1066));
  assert.equal(listener.got.at(-1), "delta@1066");
});

test("an older group makes the hub ask for a keyframe; the configuration is there when it comes", () => {
  const { hub, calls } = openHub();
  hub.onFrame(keyPicture(0));
  hub.onFrame(deltaPicture(1000));
  const listener = new Listener();
  hub.join(listener, ms(1010));
  assert.equal(calls.keyframes, 1);
  hub.onFrame(deltaPicture(1033));
  hub.onFrame(keyPicture(1066));
  const pictures = listener.got.filter((what) => !what.startsWith("delta"));
  assert.deepEqual(pictures, ["config@0", "key@1066"]);
});

test("when no keyframe comes in time, the older group is used", () => {
  const { hub } = openHub();
  hub.onFrame(keyPicture(0));
  hub.onFrame(deltaPicture(1000));
  const listener = new Listener();
  hub.join(listener, ms(1010));
  hub.tick(ms(1209));
  assert.ok(!listener.got.includes("key@0"));
  hub.tick(ms(1210));
  assert.deepEqual(listener.got.slice(-2), ["key@0", "delta@1000"]);
  assert.equal(listener.got[0], "config@0");
  hub.tick(ms(1300));
  assert.equal(listener.got.filter((what) => what === "key@0").length, 1);
});

test("a destination that joins an empty hub gets the first picture with its configuration", () => {
  const { hub, calls } = openHub();
  const listener = new Listener();
  hub.join(listener, ms(0));
  assert.equal(calls.keyframes, 1);
  hub.onFrame(keyPicture(10));
  hub.onFrame(keyPicture(20, SPS_1080));
  assert.deepEqual(listener.got, ["config@10", "key@10", "config@20", "key@20"]);
  assert.deepEqual([hub.videoFormat?.width, hub.hasVideo], [1920, true]);
});

test("all destinations get the same tags, and one that left gets none", () => {
  const { hub } = openHub();
  const tags: VideoTag[][] = [[], []];
  const listeners = tags.map((list) => {
    const listener = new Listener();
    listener.onVideo = (tag) => {
      list.push(tag);
    };
    hub.join(listener, ms(0));
    return listener;
  });
  assert.equal(hub.subscribers, 2);
  hub.onFrame(keyPicture(10));
  assert.ok(tags[0]?.every((tag, i) => tag === tags[1]?.[i]));
  hub.leave(listeners[0] as Listener, ms(11));
  hub.onFrame(deltaPicture(20));
  assert.deepEqual([tags[0]?.length, tags[1]?.length], [2, 3]);
});

test("keyframes are asked for at the interval while somebody listens, and not otherwise", () => {
  const { hub, calls } = openHub();
  hub.onFrame(keyPicture(0));
  hub.tick(ms(5000));
  assert.equal(calls.keyframes, 0);
  const listener = new Listener();
  hub.join(listener, ms(100));
  hub.tick(ms(1999));
  assert.equal(calls.keyframes, 0);
  hub.tick(ms(2000));
  assert.equal(calls.keyframes, 1);
  hub.onFrame(keyPicture(2001));
  hub.tick(ms(2100));
  assert.equal(calls.keyframes, 1);
});

test("audio is encoded while it can be heard, from what was heard lately on", () => {
  const { hub, calls, encoded } = openHub();
  for (let at = 0; at < 1000; at += 20) hub.onFrame(opusFrame(at));
  assert.deepEqual([calls.opened, hub.audioChannels], [0, 2]);
  const listener = new Listener();
  hub.join(listener, ms(1000));
  assert.equal(calls.opened, 1);
  // Only what lies on the line that begins now.
  assert.ok(encoded.every(({ pts, duration }) => pts + duration >= ms(1000) - 21_334));
  hub.onFrame(opusFrame(1000));
  assert.equal(encoded.at(-1)?.pts, ms(1000));
  listener.wantsLiveAudio = false;
  hub.updateAudio(ms(1010));
  hub.updateAudio(ms(1010));
  assert.equal(calls.closed, 1);
  listener.wantsLiveAudio = true;
  hub.updateAudio(ms(1020));
  assert.equal(calls.opened, 2);
  hub.leave(listener, ms(1030));
  assert.equal(calls.closed, 2);
});

test("two forms of the same sound are two rows, each encoded while it can be heard, each on its grid", () => {
  const { hub, calls, sinks } = openHub();
  const [wide, narrow] = [new Listener(), new Listener(G711)];
  for (const listener of [wide, narrow]) hub.join(listener, ms(0));
  hub.onFrame(opusFrame(0));
  assert.equal(calls.opened, 2);
  const body = (n: number): Uint8Array => Uint8Array.of(n);
  for (const n of [0, 1, 2]) sinks.get(AAC)?.(n, body(n));
  for (const n of [0, 1, 2]) sinks.get(G711)?.(n, body(10 + n));
  hub.tick(ms(70));
  const heard = ({ slots }: Listener) => slots.map(({ pts, live }) => [pts / 1000, live?.[0]]);
  assert.deepEqual(heard(narrow), [
    [0, 10],
    [20, 11],
    [40, 12],
  ]);
  assert.deepEqual(
    heard(wide).map(([at, n]) => [Math.floor(at ?? -1), n]),
    [
      [0, 0],
      [21, 1],
      [42, 2],
    ],
  );
  narrow.wantsLiveAudio = false;
  hub.updateAudio(ms(80));
  assert.deepEqual([calls.opened, calls.closed], [2, 1]);
  hub.leave(narrow, ms(90));
  assert.equal(calls.closed, 1, "the other goes on");
});

test("a frame of sound goes on when it comes; one that is missing is silent as soon as the next is there", () => {
  const { hub, sinks } = openHub();
  const listener = new Listener();
  hub.join(listener, ms(0));
  hub.onFrame(opusFrame(0));
  const heard = () => listener.slots.map(({ live }) => live?.[0]);
  sinks.get(AAC)?.(0, Uint8Array.of(10));
  assert.deepEqual(heard(), [10]);
  sinks.get(AAC)?.(2, Uint8Array.of(12));
  assert.deepEqual(heard(), [10, undefined, 12]);
});

/** Plays sound from 0 to 3 s to `listener`, with a keyframe at 0 and at 2 s. */
function playThreeSeconds(hub: StreamHub, listener: Listener): void {
  hub.onFrame(keyPicture(0));
  hub.join(listener, ms(0));
  for (let at = 0; at < 3000; at += 20) {
    if (at === 2000) hub.onFrame(keyPicture(at));
    hub.onFrame(opusFrame(at));
    hub.tick(ms(at));
  }
}

test("sound is kept from the current group on, because nobody can join before it", () => {
  const { hub, calls, encoded } = openHub();
  const listener = new Listener();
  listener.wantsLiveAudio = false;
  playThreeSeconds(hub, listener);
  const kept = hub.soundSince(listener, ms(0));
  assert.ok(kept.length > 0 && kept.every(({ pts }) => pts >= ms(1960)), `${kept[0]?.pts}`);
  assert.deepEqual(kept, listener.slots.slice(-kept.length));
  const late = new Listener(G711);
  hub.listen(late, ms(0), ms(3000));
  assert.deepEqual([calls.opened, encoded[0]?.pts], [1, ms(1000)]);
});

test("sound is kept for longer while somebody makes groups of its own out of the pictures", () => {
  const { hub, encoded } = openHub();
  hub.watch({ holdsPictures: true, onVideo: () => undefined });
  const listener = new Listener();
  listener.wantsLiveAudio = false;
  playThreeSeconds(hub, listener);
  assert.deepEqual(hub.soundSince(listener, ms(0)), listener.slots);
  hub.listen(new Listener(G711), ms(0), ms(3000));
  assert.equal(encoded[0]?.pts, ms(0));
});

test("a closed hub sends nothing and holds nothing", () => {
  const { hub, calls } = openHub();
  const listener = new Listener();
  hub.join(listener, ms(0));
  hub.onFrame(opusFrame(0));
  hub.close();
  hub.onFrame(keyPicture(10));
  hub.tick(ms(5000));
  assert.deepEqual([listener.got, listener.slots.length, hub.subscribers], [[], 0, 0]);
  assert.equal(calls.closed, 1);
});

type Event = "key" | "delta" | "audio" | "join" | "leave" | "tick" | "encoded";

test("in any order of events: slots without gap or repetition, pictures from a key on, times in order", () => {
  const kinds: Event[] = [
    "key",
    "delta",
    "delta",
    "audio",
    "audio",
    "join",
    "leave",
    "tick",
    "encoded",
  ];
  const events = fc.array(fc.tuple(fc.constantFrom(...kinds), fc.nat(60)), { maxLength: 80 });
  always(
    events,
    (list) => {
      const { hub, sinks } = openHub();
      const all: Listener[] = [];
      let here: Listener | undefined;
      let now = 0;
      for (const [kind, wait] of list) {
        now += wait;
        if (kind === "key") hub.onFrame(keyPicture(now));
        else if (kind === "delta") hub.onFrame(deltaPicture(now));
        else if (kind === "audio") hub.onFrame(opusFrame(now));
        else if (kind === "tick") hub.tick(ms(now));
        else if (kind === "encoded")
          sinks.get(AAC)?.(slotAt(AAC.grid, ms(now)), Uint8Array.of(0xaf));
        else if (kind === "join" && here === undefined) {
          here = new Listener();
          all.push(here);
          hub.join(here, ms(now));
        } else if (kind === "leave" && here !== undefined) {
          hub.leave(here, ms(now));
          here = undefined;
        }
      }
      for (const { got, slots } of all) {
        const numbers = slots.map(({ slot }) => slot);
        assert.deepEqual(
          numbers,
          numbers.map((_, i) => (numbers[0] ?? 0) + i),
        );
        const key = got.findIndex((what) => what.startsWith("key"));
        assert.ok(key < 0 || got.slice(0, key).some((what) => what.startsWith("config")));
        const times = got.slice(Math.max(0, key)).filter((what) => !what.startsWith("config"));
        const values = times.map((what) => Number(what.split("@")[1]));
        assert.deepEqual(
          values,
          values.toSorted((a, b) => a - b),
        );
      }
    },
    2000,
  );
});
