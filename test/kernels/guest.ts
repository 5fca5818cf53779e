/** A virtual machine, from start to end. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Finished, Message, Started } from "./guest/message.ts";
import { bundleVariables } from "./image.ts";
import type { User } from "./select.ts";
import type { Cpu, Kernel } from "./table.ts";
import { slowness } from "./userland.ts";

const megabytes = 2048;
/** A guest silent for this long hangs: longer than any test file takes. */
const silenceMs = 17 * 60_000;
/** Booting takes ten seconds, or a minute on a busy machine. */
const bootMs = 3 * 60_000;

/** The programs that start guests, and their Debian packages. */
export const emulators: Record<Cpu, Readonly<Record<string, string>>> = {
  x64: { "qemu-system-x86_64": "qemu-system-x86" },
  arm64: { "qemu-system-aarch64": "qemu-system-arm" },
};

/**
 * Emulates without KVM, because KVM guests hang on some machines. arm64 does not use `-cpu max`,
 * because under it Bun with several threads crashes in QEMU 7.2.
 */
const machines: Record<Cpu, readonly string[]> = {
  x64: ["qemu-system-x86_64", "-machine", "pc", "-cpu", "max"],
  arm64: ["qemu-system-aarch64", "-machine", "virt", "-cpu", "neoverse-n1"],
};

/** Console and results need a port each; arm64's board has only one, so the other is on PCI. */
const ports = {
  x64: { console: "ttyS0", results: "ttyS1", device: [] },
  arm64: {
    console: "ttyAMA0",
    results: "ttyS0",
    device: ["-device", "pci-serial,chardev=results"],
  },
} as const;

/** Test settings that a guest gets from this process. */
const handedOn = ["LANDLOCK_PROPERTY_SEED", "LANDLOCK_PROPERTY_OPERATIONS"];

/** What to boot. */
export interface Guest {
  readonly kernel: Kernel;
  readonly linux: string;
  readonly image: string;
  readonly users: readonly User[];
}

/** The result of a guest. */
export interface Outcome {
  readonly kernel: Kernel;
  readonly started: Started | undefined;
  readonly finished: readonly Finished[];
  /** Why it did not finish, with its last console lines; empty if it did. */
  readonly failure: string;
  readonly seconds: number;
}

/** Called with each message as it arrives. */
export type Listener = (message: Message, seconds: number) => void;

function commandLine({ kernel, linux, image, users }: Guest, folder: string): string[] {
  const { console: tty, results, device } = ports[kernel.cpu];
  const parameters = [
    `console=${tty}`,
    "panic=-1",
    "loglevel=5",
    `LANDLOCK_RESULTS=${results}`,
    `LANDLOCK_TEST_ABI=${kernel.abi}`,
    `LANDLOCK_TEST_STATE=${kernel.state}`,
    `LANDLOCK_TEST_USERS=${users.join()}`,
    `LANDLOCK_TEST_SLOWNESS=${slowness}`,
    "LANDLOCK_TEST_OWN_MACHINE=1",
    "LANDLOCK_TEST_PROGRAMS=/programs",
    ...bundleVariables,
    "LANDLOCK_CHURN_RUNS=2",
    ...handedOn.flatMap((name) => (process.env[name] ? [`${name}=${process.env[name]}`] : [])),
    kernel.parameters ?? "",
  ];
  return [
    // The emulator must end with this program, however that ends.
    ...["setpriv", "--pdeathsig", "KILL"],
    ...machines[kernel.cpu],
    ...["-accel", "tcg,thread=multi", "-smp", "2", "-m", `${megabytes}M`],
    ...["-display", "none", "-nic", "none", "-no-reboot", "-monitor", "none"],
    ...["-chardev", `file,id=console,path=${join(folder, "console.log")}`],
    ...["-chardev", `file,id=results,path=${join(folder, "results.jsonl")}`],
    ...["-serial", "chardev:console"],
    ...(device.length > 0 ? device : ["-serial", "chardev:results"]),
    ...["-kernel", linux, "-initrd", image, "-append", parameters.join(" ")],
  ];
}

/**
 * Boots a kernel and waits until its tests are done.
 *
 * @param folder The folder for console and results
 */
export async function runGuest(guest: Guest, folder: string, listener: Listener): Promise<Outcome> {
  const begun = performance.now();
  const seconds = () => (performance.now() - begun) / 1000;
  for (const name of ["console.log", "results.jsonl"]) rmSync(join(folder, name), { force: true });
  await using emulator = Bun.spawn(commandLine(guest, folder), {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const messages: Message[] = [];
  let read = 0;
  let heard = performance.now();
  let failure = "";
  for (let running = true; running && failure === "";) {
    running = await Promise.race([
      emulator.exited.then(() => false),
      Bun.sleep(500).then(() => true),
    ]);
    const results = Bun.file(join(folder, "results.jsonl"));
    const text = (await results.exists()) ? await results.text() : "";
    const lines = text
      .slice(0, text.lastIndexOf("\n") + 1)
      .split("\n")
      .slice(0, -1);
    for (const line of lines.slice(read)) {
      try {
        messages.push(JSON.parse(line) as Message);
      } catch {
        failure = `a message came in pieces: ${line.slice(0, 200)}`;
        break;
      }
      listener(messages.at(-1)!, seconds());
      heard = performance.now();
    }
    read = lines.length;
    const patienceMs = messages.length === 0 ? bootMs : silenceMs;
    if (performance.now() - heard > patienceMs) {
      failure = `silent for ${patienceMs / 60_000} minutes`;
    }
  }
  emulator.kill("SIGKILL");
  await emulator.exited;
  if (failure === "" && messages.at(-1)?.kind !== "ended") {
    failure = `it ended before its tests did\n${await emulator.stderr.text()}`;
  }
  const log = Bun.file(join(folder, "console.log"));
  const last = (await log.exists()) ? (await log.text()).trimEnd().split(/\r?\n/).slice(-25) : [];
  return {
    kernel: guest.kernel,
    started: messages.find((message) => message.kind === "started"),
    finished: messages.filter((message) => message.kind === "finished"),
    failure: failure && [failure.trimEnd(), ...last].join("\n  "),
    seconds: seconds(),
  };
}
