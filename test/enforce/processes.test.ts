/** What Landlock always denies, without a right for it: other processes' memory, and mounts. */
import { toArrayBuffer, type Pointer } from "bun:ffi";
import { expect } from "bun:test";
import { inSubprocess, kernelAbi, tempDir, testFromAbi, testUnless } from "../harness.ts";
import { call, outcome, systemCall } from "../inside.ts";

testFromAbi(1, "an older child cannot be debugged once this process is restricted", async () => {
  const seen = await inSubprocess({}, async ({ landlock, outcome, roDirs, rwDirs }) => {
    const { closeSync, openSync, readFileSync } = await import("node:fs");
    // Until it answers, it may still be in execve(2), where it can't be debugged.
    const start = async () => {
      const child = Bun.spawn(["cat"], { stdin: "pipe" });
      child.stdin.write("a");
      await child.stdin.flush();
      await child.stdout.getReader().read();
      return child;
    };
    // Opening it needs the same permission as attaching with ptrace(2): proc_pid_mem(5).
    const debug = (pid: number | "self") =>
      outcome(() => closeSync(openSync(`/proc/${pid}/mem`, "r+")));
    const older = await start();
    const before = debug(older.pid);
    landlock.V1.restrictPaths(roDirs("/"), rwDirs("/proc", "/dev"));
    const younger = await start();
    const status = outcome(() => readFileSync(`/proc/${older.pid}/status`));
    const after = { older: debug(older.pid), younger: debug(younger.pid), self: debug("self") };
    for (const child of [older, younger]) child.kill("SIGKILL");
    return { before, status, after };
  });
  expect(seen).toEqual({
    before: "ok",
    status: "ok",
    after: { older: "EACCES", younger: "ok", self: "ok" },
  });
});

/** A mount namespace of its own, so that nothing of this machine gets mounted over. */
const unshare = ["unshare", "--mount"];

function missingToMount(): string {
  if (kernelAbi < 1) return "needs Landlock";
  if (process.getuid?.() !== 0) return "needs root: others may not mount";
  const able = Bun.which("unshare") !== null && Bun.spawnSync([...unshare, "true"]).success;
  return able ? "" : "needs to be allowed to mount";
}

testUnless(
  missingToMount(),
  "root cannot mount once paths are restricted, whatever is granted",
  async () => {
    const folder = tempDir();
    const seen = await inSubprocess(
      { folder, unshare },
      async ({ landlock, rwDirs }, { folder, unshare }) => {
        const script = `mount -t tmpfs none ${folder} && umount ${folder}`;
        const mount = () => Bun.spawnSync([...unshare, "sh", "-c", script], { stderr: "pipe" });
        const before = mount();
        landlock.V11.bestEffort().restrictPaths(rwDirs("/"));
        const after = mount();
        const list = Bun.spawnSync(["ls", folder]).exitCode;
        return { before: `${before.stderr}`, after: `${after.stderr}`, code: after.exitCode, list };
      },
    );
    expect(seen.before).toBe("");
    expect(seen.after).toMatch(/not permitted|permission denied/i);
    expect(seen.code).not.toBe(0);
    expect(seen.list).toBe(0);
  },
);

const [IPC_PRIVATE, IPC_RMID, IPC_CREAT] = [0, 0, 0o1000];

/** One object of each kind, created outside the sandbox and used by this process. */
function shareMemory() {
  const memory = call("shmget", IPC_PRIVATE, 4096n, IPC_CREAT | 0o600);
  const semaphore = call("semget", IPC_PRIVATE, 1, IPC_CREAT | 0o600);
  const queue = call("msgget", IPC_PRIVATE, IPC_CREAT | 0o600);
  const bytes = Buffer.from(toArrayBuffer(call("shmat", memory, null, 0) as Pointer, 0, 4096));
  bytes.write("secret");
  call("msgsnd", queue, new BigUint64Array([1n, 0n]), 8n, 0);
  const remove = () => {
    call("shmctl", memory, IPC_RMID, null);
    call("semctl", semaphore, 0, IPC_RMID);
    call("msgctl", queue, IPC_RMID, null);
  };
  return { ids: { memory, semaphore, queue }, bytes, remove };
}

const posixQueue = {
  open: { x64: 240, arm64: 180 },
  unlink: { x64: 241, arm64: 181 },
  name: `bun-landlock-test-${process.pid}`,
};

