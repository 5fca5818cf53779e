/**
 * Builds the native library for every CPU: `bun lib/build.ts`. With `--check` it rebuilds and
 * compares byte for byte with what is checked in, and changes nothing.
 *
 * Needs Debian's `gcc` and `gcc-aarch64-linux-gnu`, on an x64 machine.
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const lib = import.meta.dir;
const sources = readdirSync(lib).filter((file) => file.endsWith(".c"));
sources.sort();

const targets = {
  "linux-x64": { compiler: "gcc", flags: [] },
  // Outlined atomics would call into libgcc.
  "linux-arm64": { compiler: "aarch64-linux-gnu-gcc", flags: ["-mno-outline-atomics"] },
};

const flags = [
  "-std=gnu11",
  "-Os",
  "-fPIC",
  "-shared",
  "-nostdlib",
  "-ffreestanding",
  // Loops must not become calls of memset and memcpy, since there is no libc.
  "-fno-builtin",
  "-fno-tree-loop-distribute-patterns",
  "-fvisibility=hidden",
  "-fno-stack-protector",
  "-fno-asynchronous-unwind-tables",
  "-fno-ident",
  "-Wall",
  "-Wextra",
  "-Werror",
  "-ffile-prefix-map=.=.",
  "-Wl,--build-id=none,-z,noseparate-code,-z,norelro,-z,now,-z,noexecstack,-z,defs,--hash-style=gnu,-s,-e,landlock_launcher",
];

interface Built {
  readonly bytes: number;
  readonly sha256: string;
  readonly compiler: string;
  readonly flags: string;
}

function run(command: string[]): string {
  const done = Bun.spawnSync(command, { cwd: lib });
  if (!done.success) {
    throw new Error(`${command.join(" ")} failed:\n${done.stderr.toString()}`);
  }
  return done.stdout.toString();
}

async function build(target: keyof typeof targets, output: string): Promise<Built> {
  const { compiler, flags: own } = targets[target];
  if (!Bun.which(compiler)) {
    throw new Error(`${compiler} is missing: apt-get install gcc gcc-aarch64-linux-gnu`);
  }
  const all = [...flags, ...own];
  run([compiler, ...all, ...sources, "-o", output]);
  const bytes = await Bun.file(output).bytes();
  return {
    bytes: bytes.length,
    sha256: new Bun.CryptoHasher("sha256").update(bytes).digest("hex"),
    compiler: run([compiler, "--version"]).split("\n")[0]!,
    flags: all.join(" "),
  };
}

const check = process.argv.includes("--check");
const scratch = mkdtempSync(join(tmpdir(), "landlock-build-"));
const manifest: Record<string, Built> = {};
let differs = false;

for (const target of Object.keys(targets) as (keyof typeof targets)[]) {
  const prebuilt = join(lib, "prebuilt", target, "liblandlock.so");
  const output = join(scratch, `${target}.so`);
  manifest[target] = await build(target, output);
  if (!check) {
    await Bun.write(prebuilt, Bun.file(output));
    console.log(`${target}: ${manifest[target].bytes} bytes, sha256 ${manifest[target].sha256}`);
  } else if (Bun.deepEquals(await Bun.file(output).bytes(), await Bun.file(prebuilt).bytes())) {
    console.log(`${target}: identical`);
  } else {
    console.error(`${target}: differs from lib/prebuilt/${target}/liblandlock.so`);
    differs = true;
  }
}
rmSync(scratch, { recursive: true });

const manifestPath = join(lib, "prebuilt", "MANIFEST.json");
if (!check) {
  await Bun.write(manifestPath, `${JSON.stringify(manifest, null, 2)}\n`);
} else if (!Bun.deepEquals(manifest, await Bun.file(manifestPath).json())) {
  console.error("MANIFEST.json does not describe this build");
  differs = true;
}
process.exit(differs ? 1 : 0);
