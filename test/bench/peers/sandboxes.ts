/** Tools that sandbox a command: it may read some folders and write to `/tmp`. */
import type { Absent } from "../results.ts";
import type { Debian } from "./debian.ts";

/** A tool, and the words before the command. */
export interface Sandbox {
  readonly name: string;
  readonly words: readonly string[];
}

const readable = ["/usr", "/bin", "/lib", "/lib64"];
const rights = "path-beneath:execute,read-file,read-dir";

function absent(name: string, why: string): Absent {
  return { name, role: "peer", absent: why };
}

/** Debian's newest version, or else this machine's own. */
function find(debian: Debian | undefined, program: string): readonly string[] | undefined {
  const own = Bun.which(program);
  return debian?.program(`usr/bin/${program}`) ?? (own === null ? undefined : [own]);
}

/** Runs `/bin/true` in it once, because not every machine lets every tool work. */
function usable({ name, words }: Sandbox): Sandbox | Absent {
  const done = Bun.spawnSync([...words, "/bin/true"], { stderr: "pipe", stdout: "ignore" });
  if (done.success) return { name, words };
  const reason = done.stderr.toString().trim().split("\n").at(-1) ?? "";
  return absent(name, `it fails here: ${reason}`.slice(0, 120));
}

/** All Debian tools for this, and why some are missing. */
export function sandboxes(debian: Debian | undefined): (Sandbox | Absent)[] {
  const tool = (name: string, program: string, options: readonly string[]) => {
    const words = find(debian, program);
    if (words === undefined) return absent(name, "Debian's package cannot be had here");
    const version = debian?.version(name.split(" ")[0]!);
    return usable({ name: version ? `${name} ${version}` : name, words: [...words, ...options] });
  };
  return [
    tool("util-linux setpriv", "setpriv", [
      ...["--no-new-privs", "--landlock-access", "fs"],
      ...readable.flatMap((path) => ["--landlock-rule", `${rights}:${path}`]),
      ...["--landlock-rule", "path-beneath:execute,read-file,read-dir,write-file,make-reg:/tmp"],
    ]),
    tool("go-landlock landlock-restrict", "landlock-restrict", [
      "-ro",
      ...readable,
      "-rw",
      "/tmp",
      "--",
    ]),
    tool("landrun", "landrun", ["--best-effort", "--rox", readable.join(), "--rwx", "/tmp", "--"]),
    tool("bubblewrap", "bwrap", [
      ...readable.flatMap((path) => ["--ro-bind", path, path]),
      ...["--bind", "/tmp", "/tmp", "--"],
    ]),
    firejail(),
    absent("rust-landlock sandboxer", "Debian has the crate's source, no program"),
  ];
}

/** It is set-user-ID root and uses files at fixed places, so it must be installed. */
function firejail(): Sandbox | Absent {
  const path = Bun.which("firejail");
  if (path === null) return absent("firejail", "it has to be installed: apt-get install firejail");
  const lists = ["/etc", "/home", "/var"].map((folder) => `--blacklist=${folder}`);
  return usable({ name: "firejail", words: [path, "--quiet", "--noprofile", ...lists, "--"] });
}
