/**
 * Preloaded into Bun, so that the sources use the library of `shim.c`, also as their libc.
 * `LANDLOCK_TEST_FAULTY` is its path. `LANDLOCK_TEST_FAULT` may hold a fault as JSON.
 * `LANDLOCK_TEST_LACKING` holds masks of the rights that the kernel lacks: paths, network and
 * scopes.
 */
import { dlopen, FFIType } from "bun:ffi";

const faulty = process.env["LANDLOCK_TEST_FAULTY"]!;
const { i32, u32, u64 } = FFIType;

const { symbols } = dlopen(faulty, {
  faults_arm: { args: [i32, i32, u32, u32], returns: FFIType.void },
  faults_lack: { args: [u64, u64, u64], returns: FFIType.void },
  faults_seen: { args: [i32], returns: u32 },
});

/** Calls `first` to `last` of one system call return `result`; 0 disables the fault. */
export interface Fault {
  readonly number: number;
  readonly result: number;
  readonly first: number;
  readonly last: number;
}

/** Makes calls fail from now on. */
export function arm({ number, result, first, last }: Fault): void {
  symbols.faults_arm(number, result, first, last);
}

/** Lets all calls succeed; returns how many calls of a number followed `arm()`. */
export function disarm(number: number): number {
  const seen = symbols.faults_seen(number);
  symbols.faults_arm(0, 0, 0, 0);
  return seen;
}

/** Replaces one text in a source; the text must be there. */
function replaced(text: string, what: RegExp, by: string): string {
  if (!what.test(text)) throw new Error(`no ${what} to replace`);
  return text.replace(what, by);
}

/** Replacements by file in `src/kernel`. The library loads by path, so that faults reach it. */
const changes: Readonly<Record<string, readonly [RegExp, string]>> = {
  "image.ts": [/return resolve\(.*;/, `return ${JSON.stringify(faulty)};`],
  "native.ts": [/const opened = .*;/, `const opened = openLibrary(${JSON.stringify(faulty)});`],
  "syscalls.ts": [/"libc\.so\.6"/, JSON.stringify(faulty)],
};

Bun.plugin({
  name: "faults",
  setup(build) {
    build.onLoad({ filter: /\/src\/kernel\/(image|native|syscalls)\.ts$/ }, async ({ path }) => {
      const text = await Bun.file(path).text();
      const [what, by] = changes[path.slice(path.lastIndexOf("/") + 1)]!;
      return { contents: replaced(text, what, by), loader: "ts" };
    });
  },
});

const wanted = process.env["LANDLOCK_TEST_FAULT"];
if (wanted !== undefined) arm(JSON.parse(wanted) as Fault);

const lacking = process.env["LANDLOCK_TEST_LACKING"];
if (lacking !== undefined) {
  const [fs, net, scoped] = (JSON.parse(lacking) as number[]).map(BigInt);
  symbols.faults_lack(fs!, net!, scoped!);
}
