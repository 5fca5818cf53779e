/**
 * Each thing that `notCovered` names gets past Landlock on this kernel; its counterpart does not.
 */
import { expect } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nativePath } from "../../src/kernel/image.ts";
import { inSubprocess, kernelAbi, tempDir, testFromAbi } from "../harness.ts";

/** From `linux/socket.h` and `linux/in.h`. */
const MSG_FASTOPEN = 0x20000000;
const IPPROTO_MPTCP = 262;

testFromAbi(
  4,
  "without a rule for its port, TCP Fast Open connects, and connect() does not",
  async () => {
    const seen = await inSubprocess({ MSG_FASTOPEN }, async (inside, { MSG_FASTOPEN }) => {
      const { call, landlock, loopback, outcome } = inside;
      const ports: number[] = [];
      for (const hostname of ["127.0.0.1", "::1"]) {
        try {
          ports.push(Bun.listen({ hostname, port: 0, socket: { data() {} } }).port);
        } catch {
          // The machine has no IPv6.
          ports.push(0);
        }
      }
      const attempt = (family: 4 | 6) => {
        const port = ports[family === 4 ? 0 : 1]!;
        if (port === 0) return { connect: "no IPv6", fastOpen: "no IPv6" };
        const address = loopback(port, family);
        const socket = () => call("socket", family === 4 ? 2 : 10, 1, 0);
        return {
          connect: outcome(() => call("connect", socket(), address, address.length)),
          fastOpen: outcome(() =>
            call("sendto", socket(), "x", 1n, MSG_FASTOPEN, address, address.length),
          ),
        };
      };
      const before = [attempt(4), attempt(6)];
      const { notCovered } = landlock.V4.restrictNet();
      return { before, after: [attempt(4), attempt(6)], notCovered };
    });
    const named = seen.notCovered.filter((what) => what.startsWith("TCP Fast Open"));
    expect(named).toHaveLength(kernelAbi < 10 ? 1 : 0);
    for (const [i, { connect, fastOpen }] of seen.after.entries()) {
      const before = seen.before[i]!;
      if (before.connect === "no IPv6") continue;
      expect(before).toEqual({ connect: "ok", fastOpen: "ok" });
      expect(connect).toBe("EACCES");
      // Kernels before 7.2 may have the fix, so the text says "unless".
      expect(kernelAbi < 10 ? ["ok", "EACCES"] : ["EACCES"]).toContain(fastOpen);
    }
  },
);

testFromAbi(
  4,
  "without a rule for a port, listen() without bind() listens, and bind() fails",
  async () => {
    const seen = await inSubprocess({}, (inside) => {
      const { call, landlock, loopback, outcome } = inside;
      const attempt = () => {
        const fd = call("socket", 2, 1, 0);
        const listening = outcome(() => call("listen", fd, 1));
        const address = new Uint8Array(16);
        call("getsockname", fd, address, new Uint32Array([16]));
        return {
          bind: outcome(() => call("bind", call("socket", 2, 1, 0), loopback(0), 16)),
          listening,
          hasPort: new DataView(address.buffer).getUint16(2) > 0,
        };
      };
      const before = attempt();
      const { notCovered } = landlock.V4.restrictNet();
      return { before, after: attempt(), notCovered };
    });
    expect(seen.before).toEqual({ bind: "ok", listening: "ok", hasPort: true });
    expect(seen.after).toEqual({ bind: "EACCES", listening: "ok", hasPort: true });
    expect(seen.notCovered.join("\n")).toContain("listen without bind");
  },
);

testFromAbi(
  4,
  "Multipath TCP is bound and connected without a rule, where the kernel has it",
  async () => {
    const seen = await inSubprocess({ IPPROTO_MPTCP }, (inside, { IPPROTO_MPTCP }) => {
      const { call, landlock, loopback, outcome } = inside;
      const { port } = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
      const attempt = (protocol: number) => {
        const socket = () => call("socket", 2, 1, protocol);
        return {
          bind: outcome(() => call("bind", socket(), loopback(0), 16)),
          connect: outcome(() => call("connect", socket(), loopback(port), 16)),
        };
      };
      const before = { tcp: attempt(0), mptcp: attempt(IPPROTO_MPTCP) };
      const { notCovered } = landlock.V4.restrictNet();
      const after = { tcp: attempt(0), mptcp: attempt(IPPROTO_MPTCP) };
      return { before, after, notCovered, fixed: (inside.probe().errata & 1) !== 0 };
    });
    const both = (outcome: string) => ({ bind: outcome, connect: outcome });
    expect(seen.before.tcp).toEqual(both("ok"));
    expect(seen.after.tcp).toEqual(both("EACCES"));
    // Before the fix of erratum 1, port rules restricted it too.
    if (seen.fixed) expect(seen.after.mptcp).toEqual(seen.before.mptcp);
    expect(seen.notCovered.join("\n")).toContain("Multipath TCP");
  },
);

