/** Errors of execve(2) in words, the same for `spawn()` and for the command line. */
import { expect } from "bun:test";
import {
  chmodSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { landlock, LandlockError, roDirs } from "../../src/index.ts";
import { cli, kernelAbi, run, tempDir, testUnless } from "../harness.ts";

const folder = tempDir();

function file(name: string, content: string, mode = 0o755): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

mkdirSync(join(folder, "directory"));
symlinkSync("loop", join(folder, "loop"));
const busy = file("busy", "#!/bin/sh\n");
const elf = (machine: number) =>
  `\x7fELF\x02\x01\x01${"\0".repeat(9)}\x03\0${String.fromCharCode(machine)}\0${"\0".repeat(44)}`;

const grants = {
  method: 'as with presets.executable("/bin/true")',
  option: "as with -ro /usr",
};

/** Program, errno, exit status of the command line, and the fix. */
const cases: readonly [
  program: string,
  errno: string,
  status: number,
  fix: string | typeof grants,
][] = [
  [file("no-line", "echo a\n"), "ENOEXEC", 126, "begin it with a line such as #!/bin/sh"],
  [file("empty", ""), "ENOEXEC", 126, "begin it with a line such as #!/bin/sh"],
  [file("half-line", "#!\n"), "ENOEXEC", 126, "its #! line is not complete"],
  [file("foreign", elf(8)), "ENOEXEC", 126, "for another CPU"],
  [file("crlf", "#!/bin/sh\r\necho a\r\n"), "ENOENT", 127, "its #! line ends in CRLF"],
  [file("spaced-crlf", "#! \t/bin/sh\r\n"), "ENOENT", 127, "its #! line ends in CRLF"],
  [file("gone", "#!/no/such/sh -e\n"), "ENOENT", 127, 'its interpreter "/no/such/sh" is not there'],
  [join(folder, "nothing"), "ENOENT", 127, "correct the path, or install it"],
  [join(folder, "busy/x"), "ENOTDIR", 126, "a part of it is not a directory"],
  [join(folder, "directory"), "EACCES", 126, "it is a directory, or this user may not execute it"],
  [file("plain", "#!/bin/sh\n", 0o644), "EACCES", 126, "chmod +x it"],
  [join(folder, "loop"), "ELOOP", 126, "lead in a circle"],
  [busy, "ETXTBSY", 126, "some program has it open for writing"],
  ["/bin/true", "EACCES", 126, grants],
];

testUnless(
  kernelAbi === 0 ? "needs Landlock" : "",
  "spawn() and the command line say why a program cannot be executed, and what to do",
  () => {
    using ruleset = landlock.V1.ruleset(roDirs(folder, "/dev"));
    const held = openSync(busy, "r+");
    for (const [program, errno, status, fix] of cases) {
      const [method, option] = typeof fix === "string" ? [fix, fix] : [fix.method, fix.option];
      let error: unknown;
      try {
        ruleset.spawnSync([program]);
      } catch (thrown) {
        error = thrown;
      }
      expect(error, program).toBeInstanceOf(LandlockError);
      expect(error).toMatchObject({ code: "ERR_LANDLOCK_PATH", path: program, errnoName: errno });
      expect((error as Error).message).toContain(method);
      const { code, stderr } = run([...cli, "-1", "-ro", folder, "--", program]);
      expect(stderr).toContain(errno);
      expect(stderr).toContain(option);
      expect(code, program).toBe(status);
    }
    closeSync(held);
  },
);

testUnless(
  kernelAbi === 0 ? "needs Landlock" : "",
  "the fix for a program outside of /usr names that program, and is enough",
  () => {
    const own = join(folder, "true");
    copyFileSync("/bin/true", own);
    const command = [...cli, "-1"];
    const { code, stderr } = run([...command, "-ro", "/dev", "--", own]);
    expect([code, stderr]).toEqual([126, expect.stringContaining(`-preset executable=${own}\n`)]);
    const option = /as with (.+)$/m.exec(stderr)![1]!.split(" ");
    expect(run([...command, "-ro", "/dev", ...option, "--", own]).code).toBe(0);
    const odd = join(folder, "a b");
    copyFileSync("/bin/true", odd);
    expect(run([...command, "--", odd]).stderr).toContain("-preset executable=PROGRAM");
  },
);