testFromAbi(
  1,
  "System V memory, semaphores and messages of other processes need no rule, POSIX queues do",
  async () => {
    const { ids, bytes, remove } = shareMemory();
    try {
      const seen = await inSubprocess({ ids, posixQueue }, async (inside, { ids, posixQueue }) => {
        const { call, landlock, outcome, systemCall } = inside;
        const { toArrayBuffer } = await import("bun:ffi");
        const { open, unlink, name } = posixQueue;
        const [O_RDWR, O_CREAT] = [2, 0o100];
        const openQueue = () => outcome(() => systemCall(open, name, O_RDWR | O_CREAT, 0o600, 0));
        const before = openQueue();
        const { notCovered } = landlock.V11.bestEffort().restrict();
        const after = openQueue();
        systemCall(unlink, name);
        const address = call("shmat", ids.memory, null, 0);
        const bytes = Buffer.from(toArrayBuffer(address as never, 0, 4096));
        const read = bytes.toString("latin1", 0, 6);
        bytes.write("forged");
        const [add, message] = [new Uint16Array([0, 1, 0]), new BigUint64Array(2)];
        return {
          ...{ before, after, read, notCovered },
          semop: outcome(() => call("semop", ids.semaphore, add, 1n)),
          msgrcv: outcome(() => call("msgrcv", ids.queue, message, 8n, 0n, 0)),
        };
      });
      expect(seen).toMatchObject({ before: "ok", after: "EACCES" });
      expect(seen).toMatchObject({ read: "secret", semop: "ok", msgrcv: "ok" });
      expect(bytes.toString("latin1", 0, 6)).toBe("forged");
      expect(seen.notCovered.join("\n")).toContain("System V shared memory, semaphores");
    } finally {
      remove();
    }
  },
);

const keys = {
  add: { x64: 248, arm64: 217 },
  keyctl: { x64: 250, arm64: 219 },
  ...{ UPDATE: 2, UNLINK: 9, SEARCH: 10, READ: 11 },
  /** The key ring that all processes of a user share. */
  ring: -4,
  name: `bun-landlock-test-${process.pid}`,
};

function addKey() {
  return systemCall(keys.add, "user", keys.name, "secret", 6, keys.ring);
}

function missingForKeys(): string {
  if (kernelAbi < 1) return "needs Landlock";
  if (outcome(addKey) !== "ok") return "needs to be allowed to keep keys in the kernel";
  systemCall(keys.keyctl, keys.UNLINK, addKey(), keys.ring);
  return "";
}

testUnless(missingForKeys(), "a key of this user is read and changed without a rule", async () => {
  const key = addKey();
  try {
    const seen = await inSubprocess(keys, (inside, { keyctl, ring, name, ...operation }) => {
      const { landlock, systemCall } = inside;
      const { notCovered } = landlock.V11.bestEffort().restrict();
      const key = systemCall(keyctl, operation.SEARCH, ring, "user", name, 0);
      const bytes = Buffer.alloc(6);
      systemCall(keyctl, operation.READ, key, bytes, 6);
      systemCall(keyctl, operation.UPDATE, key, "forged", 6);
      return { read: bytes.toString(), notCovered };
    });
    const bytes = Buffer.alloc(6);
    systemCall(
      keys.keyctl,
      keys.READ,
      systemCall(keys.keyctl, keys.SEARCH, keys.ring, "user", keys.name, 0),
      bytes,
      6,
    );
    expect(seen.read).toBe("secret");
    expect(bytes.toString()).toBe("forged");
    expect(seen.notCovered.join("\n")).toContain("keyctl");
  } finally {
    systemCall(keys.keyctl, keys.UNLINK, key, keys.ring);
  }
});

testFromAbi(
  6,
  "a limit of CPU time ends an older process, though signals to it are denied",
  async () => {
    const seen = await inSubprocess({}, async (inside) => {
      const { call, landlock, outcome } = inside;
      const { getPriority } = await import("node:os");
      const [RLIMIT_CPU, SIGKILL, PRIO_PROCESS] = [0, 9, 0];
      const outside = Bun.spawn(["sh", "-c", "while :; do :; done"]);
      const before = outcome(() => call("kill", outside.pid, 0));
      const { notCovered } = landlock.V6.restrictScoped();
      const kill = outcome(() => call("kill", outside.pid, SIGKILL));
      call("setpriority", PRIO_PROCESS, outside.pid, 7);
      const priority = getPriority(outside.pid);
      call("prlimit", outside.pid, RLIMIT_CPU, new BigUint64Array([1n, 1n]), null);
      await outside.exited;
      return { before, kill, priority, ended: outside.signalCode, notCovered };
    });
    expect(seen).toMatchObject({ before: "ok", kill: "EPERM", priority: 7, ended: "SIGKILL" });
    expect(seen.notCovered.join("\n")).toContain("prlimit");
  },
);
