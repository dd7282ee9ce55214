import assert from "node:assert/strict";
import { test } from "node:test";
import { micros } from "../base/time.ts";
import { CpuLoad } from "./cpu-load.ts";
import { type CpuTimes, cpuQuota, machineCpu } from "./cpu-times.ts";
import { RunQueue } from "./run-queue.ts";

const kernel = (files: Readonly<Record<string, string>>) => (path: string) => files[path];

test("the quota of a container is read where cgroup v2 shows it", () => {
  const quota = cpuQuota(
    kernel({
      "/proc/self/cgroup": "0::/\n",
      "/sys/fs/cgroup/cpu.max": "150000 100000\n",
      "/sys/fs/cgroup/cpu.stat": "usage_usec 2500000\nuser_usec 1\n",
    }),
  );
  assert.deepEqual([quota?.cores, quota?.used()], [1.5, 2.5]);
});

test("of the groups of a service the tightest counts, its own or one above", () => {
  const quota = cpuQuota(
    kernel({
      "/proc/self/cgroup": "0::/system.slice/transponder.service\n",
      "/sys/fs/cgroup/system.slice/cpu.max": "100000 100000",
      "/sys/fs/cgroup/system.slice/cpu.stat": "usage_usec 7000000",
      "/sys/fs/cgroup/system.slice/transponder.service/cpu.max": "max 100000",
    }),
  );
  assert.deepEqual([quota?.cores, quota?.used()], [1, 7]);
});

test("the quota of the first version of control groups is read too", () => {
  const quota = cpuQuota(
    kernel({
      "/proc/self/cgroup": "4:memory:/m\n2:cpu,cpuacct:/docker/abc\n0::/\n",
      "/sys/fs/cgroup/cpu/docker/abc/cpu.cfs_quota_us": "-1",
      "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000",
      "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
      "/sys/fs/cgroup/cpuacct/cpuacct.usage": "3000000000",
    }),
  );
  assert.deepEqual([quota?.cores, quota?.used()], [0.5, 3]);
});

for (const [what, files] of [
  ["there are no control groups", {}],
  ["no group has a quota", { "/proc/self/cgroup": "0::/", "/sys/fs/cgroup/cpu.max": "max 100000" }],
  ["the kernel says nonsense", { "/proc/self/cgroup": "0::/", "/sys/fs/cgroup/cpu.max": "x" }],
] as const) {
  test(`without limit when ${what}`, () => assert.equal(cpuQuota(kernel(files)), undefined));
}

test("the machine itself says what it has and has done", () => {
  const [host] = machineCpu();
  assert.ok(host !== undefined && host.cores >= 1 && host.total >= host.busy && host.busy > 0);
});

test("the load is that of whatever limits most", () => {
  let times: readonly CpuTimes[] = [];
  const load = new CpuLoad(() => times);
  for (let second = 0; second <= 10; second += 1) {
    times = [
      { busy: 2 * second, total: 8 * second, cores: 8 },
      { busy: 0.9 * second, total: second, cores: 1 },
    ];
    load.sample(micros(second * 1_000_000));
  }
  assert.equal(load.load.cores, 1);
  assert.ok(Math.abs(load.load.busy - 0.9) < 1e-9);
});

test("what was long ago does not count, and nothing is known at the start", () => {
  let busy = 0;
  let now = 0;
  const load = new CpuLoad(() => [{ busy, total: 2 * now, cores: 2 }]);
  assert.deepEqual(load.load, { busy: 0, cores: 1 });
  for (const used of [2, 2, 2, 2, 0, 0, 0, 0]) {
    now += 1;
    busy += used;
    load.sample(micros(now * 1_000_000));
  }
  assert.deepEqual(load.load, { busy: 0, cores: 2 });
});

test("a process that does not run waits for nothing, and one that is not there neither", () => {
  assert.equal(new RunQueue(2 ** 22 + 1).waited(), 0);
  assert.ok(new RunQueue(process.pid).waited() >= 0);
});
