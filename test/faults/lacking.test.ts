/** Kernels that report an ABI but lack some of its rights, as RHEL 9 lacks the `signal` scope. */
import { expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { accessFs, accessNet, maskOf, rightsOf, scopes } from "../../src/kernel/abi.ts";
import { kernelAbi, patience, tempDir, testUnless } from "../harness.ts";
import { missingFor, program } from "../program-path.ts";

type Rights = ReturnType<typeof rightsOf>;

const root = join(import.meta.dir, "../..");
const why =
  kernelAbi < 6 ? `needs Landlock ABI 6, this kernel has ${kernelAbi}` : missingFor("faulty.so");
const none: Rights = { fs: [], net: [], scoped: [] };

let faulty: string | undefined;

/** Runs a script or a program of the sources on a kernel that lacks rights. */
async function onKernelLacking(lacking: Partial<Rights>, words: readonly string[]) {
  const { fs, net, scoped } = { ...none, ...lacking };
  const masks = [maskOf(fs, accessFs), maskOf(net, accessNet), maskOf(scoped, scopes)];
  const env = {
    ...process.env,
    LANDLOCK_TEST_FAULTY: (faulty ??= program("faulty.so")),
    LANDLOCK_TEST_LACKING: JSON.stringify(masks),
  };
  const preload = join(import.meta.dir, "preload.ts");
  const child = Bun.spawn([process.execPath, "--preload", preload, ...words], {
    stdout: "pipe",
    stderr: "pipe",
    env,
    cwd: "/",
    timeout: patience(20_000),
    killSignal: "SIGKILL",
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { stdout, stderr, exitCode: await child.exited };
}

/** Prints the result of a body as JSON; the body sees `inside`. */
async function inside(lacking: Partial<Rights>, body: string): Promise<unknown> {
  const file = join(tempDir(), "body.ts");
  writeFileSync(
    file,
    `const inside = await import(${JSON.stringify(join(root, "test/inside.ts"))});
    ${body}`,
  );
  const { stdout, stderr } = await onKernelLacking(lacking, [file]);
  if (!stdout.startsWith("{")) throw new Error(`${stdout}${stderr}`);
  return JSON.parse(stdout) as unknown;
}

const gaps: readonly [name: string, lacking: Partial<Rights>][] = [
  ["signal", { scoped: ["signal"] }],
  ["truncate and connect_tcp", { fs: ["truncate"], net: ["connect_tcp"] }],
  ["abstract_unix_socket and signal", { scoped: ["abstract_unix_socket", "signal"] }],
];

for (const [name, lacking] of gaps) {
  testUnless(
    why,
    `a kernel that refuses ${name}: probe() names it, best effort restricts all the rest`,
    async () => {
      const seen = await inside(
        lacking,
        `const { landlock, outcome, probe, thrown } = inside;
        const { readdirSync } = await import("node:fs");
        const before = outcome(() => readdirSync("/"));
        const strict = thrown(() => landlock.V6.restrict());
        const floor = thrown(() => landlock.V6.bestEffort({ atLeast: 6 }).restrict());
        const unchanged = outcome(() => readdirSync("/"));
        const report = landlock.V6.bestEffort().restrict();
        console.log(JSON.stringify({
          missing: probe().missing, before, strict, floor, unchanged,
          enforcement: report.enforcement, unenforced: report.unenforced, handled: report.handled,
          after: outcome(() => readdirSync("/")),
          connected: outcome(() => inside.call("connect", inside.call("socket", 2, 1, 0), inside.loopback(1), 16)),
          signalled: outcome(() => process.kill(process.ppid, 0)),
        }));`,
      );
      const { fs, net, scoped } = { ...none, ...lacking };
      const names = [...fs, ...net, ...scoped];
      const all = rightsOf(6);
      const error = { code: "ERR_LANDLOCK_ABI_TOO_OLD", processChanged: false };
      expect(seen).toEqual({
        missing: names,
        before: "ok",
        strict: {
          ...error,
          name: "LandlockError",
          message: `Cannot restrict ${names.join(", ")}: this kernel refuses that, although it reports Landlock ABI ${kernelAbi}; use a newer kernel, or .bestEffort() to leave it out`,
        },
        floor: {
          ...error,
          name: "LandlockError",
          message: `Landlock ABI 6 is required, but this kernel refuses ${names.join(", ")}, although it reports ABI ${kernelAbi}: use a newer kernel or a lower atLeast`,
        },
        unchanged: "ok",
        enforcement: "partial",
        unenforced: { fs, net, scoped, logging: [] },
        handled: {
          fs: all.fs.filter((right) => !fs.includes(right)),
          net: all.net.filter((right) => !net.includes(right)),
          scoped: all.scoped.filter((right) => !scoped.includes(right)),
        },
        after: "EACCES",
        connected: net.includes("connect_tcp") ? "ECONNREFUSED" : "EACCES",
        signalled: scoped.includes("signal") ? "ok" : "EPERM",
      });
    },
  );
}

testUnless(
  why,
  "a kernel that refuses signal: the command line names it, and goes on",
  async () => {
    const lacking: Partial<Rights> = { scoped: ["signal"] };
    const cli = join(root, "src/cli.ts");
    const status = await onKernelLacking(lacking, [cli, "status", "--json"]);
    const { missing, lacks, restricts } = JSON.parse(status.stdout) as {
      [key: string]: unknown;
      restricts: Rights;
    };
    expect(missing).toEqual(["signal"]);
    expect(lacks).toContain("signal");
    expect(restricts.scoped).toEqual(["abstract_unix_socket"]);
    const text = await onKernelLacking(lacking, [cli, "status"]);
    expect(text.stdout).toContain("signal (this kernel refuses it)");
    const planned = await onKernelLacking(lacking, [cli, "plan", "-ro", "/usr"]);
    expect(planned.stdout).toMatch(/^left alone: .* abstract_unix_socket$/m);
    const system = ["-ro", "/usr", "/bin", "/lib", "-scoped", "-6"];
    const command = ["--", "/bin/sh", "-c", "kill -0 $PPID && echo signalled; ls / || echo denied"];
    const ran = await onKernelLacking(lacking, [cli, ...system, "-v", ...command]);
    expect(ran).toMatchObject({ stdout: "signalled\ndenied\n", exitCode: 0 });
    expect(ran.stderr).toMatch(/unenforced: +signal\n/);
    const strict = await onKernelLacking(lacking, [cli, ...system, "-strict", ...command]);
    expect(strict).toMatchObject({ stdout: "", exitCode: 125 });
    expect(strict.stderr).toStartWith(
      "landlock-restrict: Cannot restrict signal: this kernel refuses that",
    );
  },
);

testUnless(
  why,
  "a kernel that refuses every right restricts nothing, and runs nothing",
  async () => {
    const cli = join(root, "src/cli.ts");
    const words = [cli, "-ro", "/usr", "/bin", "/lib", "--", "/bin/echo", "ran"];
    const refused = await onKernelLacking(rightsOf(11), words);
    expect(refused).toMatchObject({ stdout: "", exitCode: 125 });
    expect(refused.stderr).toBe(
      "landlock-restrict: Cannot run the command in a sandbox: this kernel can restrict nothing of what is asked; to do without a sandbox, add -allow-none\n",
    );
  },
);