testFromAbi(
  1,
  "a file in memory is written and executed without a rule, one on disk is not",
  async () => {
    const folder = tempDir();
    const program = nativePath();
    const seen = await inSubprocess({ folder, program }, async (inside, args) => {
      const { call, landlock, outcome } = inside;
      const { chmodSync, copyFileSync, readFileSync, writeFileSync, writeSync } =
        await import("node:fs");
      const bytes = readFileSync(args.program);
      const onDisk = `${args.folder}/program`;
      copyFileSync(args.program, onDisk);
      chmodSync(onDisk, 0o755);
      const start = (path: string) =>
        outcome(() => Bun.spawnSync([path], { stdio: ["inherit", "inherit", "inherit"] }));
      const inMemory = () => {
        const fd = call("memfd_create", "program", 0);
        return {
          write: outcome(() => writeSync(fd, bytes)),
          execute: start(`/proc/${process.pid}/fd/${fd}`),
        };
      };
      const attempt = () => ({
        disk: {
          write: outcome(() => writeFileSync(`${args.folder}/new`, "x")),
          execute: start(onDisk),
        },
        memory: inMemory(),
      });
      const before = attempt();
      const { notCovered } = landlock.V1.restrictPaths();
      return { before, after: attempt(), notCovered };
    });
    const works = { write: "ok", execute: "ok" };
    expect(seen.before).toEqual({ disk: works, memory: works });
    expect(seen.after).toEqual({ disk: { write: "EACCES", execute: "EACCES" }, memory: works });
    expect(seen.notCovered.join("\n")).toContain("memfds");
  },
);

testFromAbi(1, "inotify tells the names in a directory that cannot be listed", async () => {
  const folder = tempDir();
  const denied = join(folder, "denied");
  mkdirSync(denied);
  const seen = await inSubprocess({ denied }, async (inside, { denied }) => {
    const { landlock, outcome } = inside;
    const { readdirSync, watch } = await import("node:fs");
    const list = () => outcome(() => readdirSync(denied));
    // Runs outside the sandbox, once it is told.
    const writer = Bun.spawn(["sh", "-c", 'read -r _; : >"$0/secret-name"', denied], {
      stdin: "pipe",
    });
    const before = list();
    const { notCovered } = landlock.V1.restrictPaths();
    const told = new Promise<string | null>((done) => {
      const watcher = watch(denied, (_, name) => (watcher.close(), done(name)));
    });
    writer.stdin.write("\n");
    writer.stdin.end();
    return { before, after: list(), told: await told, notCovered };
  });
  expect(seen).toMatchObject({ before: "ok", after: "EACCES", told: "secret-name" });
  expect(seen.notCovered.join("\n")).toContain("inotify");
});

testFromAbi(1, "fanotify tells the names in a directory that cannot be listed", async () => {
  const denied = tempDir();
  const seen = await inSubprocess({ denied }, async (inside, { denied }) => {
    const { call, landlock, outcome } = inside;
    const { constants, openSync, readdirSync, readSync } = await import("node:fs");
    const [FAN_REPORT_DFID_NAME, FAN_NONBLOCK, FAN_MARK_ADD, FAN_CREATE] = [0xc00, 2, 1, 0x100n];
    const list = () => outcome(() => readdirSync(denied));
    const watch = () => {
      const fd = call("fanotify_init", FAN_REPORT_DFID_NAME | FAN_NONBLOCK, constants.O_RDONLY);
      call("fanotify_mark", fd, FAN_MARK_ADD, FAN_CREATE, -100, denied);
      return fd;
    };
    // Runs outside the sandbox, once it is told.
    const writer = Bun.spawn(["sh", "-c", 'read -r _; : >"$0/secret-name"', denied], {
      stdin: "pipe",
    });
    const before = [outcome(watch), list()];
    const { notCovered } = landlock.V1.restrictPaths();
    const after = [outcome(watch), list()];
    const fd = after[0] === "ok" ? watch() : openSync("/dev/null", "r");
    writer.stdin.write("\n");
    writer.stdin.end();
    await writer.exited;
    const event = Buffer.alloc(4096);
    const told = outcome(() => readSync(fd, event));
    return { before, after, told, event: event.toString("latin1"), notCovered };
  });
  // Older and container kernels offer none to users, or none on this file system.
  const [watched] = seen.before;
  expect(seen.before).toEqual([watched!, "ok"]);
  expect(seen.after).toEqual([watched!, "EACCES"]);
  if (watched === "ok") expect(seen.event).toContain("secret-name");
  expect(seen.notCovered.join("\n")).toContain("fanotify");
});

