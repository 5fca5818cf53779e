/** An emulated machine with a newer kernel than this one. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { openApt } from "../../kernels/apt.ts";
import { CpioWriter } from "../../kernels/cpio.ts";
import { linuxOf } from "../../kernels/linux.ts";
import { kernels, userlandSuite } from "../../kernels/table.ts";
import { userland } from "../../kernels/userland.ts";
import { benchFolder } from "./cache.ts";

const emulator = "qemu-system-x86_64";
const patienceMs = 4 * 60_000;
const documentation = /^usr\/share\/(doc|info|locale|man)(\/|$)/;

/** Why no guest can run here; undefined if one can. */
export function guestMissing(): string | undefined {
  if (process.arch !== "x64") return "it is emulated on x64 only";
  return Bun.which(emulator) === null ? "apt-get install qemu-system-x86" : undefined;
}

/**
 * Boots the newest kernel of the table, runs a script and powers off.
 *
 * @param files Files of this machine, put into `/programs`
 * @param script For `sh`, with `/proc` and `/dev` mounted
 * @returns The console output
 */
export async function inGuest(files: readonly string[], script: string): Promise<string> {
  const kernel = kernels.find(({ name }) => name === "x64-7.3")!;
  const apt = await openApt("x64", [userlandSuite, ...kernel.suites]);
  const linux = await linuxOf(kernel, apt);
  const path = join(benchFolder("guest"), "image.cpio");
  const image = new CpioWriter(path);
  image.copy(await userland("x64", apt), "", documentation);
  for (const file of files) {
    if (!existsSync(file)) throw new Error(`${file} is missing`);
    image.copy(file, `programs/${file.split("/").at(-1)}`);
  }
  for (const folder of ["dev", "proc", "run", "sys", "tmp"]) image.folder(folder);
  const init = `#!/bin/sh
export PATH=/usr/bin:/usr/sbin
mount -t proc none /proc
mount -t devtmpfs none /dev
${script}
busybox poweroff -f
`;
  image.file("init", init, 0o755);
  image.close();
  const child = Bun.spawn(
    [
      // The emulator must end with this program, however that ends.
      ...["setpriv", "--pdeathsig", "KILL"],
      ...[emulator, "-machine", "pc", "-cpu", "max", "-accel", "tcg,thread=multi"],
      ...["-smp", "2", "-m", "2048M", "-display", "none", "-nic", "none", "-no-reboot"],
      ...["-monitor", "none", "-serial", "stdio", "-kernel", linux, "-initrd", path],
      ...["-append", "console=ttyS0 panic=-1 quiet"],
    ],
    {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
      timeout: patienceMs,
      killSignal: "SIGKILL",
    },
  );
  return child.stdout.text();
}