testFromAbi(
  1,
  "stat, readlink, chmod, utime, access and chdir need no rule, open does",
  async () => {
    const folder = tempDir();
    writeFileSync(join(folder, "file"), "text");
    symlinkSync("secret", join(folder, "link"));
    const seen = await inSubprocess({ folder }, async (inside, { folder }) => {
      const { landlock, outcome } = inside;
      const { accessSync, chmodSync, readFileSync, readlinkSync, statSync, utimesSync } =
        await import("node:fs");
      const file = `${folder}/file`;
      const attempt = () => ({
        open: outcome(() => readFileSync(file)),
        stat: outcome(() => statSync(file)),
        readlink: readlinkSync(`${folder}/link`),
        chmod: outcome(() => chmodSync(file, 0o640)),
        utime: outcome(() => utimesSync(file, 1, 2)),
        access: outcome(() => accessSync(file)),
        chdir: outcome(() => process.chdir(folder)),
      });
      const before = attempt();
      const { notCovered } = landlock.V11.bestEffort().restrict();
      return { before, after: attempt(), notCovered };
    });
    const calls = { stat: "ok", chmod: "ok", utime: "ok", access: "ok", chdir: "ok" };
    expect(seen.before).toEqual({ ...calls, open: "ok", readlink: "secret" });
    expect(seen.after).toEqual({ ...calls, open: "EACCES", readlink: "secret" });
    expect(seen.notCovered.join("\n")).toContain("readlink");
  },
);

testFromAbi(1, "a file that may only be read is locked against others", async () => {
  const file = join(tempDir(), "file");
  writeFileSync(file, "text");
  const seen = await inSubprocess({ file }, async (inside, { file }) => {
    const { call, landlock, outcome, roFiles } = inside;
    const { constants, openSync, writeFileSync } = await import("node:fs");
    const LOCK_EX_NB = 6;
    const write = () => outcome(() => writeFileSync(file, "text"));
    const before = write();
    const outside = openSync(file, "r");
    const { notCovered } = landlock.V1.restrictPaths(roFiles(file));
    const locked = outcome(() => call("flock", openSync(file, constants.O_RDONLY), LOCK_EX_NB));
    const other = outcome(() => call("flock", outside, LOCK_EX_NB));
    return { before, after: write(), locked, other, notCovered };
  });
  expect(seen).toMatchObject({ before: "ok", after: "EACCES", locked: "ok", other: "EAGAIN" });
  expect(seen.notCovered.join("\n")).toContain("file locks");
});

testFromAbi(1, "sockets of the kernel need no rule, where the kernel has them", async () => {
  const seen = await inSubprocess({}, async (inside) => {
    const { call, landlock, outcome } = inside;
    const { networkInterfaces } = await import("node:os");
    const families = { netlink: 16, AF_ALG: 38, vsock: 40 };
    const attempt = () =>
      Object.values(families).map((family) => outcome(() => call("socket", family, 5, 0)));
    const before = attempt();
    const { notCovered } = landlock.V11.bestEffort().restrict();
    // Uses a netlink socket.
    return { before, after: attempt(), interfaces: Object.keys(networkInterfaces()), notCovered };
  });
  expect(seen.after).toEqual(seen.before);
  expect(seen.interfaces).not.toEqual([]);
  for (const family of ["netlink", "vsock", "AF_ALG"]) {
    expect(seen.notCovered.join("\n")).toContain(family);
  }
});

testFromAbi(4, "a rule for a port grants that port on every address", async () => {
  const seen = await inSubprocess({}, (inside) => {
    const { call, connectTcp, landlock, loopback, outcome } = inside;
    const { port } = Bun.listen({ hostname: "0.0.0.0", port: 0, socket: { data() {} } });
    const { notCovered } = landlock.V4.restrictNet(connectTcp(port));
    const attempt = (last: number, port: number) => {
      const address = loopback(port);
      address[7] = last;
      return outcome(() => call("connect", call("socket", 2, 1, 0), address, 16));
    };
    return {
      there: attempt(1, port),
      elsewhere: attempt(2, port),
      other: attempt(1, 1),
      notCovered,
    };
  });
  expect(seen).toMatchObject({ there: "ok", elsewhere: "ok", other: "EACCES" });
  expect(seen.notCovered.join("\n")).toContain("any host");
});
